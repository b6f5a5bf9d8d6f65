//! Updates (RFC 2136) as a client builds them, and what their answers mean.

use std::net::SocketAddr;

use common::exit::Failure;
use domain::base::{
    Record, Ttl,
    iana::{Class, Rcode, Rtype},
    rdata::UnknownRecordData,
};

use crate::{
    dns::{owner::Owner, shown, zone::Records},
    name::Place,
};

/// A record of an update.
#[derive(Clone, Debug)]
pub(super) struct Line {
    owner: Owner,
    class: Class,
    rtype: Rtype,
    /// In seconds; a prerequisite or a deletion must have 0.
    ttl: u32,
    data: Vec<u8>,
}

impl Line {
    pub(super) fn record(&self) -> Record<domain::base::Name<&[u8]>, UnknownRecordData<&[u8]>> {
        let data =
            UnknownRecordData::from_octets(self.rtype, self.data.as_slice()).expect("short data");
        Record::new(
            self.owner.name(),
            self.class,
            Ttl::from_secs(self.ttl),
            data,
        )
    }
}

/// An update of a zone: the prerequisites, and the changes to make when they hold.
#[derive(Clone, Debug)]
pub struct Update {
    pub(super) zone: Owner,
    pub(super) prerequisites: Vec<Line>,
    pub(super) changes: Vec<Line>,
}

impl Update {
    /// An update without any change yet.
    pub fn of(zone: &Owner) -> Self {
        Self {
            zone: zone.clone(),
            prerequisites: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Requires that the name exists, or that it does not.
    #[must_use]
    pub fn when(mut self, owner: &Owner, exists: bool) -> Self {
        let class = if exists { Class::ANY } else { Class::NONE };
        self.prerequisites.push(Line {
            owner: owner.clone(),
            class,
            rtype: Rtype::ANY,
            ttl: 0,
            data: Vec::new(),
        });
        self
    }

    /// Requires that the records of this type are exactly the one with this data.
    #[must_use]
    pub fn when_it_has(mut self, owner: &Owner, rtype: Rtype, data: &[u8]) -> Self {
        self.prerequisites.push(Line {
            owner: owner.clone(),
            class: Class::IN,
            rtype,
            ttl: 0,
            data: data.to_vec(),
        });
        self
    }

    /// About how many bytes its changes take in a message.
    pub fn size(&self) -> usize {
        let line = |line: &Line| line.owner.as_slice().len() + 10 + line.data.len();
        self.changes.iter().map(line).sum()
    }

    /// Adds these records to the name. Those without a TTL have that of the zone, in seconds.
    #[must_use]
    pub fn add(mut self, owner: &Owner, records: Records<'_>, zone_ttl: u32) -> Self {
        let records = records.timed(zone_ttl);
        self.changes.extend(records.map(|(rtype, ttl, data)| Line {
            owner: owner.clone(),
            class: Class::IN,
            rtype,
            ttl,
            data: data.to_vec(),
        }));
        self
    }

    /// Deletes all records of the name.
    #[must_use]
    pub fn delete(mut self, owner: &Owner) -> Self {
        self.changes.push(Line {
            owner: owner.clone(),
            class: Class::ANY,
            rtype: Rtype::ANY,
            ttl: 0,
            data: Vec::new(),
        });
        self
    }
}

/// What the code of an answer says about the change of a name.
pub fn refusal(rcode: Rcode, place: &Place, server: SocketAddr) -> Failure {
    let why = match rcode {
        Rcode::YXDOMAIN => "exists already".to_owned(),
        Rcode::NXDOMAIN => "no such name".to_owned(),
        Rcode::REFUSED => format!("{server} refuses the change; its log says why"),
        Rcode::NOTAUTH => format!("{server} has no such zone or key"),
        rcode => format!("{server} answers {}", shown::rcode(rcode)),
    };
    Failure::no(place, why)
}
