//! A text: the strings of a TXT record (RFC 1035 section 3.3.14), byte for byte.

use std::fmt::Write;

use common::text::visible;

use super::escape::{Malformed, first};

/// The longest string of a text, in bytes (RFC 1035 section 3.3).
pub const LONGEST_STRING: usize = 255;

/// One or more strings of 0 to 255 bytes each, of any bytes. Two texts are the same when their strings are: `"ab"` is not
/// `"a" "b"`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Text(Box<[u8]>);

impl Text {
    /// A text without strings of its own: it is cut into strings of 255 bytes, the last of which can be shorter.
    pub fn new(text: &[u8]) -> Self {
        let mut data = Vec::with_capacity(text.len() + text.len() / LONGEST_STRING + 1);
        if text.is_empty() {
            data.push(0);
        }
        for string in text.chunks(LONGEST_STRING) {
            push(&mut data, string);
        }
        Self(data.into())
    }

    /// The text in the data of a TXT record: each string follows its length in one byte. None when the data has no string,
    /// or ends within one.
    pub fn from_record(data: &[u8]) -> Option<Self> {
        let mut rest = data;
        while let Some((length, after)) = rest.split_first() {
            rest = after.get(usize::from(*length)..)?;
        }
        (!data.is_empty()).then(|| Self(data.into()))
    }

    /// The data of its TXT record.
    pub fn as_record(&self) -> &[u8] {
        &self.0
    }

    /// Its strings.
    pub fn strings(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first()?;
            let (string, after) = after.split_at(usize::from(*length));
            rest = after;
            Some(string)
        })
    }

    /// Its text, when it is UTF-8 that is not empty and its strings are those of [`Text::new`].
    pub fn plain(&self) -> Option<String> {
        let whole = self.strings().collect::<Vec<_>>().concat();
        let text = String::from_utf8(whole).ok()?;
        (!text.is_empty() && Self::new(text.as_bytes()) == *self).then_some(text)
    }

    /// Reads strings as zone files have them (RFC 1035 section 5.1): separated by blanks, in quotes where a string has
    /// blanks in it or is empty, with `\"`, `\\` and `\DDD` for a byte by its decimal number.
    ///
    /// # Errors
    /// When there is no string, one is longer than 255 bytes, or a quote or an escape is not whole.
    pub fn from_strings(text: &str) -> Result<Self, String> {
        let mut data = Vec::new();
        let mut rest = text.trim_ascii().as_bytes();
        while let Some(opening) = rest.first() {
            let quoted = *opening == b'"';
            let mut string = Vec::new();
            rest = &rest[usize::from(quoted)..];
            loop {
                rest = match rest {
                    [b'"', after @ ..] if quoted => {
                        if after
                            .first()
                            .is_some_and(|next| !next.is_ascii_whitespace())
                        {
                            return Err("no blank behind a string in quotes".into());
                        }
                        break rest = after;
                    }
                    [] if quoted => return Err("a string without its closing quote".into()),
                    [blank, ..] if !quoted && blank.is_ascii_whitespace() => break,
                    _ => match first(rest) {
                        Ok(Some((byte, _, after))) => {
                            string.push(byte);
                            after
                        }
                        Ok(None) => break,
                        Err(Malformed::NoByte(number)) => {
                            return Err(format!("\\{number} is no byte; \\255 is the last"));
                        }
                        Err(Malformed::NotWhole) => {
                            return Err("a \\ without the three digits of a byte".into());
                        }
                    },
                };
            }
            if string.len() > LONGEST_STRING {
                return Err(format!(
                    "a string of {} bytes, and at most {LONGEST_STRING} are possible",
                    string.len()
                ));
            }
            push(&mut data, &string);
            rest = rest.trim_ascii_start();
        }
        Self::from_record(&data)
            .ok_or_else(|| "a text has at least one string, such as \"\"".into())
    }

    /// Its strings as zone files have them, in one line of ASCII: `"one" "two\255"`.
    pub fn to_strings(&self) -> String {
        let mut out = String::with_capacity(self.0.len() + 2);
        for string in self.strings() {
            out.push_str(if out.is_empty() { "\"" } else { " \"" });
            for byte in string {
                match byte {
                    b'"' | b'\\' => out.extend(['\\', char::from(*byte)]),
                    b' '..=b'~' => out.push(char::from(*byte)),
                    _ => write!(out, "\\{byte:03}").expect("a String has room for every byte"),
                }
            }
            out.push('"');
        }
        out
    }

    /// The text as an answer shows it: as it reads where it is a plain text, else its strings; safe to show.
    pub fn shown(&self) -> String {
        match self.plain() {
            Some(text) => visible(text.as_bytes()),
            None => self.to_strings(),
        }
    }
}

/// By what they say, and then by their strings.
impl Ord for Text {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let said = self.strings().flatten().cmp(other.strings().flatten());
        said.then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

fn push(data: &mut Vec<u8>, string: &[u8]) {
    data.push(string.len() as u8);
    data.extend(string);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_kept_as_they_are() {
        for (written, data, again) in [
            ("\"one\" \"two\"", &b"\x03one\x03two"[..], None),
            ("one two", b"\x03one\x03two", Some("\"one\" \"two\"")),
            ("\"\"", b"\0", None),
            ("\"\" \"x\" \"\"", b"\0\x01x\0", None),
            (r#""\255\000\"\\;""#, b"\x05\xff\0\"\\;", None),
            (r"a\ b \032", b"\x03a b\x01 ", Some(r#""a b" " ""#)),
            ("ä", "\u{2}ä".as_bytes(), Some(r#""\195\164""#)),
        ] {
            let text = Text::from_strings(written).unwrap();
            assert_eq!(text.as_record(), data, "{written}");
            assert_eq!(text.to_strings(), again.unwrap_or(written));
            assert_eq!(Text::from_strings(&text.to_strings()), Ok(text.clone()));
            assert_eq!(Text::from_record(data), Some(text));
        }
        for (written, why) in [
            ("", "at least one string"),
            ("\"x", "closing quote"),
            ("\"x\"y", "no blank"),
            ("\\256", "\\256 is no byte"),
            ("\\25", "three digits"),
            ("x\\", "three digits"),
            (&"x".repeat(256), "256 bytes"),
        ] {
            let error = Text::from_strings(written).unwrap_err();
            assert!(error.contains(why), "{written}: {error}");
        }
        for data in [&b""[..], b"\x02x", b"\0\x01"] {
            assert_eq!(Text::from_record(data), None);
        }
    }

    #[test]
    fn a_plain_text_reads_as_it_was_written() {
        let long = "ä".repeat(600);
        for text in ["in the hall", "say \"hi\"", long.as_str()] {
            assert_eq!(Text::new(text.as_bytes()).plain().as_deref(), Some(text));
        }
        assert_eq!(Text::new(long.as_bytes()).strings().count(), 5);
        for data in [&b"\x01a\x01b"[..], b"\x01\xff", b"\0"] {
            assert_eq!(Text::from_record(data).unwrap().plain(), None);
        }
        assert_eq!(Text::new(b"a\x1b").shown(), "a\\x1b");
        assert_eq!(Text::from_record(b"\x01\xff").unwrap().shown(), "\"\\255\"");
    }

    #[test]
    fn texts_are_in_the_order_of_what_they_say() {
        let text = |written: &str| Text::from_strings(written).unwrap();
        assert!(text("b") > text("aa") && text("a b") < text("\"ab\""));
        assert_eq!(text("a b").cmp(&text("a b")), std::cmp::Ordering::Equal);
    }
}
