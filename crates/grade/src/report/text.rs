//! The results as lines for people.

use common::text::plural;

use crate::{
    requirement::Status,
    results::{Graded, Part, Results, Submission},
};

/// A requirement that was probed, with what happened where it is not met.
pub fn requirement(graded: &Graded) -> String {
    let word = match graded.status {
        Status::Pass => "ok",
        Status::GraderFault => "????",
        _ => "FAIL",
    };
    let sentence = match graded.what.as_deref() {
        Some(what) if !graded.was_tried() => what,
        _ => graded.sentence.as_str(),
    };
    let first = format!(
        "{word:<5} {:<14} {}/{}  {sentence}",
        graded.id, graded.points, graded.of
    );
    match graded.status {
        Status::Pass => first,
        _ if !graded.was_tried() => first,
        _ => format!("{first}\n{}", details(graded).trim_end()),
    }
}

/// What happened where a requirement is not met; of a hidden one the kind of failure alone.
pub fn details(graded: &Graded) -> String {
    let what = graded.what.as_deref().unwrap_or_default();
    if graded.status == Status::Pass {
        return String::new();
    }
    let runs = match graded.runs {
        1 => String::new(),
        runs => format!(" ({} of {runs} runs)", runs - graded.passed),
    };
    let mut text = format!("        {}{runs}", graded.status.words());
    if graded.hidden {
        return text;
    }
    text.push_str(&format!(": {what}\n"));
    let mut line = |name: &str, what: Option<&str>| {
        if let Some(what) = what {
            text.push_str(&format!("          {name:<9} {what}\n"));
        }
    };
    if graded.was_tried() {
        line("sent", graded.sent.as_deref());
        line("received", graded.received.as_deref());
        line("expected", graded.expected.as_deref());
        line("stderr", graded.stderr.as_deref());
        line("picture", graded.picture.as_deref());
        line("says so", Some(&graded.source));
        line("again", Some(&graded.reproduce));
    }
    text
}

/// A submission of a class, in one line.
pub fn submission(submission: &Submission) -> String {
    let faults = faults(submission);
    let points = format!("{}/{}", submission.points, submission.of);
    let line = format!("{:<20} {points:>7}  {faults}", submission.name);
    line.trim_end().to_owned()
}

/// What a submission does not meet: `idle: timeout; restart: crash`. What was not tried is left out.
pub fn faults(submission: &Submission) -> String {
    let is_lost = |graded: &Graded| graded.status != Status::Pass && graded.was_tried();
    let is_alone = submission.parts.len() == 1;
    let lost = submission.graded().filter(|(_, graded)| is_lost(graded));
    let words = lost.map(|(part, graded)| {
        let part = if is_alone {
            String::new()
        } else {
            format!("{}/", part.part)
        };
        format!("{part}{}: {}", graded.id, graded.status.words())
    });
    words.collect::<Vec<_>>().join("; ")
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

/// All results as lines.
pub fn document(results: &Results) -> String {
    let mut lines = Vec::new();
    for submission in &results.submissions {
        lines.push(self::submission(submission));
        lines.extend(submission.graded().map(|(_, graded)| requirement(graded)));
    }
    lines.join("\n")
}
