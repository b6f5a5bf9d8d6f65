//! Datagrams of one length, one behind the other, as the kernel takes them in one piece.

use common::{
    exit::Failure,
    multicast::{
        LONGEST,
        stamp::{Stamper, width},
    },
};

/// What fills a datagram up to its length.
const FILLER: u8 = b'.';

/// What is in the stamp of a message, beside what never changes.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// The first message's number; the next ones count on.
    pub number: u64,
    /// When they are sent, in microseconds since 1970.
    pub time_us: u64,
    /// The Lamport clock after the first one; each sending moves it by one.
    pub clock: u64,
}

impl Figures {
    fn widths(&self) -> [usize; 3] {
        [self.number, self.time_us, self.clock].map(width)
    }

    /// Those of the message so many further on.
    fn ahead(&self, by: u64) -> Self {
        Self {
            number: self.number + by,
            clock: self.clock + by,
            ..*self
        }
    }
}

/// Datagrams that all carry the same text.
#[derive(Debug)]
pub struct Datagrams {
    stamper: Option<Stamper>,
    text: Vec<u8>,
    size: Option<usize>,
    bytes: Vec<u8>,
    /// The next datagram's stamp.
    stamp: Vec<u8>,
    /// The length of each.
    each: usize,
    /// How wide the figures are in those that are written.
    widths: [usize; 3],
}

impl Datagrams {
    /// Datagrams with this text, stamped if there is a stamper, of `size` bytes if that is given.
    pub fn new(stamper: Option<Stamper>, text: &[u8], size: Option<usize>) -> Self {
        Self {
            stamper,
            text: text.to_vec(),
            size,
            bytes: Vec::new(),
            stamp: Vec::new(),
            each: 0,
            widths: [0; 3],
        }
    }

    /// At most `most` datagrams, the first with these figures: their bytes and the length of each. Fewer when the
    /// next one would be longer, because a figure gets one more digit.
    ///
    /// # Errors
    /// When one does not fit into a datagram, or not into the size that each is to have.
    pub fn make(&mut self, most: usize, figures: Figures) -> Result<(&[u8], usize), Failure> {
        let mut many = most.max(1);
        let same = |many: usize| figures.ahead(many as u64 - 1).widths() == figures.widths();
        while self.stamper.is_some() && !same(many) {
            many /= 2;
        }
        let widths = figures.widths();
        if self.each == 0 || (self.stamper.is_some() && self.widths != widths) {
            self.bytes.clear();
            self.widths = widths;
            self.each = self.write_one(figures)?;
        }
        if self.each > 0 {
            // More of the same; what differs is written below.
            while self.bytes.len() < many * self.each {
                self.bytes.extend_from_within(..self.each);
            }
        }
        if let Some(stamper) = &self.stamper {
            self.stamp.clear();
            let [number, clock] = stamper.write(
                &mut self.stamp,
                figures.number,
                figures.time_us,
                figures.clock,
            );
            for datagram in self.bytes.chunks_exact_mut(self.each).take(many) {
                datagram[..self.stamp.len()].copy_from_slice(&self.stamp);
                // To count on in the text costs a fraction of writing a number.
                count_on(&mut self.stamp[number.clone()]);
                count_on(&mut self.stamp[clock.clone()]);
            }
        }
        Ok((&self.bytes[..many * self.each], self.each))
    }

    fn write_one(&mut self, figures: Figures) -> Result<usize, Failure> {
        let bytes = &mut self.bytes;
        if let Some(stamper) = &self.stamper {
            stamper.write(bytes, figures.number, figures.time_us, figures.clock);
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

/// The next number, in decimal; as wide as this one, so 0 after the last that is.
fn count_on(digits: &mut [u8]) {
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

    fn figures(number: u64, clock: u64) -> Figures {
        Figures {
            number,
            time_us: 1_795_410_685_000_000 + number,
            clock,
        }
    }

    #[test]
    fn every_datagram_has_its_own_figures_whatever_was_there_before() {
        let stamper = Stamper::new("p1").unwrap();
        let mut datagrams = Datagrams::new(Some(stamper), b"hello", Some(80));
        let mut number = 1;
        // Over 9, 99 and 999, where the figures get wider, the clock elsewhere than the number.
        while number < 2000 {
            let first = figures(number, number + 50);
            let (bytes, each) = datagrams.make(64, first).unwrap();
            assert_eq!(each, 80);
            for datagram in bytes.chunks(each) {
                let Envelope::Stamped(stamp, message) = read(datagram) else {
                    panic!("{number}")
                };
                assert_eq!((stamp.number, stamp.clock), (number, number + 50));
                assert_eq!(stamp.time_us, first.time_us);
                assert!(message.starts_with(b"hello.") && message.ends_with(b"."));
                number += 1;
            }
        }
    }

    #[test]
    fn plain_ones_are_all_the_same() {
        let mut datagrams = Datagrams::new(None, b"hello", None);
        let (bytes, each) = datagrams.make(3, figures(9, 9)).unwrap();
        assert_eq!((bytes, each), (&b"hellohellohello"[..], 5));
        assert_eq!(datagrams.make(1, figures(12, 9)).unwrap().0, b"hello");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let stamper = || Some(Stamper::new("p1").unwrap());
        let make = |text: &[u8], size| {
            let mut datagrams = Datagrams::new(stamper(), text, size);
            datagrams
                .make(1, figures(1, 1))
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
