//! `$GENERATE`, by which BIND's zone files write many records that differ in a number.
//!
//! `$GENERATE 1-3 host$ A 10.0.0.$` stands for three records. In both texts `$` is the number, `${OFFSET,WIDTH,BASE}` the
//! number plus an offset, with zeros before it, and in base d, o, x or X (n and N: the digits of x and X from the last to the
//! first, with dots); `\$` and `$$` are a dollar.

use std::fmt::Write;

/// The numbers of a `$GENERATE`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Range {
    first: u32,
    last: u32,
    step: u32,
}

impl Range {
    /// Reads `FIRST-LAST` or `FIRST-LAST/STEP`.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        let (range, step) = text.split_once('/').unwrap_or((text, "1"));
        let (first, last) = range.split_once('-')?;
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<u32>().ok())?
        };
        let (first, last, step) = (number(first)?, number(last)?, number(step)?);
        (first <= last && last <= i32::MAX as u32 && step > 0).then_some(Self { first, last, step })
    }

    /// How many numbers there are.
    pub(super) fn count(self) -> u64 {
        u64::from((self.last - self.first) / self.step) + 1
    }

    /// The numbers, in order.
    pub(super) fn numbers(self) -> impl Iterator<Item = i64> {
        (i64::from(self.first)..=i64::from(self.last)).step_by(self.step as usize)
    }
}

/// The widest number.
const WIDEST: usize = 255;

/// The text for one number.
///
/// # Errors
/// When a `${…}` is malformed.
pub(super) fn text(template: &[u8], number: i64) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(template.len() + 8);
    let mut rest = template;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'\\', [escaped, after @ ..]) => {
                out.extend([b'\\', *escaped]);
                rest = after;
            }
            (b'$', [b'$', after @ ..]) => {
                out.extend(b"\\$");
                rest = after;
            }
            (b'$', [b'{', after @ ..]) => {
                let wrong = || "not ${OFFSET,WIDTH,BASE}, with a base of d, o, x, X, n or N";
                let end = after.iter().position(|byte| *byte == b'}');
                let end = end.ok_or_else(wrong)?;
                let inside = str::from_utf8(&after[..end]).map_err(|_| wrong())?;
                out.extend(modified(inside, number).ok_or_else(wrong)?.bytes());
                rest = &after[end + 1..];
            }
            (b'$', _) => out.extend(number.to_string().bytes()),
            _ => out.push(*byte),
        }
    }
    Ok(out)
}

/// A number as `OFFSET`, `OFFSET,WIDTH` or `OFFSET,WIDTH,BASE` has it.
fn modified(inside: &str, number: i64) -> Option<String> {
    let mut parts = inside.split(',').map(str::trim);
    let number = number + i64::from(parts.next()?.parse::<i32>().ok()?);
    let width = parts.next().map_or(Ok(0), str::parse::<usize>).ok()?;
    let base = parts.next().unwrap_or("d");
    if width > WIDEST || parts.next().is_some() {
        return None;
    }
    // As in C, a negative number has the bits of its 32-bit complement where the base is not 10.
    let bits = number as u32;
    Some(match base {
        "d" => format!("{number:0width$}"),
        "o" => format!("{bits:0width$o}"),
        "x" => format!("{bits:0width$x}"),
        "X" => format!("{bits:0width$X}"),
        "n" => nibbles(bits, width, false),
        "N" => nibbles(bits, width, true),
        _ => return None,
    })
}

/// The hexadecimal digits from the last to the first, with dots; the dots count in the width.
fn nibbles(mut number: u32, mut width: usize, capital: bool) -> String {
    let mut out = String::new();
    loop {
        let digit = number & 15;
        let written = if capital {
            write!(out, "{digit:X}")
        } else {
            write!(out, "{digit:x}")
        };
        written.expect("a String has room for every digit");
        number >>= 4;
        width = width.saturating_sub(1);
        if width == 0 && number == 0 {
            return out;
        }
        out.push('.');
        width = width.saturating_sub(1);
        if width == 0 && number == 0 {
            return out;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_steps() {
        let numbers = |text: &str| {
            Range::parse(text.as_bytes()).map(|range| {
                let numbers: Vec<_> = range.numbers().collect();
                assert_eq!(numbers.len() as u64, range.count());
                numbers
            })
        };
        assert_eq!(numbers("1-3"), Some(vec![1, 2, 3]));
        assert_eq!(numbers("0-10/4"), Some(vec![0, 4, 8]));
        assert_eq!(numbers("7-7/9"), Some(vec![7]));
        for bad in [
            "",
            "1",
            "-",
            "3-1",
            "1-2/0",
            "1-2/",
            "+1-2",
            "1--2",
            "1-4294967295",
            "a-b",
        ] {
            assert_eq!(numbers(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_number_takes_the_place_of_a_dollar() {
        for (template, number, expected) in [
            ("host$", 7, "host7"),
            ("h${0,3}-${10,3,d}", 1, "h001-011"),
            ("${-1}", 1, "0"),
            ("${-2,3}", 1, "-01"),
            ("${0,3,x}.${0,0,X}.${0,3,o}", 10, "00a.A.012"),
            ("${0,6,n}", 10, "a.0.0."),
            ("${0,5,N}", 0xab, "B.A.0"),
            ("${0,0,n}", 0xab, "b.a"),
            (r"\$-$$-$", 1, r"\$-\$-1"),
            (r"\065$", 1, r"\0651"),
        ] {
            let text = text(template.as_bytes(), number).unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), expected, "{template}");
        }
        for bad in [
            "${",
            "${}",
            "${0,3",
            "${0,3,q}",
            "${0,-3}",
            "${0,1,d,}",
            "${0,999}",
        ] {
            assert!(text(bad.as_bytes(), 1).is_err(), "{bad}");
        }
    }
}
