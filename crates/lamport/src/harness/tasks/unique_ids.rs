//! `unique-ids`: every id that a node makes is unique among all nodes.

use std::{collections::HashMap, time::Duration};

use common::process::{property::Property, verdict::check::Check};
use rand_pcg::Pcg64Mcg;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::harness::{
    history::History,
    message::{Body, body, excerpt},
    task::{Answer, End, Exchange, Task},
};

/// The workload.
#[derive(Debug, Default)]
pub(super) struct UniqueIds {
    /// The node that made each id.
    made: HashMap<String, usize>,
    /// The first id that was made twice, and the nodes.
    twice: Option<(String, usize, usize)>,
}

/// The id as the node wrote it: a number may have more digits than a number in memory.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    body: Id<'a>,
}

#[derive(Deserialize)]
struct Id<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
}

impl Task for UniqueIds {
    fn request(&mut self, _: usize, _: &mut Pcg64Mcg) -> Body {
        body("generate", [])
    }

    fn answered(
        &mut self,
        _: &mut History,
        _: Duration,
        exchange: Exchange<'_>,
    ) -> Result<(), String> {
        let Answer::Ok(reply, line) = exchange.answer else {
            return Ok(());
        };
        let id = match reply.get("id") {
            None | Some(serde_json::Value::Null) => {
                return Err("expected a field id in generate_ok, found none".to_owned());
            }
            Some(serde_json::Value::Number(_)) => {
                let line = serde_json::from_slice::<Line<'_>>(line);
                line.map_err(|error| error.to_string())?
                    .body
                    .id
                    .get()
                    .to_owned()
            }
            Some(id) => id.to_string(),
        };
        let before = self.made.insert(id.clone(), exchange.node);
        if let Some(before) = before {
            self.twice.get_or_insert((id, before, exchange.node));
        }
        Ok(())
    }

    fn conclude(&self, end: &End<'_>) -> Vec<Check> {
        let property = Property::UniqueIds;
        vec![match &self.twice {
            Some((id, one, other)) => {
                let id = excerpt(id.as_bytes());
                let (one, other) = (end.name(*one), end.name(*other));
                Check::unfulfilled(
                    property,
                    format!("{id} was made by {one} and again by {other}"),
                )
            }
            None if self.made.is_empty() => Check::open(property, "no node made an id"),
            None => Check::ok(property, format!("all {} ids differ", self.made.len())),
        }]
    }
}
