//! The stamp: a sequence header in plain text before a message. It names the sender, and numbers and times the message.
//!
//! ```text
//! [lab1 SENDER SESSION NUMBER TIME CLOCK] MESSAGE
//! [lab1 mcast-client 5f3a9c21 17 1795410685000001 42] hello
//! ```
//!
//! | part | is |
//! | --- | --- |
//! | `lab1` | the header's name and version |
//! | SENDER | the sending process's name: 1 to 64 letters, digits or `-` `_` `.` `:` |
//! | SESSION | eight hexadecimal digits, new at each start of the sender |
//! | NUMBER | the message's sequence number in its session, from 1; its copies for several receivers have the same |
//! | TIME | when the sender handed it to its kernel, in microseconds since 1970 by the sender's clock |
//! | CLOCK | the sender's Lamport clock after the sending (Lamport 1978, rule IR2 a) |
//!
//! A receiver that does not know the header shows it as text. Numbers are decimal without leading zeros.

use std::{
    hash::{BuildHasher, RandomState},
    io::Write,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    exit::Failure,
    text::{LONGEST_NAME, check_name, whole_micros},
};

/// The beginning of every stamp of this version.
const BEGIN: &[u8] = b"[lab1 ";

/// No process has this many events: a stamp with such a number or clock is damaged or forged.
const LIMIT: u64 = 1 << 63;

/// A process's Lamport clock, shared by its threads; clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Mutex<u64>>);

impl Clock {
    /// The clock's time; the other threads wait until the guard is dropped.
    pub fn lock(&self) -> MutexGuard<'_, u64> {
        // No code panics while it holds the guard.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The current time by this machine's clock, in microseconds since 1970.
pub fn now_us() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    whole_micros(since)
}

/// The fields that differ in the stamps of one session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StampFields {
    /// The message's sequence number in the session, from 1.
    pub number: u64,
    /// When it was sent, in microseconds since 1970 by the sender's clock.
    pub time_us: u64,
    /// The sender's Lamport clock after the sending.
    pub clock: u64,
}

/// Writes the stamps of one session of one sender.
#[derive(Clone, Debug)]
pub struct StampWriter {
    /// `[lab1 SENDER SESSION `
    prefix: Vec<u8>,
    /// `SENDER/SESSION`: the sender in a message's identity.
    pub session: String,
}

impl StampWriter {
    /// A new session of the sender `name`.
    ///
    /// # Errors
    /// When the name cannot be part of a stamp (exit code 2).
    pub fn new(name: &str) -> Result<Self, Failure> {
        check_name(name).map_err(|why| Failure::could_not_run("--name", why))?;
        // The keys of a new hasher are random.
        let session = RandomState::new().hash_one(now_us()) as u32;
        Ok(Self {
            prefix: format!("[lab1 {name} {session:08x} ").into_bytes(),
            session: identity(name, session),
        })
    }

    /// Appends a stamp; the message follows it. Returns where in the stamp the number and the clock are.
    pub fn write(&self, out: &mut Vec<u8>, fields: StampFields) -> [Range<usize>; 2] {
        let StampFields {
            number,
            time_us,
            clock,
        } = fields;
        let begin = out.len();
        out.extend_from_slice(&self.prefix);
        let ranges = [(number, &b" "[..]), (time_us, b" "), (clock, b"] ")].map(|(value, end)| {
            let start = out.len() - begin;
            write!(out, "{value}").expect("a Vec takes all that is written");
            let range = start..out.len() - begin;
            out.extend_from_slice(end);
            range
        });
        let [number, _, clock] = ranges;
        [number, clock]
    }
}

/// How many digits a number has.
pub fn width(value: u64) -> usize {
    value.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// The sender of a stamp in a message's identity.
fn identity(sender: &str, session: u32) -> String {
    format!("{sender}/{session:08x}")
}

/// A stamp that was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp<'a> {
    /// The part that is the same in the whole session: `[lab1 SENDER SESSION `.
    pub prefix: &'a [u8],
    /// The name that the sender gives itself.
    pub sender: &'a str,
    /// Its session.
    pub session: u32,
    /// The fields that differ.
    pub fields: StampFields,
}

impl Stamp<'_> {
    /// `SENDER/SESSION`: the sender in a message's identity.
    pub fn identity(&self) -> String {
        identity(self.sender, self.session)
    }
}

/// What precedes a message in its datagram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Envelope<'a> {
    /// Nothing: a plain datagram.
    None,
    /// A stamp; and the message after it.
    Stamped(Stamp<'a>, &'a [u8]),
    /// A beginning like a stamp's that is not a valid one: damaged, forged, or of another version.
    Damaged,
}

/// Reads what precedes a message.
pub fn read(datagram: &[u8]) -> Envelope<'_> {
    let Some(rest) = datagram.strip_prefix(b"[lab") else {
        return Envelope::None;
    };
    let Some(head) = prefix(datagram) else {
        // `[label] hello` is a plain text.
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        return if digits > 0 && rest.get(digits) == Some(&b' ') {
            Envelope::Damaged
        } else {
            Envelope::None
        };
    };
    let fields = StampFieldsReader::default().read(&datagram[head.length..]);
    let Some((fields, message)) = fields else {
        return Envelope::Damaged;
    };
    let stamp = Stamp {
        prefix: &datagram[..head.length],
        sender: head.sender,
        session: head.session,
        fields,
    };
    Envelope::Stamped(stamp, message)
}

struct Head<'a> {
    sender: &'a str,
    session: u32,
    length: usize,
}

/// `[lab1 SENDER SESSION `
fn prefix(datagram: &[u8]) -> Option<Head<'_>> {
    let rest = datagram.strip_prefix(BEGIN)?;
    let end = rest
        .iter()
        .take(LONGEST_NAME + 1)
        .position(|byte| *byte == b' ')?;
    let (sender, rest) = rest.split_at(end);
    let session = rest.get(1..9).filter(|digits| {
        digits
            .iter()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })?;
    let sender = str::from_utf8(sender).ok()?;
    if check_name(sender).is_err() || rest.get(9) != Some(&b' ') {
        return None;
    }
    Some(Head {
        sender,
        session: u32::from_str_radix(str::from_utf8(session).ok()?, 16).ok()?,
        length: BEGIN.len() + end + 10,
    })
}

/// Reads `NUMBER TIME CLOCK] MESSAGE`. Messages that were sent together have the same time: it is parsed once for all.
#[derive(Debug, Default)]
pub(super) struct StampFieldsReader {
    /// The time that was read last, as text: 16 digits from 2001 to 2286, and a space on each side.
    text: [u8; 18],
    time_us: u64,
}

impl StampFieldsReader {
    /// The fields and the message.
    pub(super) fn read<'d>(&mut self, rest: &'d [u8]) -> Option<(StampFields, &'d [u8])> {
        let (number, rest) = decimal(rest)?;
        let rest = match rest.split_first_chunk() {
            Some((text, rest)) if *text == self.text => rest,
            _ => self.read_time(rest)?,
        };
        let (clock, rest) = decimal(rest)?;
        let message = rest.strip_prefix(b"] ")?;
        let fields = StampFields {
            number,
            time_us: self.time_us,
            clock,
        };
        (number > 0).then_some((fields, message))
    }

    fn read_time<'d>(&mut self, text: &'d [u8]) -> Option<&'d [u8]> {
        let (time_us, rest) = decimal(text.strip_prefix(b" ")?)?;
        let rest = rest.strip_prefix(b" ")?;
        self.time_us = time_us;
        self.text = text[..text.len() - rest.len()]
            .try_into()
            .unwrap_or_default();
        Some(rest)
    }
}

/// A decimal number below [`LIMIT`] without leading zeros, and what follows it.
fn decimal(text: &[u8]) -> Option<(u64, &[u8])> {
    let (mut value, mut digits) = (0_u64, 0);
    while let Some(digit) = text.get(digits).map(|byte| byte.wrapping_sub(b'0'))
        && digit < 10
    {
        // 19 digits cannot overflow.
        if digits == 19 {
            return None;
        }
        value = value * 10 + u64::from(digit);
        digits += 1;
    }
    let plain = digits == 1 || (digits > 1 && text[0] != b'0');
    (plain && value < LIMIT).then(|| (value, &text[digits..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: StampFields = StampFields {
        number: 17,
        time_us: 1_795_410_685_000_001,
        clock: 42,
    };

    fn stamped(message: &[u8]) -> (StampWriter, Vec<u8>) {
        let writer = StampWriter::new("p1").unwrap();
        let mut datagram = Vec::new();
        let ranges = writer.write(&mut datagram, FIELDS);
        assert_eq!(
            ranges.map(|range| datagram[range].to_vec()),
            [&b"17"[..], b"42"]
        );
        datagram.extend_from_slice(message);
        (writer, datagram)
    }

    #[test]
    fn a_written_stamp_is_read_back() {
        let (writer, datagram) = stamped(b"hello");
        let text = str::from_utf8(&datagram).unwrap();
        assert!(text.starts_with("[lab1 p1 ") && text.ends_with(" 17 1795410685000001 42] hello"));
        let Envelope::Stamped(stamp, message) = read(&datagram) else {
            panic!("{text}")
        };
        assert_eq!(message, b"hello");
        assert_eq!((stamp.sender, stamp.fields), ("p1", FIELDS));
        assert_eq!(stamp.identity(), writer.session);
        // Each start is a new session.
        assert_ne!(StampWriter::new("p1").unwrap().session, writer.session);
    }

    #[test]
    fn numbers_of_every_width_are_read_back() {
        let writer = StampWriter::new("p").unwrap();
        let mut value = 1_u64;
        while value < LIMIT {
            for value in [value - 1, value].into_iter().filter(|value| *value > 0) {
                let fields = StampFields {
                    number: value,
                    time_us: value,
                    clock: value,
                };
                let mut datagram = Vec::new();
                writer.write(&mut datagram, fields);
                let Envelope::Stamped(stamp, b"") = read(&datagram) else {
                    panic!("{value}")
                };
                assert_eq!(stamp.fields, fields);
            }
            let Some(next) = value.checked_mul(10) else {
                break;
            };
            value = next;
        }
    }

    #[test]
    fn a_new_time_is_not_taken_for_the_last_one() {
        let mut reader = StampFieldsReader::default();
        for (text, expected) in [
            (
                "1 1795410685000001 1] x",
                Some((1, 1_795_410_685_000_001, 1)),
            ),
            (
                "2 1795410685000001 2] x",
                Some((2, 1_795_410_685_000_001, 2)),
            ),
            (
                "3 1795410685000002 3] x",
                Some((3, 1_795_410_685_000_002, 3)),
            ),
            (
                "4 17954106850000021 4] x",
                Some((4, 17_954_106_850_000_021, 4)),
            ),
            ("5 5 5] x", Some((5, 5, 5))),
            (
                "6 1795410685000002 6] x",
                Some((6, 1_795_410_685_000_002, 6)),
            ),
            ("7 1795410685000002", None),
            ("8 179541068500000x 8] x", None),
            (
                "9 1795410685000002 9] x",
                Some((9, 1_795_410_685_000_002, 9)),
            ),
        ] {
            let read = reader.read(text.as_bytes());
            let read = read.map(|(fields, _)| (fields.number, fields.time_us, fields.clock));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn a_damaged_stamp_is_no_stamp_and_a_plain_text_is_not_damaged() {
        let (_, datagram) = stamped(b"hello");
        let stamp = datagram.len() - b"hello".len();
        // Each byte of it replaced by one that no stamp contains; and each prefix of it.
        for index in 0..stamp {
            let mut damaged = datagram.clone();
            damaged[index] = b'#';
            assert!(!matches!(read(&damaged), Envelope::Stamped(..)), "{index}");
            let prefix = read(&datagram[..index]);
            let expected = if index < BEGIN.len() {
                Envelope::None
            } else {
                Envelope::Damaged
            };
            assert_eq!(prefix, expected, "{index}");
        }
        for plain in [
            "",
            "hello",
            "[label] hello",
            "[lab",
            "[lab1",
            "[lab1]",
            "[laboratory 1 ] x",
        ] {
            assert_eq!(read(plain.as_bytes()), Envelope::None, "{plain}");
        }
        for damaged in [
            "[lab2 p1 5f3a9c21 1 1 1] of a later version",
            "[lab1 p1 5F3A9C21 1 1 1] x",
            "[lab1 p1 5f3a9c21 0 1 1] x",
            "[lab1 p1 5f3a9c21 01 1 1] x",
            "[lab1 p1 5f3a9c21 -1 1 1] x",
            "[lab1 p1 5f3a9c21 9223372036854775808 1 1] x",
            "[lab1 p1 5f3a9c21 99999999999999999999999 1 1] x",
            "[lab1 p1 5f3a9c21 1 1 1]x",
            "[lab1 p\x1b1 5f3a9c21 1 1 1] x",
            &format!("[lab1 {} 5f3a9c21 1 1 1] x", "x".repeat(65)),
        ] {
            assert_eq!(read(damaged.as_bytes()), Envelope::Damaged, "{damaged}");
        }
    }

    #[test]
    fn a_name_that_cannot_be_in_a_stamp_is_refused() {
        for bad in ["", "two words", "a]b", &"x".repeat(65)] {
            let failure = StampWriter::new(bad).unwrap_err().to_string();
            assert!(failure.starts_with("--name: '"), "{failure}");
        }
    }
}
