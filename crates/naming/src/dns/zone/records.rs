//! The records of a domain name, in little memory.

use domain::base::iana::Rtype;

/// The records of a domain name, of any type, one after the other.
///
/// All are of class IN. Each is its type (2 bytes in network order), its TTL (4) or `ZONE_TTL`, the length of its data
/// (2), and the data with names uncompressed, as in a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Records<'a>(pub &'a [u8]);

/// Stands for the TTL of the zone, in place of a record's own.
const ZONE_TTL: u32 = u32::MAX;

impl<'a> Records<'a> {
    /// Every record with its TTL in seconds, which is `zone` where it has none of its own.
    pub fn timed(mut self, zone: u32) -> impl Iterator<Item = (Rtype, u32, &'a [u8])> {
        std::iter::from_fn(move || {
            let (rtype, ttl, data) = self.step()?;
            Some((rtype, ttl.unwrap_or(zone), data))
        })
    }

    /// Every record with the TTL of its own, in seconds, when it has one.
    pub fn own_ttls(mut self) -> impl Iterator<Item = (Rtype, Option<u32>, &'a [u8])> {
        std::iter::from_fn(move || self.step())
    }

    /// The first record of this type, with its TTL.
    pub fn first_timed(self, rtype: Rtype, zone: u32) -> Option<(u32, &'a [u8])> {
        self.timed(zone)
            .find(|(found, ..)| *found == rtype)
            .map(|(_, ttl, data)| (ttl, data))
    }

    fn step(&mut self) -> Option<(Rtype, Option<u32>, &'a [u8])> {
        let (&[a, b, t @ .., c, d], rest) = self.0.split_first_chunk::<8>()?;
        let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([c, d])))?;
        self.0 = rest;
        let ttl = u32::from_be_bytes(t);
        let rtype = Rtype::from_int(u16::from_be_bytes([a, b]));
        Some((rtype, (ttl != ZONE_TTL).then_some(ttl), data))
    }

    /// The data of every record of this type.
    pub fn of(self, rtype: Rtype) -> impl Iterator<Item = &'a [u8]> {
        self.filter(move |(found, _)| *found == rtype)
            .map(|(_, data)| data)
    }

    /// The data of the first record of this type.
    pub fn first(self, rtype: Rtype) -> Option<&'a [u8]> {
        self.of(rtype).next()
    }

    /// Each record as it is stored here: its type, the length of its data, and the data.
    pub fn whole(mut self) -> impl Iterator<Item = &'a [u8]> {
        std::iter::from_fn(move || {
            let before = self.0;
            self.next()?;
            Some(&before[..before.len() - self.0.len()])
        })
    }

    /// Whether they are those of a zone cut: an NS record and glue (RFC 1034 section 4.2.1). That NS record is the first; the
    /// apex of a zone has its SOA record before it.
    pub fn are_a_cut(self) -> bool {
        self.0.starts_with(&Rtype::NS.to_int().to_be_bytes())
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = (Rtype, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (rtype, _, data) = self.step()?;
        Some((rtype, data))
    }
}

/// Appends a record with the TTL of the zone.
pub fn push_record(records: &mut Vec<u8>, rtype: Rtype, data: &[u8]) {
    push_timed(records, rtype, None, data);
}

/// Appends a record with a TTL of its own, in seconds, or with that of the zone.
pub fn push_timed(records: &mut Vec<u8>, rtype: Rtype, ttl: Option<u32>, data: &[u8]) {
    let length = u16::try_from(data.len()).expect("record data of at most 65,535 bytes");
    records.extend(rtype.to_int().to_be_bytes());
    records.extend(ttl.unwrap_or(ZONE_TTL).to_be_bytes());
    records.extend(length.to_be_bytes());
    records.extend(data);
}

/// The first `most` of these records in their order as bytes, in that order; None when there are no more than that.
pub fn first_records(records: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut all: Vec<_> = Records(records).whole().collect();
    if all.len() <= most {
        return None;
    }
    all.sort_unstable();
    Some(all[..most].concat())
}
