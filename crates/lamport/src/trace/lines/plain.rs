//! Lines as our programs write nearly all of them: their fields in one order, no space between them, texts without escapes.
//! Such a line is read in a sixth of the time that a parser of JSON takes. What is different in any way is left to that one,
//! which alone says what is wrong with a line.

use std::borrow::Cow;

use super::line::Line;

/// Reads the lines of a text, one after another. The fields before `seq` are nearly always those of the line before.
#[derive(Default)]
pub(super) struct PlainLines<'t> {
    /// The beginning of the last line, up to the value of `seq`.
    head: &'t str,
    run: &'t str,
    node: &'t str,
    thread: &'t str,
    /// The index of its thread, as far as the caller has looked it up.
    pub(super) known_thread: Option<u32>,
}

impl<'t> PlainLines<'t> {
    /// Reads a line; None if it is not of this kind, and then part of it may be read.
    pub(super) fn read(&mut self, line: &'t str, read: &mut Line<'t>) -> Option<()> {
        let mut rest = Rest { line, at: 0 };
        if !self.head.is_empty() && line.starts_with(self.head) {
            rest.at = self.head.len();
        } else {
            rest.require(b"{\"v\":1,\"run\":\"")?;
            let run = rest.text()?;
            rest.require(b",\"node\":\"")?;
            let node = rest.text()?;
            rest.require(b",\"thread\":\"")?;
            let thread = rest.text()?;
            rest.require(b",\"seq\":")?;
            *self = Self {
                head: &line[..rest.at],
                run,
                node,
                thread,
                known_thread: None,
            };
        }
        *read = Line {
            v: Some(1),
            run: Cow::Borrowed(self.run),
            node: Cow::Borrowed(self.node),
            thread: Cow::Borrowed(self.thread),
            seq: Some(rest.number()?),
            ..Line::default()
        };
        rest.require(b",\"time\":\"")?;
        read.time = Cow::Borrowed(rest.text()?);
        rest.require(b",\"level\":\"")?;
        read.level = Cow::Borrowed(rest.text()?);
        rest.require(b",\"event\":\"")?;
        read.event = Cow::Borrowed(rest.text()?);
        rest.more_fields(read)
    }
}

/// What of a line is not read yet.
struct Rest<'t> {
    line: &'t str,
    at: usize,
}

impl<'t> Rest<'t> {
    fn bytes(&self) -> &'t [u8] {
        &self.line.as_bytes()[self.at..]
    }

    /// Skips these bytes if they come next. (Their number is known when this is compiled, so that no function compares them.)
    fn skip<const N: usize>(&mut self, expected: &[u8; N]) -> bool {
        let is_next = self.bytes().first_chunk() == Some(expected);
        if is_next {
            self.at += N;
        }
        is_next
    }

    fn require<const N: usize>(&mut self, expected: &[u8; N]) -> Option<()> {
        self.skip(expected).then_some(())
    }

    /// The rest of a text without escapes, of which the opening quote is skipped already.
    fn text(&mut self) -> Option<&'t str> {
        let length = before_special(self.bytes());
        let text = self.line.get(self.at..self.at + length)?;
        self.at += length;
        self.require(b"\"")?;
        Some(text)
    }

    /// An integer from 0 of at most 19 digits, which 64 bits hold.
    fn number(&mut self) -> Option<u64> {
        let bytes = self.bytes();
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
        let (mut number, mut length) = (0_u64, 0);
        for digit in digits.take(20) {
            number = number
                .wrapping_mul(10)
                .wrapping_add(u64::from(digit - b'0'));
            length += 1;
        }
        let has_leading_zero = length > 1 && bytes[0] == b'0';
        self.at += length;
        (1..=19)
            .contains(&length)
            .then_some(number)
            .filter(|_| !has_leading_zero)
    }

    /// The fields after `event`, and the end of the line.
    fn more_fields(&mut self, read: &mut Line<'t>) -> Option<()> {
        while self.skip(b",\"") {
            let name = self.text()?;
            self.require(b":")?;
            let field = match name {
                "message" => &mut read.message,
                "message_type" => &mut read.message_type,
                "meaning" => &mut read.meaning,
                "algorithm" => &mut read.algorithm,
                "clock" => {
                    if read.clock.replace(self.number()?).is_some() {
                        return None;
                    }
                    continue;
                }
                // Twice in a line, or no number or text.
                "v" | "run" | "node" | "thread" | "seq" | "time" | "level" | "event" | "counts" => {
                    return None;
                }
                _ => {
                    match self.skip(b"\"") {
                        true => drop(self.text()?),
                        false => drop(self.number()?),
                    }
                    continue;
                }
            };
            self.require(b"\"")?;
            // Whether the field comes twice is not seen where it is empty.
            let text = Some(self.text()?).filter(|text| !text.is_empty())?;
            if !std::mem::replace(field, Cow::Borrowed(text)).is_empty() {
                return None;
            }
        }
        self.require(b"}")?;
        (self.at == self.line.len()).then_some(())
    }
}

/// How many bytes come before the first quote, backslash or control character, eight at a time.
fn before_special(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    let mut at = 0;
    while let Some(eight) = bytes.get(at..at + 8) {
        let eight = u64::from_le_bytes(eight.try_into().unwrap_or_default());
        // The lowest bit that is set is that of the first such byte; higher ones may be wrong.
        let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let is_quote = is_zero(eight ^ (ONES * u64::from(b'"')));
        let is_backslash = is_zero(eight ^ (ONES * u64::from(b'\\')));
        let is_control = eight.wrapping_sub(ONES * u64::from(b' ')) & !eight;
        let found = (is_quote | is_backslash | is_control) & HIGH;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_special = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
    let rest = &bytes[at..];
    at + rest.iter().position(is_special).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    /// What serde_json reads, if these lines are of the kind; the first one may be of another process.
    fn both(lines: &[&str]) -> Vec<Option<bool>> {
        let mut plain = PlainLines::default();
        let read = lines.iter().map(|line| {
            let mut read = Line::default();
            plain.read(line, &mut read)?;
            Some(serde_json::from_str::<Line<'_>>(line).is_ok_and(|line| line == read))
        });
        read.collect()
    }

    const LINES: [&str; 6] = [
        r#"{"v":1,"run":"r","node":"p1","thread":"main","seq":0,"time":"2026-11-24T18:14:43.131588Z","level":"info","event":"start"}"#,
        r##"{"v":1,"run":"r","node":"p1","thread":"main","seq":17,"time":"t","level":"info","event":"send","message":"udp:p1>*#3","peer":"p2","clock":18446744073709551,"message_type":"request","meaning":"request"}"##,
        r#"{"v":1,"run":"r","node":"p1","thread":"main","seq":2,"time":"t","level":"warn","event":"receive","bytes":12,"text":"é and → without escapes, longer than eight","clock":0}"#,
        r#"{"v":1,"run":"r","node":"p2","thread":"main","seq":9999999999999999999,"time":"","level":"","event":"ready","algorithm":"mutex","name":"","other":0}"#,
        r#"{"v":1,"run":"","node":"","thread":"","seq":1,"time":"t","level":"info","event":"local"}"#,
        r#"{"v":1,"run":"r","node":"p1","thread":"worker 1","seq":4,"time":"t","level":"info","event":"deliver","timestamp":"1,p9","meaning":"deliver","clock":7}"#,
    ];

    #[test]
    fn lines_of_our_programs_are_of_this_kind() {
        assert_eq!(both(&LINES), [Some(true); 6]);
    }

    #[test]
    fn others_are_left_to_the_parser_of_json() {
        let good = LINES[1];
        for (from, to) in [
            (r#""v":1"#, r#""v":2"#),
            (r#""v":1,"#, ""),
            (",", ", "),
            ("p1", r"p\u0031"),
            ("p2", "p\t2"),
            (r#""seq":17"#, r#""seq":017"#),
            (r#""seq":17"#, r#""seq":-17"#),
            (r#""seq":17"#, r#""seq":1.7"#),
            (r#""seq":17"#, r#""seq":17e0"#),
            (r#""seq":17"#, r#""seq":17000000000000000000"#),
            (r#""seq":17"#, r#""seq":"17""#),
            (r#""seq":17"#, r#""seq":"#),
            ("18446744073709551", "null"),
            (r#""meaning":"request""#, r#""meaning":7"#),
            (r#""meaning""#, r#""clock":1,"meaning""#),
            (r#""meaning""#, r#""meaning":"","meaning""#),
            (r#""meaning""#, r#""seq":1,"meaning""#),
            (r#""meaning":"request""#, r#""counts":{"suppressed":1}"#),
            (r#""meaning":"request""#, r#""x":[1]"#),
            (r#""meaning":"request""#, r#""x":true"#),
            (r#""meaning":"request""#, r#""x":1.5"#),
            ("}", ""),
            ("}", "}}"),
            ("}", ",}"),
            ("}", "} "),
        ] {
            let line = good.replacen(from, to, 1);
            assert_ne!(line, good);
            assert_eq!(both(&[&line]), [None], "{line}");
            // Also after a line that begins like it.
            assert_eq!(both(&[good, &line]), [Some(true), None], "{line}");
        }
    }

    /// Whatever is read at all is read as serde_json reads it.
    #[test]
    fn a_changed_line_is_read_as_the_parser_of_json_reads_it() {
        let mut random = Pcg64Mcg::seed_from_u64(1);
        let mut read = 0;
        for _ in 0..20_000 {
            let other = LINES[random.random_range(0..LINES.len())];
            let mut line: Vec<char> = LINES[random.random_range(0..LINES.len())].chars().collect();
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(0..line.len());
                let end = random.random_range(at..line.len().min(at + 12));
                match random.random_range(0..4) {
                    0 => drop(line.drain(at..=end)),
                    1 => drop(line.splice(at..at, line[at..=end].to_vec())),
                    2 => {
                        line[at] = *random_of(
                            &mut random,
                            &['"', '\\', '0', '9', ',', '}', 'x', '\u{1f}', 'é'],
                        )
                    }
                    _ => line.swap(at, end),
                }
                if line.is_empty() {
                    break;
                }
            }
            let line: String = line.into_iter().collect();
            let found = both(&[other, &line]);
            assert_ne!(found[1], Some(false), "{line}");
            read += usize::from(found[1].is_some());
        }
        assert!(read > 1000, "{read}");
    }

    fn random_of<'a, T>(random: &mut Pcg64Mcg, all: &'a [T]) -> &'a T {
        &all[random.random_range(0..all.len())]
    }

    #[test]
    fn special_characters_are_found_wherever_they_are() {
        for length in 0..40 {
            for special in [b'"', b'\\', 0, b'\n', 0x1f] {
                let mut bytes = vec![0xc3; 40];
                bytes[length..].fill(b'"');
                bytes[length] = special;
                assert_eq!(before_special(&bytes), length, "{special}");
            }
            assert_eq!(before_special(&vec![b' '; length]), length);
        }
    }
}
