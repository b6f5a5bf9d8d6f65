//! The results as lines for people.

use common::text::plural;

use crate::{
    requirement::{NOT_TRIED, Status},
    results::{Graded, Part},
};

/// A requirement that was probed, with what happened where it is not met.
pub fn requirement(graded: &Graded) -> String {
    let word = match graded.status {
        Status::Pass => "ok",
        Status::GraderFault => "????",
        _ => "FAIL",
    };
    let what = graded.what.as_deref().unwrap_or_default();
    let is_tried = !what.starts_with(NOT_TRIED);
    let sentence = if is_tried { &graded.sentence } else { what };
    let mut text = format!(
        "{word:<5} {:<12} {}/{}  {sentence}",
        graded.id, graded.points, graded.of
    );
    if graded.status == Status::Pass || !is_tried {
        return text;
    }
    let runs = match graded.runs {
        1 => String::new(),
        runs => format!(" ({} of {runs} runs)", runs - graded.passed),
    };
    text.push_str(&format!(
        "\n        {}{runs}: {what}",
        graded.status.words()
    ));
    let mut line = |name: &str, what: Option<&str>| {
        if let Some(what) = what {
            text.push_str(&format!("\n          {name:<9} {what}"));
        }
    };
    if !graded.hidden {
        line("sent", graded.sent.as_deref());
        line("received", graded.received.as_deref());
        line("expected", graded.expected.as_deref());
        line("stderr", graded.stderr.as_deref());
        line("says so", Some(&graded.source));
        line("again", Some(&graded.reproduce));
    }
    text
}

/// What a part comes to, in one line.
pub fn part(part: &Part) -> String {
    let lost = part
        .requirements
        .iter()
        .filter(|graded| graded.status != Status::Pass)
        .count();
    let missed = match lost {
        0 => "every requirement met".to_owned(),
        lost => format!("{} not met", plural(lost as u64, "requirement")),
    };
    format!("{} of {} points, {missed}", part.points, part.of)
}
