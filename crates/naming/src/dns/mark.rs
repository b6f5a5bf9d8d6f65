//! High-water marks: the serial that each zone was published with last, and a digest of its content then.
//!
//! A server that starts compares its zones with the marks: the same content keeps its serial, any other gets the next one.
//! So a serial moves exactly when its zone does, whatever it was that changed: names, mounted files, the TTL, an address.

use std::{num::NonZero, thread};

use domain::base::iana::Rtype;
use ring::digest;

use super::{
    difference::{Difference, next_serial},
    owner::Owner,
    zone::{Zone, push_record},
};

/// Below so many names, one thread is fastest.
const FEW_NAMES: usize = 10_000;

/// A digest of a zone's records as a set: the sum of the SHA-256 digests of each record. So a change costs as much as it
/// changes, and not as much as there are records.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Content([u64; 4]);

impl Content {
    /// The digests of all zones, in the order of [`Zones::all`](super::owner::Zones::all). It takes all processors: at a
    /// million names it is a fifth of the work of loading them.
    pub fn of(zone: &Zone) -> [Self; 3] {
        let parts = match zone.names {
            0..FEW_NAMES => 1,
            _ => thread::available_parallelism().map_or(1, NonZero::get),
        };
        let mut contents = [Self::default(); 3];
        thread::scope(|scope| {
            let start = |part| {
                let thread = thread::Builder::new().name(format!("digest-{part}"));
                thread.spawn_scoped(scope, move || Self::of_part(zone, part, parts))
            };
            let started: Vec<_> = (1..parts).map(|part| (part, start(part))).collect();
            let mut add = |part: [Self; 3]| {
                for (content, part) in contents.iter_mut().zip(part) {
                    content.add(&part.0);
                }
            };
            add(Self::of_part(zone, 0, parts));
            for (part, thread) in started {
                add(match thread.map(thread::ScopedJoinHandle::join) {
                    Ok(joined) => joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                    // One that could not be started.
                    Err(_) => Self::of_part(zone, part, parts),
                });
            }
        });
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
                contents[index].add(&term(&mut buffer, zone.ttl, name, record));
            }
            // The SOA counts without its serial, which follows from the content.
            if let Some(soa) = records.first(Rtype::SOA) {
                let content = &mut contents[index];
                content.subtract(&soa_term(zone.ttl, name, soa, |_| {}));
                content.add(&soa_term(zone.ttl, name, soa, |serial| serial.fill(0)));
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
            self.subtract(&term);
        }
        for term in difference.added.iter().flat_map(terms) {
            self.add(&term);
        }
        self
    }

    fn add(&mut self, term: &[u64; 4]) {
        for (sum, part) in self.0.iter_mut().zip(term) {
            *sum = sum.wrapping_add(*part);
        }
    }

    fn subtract(&mut self, term: &[u64; 4]) {
        for (sum, part) in self.0.iter_mut().zip(term) {
            *sum = sum.wrapping_sub(*part);
        }
    }

    /// As bytes, for a file.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (to, part) in bytes.chunks_exact_mut(8).zip(self.0) {
            to.copy_from_slice(&part.to_be_bytes());
        }
        bytes
    }

    /// From the bytes of [`Self::to_bytes`]; None when there are not 32 of them.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        Some(Self(parts(bytes)))
    }
}

fn parts(bytes: &[u8; 32]) -> [u64; 4] {
    std::array::from_fn(|index| {
        let part = bytes[index * 8..].first_chunk().expect("32 bytes");
        u64::from_be_bytes(*part)
    })
}

/// What a record adds to the digest; `buffer` is overwritten.
fn term(buffer: &mut Vec<u8>, ttl: u32, name: &[u8], record: &[u8]) -> [u64; 4] {
    buffer.clear();
    buffer.extend_from_slice(&ttl.to_be_bytes());
    buffer.extend_from_slice(name);
    buffer.extend_from_slice(record);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, buffer).as_ref());
    parts(&bytes)
}

/// The same of a SOA record with another serial.
fn soa_term(ttl: u32, name: &[u8], soa: &[u8], edit: impl Fn(&mut [u8])) -> [u64; 4] {
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
