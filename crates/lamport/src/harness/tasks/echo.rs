//! `echo`: a node replies with what it was sent.

use std::time::Duration;

use common::process::{ids::ProcessId, property::Property, verdict::check::Check};
use rand_pcg::Pcg64Mcg;
use serde_json::json;

use crate::harness::{
    history::History,
    message::{Body, body, excerpt},
    task::{Answer, End, Exchange, Task},
};

/// The workload.
#[derive(Debug, Default)]
pub(super) struct Echo {
    asked: u64,
    same: u64,
    /// The first reply that differs, in words.
    differs: Option<String>,
}

impl Task for Echo {
    fn request(&mut self, _: usize, _: &mut Pcg64Mcg) -> Body {
        self.asked += 1;
        let number = self.asked;
        let payload = match number % 4 {
            0 => json!({"number": number, "list": ["Grüße", null, true, {}]}),
            _ => json!(format!("Please echo {number}")),
        };
        body("echo", [("echo", payload)])
    }

    fn answered(
        &mut self,
        history: &mut History,
        _: Duration,
        exchange: Exchange<'_>,
    ) -> Result<(), String> {
        let Answer::Ok(reply, _) = exchange.answer else {
            return Ok(());
        };
        let sent = &exchange.request["echo"];
        let Some(back) = reply.get("echo") else {
            return Err("expected a field echo in echo_ok, found none".to_owned());
        };
        if back == sent {
            self.same += 1;
        } else if self.differs.is_none() {
            let node = history.names.of(ProcessId::at(exchange.node));
            let short = |value: &serde_json::Value| excerpt(value.to_string().as_bytes());
            self.differs = Some(format!(
                "{node} was sent {} and replied {}",
                short(sent),
                short(back)
            ));
        }
        Ok(())
    }

    fn conclude(&self, _: &End<'_>) -> Vec<Check> {
        let property = Property::Echo;
        vec![match &self.differs {
            Some(differs) => Check::unfulfilled(property, differs.clone()),
            None if self.same == 0 => Check::open(property, "no node replied"),
            None => Check::ok(
                property,
                format!("all {} replies are what was sent", self.same),
            ),
        }]
    }
}
