//! UTF-16, as PowerShell and other programs on Windows write it, read as UTF-8.

use std::io::{self, BufRead, Read};

/// The order of the two bytes of a unit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The order that a byte order mark states (RFC 2781 section 3.2). Without one, as in a file to which PowerShell only appended,
    /// the order in which the first two letters are ASCII.
    pub(super) fn of(beginning: &[u8]) -> Option<Self> {
        // UTF-32, which nobody writes, also begins with a mark and has two bytes of zero then.
        match *beginning {
            [0xff, 0xfe, a, b, ..] if (a, b) == (0, 0) => None,
            [0xff, 0xfe, ..] => Some(Self::Little),
            [0xfe, 0xff, ..] => Some(Self::Big),
            [a, 0, b, 0, ..] if a.is_ascii() && b.is_ascii() && a.min(b) > 0 => Some(Self::Little),
            [0, a, 0, b, ..] if a.is_ascii() && b.is_ascii() && a.min(b) > 0 => Some(Self::Big),
            _ => None,
        }
    }
}

/// UTF-8 from UTF-16. What is no character, such as half a surrogate pair or an odd last byte, becomes U+FFFD.
pub(super) struct FromUtf16<R> {
    from: R,
    order: ByteOrder,
    /// The first byte of a unit whose second byte is not read yet.
    half: Option<u8>,
    /// A high surrogate whose low one is not read yet.
    high: Option<u16>,
    /// UTF-8 that was not taken yet.
    ready: Vec<u8>,
    taken: usize,
}

impl<R: BufRead> FromUtf16<R> {
    pub(super) fn new(from: R, order: ByteOrder) -> Self {
        Self {
            from,
            order,
            half: None,
            high: None,
            ready: Vec::new(),
            taken: 0,
        }
    }

    /// Converts the next bytes; false at the end.
    fn convert(&mut self) -> io::Result<bool> {
        let bytes = self.from.fill_buf()?;
        let length = bytes.len();
        let mut text = String::with_capacity(length);
        if length == 0 {
            let rest = self.half.take().is_some() | self.high.take().is_some();
            text.extend(rest.then_some(char::REPLACEMENT_CHARACTER));
        }
        for byte in bytes {
            let Some(first) = self.half.take() else {
                self.half = Some(*byte);
                continue;
            };
            let unit = match self.order {
                ByteOrder::Little => u16::from_le_bytes([first, *byte]),
                ByteOrder::Big => u16::from_be_bytes([first, *byte]),
            };
            let units = [self.high.take(), Some(unit)];
            if self.half.is_none() && is_high(unit) {
                // The one before it has no low surrogate.
                text.extend(units[0].map(|_| char::REPLACEMENT_CHARACTER));
                self.high = Some(unit);
                continue;
            }
            let letters = char::decode_utf16(units.into_iter().flatten());
            let letters = letters.map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
            // Parts that were written one after the other each begin with a byte order mark.
            text.extend(letters.filter(|letter| *letter != '\u{feff}'));
        }
        self.from.consume(length);
        self.ready = text.into_bytes();
        self.taken = 0;
        Ok(length > 0 || !self.ready.is_empty())
    }
}

fn is_high(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

impl<R: BufRead> Read for FromUtf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.ready.len() {
            if !self.convert()? {
                return Ok(0);
            }
        }
        let length = (&self.ready[self.taken..]).read(into)?;
        self.taken += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn every_split_of_the_bytes_gives_the_same_text() {
        let text = "Grüße, 世界 🚀\r\n\u{1f980} end";
        for order in [ByteOrder::Little, ByteOrder::Big] {
            let bytes: Vec<u8> = text
                .encode_utf16()
                .flat_map(|unit| match order {
                    ByteOrder::Little => unit.to_le_bytes(),
                    ByteOrder::Big => unit.to_be_bytes(),
                })
                .collect();
            for size in 1..8 {
                let mut read = String::new();
                let from = BufReader::with_capacity(size, bytes.as_slice());
                let mut from = FromUtf16::new(from, order);
                from.read_to_string(&mut read).unwrap();
                assert_eq!(read, text);
            }
        }
    }

    #[test]
    fn what_is_no_character_is_replaced() {
        let bytes = [0x3d, 0xd8, b'a', 0, 0x3d, 0xd8, 0x3d, 0xd8, 0, 0xde, b'b'];
        let mut read = String::new();
        let mut from = FromUtf16::new(bytes.as_slice(), ByteOrder::Little);
        from.read_to_string(&mut read).unwrap();
        assert_eq!(read, "\u{fffd}a\u{fffd}\u{1f600}\u{fffd}");
    }
}
