//! Experiment 5: flat and structured naming.
//!
//! | module | job |
//! | --- | --- |
//! | [`names`] | the handout's program: the dictionaries, and looking a name up in them |
//! | [`mod@file`] | names from a JSON file of the handout's own shape |
//! | [`config`] | what the program can be told and asked |

pub mod config;
pub mod file;
pub mod names;

use common::{
    event::{Event, Kind},
    exit::{Exit, Summary},
    journal::{Journal, Lines, View, usual_view},
    shutdown::Shutdown,
    text::plural,
};

use crate::{
    config::{Cli, Query},
    names::Names,
};

/// Answers every query; a name that does not resolve is told as an error and does not keep the others from it.
pub fn run(names: &Names, queries: &[Query], journal: &Journal, shutdown: &Shutdown) -> Summary {
    let (mut resolved, mut missing) = (0, 0);
    for query in queries {
        let answers = match query {
            Query::Flat(name) => names
                .flat(name)
                .map(|address| vec![(name.clone(), address)]),
            Query::Structured(path) => names
                .structured(path)
                .map(|address| vec![(path.to_string(), address)]),
            Query::Everything => Ok(names.all()),
        };
        match answers {
            Ok(answers) => {
                for (name, address) in answers {
                    if shutdown.requested() {
                        break;
                    }
                    journal.record(Event::new(Kind::Resolve).resolved(name, address.to_string()));
                    resolved += 1;
                }
            }
            Err(unresolved) => {
                journal.record(Event::failure(&unresolved));
                missing += 1;
            }
        }
    }
    let text = format!("{} resolved, {missing} not", plural(resolved, "name"));
    let exit = if missing > 0 { Exit::No } else { Exit::Done };
    Summary::done(text)
        .exit(exit)
        .count("resolved", resolved)
        .count("missing", missing)
}

/// What a person sees: the handout's lines, with `--short` only the address, and for a list name and address.
pub fn view(cli: &Cli) -> View {
    let (short, list) = (cli.options.short.unwrap_or(false), cli.lists());
    Box::new(
        move |event: &Event, lines: &mut Lines| match (&event.name, &event.value) {
            (Some(name), Some(value)) if event.kind == Kind::Resolve => {
                lines.answer = match (short, list) {
                    (true, _) => value.clone(),
                    (false, true) => format!("{name} {value}"),
                    (false, false) => format!("IP address of {}: {value}", name.replace('/', " ")),
                };
            }
            _ => usual_view(event, lines),
        },
    )
}
