//! The records of one name and type (an RRset, RFC 2181 section 5).

use std::{net::IpAddr, sync::Arc};

use domain::base::iana::Rtype;

use crate::dns::owner::Owner;

/// All records of one name and type, of class IN.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RrSet {
    /// Their name.
    pub owner: Owner,
    /// Their type.
    pub rtype: Rtype,
    /// How long they may be kept, in seconds: the least of the records (RFC 2181 section 5.2).
    pub ttl: u32,
    /// The data of each, with names uncompressed.
    pub data: Arc<[Box<[u8]>]>,
}

impl RrSet {
    /// Records of one type.
    pub fn new(owner: Owner, rtype: Rtype, ttl: u32, data: Vec<Box<[u8]>>) -> Self {
        Self {
            owner,
            rtype,
            ttl,
            data: data.into(),
        }
    }

    /// The domain names that the data consist of, of NS, CNAME and DNAME records.
    pub fn names(&self) -> impl Iterator<Item = Owner> {
        self.data.iter().map(|data| Owner::from_wire(data))
    }

    /// The addresses, of A and AAAA records.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.data.iter().filter_map(|data| {
            let v4 = <[u8; 4]>::try_from(&**data).map(IpAddr::from);
            v4.or_else(|_| <[u8; 16]>::try_from(&**data).map(IpAddr::from))
                .ok()
        })
    }

    /// How long the absence of a name or a type may be kept, of its SOA record: the lesser of the record's own TTL and its
    /// last field (RFC 2308 section 5), in seconds.
    pub fn negative_ttl(&self) -> u32 {
        let data = self.data.first().map_or(&[][..], |data| data);
        let minimum = data
            .last_chunk()
            .map_or(0, |last| u32::from_be_bytes(*last));
        self.ttl.min(minimum)
    }

    /// The bytes that they take in memory, about.
    pub fn cost(&self) -> usize {
        let data = self.data.iter().map(|data| data.len() + 32);
        self.owner.as_slice().len() + 64 + data.sum::<usize>()
    }
}
