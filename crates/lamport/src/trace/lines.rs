//! Lines of the event log, version 1: the fields that merging and matching need.
//!
//! [`common::event::Record`] parses all fields of a line. This parser handles millions of lines per second, and reports the
//! problem with a line that is not an event.
//!
//! | module | job |
//! | --- | --- |
//! | `line` | the fields, as serde_json parses them |
//! | `plain` | the same of lines as our programs write them, without a parser of JSON |

mod line;
mod plain;

use std::collections::BTreeMap;

use common::{
    event::{Kind, Level, Time, VERSION},
    process::physical::ClockEvent,
    text::{plural, visible},
};
use hashbrown::HashMap;
use serde::de::IgnoredAny;

pub use self::line::Line;
use self::plain::PlainLines;
use super::{
    Claim,
    block::{Block, Channels, LONGEST, Piece, Raw, excerpt},
    findings::Severity,
};

/// The length of a short line of our programs, in bytes: memory for as many events is reserved.
const SHORT: usize = 128;

/// Parses the lines.
pub(super) fn parse(piece: Piece, all: bool) -> Block {
    let Piece {
        file,
        line: first,
        text,
        cut_off,
        ..
    } = piece;
    let mut block = Block {
        file,
        all,
        events: Vec::with_capacity(text.len() / SHORT + 1),
        ..Block::default()
    };
    let mut names = Names::default();
    let mut times = Times::default();
    let mut channels = Channels::default();
    let mut plain = PlainLines::default();
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let at = start;
        start += line.len();
        let line_number = first.saturating_add(number as u32);
        let ended = line.ends_with('\n');
        let trimmed = line.trim_ascii_end();
        if trimmed.is_empty() {
            continue;
        }
        if line.len() > LONGEST {
            let words = || format!("longer than {LONGEST} bytes: skipped");
            block.problem(Severity::Fail, line_number, words);
            continue;
        }
        let mut read = Line::default();
        let is_plain = plain.read(trimmed, &mut read).is_some();
        if !is_plain {
            read = match serde_json::from_str(trimmed) {
                Ok(read) => read,
                Err(_) if cut_off && !ended => {
                    let words = "truncated line: its process was killed while it wrote";
                    block.problem(Severity::Warn, line_number, || words.to_owned());
                    continue;
                }
                Err(error) => {
                    block.problem(Severity::Fail, line_number, || why(trimmed, &error));
                    continue;
                }
            };
        }
        let (number, kind, time) = match required(&read, &mut times) {
            Ok(required) => required,
            Err(words) => {
                block.problem(Severity::Fail, line_number, || words);
                continue;
            }
        };
        let kind = kind.unwrap_or_else(|| {
            block.problem(Severity::Fail, line_number, || {
                let word = excerpt(&read.event);
                format!("event '{word}' is not in version {VERSION}")
            });
            Kind::Local
        });
        let message = match &*read.message {
            "" => None,
            id => channels.of_identity(id, &mut block.channels).or_else(|| {
                block.problem(Severity::Fail, line_number, || {
                    let id = visible(id.as_bytes());
                    format!("message '{id}' is not written CARRIER:FROM>TO#NUMBER")
                });
                None
            }),
        };
        let thread = match plain.known_thread.filter(|_| is_plain) {
            Some(thread) => thread,
            None => {
                let thread = names.thread(&read, &mut block);
                plain.known_thread = plain.known_thread.or(is_plain.then_some(thread));
                thread
            }
        };
        if !read.algorithm.is_empty() {
            let writer = block.threads[thread as usize].0;
            block.algorithms.push((writer, read.algorithm.to_string()));
        }
        block.events.push(Raw {
            line: line_number,
            start: at as u32,
            length: trimmed.len() as u32,
            thread,
            number,
            time: Some(time),
            kind,
            level: match &*read.level {
                "warn" => Level::Warn,
                "error" => Level::Error,
                _ => Level::Info,
            },
            clock: read.clock,
            claim: claim(&read),
            message,
            suppressed: read
                .counts
                .is_some_and(|counts| counts.suppressed.or(counts.unwritten).is_some()),
        });
    }
    block.text = text;
    block
}

fn claim(line: &Line<'_>) -> Claim {
    match &*line.meaning {
        "request" | "enter" | "exit" | "multicast" | "deliver" | "elect" | "leader" | "parent"
        | "station" | "begin" | "vote" | "decide" | "transfer" | "credit" | "record"
        | "record-channel" | "complete" => Claim::Property,
        word if ClockEvent::WORDS.contains(&word) => Claim::Property,
        "" if line.message_type.is_empty() => Claim::None,
        _ => Claim::Step,
    }
}

/// The required fields: number, kind if it is a known one, time.
fn required(line: &Line<'_>, times: &mut Times) -> Result<(u64, Option<Kind>, i64), String> {
    match line.v {
        Some(v) if v == u64::from(VERSION) => {}
        Some(v) => return Err(format!("version {v} of the log, not {VERSION}")),
        None => {
            return Err(
                "no field 'v': not an event (--fields reads JSON of other tools)".to_owned(),
            );
        }
    }
    for (field, text) in [
        ("run", &line.run),
        ("node", &line.node),
        ("thread", &line.thread),
        ("event", &line.event),
        ("time", &line.time),
    ] {
        if text.is_empty() {
            return Err(format!("no field '{field}'"));
        }
    }
    let number = line.seq.ok_or("no field 'seq'")?;
    let time = times.micros(&line.time).ok_or_else(|| {
        let time = excerpt(&line.time);
        format!("time '{time}' is not RFC 3339 in UTC, from 1970 on")
    })?;
    Ok((number, Kind::of_word(&line.event), time))
}

/// What is wrong with a line of another tool.
const NO_VERSION: &str = "no field 'v': not an event (--fields reads JSON of other tools)";

/// Why a line is not an event.
fn why(line: &str, error: &serde_json::Error) -> String {
    let fields: Option<BTreeMap<String, IgnoredAny>> = serde_json::from_str(line).ok();
    if fields.is_some_and(|fields| !fields.contains_key("v")) {
        return NO_VERSION.to_owned();
    }
    let shown = excerpt(line);
    // The line number of the JSON parser is always 1.
    let error = error.to_string();
    let error = error.split(" at line 1").next().unwrap_or_default();
    let length = plural(line.len() as u64, "byte");
    format!("not an event: {error} ({length}: {shown})")
}

/// The indices of writers and threads; nearly always those of the line before.
#[derive(Default)]
struct Names {
    writers: HashMap<(String, String), u32>,
    threads: HashMap<(u32, String), u32>,
    last: Option<u32>,
}

impl Names {
    fn thread(&mut self, line: &Line<'_>, block: &mut Block) -> u32 {
        if let Some(last) = self.last {
            let (writer, thread) = &block.threads[last as usize];
            let (run, node) = &block.writers[*writer as usize];
            if *thread == line.thread && *node == line.node && *run == line.run {
                return last;
            }
        }
        let writer = (line.run.to_string(), line.node.to_string());
        let writer = *self.writers.entry(writer).or_insert_with_key(|writer| {
            block.writers.push(writer.clone());
            block.writers.len() as u32 - 1
        });
        let thread = (writer, line.thread.to_string());
        let thread = *self.threads.entry(thread).or_insert_with_key(|thread| {
            block.threads.push(thread.clone());
            block.threads.len() as u32 - 1
        });
        self.last = Some(thread);
        thread
    }
}

/// Times in microseconds since 1970; each minute is parsed once.
#[derive(Default)]
struct Times {
    minute: String,
    micros: i64,
}

impl Times {
    fn micros(&mut self, text: &str) -> Option<i64> {
        // 2026-11-24T18:14:43.131588Z
        let (minute, rest) = text.split_at_checked(17)?;
        if minute != self.minute {
            let whole: Time = format!("{minute}00Z").parse().ok()?;
            self.micros = whole.since_1970().as_micros().try_into().ok()?;
            minute.clone_into(&mut self.minute);
        }
        let (seconds, fraction) = match rest.as_bytes() {
            // As our programs write it.
            &[a, b, b'.', c, d, e, f, g, h, b'Z'] => {
                (decimal([a, b])?, decimal([c, d, e, f, g, h])?)
            }
            _ => seconds(rest)?,
        };
        Some(self.micros + i64::from(seconds) * 1_000_000 + i64::from(fraction))
    }
}

/// The value of decimal digits.
fn decimal<const N: usize>(digits: [u8; N]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        Some(value * 10 + digit)
    })
}

/// The seconds and microseconds of `43.131588Z`, with fewer or more digits, or none, after the point.
fn seconds(text: &str) -> Option<(u32, u32)> {
    let text = text.strip_suffix('Z')?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if seconds.len() != 2 || !(1..=9).contains(&fraction.len()) {
        return None;
    }
    let seconds: u32 = seconds.parse().ok()?;
    let digits: u32 = fraction.parse().ok()?;
    let length = fraction.len() as u32;
    let fraction = match 6_u32.checked_sub(length) {
        Some(missing) => digits * 10_u32.pow(missing),
        None => digits / 10_u32.pow(length - 6),
    };
    Some((seconds, fraction))
}
