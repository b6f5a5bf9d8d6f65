//! The events of other tools' logs, in the form of the event log, so that both are merged by the same code.

use common::{
    event::{Kind, Level},
    text::visible,
};
use hashbrown::HashMap;
use serde_json::{Map, Value};

use super::{
    Claim,
    block::{Block, Channel, Channels, LATER, Raw, excerpt},
    clock_text::LoggedClock,
    findings::Severity,
    wall,
};

/// The longest name of a host, in bytes.
const LONGEST_HOST: usize = 1024;

/// The greatest own entry: events are counted in 32 bits.
const MOST_EVENTS: u64 = u32::MAX as u64 - 1;

/// A block of events with clocks, while it is read.
pub(super) struct ForeignEvents {
    pub(super) block: Block,
    writers: HashMap<(String, String), u32>,
    channels: Channels,
    /// The line of the first event, and whether its clock is a vector.
    first: Option<(u32, bool)>,
    /// Whether a time was not understood.
    has_bad_time: bool,
}

/// An event with a clock, as it was read.
pub(super) struct ForeignEvent<'t> {
    pub(super) line: u32,
    pub(super) execution: &'t str,
    pub(super) host: &'t str,
    pub(super) clock: LoggedClock,
    pub(super) time: Option<String>,
    pub(super) text: &'t str,
    /// More fields.
    pub(super) fields: Map<String, Value>,
}

impl ForeignEvents {
    pub(super) fn new(file: u32, all: bool) -> Self {
        Self {
            block: Block {
                file,
                all,
                ..Block::default()
            },
            writers: HashMap::new(),
            channels: Channels::default(),
            first: None,
            has_bad_time: false,
        }
    }

    pub(super) fn problem(&mut self, line: u32, severity: Severity, words: impl Into<String>) {
        self.block.problem(severity, line, || words.into());
    }

    /// Adds an event, or reports why it is none.
    pub(super) fn event(&mut self, event: ForeignEvent<'_>) {
        let ForeignEvent { line, host, .. } = event;
        if host.len() > LONGEST_HOST || host.is_empty() {
            let words = match host {
                "" => "the event has no host".to_owned(),
                host => format!("the name of the host is too long: {}", excerpt(host)),
            };
            return self.problem(line, Severity::Fail, words);
        }
        let is_vector = !matches!(event.clock, LoggedClock::Lamport(_));
        let (there, expected) = *self.first.get_or_insert((line, is_vector));
        if is_vector != expected {
            let (here, other) = match is_vector {
                true => ("a vector", "a number"),
                false => ("a number", "a vector"),
            };
            let words = format!("the clock is {here}, and that of line {there} is {other}");
            return self.problem(line, Severity::Fail, words);
        }
        let (number, entries, clock) = match event.clock {
            LoggedClock::Vector(entries) => {
                let own = entries.iter().find(|(name, _)| name == host);
                let own = own.map_or(0, |(_, own)| *own);
                if own == 0 || own > MOST_EVENTS {
                    return self.problem(line, Severity::Fail, wrong_entry(host, own));
                }
                (own, entries, None)
            }
            LoggedClock::Array(entries) => {
                self.block.arrays = true;
                let named = (0..)
                    .zip(entries)
                    .map(|(place, entry)| (array_name(place), entry));
                (LATER, named.collect(), None)
            }
            LoggedClock::Lamport(clock) => (LATER, Vec::new(), Some(clock)),
        };
        self.block.later |= number == LATER;
        let time = event.time.and_then(|text| {
            let time = wall::micros(&text);
            if time.is_none() && !self.has_bad_time {
                self.has_bad_time = true;
                let words = format!(
                    "'{}' is no time that is known: the event has none",
                    excerpt(&text)
                );
                self.problem(line, Severity::Warn, words);
            }
            time
        });
        let writer = self.writer(event.execution, host);
        // Both are read by the same code later.
        let mut fields = event.fields;
        fields.insert("text".into(), visible(event.text.as_bytes()).into());
        let text = self.text(&Value::Object(fields));
        if is_vector {
            self.block.clocks.get_or_insert_default().push(entries);
        }
        self.block.events.push(Raw {
            line,
            start: text.0,
            length: text.1,
            thread: writer,
            number,
            time,
            kind: Kind::Local,
            level: Level::Info,
            clock,
            claim: Claim::None,
            message: None,
            suppressed: false,
        });
    }

    /// The thread of a host.
    pub(super) fn writer(&mut self, execution: &str, host: &str) -> u32 {
        let block = &mut self.block;
        let writer = (execution.to_owned(), host.to_owned());
        *self.writers.entry(writer).or_insert_with_key(|writer| {
            block.writers.push(writer.clone());
            let writer = block.writers.len() as u32 - 1;
            block.threads.push((writer, "main".to_owned()));
            writer
        })
    }

    /// The index of a channel.
    pub(super) fn channel(&mut self, channel: Channel) -> u32 {
        self.channels.index(channel, &mut self.block.channels)
    }

    /// Adds a text; its start and length.
    pub(super) fn text(&mut self, text: &impl ToString) -> (u32, u32) {
        let start = self.block.text.len() as u32;
        self.block.text.push_str(&text.to_string());
        (start, self.block.text.len() as u32 - start)
    }
}

/// What is wrong with the own entry of a host.
pub(super) fn wrong_entry(host: &str, own: u64) -> String {
    let host = excerpt(host);
    match own {
        0 => format!("the clock has no entry for its host {host}"),
        own => format!("the clock's entry for its host {host} is too large: {own}"),
    }
}

/// Whether an own entry can be that of an event.
pub(super) fn is_entry(own: u64) -> bool {
    (1..=MOST_EVENTS).contains(&own)
}

/// The name of an entry of an array until it is known whose it is.
fn array_name(place: usize) -> String {
    format!("entry {place}")
}
