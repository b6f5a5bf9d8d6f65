//! The layouts that are known: ShiViz's, GoVector's and TLC's, with the remarks of other tools around them.

use regex::Regex;

use super::{
    clock_text::LoggedClock,
    expression::{expression, layout},
};

/// ShiViz's layout: an event, and below it host and clock.
pub(super) const SHIVIZ: &str = r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})";
/// GoVector's layout: host and clock, and below them the event.
const GOVECTOR: &str = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)";

/// The states of TLC (the model checker of TLA+) with the variables of the community module ShiViz.
const TLC: &str = r#"^State [0-9]+: <(?<event>[^ >\n]*).*>\n(?:/\\ .*\n)*?/\\ Host = "?(?<host>[^"\n]*)"?\n/\\ Clock = "(?<clock>.*)"$"#;

/// What tools write between two executions: `=== Execution #2 ===`.
const HEADER: &str = r"^===+ *(?<trace>[^=\s][^=\n]*?) *===+[ \t]*$";

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
        let clock = LoggedClock::of_text(&format!("{{{}", clock.trim_end()));
        // The text of an event may look like one: the host has an entry in its own clock.
        matches!(clock, Ok(LoggedClock::Vector(entries)) if entries.iter().any(|(name, own)| name == host && *own > 0))
    })
}

/// Whether a line is the clock of a state of TLC.
pub(super) fn is_tlc(line: &str) -> bool {
    line.starts_with("/\\ Clock = \"{")
}

/// The length of the empty lines and comments at the beginning of a log.
pub(super) fn remarks(log: &str) -> usize {
    let remarks = log
        .split_inclusive('\n')
        .take_while(|line| line.trim().is_empty() || is_comment(line) && !is_header(line));
    remarks.map(str::len).sum()
}

/// A known layout.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Known {
    /// A clock comes after its event.
    Shiviz,
    /// A clock comes before its event.
    Govector,
    /// A clock is a variable of a state.
    Tlc,
}

impl Known {
    fn pattern(self) -> String {
        match self {
            // The end of a line with a clock is not the text of the next event.
            Self::Shiviz => format!("^{SHIVIZ}"),
            Self::Govector => GOVECTOR.to_owned(),
            Self::Tlc => TLC.to_owned(),
        }
    }

    /// Its regular expression.
    pub(super) fn event(self) -> Option<Regex> {
        layout(&self.pattern()).ok()
    }

    /// The delimiter of executions in logs that do not state one.
    pub(super) fn delimiter() -> Option<Regex> {
        expression(HEADER).ok()
    }

    /// Whether a line that is no event belongs to such a log.
    pub(super) fn is_remark(self, line: &str) -> bool {
        self == Self::Tlc || is_comment(line)
    }

    /// Whether a line, from `start` to `end`, is the text of an event, and not what separates two executions.
    pub(super) fn has_event(self, log: &str, start: usize, end: usize) -> bool {
        let is_text = |line: &&str| !line.trim().is_empty();
        let neighbour = match self {
            Self::Shiviz => log[end..].lines().find(is_text),
            Self::Govector => log[..start].rsplit('\n').find(is_text),
            Self::Tlc => None,
        };
        neighbour.is_some_and(is_clock)
    }
}

/// The known layout of a log.
pub(super) fn fitting(log: &str, delimiter: Option<&Regex>) -> Option<Known> {
    // The first execution may begin with its delimiter, and its log with a remark.
    let log = log.trim_start();
    let begins = delimiter.and_then(|delimiter| delimiter.find(log));
    let begins = begins.filter(|found| found.start() == 0);
    let log = &log[begins.map_or(0, |found| found.end())..];
    let mut lines = log.lines().filter(|line| !line.trim().is_empty());
    if lines.clone().take(LINES_BEFORE).any(is_tlc) {
        return Some(Known::Tlc);
    }
    let first = lines.clone().take(LINES_BEFORE).position(is_clock);
    let Some(first) = first else {
        // Clocks that cannot be read have an error each.
        let text = log.trim_start();
        let end = text.match_indices('\n').nth(1);
        let text = &text[..end.map_or(text.len(), |end| end.0)];
        return [Known::Govector, Known::Shiviz].into_iter().find(|known| {
            let regex = known.event();
            let found = regex.as_ref().and_then(|regex| regex.find(text));
            found.is_some_and(|found| found.start() == 0)
        });
    };
    // Most clocks have the text of their event on one side only.
    let [above, below] = texts_beside_clocks(log);
    if above != below {
        return Some(if above > below {
            Known::Shiviz
        } else {
            Known::Govector
        });
    }
    let mut before = lines.clone().take(first);
    let remarks = before.all(|line| is_comment(line) || is_title(line));
    let ends_with_clock = lines.next_back().is_some_and(is_clock);
    match first == 0 || remarks && !ends_with_clock {
        true => Some(Known::Govector),
        false => Some(Known::Shiviz),
    }
}

/// How many clocks have a text in the line above, and in the line below.
fn texts_beside_clocks(log: &str) -> [usize; 2] {
    let lines: Vec<&str> = log.lines().take(LINES_BEFORE).collect();
    let is_text = |line: &str| !line.trim().is_empty() && !is_clock(line);
    let mut counts = [0; 2];
    for place in (0..lines.len()).filter(|place| is_clock(lines[*place])) {
        let above = place.checked_sub(1).and_then(|above| lines.get(above));
        for (count, beside) in counts.iter_mut().zip([above, lines.get(place + 1)]) {
            *count += usize::from(beside.is_some_and(|beside| is_text(beside)));
        }
    }
    counts
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
