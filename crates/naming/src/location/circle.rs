//! Identifiers of m bits on a circle, of keys and of nodes: the first bits of SHA-1, as in Stoica et al. 2001, "Chord: A
//! Scalable Peer-to-peer Lookup Service for Internet Applications", section 4.2.

use std::fmt;

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// The most bits of an identifier. The paper has all 160 of SHA-1; two of 2^17 nodes have the same 64 with a probability
/// below 10^-9.
pub const MOST_BITS: u8 = 64;

/// An identifier on the circle.
pub type Id = u64;

/// The circle of the identifiers of m bits: arithmetic modulo 2^m.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Circle {
    bits: u8,
}

impl Circle {
    /// The circle of identifiers of this many bits.
    ///
    /// # Panics
    /// Unless there are 1 to [`MOST_BITS`].
    pub fn new(bits: u8) -> Self {
        assert!((1..=MOST_BITS).contains(&bits), "{bits} bits");
        Self { bits }
    }

    /// m, the number of bits.
    pub fn bits(self) -> u8 {
        self.bits
    }

    /// The largest identifier.
    pub fn last(self) -> Id {
        Id::MAX >> (MOST_BITS - self.bits)
    }

    /// The identifier of a text.
    pub fn id(self, text: &str) -> Id {
        hash(text) >> (MOST_BITS - self.bits)
    }

    /// How far it is from one identifier to the other, clockwise.
    pub fn distance(self, from: Id, to: Id) -> Id {
        to.wrapping_sub(from) & self.last()
    }

    /// The start of the finger with this index from 0: `from + 2^index`, which the paper counts from 1.
    pub fn start(self, from: Id, index: u8) -> Id {
        from.wrapping_add(1 << index) & self.last()
    }

    /// Whether the identifier is in the open interval (from, to); of a node to itself that is everything but the node.
    pub fn between(self, from: Id, id: Id, to: Id) -> bool {
        let (id, to) = (self.distance(from, id), self.distance(from, to));
        id != 0 && (to == 0 || id < to)
    }

    /// Whether the identifier is in the half-open interval (from, to]; of a node to itself that is the whole circle.
    pub fn up_to(self, from: Id, id: Id, to: Id) -> bool {
        let (id, to) = (self.distance(from, id), self.distance(from, to));
        to == 0 || (id != 0 && id <= to)
    }
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bits", self.bits)
    }
}

/// The first 64 bits of a text's SHA-1, the first byte being the highest. SHA-1 spreads the identifiers here; nothing depends
/// on its resistance against an attacker.
pub fn hash(text: &str) -> u64 {
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let first = digest.as_ref().first_chunk().copied();
    u64::from_be_bytes(first.unwrap_or_else(|| unreachable!("SHA-1 has 20 bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_the_first_bits_of_sha_1() {
        // RFC 3174, section 7.3: SHA-1 of "abc" is A9993E36 4706816A …
        assert_eq!(hash("abc"), 0xA999_3E36_4706_816A);
        assert_eq!(Circle::new(8).id("abc"), 0xA9);
        assert_eq!(Circle::new(64).id("abc"), 0xA999_3E36_4706_816A);
    }

    #[test]
    fn intervals_go_round_the_circle() {
        let circle = Circle::new(5);
        assert_eq!((circle.last(), circle.distance(28, 1)), (31, 5));
        assert_eq!(circle.start(28, 3), 4);
        assert!(circle.between(28, 30, 1) && circle.between(28, 0, 1));
        assert!(
            !circle.between(28, 28, 1) && !circle.between(28, 1, 1) && !circle.between(28, 2, 1)
        );
        assert!(circle.up_to(28, 1, 1) && !circle.up_to(28, 28, 1) && !circle.up_to(28, 2, 1));
        // A node alone: everything is before it comes round to itself.
        assert!(circle.between(4, 5, 4) && !circle.between(4, 4, 4));
        assert!(circle.up_to(4, 4, 4) && circle.up_to(4, 31, 4));
    }
}
