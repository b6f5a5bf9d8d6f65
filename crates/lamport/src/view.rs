//! What people see of an event.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use common::{
    app::has_colour,
    config::Options as _,
    event::{Event, Kind},
    journal::{Lines, View, usual_view},
};

use crate::{
    check::report,
    config::{Cli, Command},
    happening::Happening,
    process::{Names, ProcessId},
    trace::terminal::coloured,
};

/// What a person sees: the handout's lines, or the events of a run and what was found out about it.
pub fn of(cli: &Cli) -> View {
    match cli.command {
        Some(Command::Trace(_)) => view_of_a_trace(),
        None => Box::new(view_of_the_handout),
        Some(Command::Simulate { .. } | Command::Run { .. }) => Box::new(view_of_a_run),
        Some(Command::Check { .. }) => Box::new(view_of_a_check),
        Some(Command::Explore { .. }) => Box::new(view_of_an_explorer),
        Some(Command::Node { managed, .. }) => view_of_a_node(cli, managed),
    }
}

fn view_of_the_handout(event: &Event, lines: &mut Lines) {
    match (event.kind, event.clock) {
        (Kind::Send, Some(time)) => lines.answer = format!("Clock1 Time after sending: {time}"),
        (Kind::Receive, Some(time)) => {
            lines.answer = format!("Clock2 Time after receiving: {time}")
        }
        _ => usual_view(event, lines),
    }
}

fn view_of_a_run(event: &Event, lines: &mut Lines) {
    let text = event.text.as_deref().unwrap_or_default();
    let of = |field: &Option<String>| field.clone().unwrap_or_default();
    match (event.kind, event.clock) {
        (Kind::Check, _) => {
            // What is wrong, and below it the events that show it.
            let text = text.replace("; ", &format!("\n{:29}", ""));
            lines.answer = format!("{:<4}  {:<21}  {text}", of(&event.value), of(&event.name));
        }
        (Kind::Send | Kind::Receive | Kind::Local, Some(_)) => {
            let (seconds, micros) = (
                event.time.since_1970().as_secs(),
                event.time.since_1970().subsec_micros(),
            );
            lines.answer = format!("{seconds:>3}.{micros:06}  {text}");
        }
        (Kind::Local, None) => lines.answer.push_str(text),
        (Kind::Ready, _) => lines.status.push_str(text),
        _ => usual_view(event, lines),
    }
}

/// A step's number stands where a run has the time.
fn view_of_a_check(event: &Event, lines: &mut Lines) {
    let text = event.text.as_deref().unwrap_or_default();
    let step = report::step(event.time.since_1970());
    match (event.kind, event.clock, event.name.as_deref()) {
        (Kind::Local, None, Some(report::PROGRESS)) => lines.prompt.push_str(text),
        (Kind::Local, None, Some(report::FAULT))
        | (Kind::Send | Kind::Receive | Kind::Local, Some(_), _) => {
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

/// A diagram in colour where there is colour, and a verdict.
fn view_of_a_trace() -> View {
    let colour = has_colour(&io::stdout());
    Box::new(move |event: &Event, lines: &mut Lines| {
        let text = event.text.as_deref().unwrap_or_default();
        match (event.kind, event.clock) {
            (Kind::Local, Some(_)) if colour => lines.answer = coloured(text),
            (Kind::Local, Some(_)) => lines.answer.push_str(text),
            (Kind::Ready, _) => lines.status = format!("written: {text}"),
            _ => view_of_a_run(event, lines),
        }
    })
}

/// What a process tells whoever types: every event, what its clock showed then, and answers. Whoever manages a process
/// reads of events in its log.
fn view_of_a_node(cli: &Cli, managed: bool) -> View {
    let output = cli.options.output();
    let name = output.name.unwrap_or_default();
    let others = cli.options.peer.iter().flatten();
    let others = others.map(|peer| peer.split('=').next().unwrap_or_default());
    let all = others.chain([name.as_str()]).map(str::to_owned).collect();
    // Names that cannot be are refused before anything happens.
    let names = Names::sorted(all).unwrap_or_else(|_| Names::numbered(0));
    let me = names.process(&name).unwrap_or(ProcessId(0));
    let typing =
        !managed && !output.json && io::stdin().is_terminal() && io::stdout().is_terminal();
    Box::new(move |event: &Event, lines: &mut Lines| {
        let text = event.text.as_deref().unwrap_or_default();
        match (event.kind, event.clock) {
            (Kind::Send | Kind::Receive | Kind::Local, Some(time)) if !managed => {
                let happening = Happening::of_event(me, Duration::ZERO, event, &names);
                let words = happening.map(|happening| happening.words(&names));
                lines.answer = format!("{time:>4}  {}", words.unwrap_or_default());
            }
            (Kind::Local, None) => lines.answer.push_str(text),
            (Kind::Ready, _) => lines.status = format!("listening on {text}"),
            (Kind::Stop, _) if !managed => lines.status.push_str(text),
            _ => usual_view(event, lines),
        }
        if typing && event.kind != Kind::Stop && event.kind != Kind::Start {
            lines.prompt = format!("{name}> ");
        }
    })
}
