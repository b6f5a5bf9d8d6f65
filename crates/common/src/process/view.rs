//! What a person sees of a run, and of a check.

#[cfg(feature = "check")]
use crate::process::check::report;
use crate::{
    event::{Event, Kind, Verdict},
    journal::{Lines, usual_view},
};

/// The reason of a verdict, and below it the two events that violate the property.
pub fn check(event: &Event) -> String {
    let text = event.text.as_deref().unwrap_or_default();
    let text = text.replace("; ", &format!("\n{:29}", ""));
    let verdict = event.verdict.map_or("", Verdict::word);
    let check = event.check.as_deref().unwrap_or_default();
    format!("{verdict:<4}  {check:<21}  {text}")
}

/// Prints the events of a run with their times, and the verdict.
pub fn of_a_run(event: &Event, lines: &mut Lines) {
    let text = event.text.as_deref().unwrap_or_default();
    match (event.kind, event.clock) {
        (Kind::Check, _) => {
            lines.answer = check(event);
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
#[cfg(feature = "check")]
pub fn of_a_check(event: &Event, lines: &mut Lines) {
    let text = event.text.as_deref().unwrap_or_default();
    let step = report::step(event.time.since_1970());
    match (event.kind, event.clock) {
        (Kind::Report, _) if report::is_progress(event) => lines.prompt.push_str(text),
        (Kind::Fault, _) | (Kind::Send | Kind::Receive | Kind::Local, Some(_)) => {
            lines.answer = format!("{step:>5}  {text}");
        }
        _ => of_a_run(event, lines),
    }
}
