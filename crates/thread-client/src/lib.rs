//! Experiment 3, the client: one, many at once, or a load.
//!
//! | module | job |
//! | --- | --- |
//! | [`handout`] | the handout's program: connect, send, receive, print, close |
//! | [`client`] | a client and its connection, with limits, a stop and an event log |
//! | [`clients`] | many clients at once, a thread each, and one summary |
//! | [`load`] | the client as a load generator: closed and open loops |
//! | [`schedule`] | when which exchange of a load begins |
//! | [`report`] | the counts of a load, and its summary |
//! | [`plot`], [`progress`] | the same as a picture; the progress bar |
//! | [`config`] | the program's options |

pub mod client;
pub mod clients;
pub mod config;
pub mod handout;
pub mod load;
pub mod plot;
pub mod progress;
pub mod report;
pub mod schedule;

use std::{net::SocketAddr, sync::Arc, time::Instant};

use common::{
    config::Options as _,
    event::{Event, Kind, Level},
    exit::{Failure, Summary},
    journal::{Lines, View, usual_view},
    shutdown::Shutdown,
};

use crate::{
    client::{Client, Recorder},
    config::{Options, Settings},
    report::Report,
};

/// How the client's events are shown to people: the handout's line for each client, and the summary when there are
/// several; of a load the summary only.
pub fn view(options: &Options) -> View {
    let load = options.is_load();
    let json = options.output().json;
    let several = options.clients.unwrap_or(1) > 1;
    Box::new(move |event: &Event, lines: &mut Lines| {
        let text = event.text.as_deref().unwrap_or_default();
        match event.kind {
            Kind::Receive if load => {}
            Kind::Receive => {
                let content = event.content_in_short();
                lines.answer.extend(["Received from server: ", &content]);
            }
            // Without a text the program could not run, and the error has been shown.
            Kind::Stop if text.is_empty() => {}
            Kind::Stop if load => lines.answer = report::lines(text, &event.counts),
            Kind::Stop if several => lines.answer.push_str(text),
            // The reply of a single client is the whole answer; without one the counts are.
            Kind::Stop if json && event.counts.get("failed").is_some_and(|failed| *failed > 0) => {
                lines.answer.push_str(text);
            }
            // It was interrupted; of any other failure the error has been shown.
            Kind::Stop if event.counts.contains_key("failed: stopped") => {
                lines.status.push_str(text);
            }
            Kind::Stop => {}
            Kind::Report => lines.status.push_str(text),
            // With several clients, the summary says how many failed, and why.
            Kind::Error if event.level < Level::Error => {}
            _ => usual_view(event, lines),
        }
    })
}

/// Runs the client, the clients, or the load that the settings ask for; with `show_progress` a progress bar on the
/// terminal while a load runs.
///
/// # Errors
/// When there is no room for the clients, or a load cannot be run (exit code 2). Failures of clients are counted by kind
/// in the summary.
pub fn run(
    addresses: &[SocketAddr],
    settings: &Settings,
    recorder: &dyn Recorder,
    shutdown: &Shutdown,
    show_progress: bool,
) -> Result<Summary, Failure> {
    // The events of a load are recorded for the log only: without one they would slow it down for nothing.
    let is_recorded = settings.load.is_none() || settings.logged;
    let client = Client {
        addresses,
        settings,
        recorder: is_recorded.then_some(recorder),
        shutdown,
    };
    let Some(load) = &settings.load else {
        return clients::run(client, recorder);
    };
    if let Some(path) = &settings.plot {
        plot::check(path)?;
    }
    let (report, begun) = (Arc::new(Report::default()), Instant::now());
    let so_far = Arc::clone(&report);
    recorder.report_with(Box::new(move || {
        let summary = so_far.summary(begun.elapsed(), false);
        let text = format!("so far: {}", summary.text);
        Event::report(&Summary { text, ..summary })
    }));
    let summary = load::run(client, load, &report, recorder, show_progress)?;
    let Some(path) = &settings.plot else {
        return Ok(summary);
    };
    Ok(match plot::draw(path, &summary.text, &report.counts()) {
        Ok(()) => summary,
        // The load has run, and its figures are shown all the same.
        Err(failure) => {
            recorder.record(Event::failure(&failure));
            summary.exit(failure.exit)
        }
    })
}
