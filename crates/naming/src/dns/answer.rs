//! From a query to its answer: a pure function over the [`Zone`], without an allocation.
//!
//! RFC 1034 section 4.3.2 is the algorithm, RFC 6672 DNAME. A name at a zone cut or below one is answered with a referral: the
//! NS record as authority, and the addresses of the servers (glue). Messages that need more than a look-up (updates, transfers, signed
//! messages) are left to the caller.

use domain::base::iana::{Class, Opcode, OptRcode, Rcode, Rtype};

use super::{
    owner::{LONGEST, internationalised, parent},
    reply::{self, Content},
    request::HEADER,
    tsig::Signer,
    zone::{Records, Zone},
};

pub use super::request::{Request, Transport, UDP_MAX};

/// How many aliases are followed in a row; the rest is left to the resolver.
const LONGEST_CHAIN: usize = crate::space::resolve::MOST_LINKS + 1;

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
}

/// Answers a message; the answer replaces the content of `out`.
pub fn answer(zone: &Zone, message: &[u8], transport: Transport, out: &mut Vec<u8>) -> Next {
    match Request::read(message, transport) {
        None => Next::Ignore,
        Some(request) if request.signature.is_some() => Next::Signed,
        Some(request) => respond(zone, &request, None, out),
    }
}

/// Answers a request whose signature is verified and removed, or that has none.
pub fn respond(
    zone: &Zone,
    request: &Request,
    signer: Option<&mut Signer>,
    out: &mut Vec<u8>,
) -> Next {
    let known = matches!(request.opcode, Opcode::QUERY | Opcode::UPDATE);
    let code = if known && !request.well_formed {
        OptRcode::FORMERR
    } else if request.edns.is_some_and(|edns| edns.version > 0) {
        OptRcode::BADVERS
    } else if !known {
        OptRcode::NOTIMP
    } else if request.opcode == Opcode::UPDATE {
        return Next::Update;
    } else if matches!(request.rtype(), Rtype::AXFR | Rtype::IXFR) {
        return Next::Transfer;
    } else if matches!(request.rtype(), Rtype::OPT | Rtype::TKEY | Rtype::TSIG) {
        // They are no data to ask for (RFC 6895 section 3.1), and neither are the next.
        OptRcode::FORMERR
    } else if matches!(request.rtype(), Rtype::MAILA | Rtype::MAILB) {
        OptRcode::NOTIMP
    } else {
        compose(zone, request, signer, out);
        return Next::Answer;
    };
    reply::code(request, code, signer, out);
    Next::Answer
}

/// A name in lowercase, and its position in the answer, where it is uncompressed; there it can be in other letters.
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

    /// The position in the answer of the last `suffix` bytes of the name. The question can have a name in other labels than
    /// the zone (RFC 5890), but it has as many.
    fn suffix_at(&self, suffix: usize, out: &[u8]) -> usize {
        let (mut key, mut at) = (0, self.at);
        while key < self.length - suffix {
            key += usize::from(self.name[key]) + 1;
            at += usize::from(out[at]) + 1;
        }
        at
    }
}

fn compose(zone: &Zone, request: &Request, signer: Option<&mut Signer>, out: &mut Vec<u8>) {
    reply::begin(request, out);
    let query = Query {
        name: request.name(),
        rtype: request.rtype(),
        class: request.class(),
    };
    let mut rcode = Rcode::NOERROR;
    let (mut answers, mut authority, mut additional) = (0, 0, 0);
    let mut located = Located {
        name: [0; LONGEST],
        length: 0,
        at: HEADER,
    };
    // Names beyond ASCII are rare, and asked for by hand: this alone allocates.
    let internationalised = match query.name.is_ascii() {
        true => None,
        false => internationalised(query.name),
    };
    located.set(internationalised.as_deref().unwrap_or(query.name), HEADER);
    let authoritative = if matches!(query.class, Class::IN | Class::ANY) {
        follow(
            zone,
            &query,
            &mut located,
            &mut Sections {
                out,
                answers: &mut answers,
                authority: &mut authority,
                additional: &mut additional,
                rcode: &mut rcode,
            },
        )
    } else {
        rcode = Rcode::REFUSED;
        false
    };
    let content = Content {
        rcode: rcode.into(),
        answers,
        authority,
        additional,
        authoritative,
    };
    reply::finish(request, content, signer, out);
}

struct Sections<'o> {
    out: &'o mut Vec<u8>,
    answers: &'o mut u16,
    authority: &'o mut u16,
    additional: &'o mut u16,
    rcode: &'o mut Rcode,
}

impl Sections<'_> {
    /// Appends a record. Its owner is the last `suffix` bytes of a name that the answer has already.
    fn record(&mut self, located: &Located, suffix: usize, rtype: Rtype, ttl: u32, data: &[u8]) {
        let at = located.suffix_at(suffix, self.out);
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

    /// Whether this name is at this position, where a name is written in full.
    fn has_name(&self, at: usize, name: &[u8]) -> bool {
        self.out
            .get(at..at + name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name))
    }

    /// A negative answer: no such record, or no such name. The zone's SOA says how long it may be cached (RFC 2308).
    fn nothing(&mut self, zone: &Zone, located: &Located, apex: &[u8]) {
        if let Some(soa) = zone.get(apex).and_then(|records| records.first(Rtype::SOA)) {
            self.record(located, apex.len(), Rtype::SOA, zone.ttl, soa);
            *self.authority += 1;
        }
    }

    /// A referral to the servers of the zone cut whose name is the last `suffix` bytes of the name: their NS record and, as
    /// the server is called as the cut, its addresses.
    fn referral(&mut self, zone: &Zone, located: &Located, suffix: usize, cut: Records<'_>) {
        let at = located.suffix_at(suffix, self.out);
        let pointer = u16::try_from(at).ok().filter(|at| *at < 0x4000);
        let pointer = pointer.map(|at| (0xc000 | at).to_be_bytes());
        for (rtype, ttl, data) in cut.timed(zone.ttl) {
            if rtype == Rtype::NS {
                let data = pointer.as_ref().map_or(data, |pointer| pointer.as_slice());
                self.record(located, suffix, rtype, ttl, data);
                *self.authority += 1;
            } else {
                self.record(located, suffix, rtype, ttl, data);
                *self.additional += 1;
            }
        }
    }
}

/// Follows aliases from the name asked for to its records; returns whether the answer is authoritative.
fn follow(zone: &Zone, query: &Query, located: &mut Located, sections: &mut Sections) -> bool {
    // Which DNAME records the answer has already: each is in it once, however often it is used.
    let mut used: [&[u8]; LONGEST_CHAIN] = [&[]; LONGEST_CHAIN];
    let mut visited = [0; LONGEST_CHAIN];
    for hop in 0..LONGEST_CHAIN {
        // A wildcard can lead in a circle, whose records the answer has already.
        let has_been = |at: &usize| sections.has_name(*at, located.as_slice());
        if visited[..hop].iter().any(has_been) {
            return true;
        }
        visited[hop] = located.at;
        let exact = zone.get(located.as_slice());
        let encloser = match exact {
            Some(_) => None,
            None => encloser(zone, located.as_slice()),
        };
        // A cut has nothing below it here, so it is the name itself or its closest encloser. A first alias is answered with
        // authority, wherever it leads.
        match (exact, encloser) {
            // What the parent zone says of its delegation is in the parent zone (RFC 4035 section 3.1.4.1).
            (Some(cut), _) if cut.are_a_cut() && query.rtype != Rtype::DS => {
                sections.referral(zone, located, located.length, cut);
                return hop > 0;
            }
            (None, Some((suffix, cut))) if cut.are_a_cut() => {
                sections.referral(zone, located, suffix, cut);
                return hop > 0;
            }
            _ => {}
        }
        let Some(records) = exact.or_else(|| wildcard(zone, located, encloser)) else {
            let Some(apex) = zone.zones.of(located.as_slice()) else {
                if hop == 0 {
                    *sections.rcode = Rcode::REFUSED;
                }
                return hop > 0;
            };
            let above = encloser.filter(|(above, _)| *above > apex.as_slice().len());
            match below_alias(zone, located, above, &mut used, hop, sections) {
                // The CNAME that follows from a DNAME is what was asked for.
                Below::Alias if matches!(query.rtype, Rtype::CNAME | Rtype::ANY) => {}
                Below::Alias => continue,
                Below::TooLong => *sections.rcode = Rcode::YXDOMAIN,
                Below::Nothing => {
                    *sections.rcode = Rcode::NXDOMAIN;
                    sections.nothing(zone, located, apex.as_slice());
                }
            }
            return true;
        };
        let mut found = false;
        for (rtype, ttl, data) in records.timed(zone.ttl) {
            if rtype == query.rtype || query.rtype == Rtype::ANY {
                found = true;
                // A DNAME that led here can be what was asked for.
                if !used.iter().any(|used| std::ptr::eq(*used, data)) {
                    sections.record(located, located.length, rtype, ttl, data);
                    *sections.answers += 1;
                }
            }
        }
        if found {
            return true;
        }
        let Some((ttl, target)) = records.first_timed(Rtype::CNAME, zone.ttl) else {
            if let Some(apex) = zone.zones.of(located.as_slice()) {
                sections.nothing(zone, located, apex.as_slice());
            }
            return true;
        };
        sections.record(located, located.length, Rtype::CNAME, ttl, target);
        *sections.answers += 1;
        let at = sections.out.len() - target.len();
        located.set(target, at);
    }
    true
}

/// The nearest name above this one that exists in its zone, as the length of that suffix, and its records: the closest encloser
/// of a name that does not exist (RFC 4592 section 3.3.1).
fn encloser<'z>(zone: &'z Zone, name: &[u8]) -> Option<(usize, Records<'z>)> {
    let apex = zone.zones.of(name)?.as_slice();
    let mut above = name;
    while above.len() > apex.len() {
        above = parent(above)?;
        if let Some(records) = zone.get(above) {
            return Some((above.len(), records));
        }
    }
    None
}

/// The records for a name that does not exist: those of the wildcard at its closest encloser (RFC 4592 section 3.3.1).
fn wildcard<'z>(
    zone: &'z Zone,
    located: &Located,
    encloser: Option<(usize, Records<'_>)>,
) -> Option<Records<'z>> {
    let (suffix, _) = encloser?;
    let above = &located.as_slice()[located.length - suffix..];
    let mut name = [0; LONGEST + 2];
    name[..2].copy_from_slice(b"\x01*");
    name[2..2 + above.len()].copy_from_slice(above);
    zone.get(&name[..2 + above.len()])
}

enum Below {
    /// An ancestor is an alias; the name below its target is followed next.
    Alias,
    TooLong,
    Nothing,
}

/// A name that does not exist may be below an alias for a whole tree, a DNAME (RFC 6672). `above` is its closest encloser, unless
/// that is the apex.
fn below_alias<'z>(
    zone: &'z Zone,
    located: &mut Located,
    above: Option<(usize, Records<'z>)>,
    used: &mut [&'z [u8]; LONGEST_CHAIN],
    hop: usize,
    sections: &mut Sections,
) -> Below {
    let found = above.and_then(|(suffix, records)| {
        let dname = records.first_timed(Rtype::DNAME, zone.ttl)?;
        Some((dname, suffix))
    });
    let Some(((ttl, target), suffix)) = found else {
        return Below::Nothing;
    };
    if !used.iter().any(|used| std::ptr::eq(*used, target)) {
        used[hop] = target;
        sections.record(located, suffix, Rtype::DNAME, ttl, target);
        *sections.answers += 1;
    }
    let prefix = located.length - suffix;
    if prefix + target.len() > LONGEST {
        return Below::TooLong;
    }
    let mut name = [0; LONGEST];
    name[..prefix].copy_from_slice(&located.as_slice()[..prefix]);
    name[prefix..prefix + target.len()].copy_from_slice(target);
    let name = &name[..prefix + target.len()];
    sections.record(located, located.length, Rtype::CNAME, ttl, name);
    *sections.answers += 1;
    let at = sections.out.len() - name.len();
    located.set(name, at);
    Below::Alias
}

/// The zone that a request asks to transfer, when this server has it.
pub fn transferred<'z>(zone: &'z Zone, request: &Request) -> Option<&'z super::owner::Owner> {
    let name = request.name().to_ascii_lowercase();
    let found = zone
        .zones
        .all()
        .into_iter()
        .find(|apex| apex.as_slice() == name)?;
    (request.well_formed && request.class() == Class::IN).then_some(found)
}

/// Answers with the SOA record of a zone alone, under the name of the question (RFC 1995 section 2).
pub fn soa_alone(
    zone: &Zone,
    request: &Request,
    apex: &[u8],
    signer: Option<&mut Signer>,
    out: &mut Vec<u8>,
) {
    let soa = soa(zone, apex).unwrap_or_default();
    reply::begin(request, out);
    // The owner is a pointer to the question.
    out.extend([0xc0, HEADER as u8, 0, 6, 0, 1]);
    out.extend(zone.ttl.to_be_bytes());
    out.extend((soa.len() as u16).to_be_bytes());
    out.extend(soa);
    let content = Content {
        answers: 1,
        authoritative: true,
        ..Content::code(Rcode::NOERROR)
    };
    reply::finish(request, content, signer, out);
}

/// The data of the zone's SOA record.
pub fn soa<'z>(zone: &'z Zone, apex: &[u8]) -> Option<&'z [u8]> {
    zone.get(apex)
        .and_then(|records: Records<'_>| records.first(Rtype::SOA))
}
