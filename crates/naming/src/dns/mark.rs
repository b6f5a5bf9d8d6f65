//! High-water marks: the serial that each zone was published with last, and a digest of its content then.
//!
//! A server that starts compares its zones with the marks: the same content keeps its serial, any other gets the next one.
//! So a serial moves exactly when its zone does, whatever it was that changed: names, mounted files, the TTL, an address.

use common::parallel;
use domain::base::iana::Rtype;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    difference::{Difference, next_serial},
    owner::Owner,
    zone::{FEW_NAMES, Zone, push_record},
};

/// A digest of a zone's records as a set: the sum of the 128-bit hashes (XXH3) of each record. So a change costs as much as
/// it changes, and not as much as there are records.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Content(u128);

impl Content {
    /// The digests of all zones, in the order of [`Zones::all`](super::owner::Zones::all). It takes all processors: at a
    /// million names it is a fifth of the work of loading them.
    pub fn of(zone: &Zone) -> [Self; 3] {
        let parts = match zone.names {
            0..FEW_NAMES => 1,
            _ => parallel::processors(),
        };
        let mut contents = [Self::default(); 3];
        for part in parallel::each("digest", parts, 0..parts, |part| {
            Self::of_part(zone, part, parts)
        }) {
            for (content, part) in contents.iter_mut().zip(part) {
                content.add(part.0);
            }
        }
        contents
    }

    fn of_part(zone: &Zone, part: usize, parts: usize) -> [Self; 3] {
        let mut contents = [Self::default(); 3];
        let mut buffer = Vec::new();
        zone.each_of(part, parts, |name, records| {
            let Some(index) = zone.zones.index(name) else {
                return;
            };
            for record in records.whole() {
                contents[index].add(term(&mut buffer, zone.ttl, name, record));
            }
            // The SOA counts without its serial, which follows from the content.
            if let Some(soa) = records.first(Rtype::SOA) {
                let content = &mut contents[index];
                content.subtract(soa_term(zone.ttl, name, soa, |_| {}));
                content.add(soa_term(zone.ttl, name, soa, |serial| serial.fill(0)));
            }
        });
        contents
    }

    /// The digest after a change.
    pub fn followed(mut self, ttl: u32, difference: &Difference) -> Self {
        let terms = |records: &super::difference::OwnRecords| {
            let (owner, records) = records;
            super::zone::Records(records)
                .whole()
                .map(|record| term(&mut Vec::new(), ttl, owner.as_slice(), record))
                .collect::<Vec<_>>()
        };
        for term in difference.removed.iter().flat_map(terms) {
            self.subtract(term);
        }
        for term in difference.added.iter().flat_map(terms) {
            self.add(term);
        }
        self
    }

    fn add(&mut self, term: u128) {
        self.0 = self.0.wrapping_add(term);
    }

    fn subtract(&mut self, term: u128) {
        self.0 = self.0.wrapping_sub(term);
    }

    /// As bytes, for a file.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// From the bytes of [`Self::to_bytes`]; None when there are not 16 of them.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(u128::from_be_bytes(bytes.try_into().ok()?)))
    }
}

/// What a record adds to the digest; `buffer` is overwritten.
fn term(buffer: &mut Vec<u8>, ttl: u32, name: &[u8], record: &[u8]) -> u128 {
    buffer.clear();
    buffer.extend_from_slice(&ttl.to_be_bytes());
    buffer.extend_from_slice(name);
    buffer.extend_from_slice(record);
    xxh3_128(buffer)
}

/// The same of a SOA record with another serial.
fn soa_term(ttl: u32, name: &[u8], soa: &[u8], edit: impl Fn(&mut [u8])) -> u128 {
    let (mut data, mut record) = (soa.to_vec(), Vec::new());
    if let Some(at) = data.len().checked_sub(SERIAL_FROM_END) {
        edit(&mut data[at..at + 4]);
    }
    push_record(&mut record, Rtype::SOA, &data);
    term(&mut Vec::new(), ttl, name, &record)
}

/// Where the serial stands in the data of a SOA record, from its end: five numbers of four bytes each (RFC 1035 section
/// 3.3.13).
const SERIAL_FROM_END: usize = 20;

/// The data of a SOA record, with another serial.
pub fn with_serial(soa: &[u8], serial: u32) -> Vec<u8> {
    let mut data = soa.to_vec();
    if let Some(at) = data.len().checked_sub(SERIAL_FROM_END) {
        data[at..at + 4].copy_from_slice(&serial.to_be_bytes());
    }
    data
}

/// The serial that a zone was published with last, and its content then.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Mark {
    /// The serial.
    pub serial: u32,
    /// The content.
    pub content: Content,
}

impl Mark {
    /// The mark of a zone that has this content now: the serial moves when the content is another.
    pub fn now(self, content: Content) -> Self {
        let serial = match self.content == content {
            true => self.serial,
            false => next_serial(self.serial),
        };
        Self { serial, content }
    }
}

/// The marks of all zones, in the order of [`Zones::all`](super::owner::Zones::all).
pub type Marks = [Mark; 3];

/// Marks that were kept, where there are some, by the name of the zone.
pub type KeptMarks = std::collections::BTreeMap<Owner, Mark>;
