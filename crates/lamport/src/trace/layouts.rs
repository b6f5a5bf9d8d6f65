//! Logs with vector clocks, of programs in any language: the layouts of ShiViz and GoVector, or another one given by a regular
//! expression.
//!
//! ShiViz's format (Beschastnikh et al., "Debugging Distributed Systems", Communications of the ACM 59(8), 2016): in the
//! first line a regular expression with the named groups `event`, `host` and `clock`, in the second line one for the delimiter
//! between two executions, then the log. Both lines are optional.

use common::{exit::Failure, text::visible};
use regex::{Captures, Regex, RegexBuilder};
use serde_json::Map;

use super::{
    block::{Block, Piece, excerpt},
    clock_text::LoggedClock,
    findings::Severity,
    foreign::{ForeignEvent, ForeignEvents},
    wall,
};
use crate::trace_flags::FieldNames;

/// ShiViz's layout: an event, and below it host and clock.
pub const SHIVIZ: &str = r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})";
/// GoVector's layout: host and clock, and below them the event.
pub const GOVECTOR: &str = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)";

/// The required groups.
const REQUIRED: [&str; 3] = ["event", "host", "clock"];

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

/// What tools write between two executions: `=== Execution #2 ===`.
const HEADER: &str = r"^===+ *(?<trace>[^=\n]*?) *===+[ \t]*$";

/// Compiles a layout: a regular expression with the groups `event`, `host` and `clock`. As in JavaScript, and so in ShiViz, a
/// brace that is not a quantifier is a literal, and `^` and `$` match at line boundaries.
///
/// # Errors
/// Why it is invalid.
pub fn layout(pattern: &str) -> Result<Regex, String> {
    let regex = expression(pattern)?;
    for group in REQUIRED {
        if !regex.capture_names().flatten().any(|name| name == group) {
            return Err(format!("has no group (?<{group}>…)"));
        }
    }
    Ok(regex)
}

fn expression(pattern: &str) -> Result<Regex, String> {
    let regex = RegexBuilder::new(&with_plain_braces(pattern))
        .multi_line(true)
        .build();
    regex.map_err(|error| {
        // The last line is the reason; the lines before it show the position.
        let error = error.to_string();
        let last = error.lines().last().unwrap_or_default();
        last.trim_start_matches("error: ").to_owned()
    })
}

/// Escapes the braces that are literals in JavaScript.
fn with_plain_braces(pattern: &str) -> String {
    let mut plain = String::new();
    let mut rest = pattern;
    let mut escaped = false;
    while let Some(letter) = rest.chars().next() {
        let is_quantifier = || {
            let inside = rest[1..].split_once('}').map(|(inside, _)| inside);
            inside.is_some_and(|inside| {
                let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
                let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
                !least.is_empty() && digits(least) && digits(most)
            })
        };
        if letter == '{' && !escaped && !is_quantifier() {
            plain.push('\\');
        }
        escaped = letter == '\\' && !escaped;
        plain.push(letter);
        rest = &rest[letter.len_utf8()..];
        // A Unicode class, \p{L}, keeps its braces.
        if escaped && (rest.starts_with("p{") || rest.starts_with("P{")) {
            let end = rest.find('}').map_or(rest.len(), |end| end + 1);
            plain.push_str(&rest[..end]);
            rest = &rest[end..];
            escaped = false;
        }
    }
    plain
}

/// Whether a regular expression finds an event with a clock in a text.
pub(super) fn finds_event(regex: &Regex, text: &str) -> bool {
    let clock = |event: Captures<'_>| LoggedClock::of_text(event.name("clock")?.as_str()).ok();
    regex
        .captures_iter(text)
        .any(|event| clock(event).is_some())
}

/// Whether a line states the layout of the lines below it.
pub(super) fn is_header(line: &str) -> bool {
    line.contains("(?<")
}

/// Whether a line is a comment.
pub(super) fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["#", "//", "--", "==", "**", ";", "%"]
        .iter()
        .any(|mark| line.starts_with(mark))
}

/// Whether a line has a host and a vector clock, as in ShiViz's and GoVector's logs.
pub(super) fn is_clock(line: &str) -> bool {
    line.split_once(" {").is_some_and(|(host, clock)| {
        let clock = format!("{{{}", clock.trim_end());
        !host.contains(' ') && matches!(LoggedClock::of_text(&clock), Ok(LoggedClock::Vector(_)))
    })
}

/// Parses a whole log.
pub(super) fn parse(piece: Piece, options: &Layout) -> Block {
    let mut reading = Reading {
        events: ForeignEvents::new(piece.file, options.all_findings),
        more: Vec::new(),
        guessed: None,
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
                delimiter = expression(HEADER).ok();
            }
            known.and_then(|known| layout(known.pattern()).ok())
        }
    };
    let Some(regex) = options.event.as_ref().or(own.as_ref()) else {
        let shown = excerpt(log);
        let words = format!("neither an event log nor a log in a known layout: {shown}");
        let severity = match piece.is_found {
            true => Severity::Warn,
            false => Severity::Fail,
        };
        reading.problem(line, severity, words);
        return reading.events.block;
    };
    let names = regex.capture_names().flatten();
    let more = names.filter(|name| !REQUIRED.contains(name) && !TIMES.contains(name));
    reading.more = more.map(str::to_owned).collect();
    if options.event.is_some() && !regex.is_match(log) {
        let words = format!("nothing in it fits --regex: {}", excerpt(log));
        reading.problem(line, Severity::Fail, words);
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
        reading.execution(regex, &execution, &log[start..from], first);
        first += newlines(&log[start..until]);
        start = until;
        label = next;
    }
    reading.events.block
}

/// The length of the empty lines and comments at the beginning of a log.
fn remarks(log: &str) -> usize {
    let remarks = log
        .split_inclusive('\n')
        .take_while(|line| line.trim().is_empty() || is_comment(line) && !is_header(line));
    remarks.map(str::len).sum()
}

/// A known layout.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    /// A clock comes after its event.
    Shiviz,
    /// A clock comes before its event.
    Govector,
}

impl Known {
    fn pattern(self) -> &'static str {
        match self {
            Self::Shiviz => SHIVIZ,
            Self::Govector => GOVECTOR,
        }
    }

    /// Whether a line, from `start` to `end`, is the text of an event, and not what separates two executions.
    fn has_event(self, log: &str, start: usize, end: usize) -> bool {
        let is_text = |line: &&str| !line.trim().is_empty();
        let neighbour = match self {
            Self::Shiviz => log[end..].lines().find(is_text),
            Self::Govector => log[..start].rsplit('\n').find(is_text),
        };
        neighbour.is_some_and(is_clock)
    }
}

/// The known layout of a log.
fn fitting(log: &str, delimiter: Option<&Regex>) -> Option<Known> {
    // The first execution may begin with its delimiter, and its log with a remark.
    let log = log.trim_start();
    let begins = delimiter.and_then(|delimiter| delimiter.find(log));
    let begins = begins.filter(|found| found.start() == 0);
    let log = &log[begins.map_or(0, |found| found.end())..];
    let mut lines = log.lines().filter(|line| !line.trim().is_empty());
    let first = lines.clone().take(LINES_BEFORE).position(is_clock);
    let Some(first) = first else {
        // Clocks that cannot be read have an error each.
        let text = log.trim_start();
        let end = text.match_indices('\n').nth(1);
        let text = &text[..end.map_or(text.len(), |end| end.0)];
        return [Known::Govector, Known::Shiviz].into_iter().find(|known| {
            let regex = layout(known.pattern()).ok();
            let found = regex.as_ref().and_then(|regex| regex.find(text));
            found.is_some_and(|found| found.start() == 0)
        });
    };
    let mut before = lines.clone().take(first);
    let remarks = before.all(|line| is_comment(line) || is_title(line));
    let ends_with_clock = lines.next_back().is_some_and(is_clock);
    match first == 0 || remarks && !ends_with_clock {
        true => Some(Known::Govector),
        false => Some(Known::Shiviz),
    }
}

/// How many lines of remarks may come before the first event of a log in a known layout.
const LINES_BEFORE: usize = 1000;

/// Whether a line names an execution.
fn is_title(line: &str) -> bool {
    let line = line.trim_start().to_ascii_lowercase();
    ["execution", "run ", "trace ", "log "]
        .iter()
        .any(|word| line.starts_with(word))
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
        if from > 0 && !log[..from].ends_with('\n') {
            // The rest of a line with an event.
            let Some(end) = log[from..until].find('\n') else {
                return;
            };
            from += end + 1;
            line += 1;
        }
        if until < log.len() {
            // The beginning of one.
            until = log[from..until]
                .rfind('\n')
                .map_or(from, |end| from + end + 1);
        }
        for (number, text) in log[from..until].lines().enumerate() {
            let is_remark = self.guessed.is_some() && is_comment(text);
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
        let mut fields = Map::new();
        for name in &self.more {
            fields.insert(name.clone(), visible(group(name).as_bytes()).into());
        }
        let mut time = TIMES.map(group).join(" ");
        if TIMES.iter().all(|name| !group(name).is_empty()) && wall::micros(&time).is_none() {
            // It contains its date.
            group("timestamp").clone_into(&mut time);
        }
        self.events.event(ForeignEvent {
            line,
            execution,
            host: group("host"),
            clock,
            time: (!time.trim().is_empty()).then_some(time),
            text: group("event"),
            fields,
        });
    }
}
