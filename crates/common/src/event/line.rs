//! A record as a line of JSON, written by hand.
//!
//! serde writes the same line, as the tests see to, and is what reads it. But a server under load writes 80,000 lines a
//! second while the clients wait for the same processors, and serde's way through `Display` and a flattened map took a
//! sixth of all its time.

use std::{
    io::Write,
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{Event, Record, Time};
use crate::message::{MessageId, Party};

impl Record<'_> {
    /// Appends the record as a line of the log, with its line end.
    pub fn write_line(&self, out: &mut Vec<u8>) {
        write(self, out);
    }
}

fn write(record: &Record<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"v\":");
    number(out, record.v.into());
    text(out, "run", &record.run);
    text(out, "node", &record.node);
    text(out, "thread", &record.thread);
    out.extend_from_slice(b",\"seq\":");
    number(out, record.seq);
    event(&record.event, out);
    out.extend_from_slice(b"}\n");
}

fn event(event: &Event, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"time\":\"");
    time(out, event.time);
    plain(out, "\",\"level\":\"", event.level.word());
    plain(out, "\",\"event\":\"", event.kind.word());
    out.push(b'"');
    if let Some(id) = &event.message {
        out.extend_from_slice(b",\"message\":\"");
        message(out, id);
        out.push(b'"');
    }
    if let Some(peer) = &event.peer {
        out.extend_from_slice(b",\"peer\":\"");
        party(out, peer);
        out.push(b'"');
    }
    if let Some(address) = &event.address {
        text(out, "address", address);
    }
    if let Some(bytes) = event.bytes {
        out.extend_from_slice(b",\"bytes\":");
        number(out, bytes);
    }
    if let Some(value) = &event.text {
        text(out, "text", value);
    }
    if let Some(clock) = event.clock {
        out.extend_from_slice(b",\"clock\":");
        number(out, clock);
    }
    if let Some(mode) = event.mode {
        word(out, "mode", mode.word());
    }
    if let Some(anomaly) = event.anomaly {
        word(out, "anomaly", anomaly.word());
    }
    for (key, value) in [
        ("algorithm", event.algorithm.as_deref()),
        ("message_type", event.message_type.as_deref()),
        ("meaning", event.meaning.as_deref()),
        ("timestamp", event.timestamp.as_deref()),
        ("name", event.name.as_deref()),
        ("value", event.value.as_deref()),
        ("check", event.check.as_deref()),
    ] {
        if let Some(value) = value {
            text(out, key, value);
        }
    }
    if let Some(verdict) = event.verdict {
        word(out, "verdict", verdict.word());
    }
    if !event.counts.is_empty() {
        out.extend_from_slice(b",\"counts\":");
        serde_json::to_writer(out, &event.counts)
            .expect("counts are JSON, and a Vec takes all that is written");
    }
}

/// Words that need no escape.
fn plain(out: &mut Vec<u8>, before: &str, word: &str) {
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(word.as_bytes());
}

/// `,"KEY":"WORD"`, a word that needs no escape.
fn word(out: &mut Vec<u8>, key: &str, word: &str) {
    plain(out, ",\"", key);
    plain(out, "\":\"", word);
    out.push(b'"');
}

/// `,"KEY":"VALUE"`, the value escaped where it must be.
fn text(out: &mut Vec<u8>, key: &str, value: &str) {
    plain(out, ",\"", key);
    out.extend_from_slice(b"\":\"");
    escaped(out, value);
    out.push(b'"');
}

/// The inside of a JSON string (RFC 8259 section 7).
fn escaped(out: &mut Vec<u8>, value: &str) {
    let needs = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    if !value.bytes().any(needs) {
        out.extend_from_slice(value.as_bytes());
        return;
    }
    // Quotes first and last are the caller's.
    let quoted = serde_json::to_string(value).expect("a string is JSON");
    out.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
}

fn message(out: &mut Vec<u8>, id: &MessageId) {
    out.extend_from_slice(id.over.word().as_bytes());
    out.push(b':');
    party(out, &id.from);
    out.push(b'>');
    party(out, &id.to);
    out.push(b'#');
    number(out, id.number);
}

fn party(out: &mut Vec<u8>, party: &Party) {
    match party {
        Party::Address(address) => self::address(out, *address),
        Party::Name(name) => escaped(out, name),
    }
}

/// A socket address as its `Display` has it.
fn address(out: &mut Vec<u8>, address: SocketAddr) {
    match address {
        SocketAddr::V4(address) => {
            for (place, octet) in address.ip().octets().into_iter().enumerate() {
                if place > 0 {
                    out.push(b'.');
                }
                number(out, octet.into());
            }
            out.push(b':');
            number(out, address.port().into());
        }
        SocketAddr::V6(address) => {
            write!(out, "{address}").expect("a Vec takes all that is written");
        }
    }
}

/// In decimal.
fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// RFC 3339 with microseconds; the second is formatted once for all that happens in it.
fn time(out: &mut Vec<u8>, Time(moment): Time) {
    thread_local! {
        static SECOND: std::cell::Cell<(u64, [u8; 20])> = const { std::cell::Cell::new((u64::MAX, [0; 20])) };
    }
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (mut second, mut words) = SECOND.get();
    if second != since.as_secs() {
        second = since.as_secs();
        let whole: SystemTime = UNIX_EPOCH + Duration::from_secs(second);
        let formatted = humantime::format_rfc3339_seconds(whole).to_string();
        words.copy_from_slice(formatted.as_bytes());
        SECOND.set((second, words));
    }
    // Without the Z.
    out.extend_from_slice(&words[..19]);
    out.push(b'.');
    let mut micros = since.subsec_micros();
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (micros % 10) as u8;
        micros /= 10;
    }
    out.extend_from_slice(&digits);
    out.push(b'Z');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{AddressingMode, Anomaly, Kind, Level, VERSION, Verdict},
        exit::Summary,
        message::Carrier,
    };

    #[test]
    fn it_is_the_line_that_serde_writes() {
        let parties = [
            Party::from("127.0.0.1:40000"),
            "[::1]:12345".into(),
            "[fe80::1%3]:1".into(),
            "255.255.255.255:65535".into(),
            "a \"name\"\\".into(),
        ];
        let texts = [
            "",
            "Hello server",
            "\"\\\n\t\u{8}\u{1f}\u{7f}é\u{2028}",
            r"\x1b[2J",
        ];
        let levels = [Level::Info, Level::Warn, Level::Error];
        let carriers = [Carrier::Tcp, Carrier::Udp, Carrier::Memory];
        let times = [
            0,
            1,
            999_999,
            1_795_410_685_000_001,
            253_402_300_799_999_999,
        ];
        for round in 0..500 {
            // Which of the choices, all in other rhythms; and every seventh time none.
            fn pick<T: Clone>(round: usize, rhythm: usize, choices: &[T]) -> Option<T> {
                (round % 7 != rhythm % 7).then(|| choices[round / rhythm % choices.len()].clone())
            }
            let party = |rhythm| pick(round, rhythm, &parties);
            let any = |rhythm| party(rhythm).unwrap_or_else(|| "p1".into());
            let carrier = carriers[round % 3];
            let summary = Summary::done("")
                .count("a \"count\"", u64::MAX)
                .count("b", round as u64);
            let micros = pick(round, 3, &times).unwrap_or(round as u64);
            let event = Event {
                time: Time::new(UNIX_EPOCH + Duration::from_micros(micros)),
                level: levels[round % 3],
                message: pick(round, 2, &[1, 10, u64::MAX])
                    .map(|number| MessageId::new(carrier, any(3), any(4), number)),
                peer: party(5),
                address: pick(round, 7, &texts).map(Into::into),
                bytes: pick(round, 6, &[0, 12, 1024]),
                text: pick(round, 1, &texts).map(str::to_owned),
                clock: pick(round, 8, &[0, 7, u64::MAX]),
                mode: pick(round, 12, &AddressingMode::ALL),
                anomaly: pick(round, 13, &Anomaly::ALL),
                algorithm: pick(round, 14, &texts).map(Into::into),
                message_type: pick(round, 4, &texts).map(Into::into),
                meaning: pick(round, 5, &texts).map(Into::into),
                timestamp: pick(round, 6, &texts).map(Into::into),
                check: pick(round, 8, &texts).map(Into::into),
                verdict: pick(round, 15, &Verdict::ALL),
                name: pick(round, 9, &texts).map(str::to_owned),
                value: pick(round, 10, &texts).map(str::to_owned),
                ..if round % 2 == 0 {
                    Event::stop(&summary)
                } else {
                    Event::new(Kind::ALL[round % Kind::ALL.len()])
                }
            };
            let record = Record {
                v: VERSION,
                run: pick(round, 11, &texts).unwrap_or("r").into(),
                node: "thread-server".into(),
                thread: "client-1".into(),
                seq: round as u64 * 1_000_003,
                event,
            };
            let mut line = Vec::new();
            record.write_line(&mut line);
            assert_eq!(
                String::from_utf8(line).unwrap(),
                serde_json::to_string(&record).unwrap() + "\n"
            );
        }
    }
}
