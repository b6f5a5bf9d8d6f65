//! Experiment 3, the client: one, a crowd of them at once, or a load.
//!
//! | module | job |
//! | --- | --- |
//! | [`client`] | the handout's program: connect, send, receive, print, close |
//! | [`crowd`] | many clients at once, a thread each, and one summary |
//! | [`load`] | the client as a load generator: closed and open loops |
//! | [`schedule`] | when which exchange of a load begins |
//! | [`report`] | what a load came to |
//! | [`plot`], [`progress`] | the same as a picture, and while it runs |
//! | [`config`] | what the client can be told |

pub mod client;
pub mod config;
pub mod crowd;
pub mod load;
pub mod plot;
pub mod progress;
pub mod report;
pub mod schedule;

use std::net::SocketAddr;

use common::{
    event::{Event, Kind, Level},
    exit::{Failure, Summary},
    journal::{Journal, Lines, View, usual_view},
    shutdown::Shutdown,
};

use crate::{
    client::Client,
    config::{Options, Settings},
    report::Report,
};

/// What a person sees of the client's events: the handout's line for each client, and when there are several the
/// summary; of a load the summary only.
pub fn view(options: &Options) -> View {
    let load = options.is_load();
    let several = options.clients.unwrap_or(1) > 1;
    Box::new(move |event: &Event, lines: &mut Lines| {
        let text = event.text.as_deref().unwrap_or_default();
        match event.kind {
            Kind::Receive if load => {}
            Kind::Receive => lines.answer.extend(["Received from server: ", text]),
            // Without a text it could not run, which has been told.
            Kind::Stop if text.is_empty() => {}
            Kind::Stop if load => lines.answer = report::lines(text, &event.counts),
            Kind::Stop if several => lines.answer.push_str(text),
            // One client was interrupted: no answer, and no failure either.
            Kind::Stop if event.counts.get("failed").is_some_and(|failed| *failed > 0) => {
                lines.status.push_str(text);
            }
            Kind::Local => lines.status.push_str(text),
            // In a crowd the summary tells how many failed, and why.
            Kind::Error if event.level < Level::Error => {}
            _ => usual_view(event, lines),
        }
    })
}

/// Runs the client, the crowd, or the load that the settings ask for; `show_progress` on the terminal while a load
/// runs.
///
/// # Errors
/// For a single client its own failure (exit code 1), else when it could not run at all; failures of several are
/// counted by kind in the summary.
pub fn run(
    addresses: &[SocketAddr],
    settings: &Settings,
    journal: &Journal,
    shutdown: &Shutdown,
    show_progress: bool,
) -> Result<Summary, Failure> {
    // A load that nobody logs tells its summary and nothing else: the events would only slow it down.
    let told = settings.load.is_none() || settings.logged;
    let client = Client {
        addresses,
        settings,
        journal: told.then_some(journal),
        shutdown,
    };
    let Some(load) = &settings.load else {
        return crowd::run(client, journal);
    };
    if let Some(path) = &settings.plot {
        plot::check(path)?;
    }
    let report = Report::default();
    let summary = load::run(client, load, &report, journal, show_progress)?;
    if let Some(path) = &settings.plot {
        plot::draw(path, &summary.text, &report.counts())?;
    }
    Ok(summary)
}
