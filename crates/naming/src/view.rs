//! What a person sees of the events: the handout's lines; of a list name and value; with `--short` only the values.

use std::net::IpAddr;

use common::{
    event::{Event, Kind},
    journal::{Lines, View, usual_view},
    message::Carrier,
    process::{view, words},
};

use crate::{
    config::{Cli, Command},
    handout,
};

/// The view of the command that is run.
pub fn of(cli: &Cli) -> View {
    let short = cli.options.short.unwrap_or(false);
    let trace = cli.options.trace.unwrap_or(false);
    let command = cli.command.clone();
    match command {
        Some(Command::Chord) => return view_of_processes(cli.options.ring.is_some(), false, trace),
        Some(Command::Run { managed, .. }) => return view_of_processes(!managed, managed, trace),
        Some(Command::Simulate { .. }) => return Box::new(view::of_a_run),
        Some(Command::Check { .. }) => return Box::new(view::of_a_check),
        _ => {}
    }
    let resolves = matches!(command, Some(Command::Resolve { .. }));
    Box::new(move |event, lines| match event.kind {
        Kind::Send | Kind::Receive | Kind::Local if resolves => {
            if trace {
                lines.answer = traced(event);
            }
        }
        _ => show(command.as_ref(), short, event, lines),
    })
}

/// What a node does, with its clock, and with --trace its messages; of a run of many the verdict. A supervised one prints what its
/// supervisor asks for.
fn view_of_processes(many: bool, managed: bool, trace: bool) -> View {
    Box::new(move |event, lines| {
        let text = event.text.as_deref().unwrap_or_default();
        match (event.kind, event.clock) {
            (Kind::Send | Kind::Receive, Some(_)) if managed || !trace => {}
            (Kind::Local, Some(_)) if managed => {}
            (Kind::Send | Kind::Receive | Kind::Local, Some(time)) => {
                lines.answer = format!("{time:>4}  {}", words::of(event));
            }
            (Kind::Check, _) => lines.answer = view::check(event),
            (Kind::Output | Kind::Report, _) => lines.answer.push_str(text),
            (Kind::Ready, _) if many => lines.status.push_str(text),
            (Kind::Ready, _) => lines.status = format!("listening on {text}"),
            (Kind::Stop, _) if !managed => lines.status.push_str(text),
            _ => usual_view(event, lines),
        }
    })
}

/// A message of a resolution, or what the cache has.
fn traced(event: &Event) -> String {
    let text = event.text.as_deref().unwrap_or_default();
    let peer = event.peer.as_ref();
    let peer = peer.map_or_else(String::new, ToString::to_string);
    let tcp = match &event.message {
        Some(message) if message.over == Carrier::Tcp => " over TCP",
        _ => "",
    };
    match event.kind {
        Kind::Send => format!("query to {peer}{tcp}: {text}"),
        Kind::Receive => {
            let value = event.value.as_deref().unwrap_or_default();
            format!("reply from {peer}{tcp}: {value}")
        }
        _ => text.to_owned(),
    }
}

fn show(command: Option<&Command>, short: bool, event: &Event, lines: &mut Lines) {
    let text = event.text.as_deref().unwrap_or_default();
    let serves = matches!(command, Some(Command::Serve));
    match (event.kind, &event.name, &event.value) {
        (Kind::Report, ..) if matches!(command, Some(Command::Compare)) => {
            lines.answer.push_str(text);
        }
        (Kind::Output, ..) => lines.answer.push_str(text),
        (Kind::Resolve, Some(name), Some(value)) => {
            lines.answer = match command {
                Some(Command::Explain { .. }) => format!("  so {name} is {value}"),
                _ if short => value.clone(),
                Some(Command::List) => format!("{name} {value}"),
                _ => answer(name, value),
            };
        }
        // What was changed, in words, where name and value alone do not say it.
        (Kind::Register, ..) if event.text.is_some() => lines.answer.push_str(text),
        (Kind::Register, Some(name), Some(value)) => lines.answer = format!("{name} is {value}"),
        (Kind::Register, Some(name), None) => lines.answer = format!("{name} is unregistered"),
        (Kind::Send, Some(name), Some(value)) if serves => {
            let peer = event
                .peer
                .as_ref()
                .map_or_else(String::new, ToString::to_string);
            lines.answer = format!("{peer} asked {name}: {value}");
        }
        (Kind::Ready, ..) => lines.status = format!("listening on {text}"),
        (Kind::Write, ..) => lines.status = format!("written: {text}"),
        (Kind::Local | Kind::Report, ..) => lines.status.push_str(text),
        (Kind::Stop, ..) if serves => lines.status.push_str(text),
        _ => usual_view(event, lines),
    }
}

/// The handout's line; an address has names, and a name may have texts.
fn answer(name: &str, value: &str) -> String {
    let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
    let words = || name.replace('/', " ").trim().to_owned();
    match (is_address(name), is_address(value)) {
        (_, true) => handout::line(name, value),
        (true, false) => format!("name of {name}: {value}"),
        (false, false) => format!("value of {}: {value}", words()),
    }
}
