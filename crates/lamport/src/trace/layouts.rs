//! Logs with vector clocks, of programs in any language: the layouts of ShiViz and GoVector, or another one given by a regular
//! expression.
//!
//! ShiViz's format (Beschastnikh et al., "Debugging Distributed Systems", Communications of the ACM 59(8), 2016): in the
//! first line a regular expression with the named groups `event`, `host` and `clock`, in the second line one for the delimiter
//! between two executions, then the log. Both lines are optional.

use common::{exit::Failure, text::visible};
use regex::{Captures, Regex};
use serde_json::Map;

use super::{
    block::{Block, Piece, excerpt},
    clock_text::LoggedClock,
    expression::{REQUIRED, expression, layout},
    findings::Severity,
    foreign::{ForeignEvent, ForeignEvents},
    known::{Known, fitting, is_header, remarks},
    wall,
};
use crate::trace_flags::FieldNames;

/// How logs are read: what the user says of their layout, which is otherwise guessed.
#[derive(Debug, Default)]
pub struct Layout {
    /// The regular expression of an event.
    pub event: Option<Regex>,
    /// The delimiter between two executions.
    pub delimiter: Option<Regex>,
    /// The fields of lines of JSON.
    pub fields: Option<FieldNames>,
    /// Whether all findings are listed, and not only the first ones.
    pub all_findings: bool,
}

impl Layout {
    /// From regular expressions.
    ///
    /// # Errors
    /// When one is invalid, or a required group is missing (exit code 2).
    pub fn new(event: Option<&str>, delimiter: Option<&str>) -> Result<Self, Failure> {
        let event = event
            .map(|event| layout(event).map_err(|error| Failure::could_not_run("--regex", error)));
        let delimiter = delimiter.map(|delimiter| {
            expression(delimiter).map_err(|error| Failure::could_not_run("--delimiter", error))
        });
        Ok(Self {
            event: event.transpose()?,
            delimiter: delimiter.transpose()?,
            ..Self::default()
        })
    }
}

/// The group that names the executions of one log.
const EXECUTION: &str = "trace";

/// The groups whose values are the wall-clock time of an event, as in ShiViz.
const TIMES: [&str; 2] = ["date", "timestamp"];

/// Whether a regular expression finds an event with a clock in a text.
pub(super) fn finds_event(regex: &Regex, text: &str) -> bool {
    let clock = |event: Captures<'_>| LoggedClock::of_text(event.name("clock")?.as_str()).ok();
    regex
        .captures_iter(text)
        .any(|event| clock(event).is_some())
}

/// Parses a whole log.
pub(super) fn parse(piece: Piece, options: &Layout) -> Block {
    let mut reading = Reading {
        events: ForeignEvents::new(piece.file, options.all_findings),
        more: Vec::new(),
        guessed: None,
        is_within_line: [false; 2],
    };
    let mut line = piece.line;
    let mut log = piece.text.as_str();
    let mut in_header = None;
    let mut is_header_known = false;
    let mut delimiter = options.delimiter.clone();
    let remarks = remarks(log);
    let (first, below) = log[remarks..]
        .split_once('\n')
        .unwrap_or((&log[remarks..], ""));
    if is_header(first) {
        line += newlines(&log[..remarks]);
        in_header = Some(layout(first));
        let (second, rest) = below.split_once('\n').unwrap_or((below, ""));
        if !second.trim().is_empty() && delimiter.is_none() {
            match expression(second) {
                Ok(regex) => delimiter = Some(regex),
                Err(error) => reading.problem(line + 1, Severity::Fail, error),
            }
        }
        log = rest;
        line += 2;
    }
    let own = match (&options.event, in_header) {
        (Some(_), _) => None,
        (None, Some(Ok(regex))) => Some(regex),
        (None, Some(Err(error))) => {
            reading.problem(line - 2, Severity::Fail, error);
            return reading.events.block;
        }
        (None, None) => {
            let known = fitting(log, delimiter.as_ref());
            reading.guessed = known;
            if delimiter.is_none() && known.is_some() {
                is_header_known = true;
                delimiter = Known::delimiter();
            }
            known.and_then(Known::event)
        }
    };
    let severity = match piece.is_found {
        true => Severity::Warn,
        false => Severity::Fail,
    };
    let Some(regex) = options.event.as_ref().or(own.as_ref()) else {
        let shown = excerpt(log);
        let words = format!("neither an event log nor a log in a known layout: {shown}");
        reading.problem(line, severity, words);
        return reading.events.block;
    };
    let names = regex.capture_names().flatten();
    let more = names.filter(|name| !REQUIRED.contains(name) && !TIMES.contains(name));
    reading.more = more.map(str::to_owned).collect();
    if options.event.is_some() && !regex.is_match(log) {
        let words = format!("nothing in it fits --regex: {}", excerpt(log));
        reading.problem(line, severity, words);
        return reading.events.block;
    }
    let mut start = 0;
    let mut label = String::new();
    let between = delimiter.as_ref().map(|delimiter| {
        let ends = delimiter.captures_iter(log);
        ends.map(|end| {
            let whole = end.get_match();
            let label = end.name(EXECUTION).map_or("", |label| label.as_str());
            (whole.start(), whole.end(), label.to_owned())
        })
        .filter(|(start, end, _)| start < end)
        .filter(|(start, end, _)| {
            let known = reading.guessed.filter(|_| is_header_known);
            !known.is_some_and(|known| known.has_event(log, *start, *end))
        })
        .collect::<Vec<_>>()
    });
    let mut first = line;
    let several = between.as_ref().is_some_and(|between| !between.is_empty());
    for (number, (from, until, next)) in between
        .into_iter()
        .flatten()
        .chain([(log.len(), log.len(), String::new())])
        .enumerate()
    {
        let execution = match (several, label.is_empty()) {
            (false, _) => String::new(),
            (true, true) => format!("execution {number}"),
            (true, false) => label,
        };
        reading.is_within_line = [start, from]
            .map(|place| place > 0 && place < log.len() && !log[..place].ends_with('\n'));
        reading.execution(regex, &execution, &log[start..from], first);
        first += newlines(&log[start..until]);
        start = until;
        label = next;
    }
    reading.events.block
}

fn newlines(text: &str) -> u32 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u32
}

struct Reading {
    events: ForeignEvents,
    /// The groups of the layout that are shown as fields.
    more: Vec<String>,
    /// The layout if it is guessed: then comments may be anywhere.
    guessed: Option<Known>,
    /// Whether the text of an execution begins and ends within a line, because its delimiter is a part of that line.
    is_within_line: [bool; 2],
}

impl Reading {
    fn problem(&mut self, line: u32, severity: Severity, words: impl Into<String>) {
        self.events.problem(line, severity, words);
    }

    fn execution(&mut self, regex: &Regex, execution: &str, log: &str, mut line: u32) {
        let mut read = 0;
        for event in regex.captures_iter(log) {
            let whole = event.get_match();
            if whole.is_empty() {
                continue;
            }
            self.report_skipped(log, read, whole.start(), line);
            line += newlines(&log[read..whole.start()]);
            self.event(execution, &event, line);
            line += newlines(&log[whole.start()..whole.end()]);
            read = whole.end();
        }
        self.report_skipped(log, read, log.len(), line);
    }

    /// Reports the lines between two events of which neither is a part.
    fn report_skipped(&mut self, log: &str, mut from: usize, mut until: usize, mut line: u32) {
        let [begins, ends] = self.is_within_line;
        if from > 0 && !log[..from].ends_with('\n') || from == 0 && begins {
            // The rest of a line with an event or a delimiter.
            let Some(end) = log[from..until].find('\n') else {
                return;
            };
            from += end + 1;
            line += 1;
        }
        if until < log.len() || ends {
            // The beginning of one.
            until = log[from..until]
                .rfind('\n')
                .map_or(from, |end| from + end + 1);
        }
        for (number, text) in log[from..until].lines().enumerate() {
            let is_remark = match self.guessed {
                Some(known) => known.is_remark(text),
                None => text.starts_with('#') || text.starts_with("//"),
            };
            if !is_remark && !text.trim().is_empty() {
                let shown = excerpt(text);
                let words = format!("not an event in this layout: {shown}");
                self.problem(line + number as u32, Severity::Warn, words);
            }
        }
    }

    fn event(&mut self, execution: &str, event: &Captures<'_>, line: u32) {
        let group = |name| event.name(name).map_or("", |group| group.as_str());
        let clock = match LoggedClock::of_text(group("clock")) {
            Ok(clock) => clock,
            Err(why) => return self.problem(line, Severity::Fail, why),
        };
        if let LoggedClock::Vector(entries) = &clock
            && self.guessed == Some(Known::Tlc)
            && entries.iter().all(|(_, count)| *count == 0)
        {
            // The initial state is no event.
            return;
        }
        let mut fields = Map::new();
        for name in &self.more {
            fields.insert(name.clone(), visible(group(name).as_bytes()).into());
        }
        let time = TIMES.map(group).join(" ");
        let mut time = time.trim().to_owned();
        if TIMES.iter().all(|name| !group(name).is_empty()) && wall::micros(&time).is_none() {
            // It contains its date.
            group("timestamp").clone_into(&mut time);
        }
        self.events.event(ForeignEvent {
            line,
            execution,
            host: group("host"),
            clock,
            time: (!time.is_empty()).then_some(time),
            text: group("event"),
            fields,
        });
    }
}
