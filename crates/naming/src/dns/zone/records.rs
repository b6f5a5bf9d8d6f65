//! The records of a domain name, in little memory.

use domain::base::iana::Rtype;

/// The records of a domain name, of any type, one after the other.
///
/// All are of class IN and have the TTL of the zone. Each is its type and the length of its data, two bytes each in network
/// order, and the data with names uncompressed, as in a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Records<'a>(pub &'a [u8]);

impl<'a> Records<'a> {
    /// The data of every record of this type.
    pub fn of(self, rtype: Rtype) -> impl Iterator<Item = &'a [u8]> {
        self.filter(move |(found, _)| *found == rtype)
            .map(|(_, data)| data)
    }

    /// The data of the first record of this type.
    pub fn first(self, rtype: Rtype) -> Option<&'a [u8]> {
        self.of(rtype).next()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = (Rtype, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[a, b, c, d], rest) = self.0.split_first_chunk()?;
        let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([c, d])))?;
        self.0 = rest;
        Some((Rtype::from_int(u16::from_be_bytes([a, b])), data))
    }
}

/// Appends a record.
pub fn push_record(records: &mut Vec<u8>, rtype: Rtype, data: &[u8]) {
    let length = u16::try_from(data.len()).expect("record data of at most 65,535 bytes");
    records.extend(rtype.to_int().to_be_bytes());
    records.extend(length.to_be_bytes());
    records.extend(data);
}
