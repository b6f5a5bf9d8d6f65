//! Escaped bytes as files write them (RFC 1035 section 5.1): `\X` stands for the byte X where it would have a meaning of its
//! own, and `\DDD` for the byte with this decimal number. Every other byte stands for itself.

/// A byte, whether it was escaped, and what follows it.
pub type First<'t> = (u8, bool, &'t [u8]);

/// Why an escape stands for no byte.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Malformed {
    /// It has three digits, of a number beyond 255.
    NoByte(u16),
    /// It has no character, or one or two digits.
    NotWhole,
}

/// The byte at the start of a text; None at its end.
///
/// # Errors
/// When it is a malformed escape.
pub fn first(text: &[u8]) -> Result<Option<First<'_>>, Malformed> {
    match text {
        [] => Ok(None),
        [
            b'\\',
            a @ b'0'..=b'9',
            b @ b'0'..=b'9',
            c @ b'0'..=b'9',
            rest @ ..,
        ] => {
            let digits = [a, b, c].map(|digit| u16::from(digit - b'0'));
            let number = digits.iter().fold(0, |sum, digit| sum * 10 + digit);
            let byte = u8::try_from(number).map_err(|_| Malformed::NoByte(number))?;
            Ok(Some((byte, true, rest)))
        }
        [b'\\', byte, rest @ ..] if !byte.is_ascii_digit() => Ok(Some((*byte, true, rest))),
        [b'\\', ..] => Err(Malformed::NotWhole),
        [byte, rest @ ..] => Ok(Some((*byte, false, rest))),
    }
}
