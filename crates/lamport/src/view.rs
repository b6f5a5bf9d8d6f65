//! How events are printed.

use std::io::{self, IsTerminal};

use common::{
    app::has_colour,
    config::Options as _,
    event::{Event, Kind},
    journal::{Lines, View, usual_view},
    process::{view, words},
};

use crate::{
    config::{Cli, Command},
    trace::terminal::coloured,
};

/// The view of a command: which events are printed, where, and how.
pub fn of(cli: &Cli) -> View {
    match cli.command {
        Some(Command::Trace(_)) => view_of_a_trace(),
        None => Box::new(view_of_the_handout),
        Some(Command::Simulate { .. } | Command::Run { .. } | Command::Compare { .. }) => {
            Box::new(view::of_a_run)
        }
        Some(Command::Check { .. }) => Box::new(view::of_a_check),
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
            _ => view::of_a_run(event, lines),
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
