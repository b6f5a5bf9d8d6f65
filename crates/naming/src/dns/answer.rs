//! From a query to its answer: a pure function over the [`Zone`], without an allocation.
//!
//! RFC 1034 section 4.3.2 is the algorithm, RFC 1035 section 4 the format, RFC 6891 EDNS(0), RFC 6672 DNAME. Messages that
//! need more than a look-up (updates, transfers, signed messages) are left to the caller.

use domain::base::iana::{Class, Opcode, Rcode, Rtype};

use super::{
    owner::{LONGEST, parent},
    zone::{Records, Zone},
};

/// The largest answer over UDP, which is not fragmented on any usual path (DNS flag day 2020).
pub const UDP_MAX: u16 = 1232;

/// The largest answer over UDP without EDNS(0) (RFC 1035 section 4.2.1).
const UDP_PLAIN: usize = 512;

/// How many aliases are followed in a row; the rest is left to the resolver.
const LONGEST_CHAIN: usize = crate::space::resolve::MOST_LINKS + 1;

const HEADER: usize = 12;

/// How a message and its answer are transported.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    /// In a datagram.
    Udp,
    /// On a connection.
    Tcp,
}

/// What the caller does next with a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// Ignore it: it is too short to be answered, or an answer itself.
    Ignore,
    /// Send the answer.
    Answer,
    /// It changes names (RFC 2136).
    Update,
    /// It asks for a whole zone (RFC 5936), or for the changes of one (RFC 1995).
    Transfer,
    /// It is signed (RFC 8945).
    Signed,
}

/// A query.
#[derive(Clone, Copy, Debug)]
struct Query<'a> {
    /// The name as it was written.
    name: &'a [u8],
    rtype: Rtype,
    class: Class,
    /// The end of the question.
    end: usize,
    /// EDNS(0), when the query has it: the version, and how large the answer may be.
    edns: Option<(u8, u16)>,
    signed: bool,
}

/// Answers a message; the answer replaces the content of `out`.
pub fn answer(zone: &Zone, message: &[u8], transport: Transport, out: &mut Vec<u8>) -> Next {
    let Some(header) = message.first_chunk::<HEADER>() else {
        return Next::Ignore;
    };
    if header[2] & 0x80 != 0 {
        return Next::Ignore;
    }
    let opcode = Opcode::from_int(header[2] >> 3 & 15);
    match opcode {
        Opcode::QUERY => {}
        Opcode::UPDATE => return Next::Update,
        _ => {
            refuse(message, Rcode::NOTIMP, out);
            return Next::Answer;
        }
    }
    let query = match Query::parse(message) {
        Ok(query) => query,
        Err(rcode) => {
            refuse(message, rcode, out);
            return Next::Answer;
        }
    };
    if query.signed {
        return Next::Signed;
    }
    if matches!(query.rtype, Rtype::AXFR | Rtype::IXFR) {
        return Next::Transfer;
    }
    let most = match (transport, query.edns) {
        (Transport::Tcp, _) => usize::from(u16::MAX),
        (Transport::Udp, None) => UDP_PLAIN,
        (Transport::Udp, Some((_, size))) => {
            usize::from(size).clamp(UDP_PLAIN, usize::from(UDP_MAX))
        }
    };
    compose(zone, message, &query, most, out);
    Next::Answer
}

/// Answers with only a code. The question is repeated when it can be read.
pub fn refuse(message: &[u8], rcode: Rcode, out: &mut Vec<u8>) {
    out.clear();
    let Some(header) = message.first_chunk::<HEADER>() else {
        return;
    };
    out.extend(header);
    out[2] = header[2] & 0x79 | 0x80;
    out[3] = header[3] & 0x10 | rcode.to_int() & 15;
    out[4..].fill(0);
    if counts(header)[0] == 1
        && let Some(end) = question_end(message)
    {
        out.extend(&message[HEADER..end]);
        out[5] = 1;
    }
}

/// The same, as a new message.
pub fn refusal(message: &[u8], rcode: Rcode) -> Vec<u8> {
    let mut out = Vec::new();
    refuse(message, rcode, &mut out);
    out
}

/// A truncated answer in place of a long one, so that the client asks again over TCP.
pub fn truncate(message: &[u8], out: &mut Vec<u8>) {
    refuse(message, Rcode::NOERROR, out);
    if out.len() >= HEADER {
        out[2] |= 2;
    }
}

/// Where the last record of a message begins: a signature is the last record.
pub fn last_record(message: &[u8]) -> Option<usize> {
    let [questions, others @ ..] = counts(message.first_chunk()?);
    let mut at = HEADER;
    for _ in 0..questions {
        at = name_end(message, at)? + 4;
    }
    let records: u32 = others.into_iter().map(u32::from).sum();
    for _ in 1..records {
        at = Query::record(message, at)?.1;
    }
    (records > 0).then_some(at)
}

fn counts(header: &[u8; HEADER]) -> [u16; 4] {
    [4, 6, 8, 10].map(|at| u16::from_be_bytes([header[at], header[at + 1]]))
}

fn u16_at(message: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([
        *message.get(at)?,
        *message.get(at + 1)?,
    ]))
}

/// Where the name that begins at `at` ends; a pointer at its end is not followed.
fn name_end(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += usize::from(length) + 1,
            192.. => return (at + 2 <= message.len()).then_some(at + 2),
            _ => return None,
        }
    }
}

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

impl<'a> Query<'a> {
    fn parse(message: &'a [u8]) -> Result<Self, Rcode> {
        let header = message.first_chunk::<HEADER>().ok_or(Rcode::FORMERR)?;
        let [questions, answers, authorities, additional] = counts(header);
        if questions != 1 {
            return Err(Rcode::FORMERR);
        }
        let end = question_end(message).ok_or(Rcode::FORMERR)?;
        let mut query = Self {
            name: &message[HEADER..end - 4],
            rtype: Rtype::from_int(u16_at(message, end - 4).unwrap_or(0)),
            class: Class::from_int(u16_at(message, end - 2).unwrap_or(0)),
            end,
            edns: None,
            signed: false,
        };
        let mut at = end;
        for _ in 0..u32::from(answers) + u32::from(authorities) {
            at = Self::record(message, at).ok_or(Rcode::FORMERR)?.1;
        }
        for left in (0..additional).rev() {
            let (rtype, next) = Self::record(message, at).ok_or(Rcode::FORMERR)?;
            match rtype {
                Rtype::OPT => {
                    // Its owner is the root, and there is only one (RFC 6891 section 6.1.1).
                    if message[at] != 0 || query.edns.is_some() {
                        return Err(Rcode::FORMERR);
                    }
                    let size = u16_at(message, at + 3).unwrap_or(0);
                    query.edns = Some((message[at + 6], size));
                }
                // The last of all records (RFC 8945 section 5.1).
                Rtype::TSIG if left == 0 => query.signed = true,
                Rtype::TSIG => return Err(Rcode::FORMERR),
                _ => {}
            }
            at = next;
        }
        if at == message.len() {
            Ok(query)
        } else {
            Err(Rcode::FORMERR)
        }
    }

    /// The type of the record that begins at `at`, and where it ends.
    fn record(message: &[u8], at: usize) -> Option<(Rtype, usize)> {
        let end = name_end(message, at)?;
        let length = usize::from(u16_at(message, end + 8)?);
        let next = end + 10 + length;
        (next <= message.len()).then_some((Rtype::from_int(u16_at(message, end)?), next))
    }
}

/// A name in lowercase, and its position in the answer, where it is uncompressed.
struct Located {
    name: [u8; LONGEST],
    length: usize,
    at: usize,
}

impl Located {
    fn as_slice(&self) -> &[u8] {
        &self.name[..self.length]
    }

    fn set(&mut self, name: &[u8], at: usize) {
        for (to, from) in self.name.iter_mut().zip(name) {
            *to = from.to_ascii_lowercase();
        }
        (self.length, self.at) = (name.len(), at);
    }
}

fn compose(zone: &Zone, message: &[u8], query: &Query, most: usize, out: &mut Vec<u8>) {
    out.clear();
    out.extend(&message[..query.end]);
    let (mut rcode, mut authority) = (Rcode::NOERROR, 0);
    let mut answers = 0;
    if query.edns.is_some_and(|(version, _)| version > 0) {
        return finish(
            message,
            query,
            Finish {
                badvers: true,
                ..Finish::default()
            },
            out,
        );
    }
    let mut located = Located {
        name: [0; LONGEST],
        length: 0,
        at: HEADER,
    };
    located.set(query.name, HEADER);
    let authoritative = if matches!(query.class, Class::IN | Class::ANY) {
        follow(
            zone,
            query,
            &mut located,
            &mut Sections {
                out,
                answers: &mut answers,
                authority: &mut authority,
                rcode: &mut rcode,
            },
        )
    } else {
        rcode = Rcode::REFUSED;
        false
    };
    let room = most - if query.edns.is_some() { 11 } else { 0 };
    let truncated = out.len() > room;
    if truncated {
        out.truncate(query.end);
        (answers, authority) = (0, 0);
    }
    let done = Finish {
        answers,
        authority,
        rcode: rcode.to_int(),
        authoritative,
        truncated,
        badvers: false,
    };
    finish(message, query, done, out);
}

#[derive(Default)]
struct Finish {
    answers: u16,
    authority: u16,
    rcode: u8,
    authoritative: bool,
    truncated: bool,
    badvers: bool,
}

fn finish(message: &[u8], query: &Query, done: Finish, out: &mut Vec<u8>) {
    let edns = query.edns.is_some();
    if edns {
        // The extended code of BADVERS is 16 (RFC 6891 section 9).
        let [high, low] = UDP_MAX.to_be_bytes();
        out.extend([0, 0, 41, high, low, u8::from(done.badvers), 0, 0, 0, 0, 0]);
    }
    out[2] =
        message[2] & 1 | 0x80 | u8::from(done.authoritative) << 2 | u8::from(done.truncated) << 1;
    out[3] = message[3] & 0x10 | done.rcode;
    out[4..6].copy_from_slice(&[0, 1]);
    out[6..8].copy_from_slice(&done.answers.to_be_bytes());
    out[8..10].copy_from_slice(&done.authority.to_be_bytes());
    out[10..12].copy_from_slice(&[0, u8::from(edns)]);
}

struct Sections<'o> {
    out: &'o mut Vec<u8>,
    answers: &'o mut u16,
    authority: &'o mut u16,
    rcode: &'o mut Rcode,
}

impl Sections<'_> {
    /// Appends a record. Its owner is the last `suffix` bytes of a name that the answer has already.
    fn record(&mut self, located: &Located, suffix: usize, rtype: Rtype, ttl: u32, data: &[u8]) {
        let at = located.at + located.length - suffix;
        match u16::try_from(at) {
            // The two highest bits mark a pointer (RFC 1035 section 4.1.4).
            Ok(at) if at < 0x4000 => self.out.extend((0xc000 | at).to_be_bytes()),
            _ => self
                .out
                .extend(&located.as_slice()[located.length - suffix..]),
        }
        let mut rest = [0; 10];
        rest[..2].copy_from_slice(&rtype.to_int().to_be_bytes());
        rest[2..4].copy_from_slice(&Class::IN.to_int().to_be_bytes());
        rest[4..8].copy_from_slice(&ttl.to_be_bytes());
        rest[8..].copy_from_slice(&(data.len() as u16).to_be_bytes());
        self.out.extend(rest);
        self.out.extend(data);
    }

    /// A negative answer: no such record, or no such name. The zone's SOA says how long it may be cached (RFC 2308).
    fn nothing(&mut self, zone: &Zone, located: &Located, apex: &[u8]) {
        if let Some(soa) = zone.get(apex).and_then(|records| records.first(Rtype::SOA)) {
            self.record(located, apex.len(), Rtype::SOA, zone.ttl, soa);
            *self.authority += 1;
        }
    }
}

/// Follows aliases from the name asked for to its records; returns whether the answer is authoritative.
fn follow(zone: &Zone, query: &Query, located: &mut Located, sections: &mut Sections) -> bool {
    for hop in 0..LONGEST_CHAIN {
        let Some(records) = zone.get(located.as_slice()) else {
            let Some(apex) = zone.zones.of(located.as_slice()) else {
                if hop == 0 {
                    *sections.rcode = Rcode::REFUSED;
                }
                return hop > 0;
            };
            match below_alias(zone, located, apex.as_slice(), sections) {
                Below::Alias => continue,
                Below::TooLong => *sections.rcode = Rcode::YXDOMAIN,
                Below::Nothing => {
                    *sections.rcode = Rcode::NXDOMAIN;
                    sections.nothing(zone, located, apex.as_slice());
                }
            }
            return true;
        };
        let before = *sections.answers;
        for (rtype, data) in records {
            if rtype == query.rtype || query.rtype == Rtype::ANY {
                sections.record(located, located.length, rtype, zone.ttl, data);
                *sections.answers += 1;
            }
        }
        if *sections.answers > before {
            return true;
        }
        let Some(target) = records.first(Rtype::CNAME) else {
            if let Some(apex) = zone.zones.of(located.as_slice()) {
                sections.nothing(zone, located, apex.as_slice());
            }
            return true;
        };
        sections.record(located, located.length, Rtype::CNAME, zone.ttl, target);
        *sections.answers += 1;
        let at = sections.out.len() - target.len();
        located.set(target, at);
    }
    true
}

enum Below {
    /// An ancestor is an alias; the name below its target is followed next.
    Alias,
    TooLong,
    Nothing,
}

/// A name that does not exist may be below an alias for a whole tree, a DNAME (RFC 6672).
fn below_alias(zone: &Zone, located: &mut Located, apex: &[u8], sections: &mut Sections) -> Below {
    let mut above = located.as_slice();
    let (target, suffix) = loop {
        if above.len() <= apex.len() {
            return Below::Nothing;
        }
        above = match parent(above) {
            Some(above) => above,
            None => return Below::Nothing,
        };
        if let Some(records) = zone.get(above) {
            match records.first(Rtype::DNAME) {
                Some(target) => break (target, above.len()),
                None => return Below::Nothing,
            }
        }
    };
    sections.record(located, suffix, Rtype::DNAME, zone.ttl, target);
    *sections.answers += 1;
    let prefix = located.length - suffix;
    if prefix + target.len() > LONGEST {
        return Below::TooLong;
    }
    let mut name = [0; LONGEST];
    name[..prefix].copy_from_slice(&located.as_slice()[..prefix]);
    name[prefix..prefix + target.len()].copy_from_slice(target);
    let name = &name[..prefix + target.len()];
    sections.record(located, located.length, Rtype::CNAME, zone.ttl, name);
    *sections.answers += 1;
    let at = sections.out.len() - name.len();
    located.set(name, at);
    Below::Alias
}

/// The zone to transfer, when this server has it, and the type asked for.
pub fn transferred<'z>(zone: &'z Zone, message: &[u8]) -> Option<(&'z super::owner::Owner, Rtype)> {
    let query = Query::parse(message).ok()?;
    let name = query.name.to_ascii_lowercase();
    let found = zone
        .zones
        .all()
        .into_iter()
        .find(|apex| apex.as_slice() == name)?;
    (query.class == Class::IN).then_some((found, query.rtype))
}

/// The data of the zone's SOA record.
pub fn soa<'z>(zone: &'z Zone, apex: &[u8]) -> Option<&'z [u8]> {
    zone.get(apex)
        .and_then(|records: Records<'_>| records.first(Rtype::SOA))
}
