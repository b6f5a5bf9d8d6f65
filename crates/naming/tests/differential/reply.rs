//! Replies in a form that can be compared.
//!
//! What is normalised: the number; the order of records and compression, as sections are sets of records with lowercase
//! owners and canonical data (RFC 4034 section 6.2); the size in OPT, which is a figure of the server; the serial in SOA
//! records where `serial` is false; the sections of a truncated reply, which is asked for again over TCP.

use std::{collections::BTreeSet, fmt};

use domain::{
    base::{Message, ParsedName, iana::Rtype, rdata::ComposeRecordData},
    rdata::AllRecordData,
};

use super::message::{AA, AD, CD, CNAME, DNAME, NS, PTR, QR, RA, RD, SOA, TC, Z, shown};

/// A record in canonical form.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Record {
    pub(crate) owner: Vec<u8>,
    pub(crate) rtype: u16,
    pub(crate) class: u16,
    pub(crate) ttl: u32,
    pub(crate) data: Vec<u8>,
}

/// A reply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Reply {
    /// With the extended code of EDNS(0).
    pub(crate) rcode: u16,
    /// The second line of the header without the code.
    pub(crate) flags: u16,
    /// As it was written, capital letters too.
    pub(crate) question: Vec<u8>,
    pub(crate) sections: [BTreeSet<Record>; 3],
    /// Version and flags.
    pub(crate) edns: Option<(u8, u16)>,
    /// Records that stand twice in a section.
    pub(crate) duplicates: usize,
    pub(crate) length: usize,
}

impl Reply {
    /// Reads a reply.
    pub(crate) fn parse(bytes: &[u8], serial: bool) -> Result<Self, String> {
        let malformed = |what: &str| format!("{what}: {bytes:02x?}");
        let message = Message::from_octets(bytes).map_err(|_| malformed("a short reply"))?;
        let mut reply = Self {
            rcode: u16::from(message.header().rcode().to_int()),
            flags: u16::from_be_bytes([bytes[2], bytes[3] & 0xf0]),
            question: Vec::new(),
            sections: Default::default(),
            edns: None,
            duplicates: 0,
            length: bytes.len(),
        };
        let mut questions = message.question();
        for question in &mut questions {
            question.map_err(|_| malformed("a malformed question"))?;
        }
        reply.question = bytes[12..questions.pos()].to_vec();
        let sections = [message.answer(), message.authority(), message.additional()];
        for (number, section) in sections.into_iter().enumerate() {
            for record in section.map_err(|_| malformed("a malformed section"))? {
                let record = record.map_err(|_| malformed("a malformed record"))?;
                if record.rtype() == Rtype::OPT {
                    let ttl = record.ttl().as_secs();
                    reply.rcode |= (ttl >> 24 << 4) as u16;
                    reply.edns = Some(((ttl >> 16) as u8, ttl as u16));
                    continue;
                }
                let record =
                    Record::of(&record, serial).ok_or_else(|| malformed("malformed data"))?;
                reply.duplicates += usize::from(!reply.sections[number].insert(record));
            }
        }
        if reply.flags & TC > 0 {
            reply.sections = Default::default();
        }
        Ok(reply)
    }

    /// The records of the answer.
    pub(crate) fn answer(&self) -> &BTreeSet<Record> {
        &self.sections[0]
    }

    pub(crate) fn is_truncated(&self) -> bool {
        self.flags & TC > 0
    }
}

impl Record {
    /// A record of a message; None when its data is malformed.
    pub(crate) fn of(record: &domain::base::ParsedRecord<'_, &[u8]>, serial: bool) -> Option<Self> {
        let whole = record.to_any_record::<AllRecordData<_, ParsedName<_>>>();
        let mut data = Vec::new();
        let whole = whole.ok()?;
        whole
            .data()
            .compose_canonical_rdata(&mut data)
            .expect("a Vec has room for every record");
        let rtype = record.rtype().to_int();
        if rtype == SOA && !serial {
            let at = data.len() - 20;
            data[at..at + 4].fill(0);
        }
        let mut owner = Vec::new();
        for label in record.owner().iter() {
            owner.push(label.len() as u8);
            owner.extend(label.as_slice().to_ascii_lowercase());
        }
        Some(Self {
            owner,
            rtype,
            class: record.class().to_int(),
            ttl: record.ttl().as_secs(),
            data,
        })
    }

    /// As a zone file has it, for any server (RFC 3597 section 5).
    pub(crate) fn zone_line(&self) -> String {
        let hex: String = self.data.iter().map(|byte| format!("{byte:02x}")).collect();
        let (ttl, rtype, length) = (self.ttl, self.rtype, self.data.len());
        format!(
            "{} {ttl} IN TYPE{rtype} \\# {length} {hex}",
            escaped(&self.owner)
        )
    }
}

/// A name with every byte escaped that is no letter and no digit.
fn escaped(name: &[u8]) -> String {
    let (mut text, mut at) = (String::new(), 0);
    while name[at] > 0 {
        let length = usize::from(name[at]);
        for byte in &name[at + 1..at + 1 + length] {
            match byte.is_ascii_alphanumeric() {
                true => text.push(char::from(*byte)),
                false => text.push_str(&format!("\\{byte:03}")),
            }
        }
        text.push('.');
        at += length + 1;
    }
    text
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [NS, CNAME, PTR, DNAME].contains(&self.rtype);
        let data = match names {
            true => shown(&self.data),
            false => format!("{:02x?}", self.data),
        };
        let owner = shown(&self.owner);
        write!(
            f,
            "{owner} ttl {} class {} type {} {data}",
            self.ttl, self.class, self.rtype
        )
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (QR, "qr"),
            (AA, "aa"),
            (TC, "tc"),
            (RD, "rd"),
            (RA, "ra"),
            (Z, "z"),
            (AD, "ad"),
            (CD, "cd"),
        ];
        let flags: Vec<_> = names
            .iter()
            .filter(|(bit, _)| self.flags & bit > 0)
            .map(|(_, name)| *name)
            .collect();
        let (opcode, edns) = (self.flags >> 11 & 15, &self.edns);
        writeln!(
            f,
            "rcode {}, opcode {opcode}, {}, EDNS {edns:?}, {} bytes",
            self.rcode,
            flags.join(" "),
            self.length
        )?;
        writeln!(f, "    question   {:02x?}", self.question)?;
        for (name, section) in ["answer", "authority", "additional"]
            .iter()
            .zip(&self.sections)
        {
            for record in section {
                writeln!(f, "    {name:10} {record}")?;
            }
        }
        Ok(())
    }
}
