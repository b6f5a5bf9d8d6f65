//! Makes datagrams of one length in one buffer, as the kernel takes them in one piece.

use common::{
    exit::Failure,
    multicast::{
        LONGEST,
        stamp::{StampFields, StampWriter, width},
    },
};

/// What pads a datagram to its length.
const FILLER: u8 = b'.';

/// How wide the fields of a stamp are, in digits.
fn widths(fields: &StampFields) -> [usize; 3] {
    [fields.number, fields.time_us, fields.clock].map(width)
}

/// The fields of the message that follows `by` messages later.
fn ahead(fields: &StampFields, by: u64) -> StampFields {
    StampFields {
        number: fields.number + by,
        clock: fields.clock + by,
        ..*fields
    }
}

/// Datagrams that all carry the same text.
#[derive(Debug)]
pub struct Datagrams {
    stamp_writer: Option<StampWriter>,
    text: Vec<u8>,
    size: Option<usize>,
    bytes: Vec<u8>,
    /// The next datagram's stamp.
    stamp: Vec<u8>,
    /// The length of each datagram; 0: none is written yet.
    each: usize,
    /// How wide the fields are in the datagrams that are written.
    widths: [usize; 3],
}

impl Datagrams {
    /// Datagrams with this text, stamped if there is a writer of stamps, of `size` bytes if that is given.
    pub fn new(stamp_writer: Option<StampWriter>, text: &[u8], size: Option<usize>) -> Self {
        Self {
            stamp_writer,
            text: text.to_vec(),
            size,
            bytes: Vec::new(),
            stamp: Vec::new(),
            each: 0,
            widths: [0; 3],
        }
    }

    /// At most `most` datagrams, the first with these fields: their bytes and the length of each. Fewer when the next one
    /// would be longer, as one of its numbers has one more digit.
    ///
    /// # Errors
    /// When the text and its stamp do not fit into a datagram, or into the requested size.
    pub fn make(&mut self, most: usize, fields: StampFields) -> Result<(&[u8], usize), Failure> {
        let mut many = most.max(1);
        let first = widths(&fields);
        let same = |many: usize| widths(&ahead(&fields, many as u64 - 1)) == first;
        while self.stamp_writer.is_some() && !same(many) {
            many /= 2;
        }
        if self.each == 0 || (self.stamp_writer.is_some() && self.widths != first) {
            self.bytes.clear();
            self.widths = first;
            self.each = self.write_one(fields)?;
        }
        if self.each > 0 {
            // Copies of the first; the stamps are written below.
            while self.bytes.len() < many * self.each {
                self.bytes.extend_from_within(..self.each);
            }
        }
        if let Some(stamp_writer) = &self.stamp_writer {
            self.stamp.clear();
            let [number, clock] = stamp_writer.write(&mut self.stamp, fields);
            for datagram in self.bytes.chunks_exact_mut(self.each).take(many) {
                datagram[..self.stamp.len()].copy_from_slice(&self.stamp);
                // To increment the digits costs a fraction of formatting the number.
                increment(&mut self.stamp[number.clone()]);
                increment(&mut self.stamp[clock.clone()]);
            }
        }
        Ok((&self.bytes[..many * self.each], self.each))
    }

    fn write_one(&mut self, fields: StampFields) -> Result<usize, Failure> {
        let bytes = &mut self.bytes;
        if let Some(stamp_writer) = &self.stamp_writer {
            stamp_writer.write(bytes, fields);
        }
        bytes.extend_from_slice(&self.text);
        let most = self.size.unwrap_or(LONGEST);
        if bytes.len() > most {
            let length = bytes.len();
            bytes.clear();
            let why = match self.size {
                Some(size) => format!("a message and its stamp take {length} bytes, not {size}"),
                None => format!(
                    "a message of {length} bytes with its stamp; a datagram carries at most {LONGEST}"
                ),
            };
            return Err(Failure::no("send", why));
        }
        if let Some(size) = self.size {
            bytes.resize(size, FILLER);
        }
        Ok(bytes.len())
    }
}

/// Increments a decimal number in place; the highest of its width becomes 0.
fn increment(digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
}

#[cfg(test)]
mod tests {
    use common::multicast::stamp::{Envelope, read};

    use super::*;

    fn fields(number: u64, clock: u64) -> StampFields {
        StampFields {
            number,
            time_us: 1_795_410_685_000_000 + number,
            clock,
        }
    }

    #[test]
    fn every_datagram_has_its_own_stamp_fields() {
        let stamp_writer = StampWriter::new("p1").unwrap();
        let mut datagrams = Datagrams::new(Some(stamp_writer), b"hello", Some(80));
        let mut number = 1;
        // Past 9, 99 and 999, where the fields get wider, the clock elsewhere than the number.
        while number < 2000 {
            let first = fields(number, number + 50);
            let (bytes, each) = datagrams.make(64, first).unwrap();
            assert_eq!(each, 80);
            for datagram in bytes.chunks(each) {
                let Envelope::Stamped(stamp, message) = read(datagram) else {
                    panic!("{number}")
                };
                let time_us = first.time_us;
                assert_eq!(
                    stamp.fields,
                    StampFields {
                        time_us,
                        ..fields(number, number + 50)
                    }
                );
                assert!(message.starts_with(b"hello.") && message.ends_with(b"."));
                number += 1;
            }
        }
    }

    #[test]
    fn plain_datagrams_are_all_the_same() {
        let mut datagrams = Datagrams::new(None, b"hello", None);
        let (bytes, each) = datagrams.make(3, fields(9, 9)).unwrap();
        assert_eq!((bytes, each), (&b"hellohellohello"[..], 5));
        assert_eq!(datagrams.make(1, fields(12, 9)).unwrap().0, b"hello");
    }

    #[test]
    fn a_text_that_does_not_fit_is_refused() {
        let stamp_writer = || Some(StampWriter::new("p1").unwrap());
        let make = |text: &[u8], size| {
            let mut datagrams = Datagrams::new(stamp_writer(), text, size);
            datagrams
                .make(1, fields(1, 1))
                .map(|_| ())
                .unwrap_err()
                .to_string()
        };
        assert!(
            make(b"hello", Some(40)).ends_with("take 45 bytes, not 40"),
            "{}",
            make(b"hello", Some(40))
        );
        assert!(make(&vec![b'x'; LONGEST], None).ends_with("a datagram carries at most 65507"));
    }
}
