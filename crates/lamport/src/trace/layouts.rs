//! Logs with vector clocks, of programs in any language: the layouts of ShiViz and GoVector, or another one given by a regular
//! expression.
//!
//! ShiViz's format (Beschastnikh et al., "Debugging Distributed Systems", Communications of the ACM 59(8), 2016): in the
//! first line a regular expression with the named groups `event`, `host` and `clock`, in the second line one for the delimiter
//! between two executions, then the log. Both lines are optional.

use std::collections::BTreeMap;

use common::{
    event::{Kind, Level},
    exit::Failure,
    text::visible,
};
use hashbrown::HashMap;
use regex::{Captures, Regex, RegexBuilder};

use super::{
    Claim,
    block::{Block, Piece, Raw, excerpt},
    findings::Severity,
    lines,
};

/// ShiViz's layout: an event, and below it host and clock.
pub const SHIVIZ: &str = r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})";
/// GoVector's layout: host and clock, and below them the event.
pub const GOVECTOR: &str = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)";

/// The required groups.
const REQUIRED: [&str; 3] = ["event", "host", "clock"];

/// The layout of logs that do not state theirs.
#[derive(Debug, Default)]
pub struct Layout {
    /// The regular expression of an event.
    pub event: Option<Regex>,
    /// The delimiter between two executions.
    pub delimiter: Option<Regex>,
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
        })
    }
}

/// The group that names the executions of one log.
const EXECUTION: &str = "trace";

/// The longest name of a host, in bytes.
const LONGEST_HOST: usize = 1024;

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

/// Parses a whole log.
pub(super) fn parse(piece: Piece, options: &Layout) -> Block {
    let given = options.event.as_ref();
    let mut reading = Reading {
        block: Block {
            file: piece.file,
            clocks: Some(Vec::new()),
            ..Block::default()
        },
        writers: HashMap::new(),
        more: Vec::new(),
    };
    let mut line = piece.line;
    let mut log = piece.text.as_str();
    let mut in_header = None;
    let mut delimiter = options.delimiter.clone();
    let (first, below) = log.split_once('\n').unwrap_or((log, ""));
    if first.contains("(?<") {
        in_header = Some(layout(first));
        let (second, rest) = below.split_once('\n').unwrap_or((below, ""));
        if !second.trim().is_empty() {
            match expression(second) {
                Ok(regex) => delimiter = Some(regex),
                Err(error) => reading.problem(line + 1, Severity::Fail, error),
            }
        }
        log = rest;
        line += 2;
    }
    let own = match (given, in_header) {
        (Some(_), _) => None,
        (None, Some(Ok(regex))) => Some(regex),
        (None, Some(Err(error))) => {
            reading.problem(piece.line, Severity::Fail, error);
            return reading.block;
        }
        (None, None) => {
            // The first execution may begin with its delimiter.
            let text = log.trim_start();
            let begins = delimiter
                .as_ref()
                .and_then(|delimiter| delimiter.find(text));
            let begins = begins.filter(|found| found.start() == 0);
            fitting(begins.map_or(text, |found| &text[found.end()..]))
        }
    };
    let Some(regex) = given.or(own.as_ref()) else {
        if log.lines().any(|line| line.starts_with('{')) {
            // It is an event log whose first line is not an event.
            let cut_off = !piece.text.ends_with('\n');
            return lines::parse(Piece { cut_off, ..piece });
        }
        let shown = excerpt(log);
        let words = format!("neither an event log nor a log in a known layout: {shown}");
        reading.problem(line, Severity::Fail, words);
        return reading.block;
    };
    let names = regex.capture_names().flatten();
    let more = names.filter(|name| !REQUIRED.contains(name));
    reading.more = more.map(str::to_owned).collect();
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
    reading.block
}

/// The known layout that matches the beginning of a log.
fn fitting(log: &str) -> Option<Regex> {
    let log = log.trim_start();
    // Two lines are enough.
    let end = log
        .match_indices('\n')
        .nth(1)
        .map_or(log.len(), |end| end.0);
    [GOVECTOR, SHIVIZ].into_iter().find_map(|pattern| {
        let regex = layout(pattern).expect("it is a layout");
        let fits = regex
            .find(&log[..end])
            .is_some_and(|found| found.start() == 0);
        fits.then_some(regex)
    })
}

fn newlines(text: &str) -> u32 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u32
}

struct Reading {
    block: Block,
    writers: HashMap<(String, String), u32>,
    /// The groups of the layout that are not required.
    more: Vec<String>,
}

impl Reading {
    fn problem(&mut self, line: u32, severity: Severity, words: impl Into<String>) {
        self.block.problem(severity, line, || words.into());
    }

    fn execution(&mut self, regex: &Regex, execution: &str, log: &str, mut line: u32) {
        let mut read = 0;
        for event in regex.captures_iter(log) {
            let whole = event.get_match();
            self.report_skipped(&log[read..whole.start()], line);
            line += newlines(&log[read..whole.start()]);
            if !whole.is_empty() {
                self.event(execution, &event, line);
            }
            line += newlines(&log[whole.start()..whole.end()]);
            read = whole.end();
        }
        self.report_skipped(&log[read..], line);
    }

    fn report_skipped(&mut self, text: &str, line: u32) {
        for (number, text) in text.lines().enumerate() {
            if !text.trim().is_empty() {
                let shown = excerpt(text);
                let words = format!("not an event in this layout: {shown}");
                self.problem(line + number as u32, Severity::Warn, words);
            }
        }
    }

    fn event(&mut self, execution: &str, event: &Captures<'_>, line: u32) {
        let group = |name| event.name(name).map_or("", |group| group.as_str());
        let (host, clock, text) = (group("host"), group("clock"), group("event"));
        // TLA+ escapes the quotes, which ShiViz accepts too.
        let read = serde_json::from_str(clock)
            .or_else(|_| serde_json::from_str(&clock.replace("\\\"", "\"")));
        let clock: BTreeMap<String, u64> = match read {
            Ok(clock) => clock,
            Err(_) => {
                let shown = excerpt(clock);
                let words = format!("the clock is not a JSON object of hosts and numbers: {shown}");
                return self.problem(line, Severity::Fail, words);
            }
        };
        let own = clock.get(host).copied().unwrap_or(0);
        if own == 0 || host.len() > LONGEST_HOST {
            let shown = excerpt(host);
            let words = format!("the clock has no entry for its host {shown}");
            return self.problem(line, Severity::Fail, words);
        }
        let writer = (execution.to_owned(), host.to_owned());
        let block = &mut self.block;
        let writer = *self.writers.entry(writer).or_insert_with_key(|writer| {
            block.writers.push(writer.clone());
            let writer = block.writers.len() as u32 - 1;
            block.threads.push((writer, "main".to_owned()));
            writer
        });
        // In the form of a line of the event log, so that both are read by the same code later.
        let mut fields = serde_json::Map::new();
        fields.insert("text".into(), visible(text.as_bytes()).into());
        for name in &self.more {
            fields.insert(name.clone(), visible(group(name).as_bytes()).into());
        }
        let start = block.text.len() as u32;
        block
            .text
            .push_str(&serde_json::Value::Object(fields).to_string());
        let clocks = block.clocks.get_or_insert_default();
        clocks.push(clock.into_iter().collect());
        block.events.push(Raw {
            line,
            start,
            length: block.text.len() as u32 - start,
            thread: writer,
            number: own,
            time: None,
            kind: Kind::Local,
            level: Level::Info,
            clock: None,
            claim: Claim::None,
            message: None,
            suppressed: false,
        });
    }
}
