//! Domain names, character strings and times as files write them (RFC 1035 section 5.1).
//!
//! Bytes can be escaped ([`escape`]); those beyond ASCII stand for themselves.

use super::owner::LONGEST;
use crate::value::{
    LONGEST_STRING, LONGEST_TTL,
    escape::{self, First},
};

/// The longest label, in bytes.
const LONGEST_LABEL: usize = 63;

/// The byte at the start of a text.
fn first(text: &[u8]) -> Result<Option<First<'_>>, String> {
    escape::first(text)
        .map_err(|_| r"a \ without a character, or not \000 to \255, after it".into())
}

/// The bytes of a character string.
///
/// # Errors
/// When an escape is malformed, or it is longer than [`LONGEST_STRING`].
pub fn string(mut text: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    while let Some((byte, _, rest)) = first(text)? {
        bytes.push(byte);
        text = rest;
    }
    if bytes.len() > LONGEST_STRING {
        return Err(format!(
            "a string of {} bytes, and at most {LONGEST_STRING} are possible",
            bytes.len()
        ));
    }
    Ok(bytes)
}

/// The wire format of a domain name; one without a dot at its end continues with `origin`, and `@` is the origin itself.
///
/// # Errors
/// When a label is empty or too long, an escape is malformed, or the name is too long.
pub fn name(mut text: &[u8], origin: &[u8]) -> Result<Vec<u8>, String> {
    let mut wire = Vec::with_capacity(text.len() + 1 + origin.len());
    match text {
        b"@" => return Ok(origin.to_vec()),
        b"." => return Ok(vec![0]),
        _ => {}
    }
    loop {
        let length_at = wire.len();
        wire.push(0);
        let mut dot = false;
        while let Some((byte, escaped, rest)) = first(text)? {
            text = rest;
            if byte == b'.' && !escaped {
                dot = true;
                break;
            }
            wire.push(byte);
        }
        let length = wire.len() - length_at - 1;
        if !(1..=LONGEST_LABEL).contains(&length) {
            return Err(format!(
                "a label of {length} bytes, and 1 to {LONGEST_LABEL} are possible"
            ));
        }
        wire[length_at] = length as u8;
        if text.is_empty() {
            wire.extend(if dot { &[0] } else { origin });
            break;
        }
    }
    if wire.len() > LONGEST {
        return Err(format!(
            "a name of {} bytes, and at most {LONGEST} are possible",
            wire.len()
        ));
    }
    Ok(wire)
}

/// A time in seconds: a number, or numbers with the units s, m, h, d and w (`1h30m`), as BIND and NSD write times. None
/// when it is no time at all.
///
/// # Errors
/// When it is longer than 2³¹ − 1 seconds.
pub fn seconds(text: &[u8]) -> Option<Result<u32, String>> {
    let too_long = || {
        let shown = common::text::visible(text);
        Some(Err(format!("a time of {shown} is too long for DNS")))
    };
    let (mut sum, mut number) = (0_u64, None::<u64>);
    for byte in text {
        let unit = match byte.to_ascii_lowercase() {
            digit @ b'0'..=b'9' => {
                let ten = number.unwrap_or(0).saturating_mul(10);
                number = Some(ten.saturating_add(u64::from(digit - b'0')));
                continue;
            }
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 24 * 3600,
            b'w' => 7 * 24 * 3600,
            _ => return None,
        };
        sum = sum.saturating_add(number.take()?.saturating_mul(unit));
    }
    if text.is_empty() {
        return None;
    }
    sum = sum.saturating_add(number.unwrap_or(0));
    match u32::try_from(sum) {
        Ok(seconds) if seconds <= LONGEST_TTL => Some(Ok(seconds)),
        _ => too_long(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_to_an_origin() {
        for (text, wire) in [
            ("a", &b"\x01a\x03lab\0"[..]),
            ("@", b"\x03lab\0"),
            (r"\@", b"\x01@\x03lab\0"),
            (".", b"\0"),
            ("A.b.", b"\x01A\x01b\0"),
            (r"a\.b.c", b"\x03a.b\x01c\x03lab\0"),
            (r"a\046b", b"\x03a.b\x03lab\0"),
            ("ü", b"\x02\xc3\xbc\x03lab\0"),
            ("a b", b"\x03a b\x03lab\0"),
        ] {
            assert_eq!(
                name(text.as_bytes(), b"\x03lab\0").as_deref(),
                Ok(wire),
                "{text}"
            );
        }
        for text in ["", "..", "a..b", ".a", r"a\", r"a\25", r"a\256", r"\2x3"] {
            assert!(name(text.as_bytes(), b"\0").is_err(), "{text}");
        }
        let long = vec!["x".repeat(63); 4].join(".");
        assert!(name(long.as_bytes(), b"\0").is_err());
        assert!(name("x".repeat(64).as_bytes(), b"\0").is_err());
    }

    #[test]
    fn times_have_units() {
        for (text, time) in [
            ("60", 60),
            ("6h", 21_600),
            ("1D", 86_400),
            ("1w2d3h4m5s", 788_645),
            ("1h30m", 5400),
            ("1h30", 3630),
            ("0", 0),
            ("2147483647", 2_147_483_647),
        ] {
            assert_eq!(seconds(text.as_bytes()), Some(Ok(time)), "{text}");
        }
        for text in ["", "h", "1x", "-1", "1hm", "A", "1.5h"] {
            assert_eq!(seconds(text.as_bytes()), None, "{text}");
        }
        for text in ["2147483648", "99999999999999999999999", "4000w"] {
            assert!(
                seconds(text.as_bytes()).is_some_and(|time| time.is_err()),
                "{text}"
            );
        }
    }
}
