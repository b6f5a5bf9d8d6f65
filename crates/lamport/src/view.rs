//! How events are printed.

use std::io::{self, IsTerminal};

use common::{
    app::has_colour,
    config::Options as _,
    event::{Event, Kind, Verdict},
    journal::{Lines, View, usual_view},
    process::words,
};

use crate::{
    check::report,
    config::{Cli, Command},
    trace::terminal::coloured,
};

/// The view of a command: which events are printed, where, and how.
pub fn of(cli: &Cli) -> View {
    match cli.command {
        Some(Command::Trace(_)) => view_of_a_trace(),
        None => Box::new(view_of_the_handout),
        Some(Command::Simulate { .. } | Command::Run { .. }) => Box::new(view_of_a_run),
        Some(Command::Check { .. }) => Box::new(view_of_a_check),
        Some(Command::Explore { .. }) => Box::new(view_of_an_explorer),
        Some(Command::Node { stdio: true, .. }) => Box::new(usual_view),
        Some(Command::Node { managed, .. }) => view_of_a_node(cli, managed.is_some()),
    }
}

fn view_of_the_handout(event: &Event, lines: &mut Lines) {
    match (event.kind, &event.text) {
        (Kind::Send | Kind::Receive, Some(text)) => lines.answer.push_str(text),
        _ => usual_view(event, lines),
    }
}

fn view_of_a_run(event: &Event, lines: &mut Lines) {
    let text = event.text.as_deref().unwrap_or_default();
    match (event.kind, event.clock) {
        (Kind::Check, _) => {
            // The reason, and below it the two events that violate the property.
            let text = text.replace("; ", &format!("\n{:29}", ""));
            let verdict = event.verdict.map_or("", Verdict::word);
            let check = event.check.as_deref().unwrap_or_default();
            lines.answer = format!("{verdict:<4}  {check:<21}  {text}");
        }
        (Kind::Fault, _) | (Kind::Send | Kind::Receive | Kind::Local, Some(_)) => {
            let (seconds, micros) = (
                event.time.since_1970().as_secs(),
                event.time.since_1970().subsec_micros(),
            );
            lines.answer = format!("{seconds:>3}.{micros:06}  {text}");
        }
        // What a node writes on its standard error.
        (Kind::Output, _) if event.peer.is_some() => {
            let node = event.peer.as_ref().map(ToString::to_string);
            lines.status = format!("{}: {text}", node.unwrap_or_default());
        }
        (Kind::Output | Kind::Report, _) => lines.answer.push_str(text),
        (Kind::Ready, _) => lines.status.push_str(text),
        (Kind::Write, _) => lines.status = format!("written: {text}"),
        _ => usual_view(event, lines),
    }
}

/// Prints the number of the step in place of the time.
fn view_of_a_check(event: &Event, lines: &mut Lines) {
    let text = event.text.as_deref().unwrap_or_default();
    let step = report::step(event.time.since_1970());
    match (event.kind, event.clock) {
        (Kind::Report, _) if report::is_progress(event) => lines.prompt.push_str(text),
        (Kind::Fault, _) | (Kind::Send | Kind::Receive | Kind::Local, Some(_)) => {
            lines.answer = format!("{step:>5}  {text}");
        }
        _ => view_of_a_run(event, lines),
    }
}

fn view_of_an_explorer(event: &Event, lines: &mut Lines) {
    let text = event.text.as_deref().unwrap_or_default();
    match event.kind {
        Kind::Ready => lines.status = format!("listening on {text}"),
        _ => usual_view(event, lines),
    }
}

/// Prints the diagram, in colour if the terminal has colour, and the verdict.
fn view_of_a_trace() -> View {
    let colour = has_colour(&io::stdout());
    Box::new(move |event: &Event, lines: &mut Lines| {
        let text = event.text.as_deref().unwrap_or_default();
        match (event.kind, event.clock) {
            (Kind::Output, _) if colour && event.meaning.is_some() => lines.answer = coloured(text),
            (Kind::Write, _) => lines.status = format!("written: {text}"),
            _ => view_of_a_run(event, lines),
        }
    })
}

/// Prints every event with its clock, and the answers to commands. The events of a process that `run` manages are only in its
/// log.
fn view_of_a_node(cli: &Cli, managed: bool) -> View {
    let output = cli.options.output();
    let name = output.name.unwrap_or_default();
    let typing =
        !managed && !output.json && io::stdin().is_terminal() && io::stdout().is_terminal();
    Box::new(move |event: &Event, lines: &mut Lines| {
        let text = event.text.as_deref().unwrap_or_default();
        match (event.kind, event.clock) {
            (Kind::Send | Kind::Receive | Kind::Local, Some(time)) if !managed => {
                lines.answer = format!("{time:>4}  {}", words::of(event));
            }
            (Kind::Output | Kind::Report, _) => lines.answer.push_str(text),
            (Kind::Ready, _) => lines.status = format!("listening on {text}"),
            (Kind::Stop, _) if !managed => lines.status.push_str(text),
            _ => usual_view(event, lines),
        }
        if typing && event.kind != Kind::Stop && event.kind != Kind::Start {
            lines.prompt = format!("{name}> ");
        }
    })
}
