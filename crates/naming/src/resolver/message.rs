//! Queries as they are written, and replies as they are read.

use std::collections::HashMap;

use domain::{
    base::{
        Message, ParsedName, Record,
        iana::{Class, Rcode, Rtype},
        rdata::ComposeRecordData,
    },
    rdata::AllRecordData,
};

use super::rrset::RrSet;
use crate::dns::{owner::Owner, request::UDP_MAX};

/// A query for the records of one type.
pub fn query(id: u16, name: &Owner, rtype: Rtype, recursion: bool, edns: bool) -> Vec<u8> {
    let mut message = Vec::with_capacity(12 + name.as_slice().len() + 4 + 11);
    message.extend(id.to_be_bytes());
    message.extend([u8::from(recursion), 0, 0, 1, 0, 0, 0, 0, 0, u8::from(edns)]);
    message.extend(name.as_slice());
    message.extend(rtype.to_int().to_be_bytes());
    message.extend(Class::IN.to_int().to_be_bytes());
    if edns {
        let [high, low] = UDP_MAX.to_be_bytes();
        message.extend([0, 0, 41, high, low, 0, 0, 0, 0, 0, 0]);
    }
    message
}

/// A reply, with its records as RRsets. Records of another class than IN are left out.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The number of the query.
    pub id: u16,
    /// The question that it repeats, when it repeats one.
    pub question: Option<(Owner, Rtype)>,
    /// The code, with the bits that OPT has room for.
    pub code: u16,
    /// Whether the server has authority over the name (AA).
    pub authoritative: bool,
    /// Whether records are missing (TC).
    pub truncated: bool,
    /// The answer.
    pub answer: Vec<RrSet>,
    /// The records of authority.
    pub authority: Vec<RrSet>,
    /// The additional records, without OPT.
    pub additional: Vec<RrSet>,
}

type AnyData<'m> = AllRecordData<&'m [u8], ParsedName<&'m [u8]>>;
type AnyRecord<'m> = Record<ParsedName<&'m [u8]>, AnyData<'m>>;

impl Reply {
    /// Reads a message; None when it is not a whole reply.
    pub fn read(message: &[u8]) -> Option<Self> {
        let message = Message::from_octets(message).ok()?;
        let header = message.header();
        let counts = message.header_counts();
        if !header.qr() || counts.qdcount() > 1 {
            return None;
        }
        let question = match counts.qdcount() {
            0 => None,
            _ => {
                let question = message.sole_question().ok()?;
                // Of another class, it repeats no question of ours.
                (question.qclass() == Class::IN)
                    .then(|| (Owner::of(question.qname()), question.qtype()))
            }
        };
        let mut code = u16::from(header.rcode().to_int());
        let mut sections = [Vec::new(), Vec::new(), Vec::new()];
        let parts = [
            message.answer().ok()?,
            message.authority().ok()?,
            message.additional().ok()?,
        ];
        for (part, sets) in parts.into_iter().zip(&mut sections) {
            let mut index = HashMap::new();
            for record in part {
                let record: AnyRecord<'_> = record.ok()?.into_any_record().ok()?;
                match record.rtype() {
                    // The upper eight bits of the code (RFC 6891 section 6.1.3).
                    Rtype::OPT => code |= ((record.ttl().as_secs() >> 24) as u16) << 4,
                    _ if record.class() == Class::IN => add(sets, &mut index, &record),
                    _ => {}
                }
            }
        }
        let [answer, authority, additional] = sections.map(|sets| {
            sets.into_iter()
                .map(|(owner, rtype, ttl, data)| RrSet::new(owner, rtype, ttl, data))
                .collect()
        });
        Some(Self {
            id: header.id(),
            question,
            code,
            authoritative: header.aa(),
            truncated: header.tc(),
            answer,
            authority,
            additional,
        })
    }

    /// The code without the bits of OPT.
    pub fn rcode(&self) -> Rcode {
        Rcode::masked_from_int(self.code.to_be_bytes()[1])
    }
}

type Growing = (Owner, Rtype, u32, Vec<Box<[u8]>>);

/// Adds a record to those of its name and type.
fn add(
    sets: &mut Vec<Growing>,
    index: &mut HashMap<(Owner, Rtype), usize>,
    record: &AnyRecord<'_>,
) {
    let mut data = Vec::new();
    let composed = record.data().compose_rdata(&mut data);
    composed.expect("a Vec has room for every record");
    let data = data.into_boxed_slice();
    let (owner, rtype) = (Owner::of(record.owner()), record.rtype());
    // With the highest bit set it is 0 (RFC 2181 section 8).
    let ttl = Some(record.ttl().as_secs()).filter(|ttl| ttl >> 31 == 0);
    let ttl = ttl.unwrap_or(0);
    match index.get(&(owner.clone(), rtype)) {
        Some(at) => {
            let (_, _, least, all) = &mut sets[*at];
            *least = ttl.min(*least);
            if !all.contains(&data) {
                all.push(data);
            }
        }
        None => {
            index.insert((owner.clone(), rtype), sets.len());
            sets.push((owner, rtype, ttl, vec![data]));
        }
    }
}
