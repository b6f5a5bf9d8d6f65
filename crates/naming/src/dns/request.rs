//! A request, read as far as every reply depends on it: header, question, EDNS(0), signature. Without an allocation.
//!
//! RFC 1035 section 4 is the format, RFC 6891 EDNS(0), RFC 8945 section 5.1 the place of the signature. What could be read of
//! a malformed request is kept, because its reply repeats it.

use std::ops::Range;

use domain::base::iana::{Class, Opcode, Rtype};

use super::owner::{LONGEST, parent};

/// The largest reply over UDP, which is not fragmented on any usual path (DNS flag day 2020).
pub const UDP_MAX: u16 = 1232;

/// The largest reply over UDP without EDNS(0) (RFC 1035 section 4.2.1).
const UDP_PLAIN: u16 = 512;

/// The length of a message's header, in bytes.
pub(super) const HEADER: usize = 12;

/// How a message and its reply are transported.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    /// In a datagram.
    Udp,
    /// On a connection.
    Tcp,
}

/// EDNS(0) of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Edns {
    /// The version; this server knows 0.
    pub version: u8,
    /// The largest datagram that the client takes, in bytes.
    pub size: u16,
    /// The DO bit, which the reply repeats (RFC 3225 section 3).
    pub dnssec_ok: bool,
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'m> {
    /// The whole message.
    pub message: &'m [u8],
    /// How it was received.
    pub transport: Transport,
    /// What it asks for.
    pub opcode: Opcode,
    /// EDNS(0), when the request has it.
    pub edns: Option<Edns>,
    /// Where its signature begins, which is the last record.
    pub signature: Option<usize>,
    /// Whether it is a whole message with one question.
    pub well_formed: bool,
    /// The end of the question; the end of the header when there is none that a reply could repeat.
    question_end: usize,
}

impl<'m> Request<'m> {
    /// Reads a message; None when it gets no reply at all: it has no header, or it is a reply itself.
    pub fn read(message: &'m [u8], transport: Transport) -> Option<Self> {
        let header = message.first_chunk::<HEADER>()?;
        if header[2] & 0x80 != 0 {
            return None;
        }
        let mut request = Self {
            message,
            transport,
            opcode: Opcode::from_int(header[2] >> 3 & 15),
            edns: None,
            signature: None,
            well_formed: true,
            question_end: HEADER,
        };
        let counts = [4, 6, 8, 10].map(|at| u16::from_be_bytes([header[at], header[at + 1]]));
        if request.sections(counts) != Some(message.len()) {
            request.well_formed = false;
        }
        if !request.well_formed {
            request.signature = None;
        }
        Some(request)
    }

    /// Reads the sections; returns where the last one ends.
    fn sections(
        &mut self,
        [questions, answers, authorities, additional]: [u16; 4],
    ) -> Option<usize> {
        let mut at = HEADER;
        if questions == 1 {
            match question_end(self.message) {
                Some(end) => self.question_end = end,
                None => self.well_formed = false,
            }
        } else {
            self.well_formed = false;
        }
        for _ in 0..questions {
            at = name_end(self.message, at)? + 4;
        }
        for _ in 0..u32::from(answers) + u32::from(authorities) {
            let record = Record::read(self.message, at)?;
            if matches!(record.rtype, Rtype::OPT | Rtype::TSIG) {
                self.well_formed = false;
            }
            at = record.data.end;
        }
        for left in (0..additional).rev() {
            let record = Record::read(self.message, at)?;
            match record.rtype {
                // Its owner is the root, and there is only one (RFC 6891 section 6.1.1).
                Rtype::OPT if self.edns.is_none() && self.message[at] == 0 => {
                    self.edns = Some(record.edns());
                    self.well_formed &= are_options(&self.message[record.data.clone()]);
                }
                // The last of all records, of class ANY and with TTL 0 (RFC 8945 sections 4.2 and 5.1).
                Rtype::TSIG if left == 0 && record.class == Class::ANY && record.ttl == 0 => {
                    self.signature = Some(at);
                }
                Rtype::OPT | Rtype::TSIG => self.well_formed = false,
                _ => {}
            }
            at = record.data.end;
        }
        Some(at)
    }

    /// The name in the question, as it was written; empty when there is none.
    pub fn name(&self) -> &'m [u8] {
        &self.message[HEADER..self.question_end.saturating_sub(4).max(HEADER)]
    }

    /// The type in the question.
    pub fn rtype(&self) -> Rtype {
        Rtype::from_int(self.in_question(4))
    }

    /// The class in the question.
    pub fn class(&self) -> Class {
        Class::from_int(self.in_question(2))
    }

    fn in_question(&self, before_end: usize) -> u16 {
        match self.question_end {
            HEADER => 0,
            end => u16_at(self.message, end - before_end).unwrap_or(0),
        }
    }

    /// Header and question, as every reply begins.
    pub(super) fn beginning(&self) -> &'m [u8] {
        &self.message[..self.question_end]
    }

    /// The largest reply, in bytes.
    pub fn limit(&self) -> usize {
        match (self.transport, self.edns) {
            (Transport::Tcp, _) => u16::MAX.into(),
            (Transport::Udp, None) => UDP_PLAIN.into(),
            (Transport::Udp, Some(edns)) => edns.size.clamp(UDP_PLAIN, UDP_MAX).into(),
        }
    }
}

/// A record without its owner.
pub(super) struct Record {
    rtype: Rtype,
    class: Class,
    ttl: u32,
    pub(super) data: Range<usize>,
}

impl Record {
    /// The record that begins at `at`.
    pub(super) fn read(message: &[u8], at: usize) -> Option<Self> {
        let at = name_end(message, at)?;
        let fixed = message.get(at..at + 10)?;
        let length = usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
        let data = at + 10..at + 10 + length;
        (data.end <= message.len()).then_some(Self {
            rtype: Rtype::from_int(u16::from_be_bytes([fixed[0], fixed[1]])),
            class: Class::from_int(u16::from_be_bytes([fixed[2], fixed[3]])),
            ttl: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            data,
        })
    }

    /// What its fixed fields say when it is an OPT record (RFC 6891 section 6.1.3).
    fn edns(&self) -> Edns {
        let [_, version, flags, _] = self.ttl.to_be_bytes();
        Edns {
            version,
            size: self.class.to_int(),
            dnssec_ok: flags & 0x80 != 0,
        }
    }
}

/// Whether data consists of whole options of EDNS(0).
fn are_options(mut data: &[u8]) -> bool {
    while let [_, _, high, low, rest @ ..] = data {
        match rest.get(usize::from(u16::from_be_bytes([*high, *low]))..) {
            Some(rest) => data = rest,
            None => return false,
        }
    }
    data.is_empty()
}

pub(super) fn u16_at(message: &[u8], at: usize) -> Option<u16> {
    let bytes = message.get(at..at + 2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}

/// Where the name that begins at `at` ends; a pointer at its end is not followed.
pub(super) fn name_end(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += usize::from(length) + 1,
            192.. => return (at + 2 <= message.len()).then_some(at + 2),
            _ => return None,
        }
    }
}

/// Where the first question ends, when its name can be repeated.
fn question_end(message: &[u8]) -> Option<usize> {
    let end = name_end(message, HEADER)?;
    // A pointer leads to an earlier name, and there is none before the first.
    let plain = message[end - 1] == 0 && end - HEADER <= LONGEST;
    (plain && end + 4 <= message.len() && is_plain(&message[HEADER..end])).then_some(end + 4)
}

/// Whether a name consists of labels alone.
fn is_plain(name: &[u8]) -> bool {
    let mut rest = name;
    while let Some(above) = parent(rest) {
        rest = above;
    }
    rest == [0]
}
