//! The deliberate differences between the name server and BIND.

use super::{
    compare::{
        Aspect::{self, Additional, Answer, Authority, Edns, Flags, Question, Rcode, Zone},
        Difference, Exchange,
    },
    message::{
        A, AAAA, ANY, CNAME, DELEGATION, DNAME, HARD_LINK, IN, IXFR, Line, NONE, NS, RENAME, SOA,
        SRV, TXT, UPDATE, wire,
    },
};

use super::reply::Record;

/// A difference, and its reason; the page has the same table.
pub(crate) struct Row {
    /// Which messages.
    pub(crate) what: &'static str,
    pub(crate) here: &'static str,
    pub(crate) bind: &'static str,
    pub(crate) why: &'static str,
    /// What differs.
    pub(crate) of: &'static [Aspect],
    pub(crate) when: fn(&Exchange) -> bool,
}

const FORMERR: Option<u16> = Some(1);
const NOTIMP: Option<u16> = Some(4);
const REFUSED: Option<u16> = Some(5);
const NOTAUTH: Option<u16> = Some(9);
const NOTZONE: Option<u16> = Some(10);
const NOERROR: Option<u16> = Some(0);
const BADVERS: Option<u16> = Some(16);

/// Everything in a reply.
const REPLY: &[Aspect] = &[Rcode, Flags, Question, Answer, Authority, Additional, Edns];

/// Whether every record that only one server has after an update is so.
fn zones_differ_in(exchange: &Exchange, is: impl Fn(&Record) -> bool) -> bool {
    exchange
        .differences
        .iter()
        .all(|difference| match difference {
            Difference::Zone { record, .. } => is(record),
            Difference::Reply(_) => true,
        })
}

/// Whether some such record is only in one of the zones after an update, and all that are differ by links or cuts: one update
/// can change several.
fn zones_differ_by_links(exchange: &Exchange, is: fn(&Exchange, &Record) -> bool) -> bool {
    let differs = |difference: &Difference| match difference {
        Difference::Zone { record, .. } => is(exchange, record),
        Difference::Reply(_) => false,
    };
    let explained = [
        is_hard_linked,
        leads_elsewhere,
        is_beside_alias,
        is_at_a_cut,
    ];
    exchange.differences.iter().any(differs)
        && zones_differ_in(exchange, |record| {
            explained.iter().any(|is| is(exchange, record))
        })
}

fn is_hard_linked(_: &Exchange, record: &Record) -> bool {
    HARD_LINKED.iter().any(|name| record.owner == wire(name))
}

fn leads_elsewhere(_: &Exchange, record: &Record) -> bool {
    [CNAME, DNAME].contains(&record.rtype)
}

fn is_beside_alias(exchange: &Exchange, record: &Record) -> bool {
    exchange.directories.contains(&record.owner)
}

fn is_at_a_cut(_: &Exchange, record: &Record) -> bool {
    let of_a_cut = [NS, A, AAAA].contains(&record.rtype);
    of_a_cut && CUTS.iter().any(|cut| record.owner == wire(cut))
}

/// Whether an update is refused here because of a record that it adds.
fn refuses(exchange: &Exchange, is: impl Fn(&Line) -> bool) -> bool {
    let mut added = exchange.changes().iter().filter(|line| line.class == IN);
    exchange.here() == REFUSED && exchange.there() == NOERROR && added.any(is)
}

/// The question of a query.
fn asks(exchange: &Exchange, is: impl Fn(&super::message::Question) -> bool) -> bool {
    !exchange.is_update() && exchange.question().is_some_and(is)
}

fn is_below(name: &[u8], zone: &str) -> bool {
    name.to_ascii_lowercase().ends_with(&wire(zone))
}

pub(crate) const ROWS: &[Row] = &[
    Row {
        what: "bytes after the end of a message",
        here: "FORMERR",
        bind: "as without them",
        why: "no RFC gives them a meaning, and a message is understood whole or not at all",
        of: &[
            Rcode, Flags, Question, Answer, Authority, Additional, Edns, Zone,
        ],
        when: |exchange| {
            ["trailing", "counts"].contains(&exchange.case.fault) && exchange.here() == FORMERR
        },
    },
    Row {
        what: "a message that cannot be read, with an OPT record",
        here: "FORMERR with OPT",
        bind: "FORMERR without OPT",
        why: "the reply to a client with EDNS(0) has OPT (RFC 6891 section 7)",
        of: &[Edns],
        when: |exchange| exchange.here() == FORMERR && exchange.there() == FORMERR,
    },
    Row {
        what: "not exactly one question or zone",
        here: "FORMERR without a question",
        bind: "FORMERR with the questions, or REFUSED",
        why: "a question that is not answered is not repeated",
        of: &[Rcode, Question],
        when: |exchange| exchange.question().is_none() && exchange.here() == FORMERR,
    },
    Row {
        what: "an operation other than QUERY and UPDATE",
        here: "NOTIMP with the question",
        bind: "NOTIMP without it; FORMERR, and NOTAUTH for a NOTIFY",
        why: "the client sees which question is meant; no zone is a copy, so NOTIFY is not supported",
        of: &[Question, Rcode, Edns],
        when: |exchange| {
            ![0, UPDATE].contains(&exchange.case.opcode()) && exchange.here() != NOERROR
        },
    },
    Row {
        what: "a question of class ANY",
        here: "answered from class IN",
        bind: "FORMERR",
        why: "RFC 1035 section 3.2.5 has this class for questions",
        of: REPLY,
        when: |exchange| {
            asks(exchange, |question| question.class == ANY) && exchange.there() == FORMERR
        },
    },
    Row {
        what: "a question of another class than IN and ANY",
        here: "REFUSED; for a transfer NOTAUTH, for a type of no data FORMERR or NOTIMP",
        bind: "FORMERR, NOTIMP or REFUSED",
        why: "all zones are of class IN",
        of: &[Rcode, Edns],
        when: |exchange| {
            asks(exchange, |question| ![IN, ANY].contains(&question.class))
                && [FORMERR, NOTIMP, REFUSED, NOTAUTH].contains(&exchange.here())
        },
    },
    Row {
        what: "a question for KEY, RRSIG or NSEC at an alias",
        here: "the alias is followed",
        bind: "no record",
        why: "there is no DNSSEC, so nothing can stand beside an alias",
        of: &[Rcode, Answer, Authority, Additional],
        when: |exchange| {
            asks(exchange, |question| [25, 46, 47].contains(&question.rtype))
                && exchange.there() == NOERROR
                && exchange
                    .ours
                    .as_ref()
                    .is_some_and(|ours| ours.answer().iter().any(|record| record.rtype == CNAME))
        },
    },
    Row {
        what: "a pointer as the name of a question",
        here: "FORMERR",
        bind: "a name read from the header, and REFUSED",
        why: "a pointer leads to an earlier name (RFC 1035 section 4.1.4), and there is none before the first",
        of: &[Rcode, Question, Edns],
        when: |exchange| exchange.case.fault == "pointer" && exchange.here() == FORMERR,
    },
    Row {
        what: "a question for NS at the apex",
        here: "the NS record alone",
        bind: "with the address of the server",
        why: "an answer is minimal: who needs the address asks for it",
        of: &[Additional],
        when: |exchange| asks(exchange, |question| question.rtype == NS),
    },
    Row {
        what: "an update of a zone of class ANY, NONE or 0",
        here: "NOTAUTH",
        bind: "FORMERR",
        why: "the class is read, and no zone has it (RFC 2136 section 3.1.1)",
        of: &[Rcode, Question, Edns],
        when: |exchange| exchange.case.fault == "zone class" && exchange.here() == NOTAUTH,
    },
    Row {
        what: "an update with several faults: a prerequisite that does not hold, a record that is malformed or outside the zone",
        here: "FORMERR or NOTZONE",
        bind: "the code of another",
        why: "an update is read whole before it is compared with the zone",
        of: &[Rcode, Edns],
        when: |exchange| {
            exchange.is_update()
                && [FORMERR, NOTZONE].contains(&exchange.here())
                && exchange.there() != NOERROR
        },
    },
    Row {
        what: "a record twice in the prerequisites",
        here: "as once",
        bind: "NXRRSET",
        why: "a set has no record twice (RFC 2181 section 5)",
        of: &[Rcode, Zone],
        when: |exchange| exchange.there() == Some(8) && twice(exchange.prerequisites()),
    },
    Row {
        what: "the prerequisite that a name has no record of a type of questions",
        here: "FORMERR",
        bind: "it holds",
        why: "no record has such a type (RFC 6895 section 3.1)",
        of: &[Rcode, Zone],
        when: |exchange| {
            let is_meta = |line: &Line| line.class == NONE && (128..=254).contains(&line.rtype);
            (exchange.here(), exchange.there()) == (FORMERR, NOERROR)
                && exchange.prerequisites().iter().any(is_meta)
        },
    },
    Row {
        what: "adding a type that the lab does not keep",
        here: "REFUSED",
        bind: "added, or ignored beside an alias",
        why: "an update that cannot be made whole is not made",
        of: &[Rcode, Zone],
        when: |exchange| {
            refuses(exchange, |line| {
                ![A, AAAA, TXT, SRV, CNAME].contains(&line.rtype)
            })
        },
    },
    Row {
        what: "adding TYPE65280, TYPE65281 or TYPE65282",
        here: "a hard link, a rename, a subtree that moves",
        bind: "added as unknown data",
        why: "the private types stand for what DNS does not have",
        of: &[Rcode, Zone],
        when: |exchange| {
            exchange
                .changes()
                .iter()
                .any(|line| [HARD_LINK, RENAME, DELEGATION].contains(&line.rtype))
        },
    },
    Row {
        what: "a deletion below a zone cut, or of the last address at one",
        here: "REFUSED",
        bind: "ignored, or made",
        why: "what is below a cut is changed at its own server, and a referral has glue",
        of: &[Rcode, Zone],
        when: |exchange| {
            let deletes = |line: &Line| [ANY, NONE].contains(&line.class);
            (exchange.here(), exchange.there()) == (REFUSED, NOERROR)
                && exchange.changes().iter().any(|line| {
                    let at = |cut: &&str| is_below(&line.owner, cut);
                    deletes(line) && CUTS.iter().any(at)
                })
        },
    },
    Row {
        what: "a TTL at a zone cut",
        here: "that of the NS record and the glue",
        bind: "one of each type",
        why: "a delegation is one thing, and kept as one",
        of: &[Zone],
        when: |exchange| zones_differ_by_links(exchange, is_at_a_cut),
    },
    Row {
        what: "adding to a name that no place has",
        here: "REFUSED",
        bind: "added",
        why: "names are UTF-8, a name below a flat name is none, and `flat` is reserved for the flat names",
        of: &[Rcode, Zone],
        when: |exchange| {
            refuses(exchange, |line| {
                line.owner.contains(&0xff) || is_below(&line.owner, "flat.lab")
            })
        },
    },
    Row {
        what: "adding below a leaf, or to a directory",
        here: "REFUSED",
        bind: "added",
        why: "a leaf of the naming graph is no directory; names that begin with `_` are the exception",
        of: &[Rcode, Zone],
        when: |exchange| refuses(exchange, |line| line.rtype != CNAME),
    },
    Row {
        what: "an alias of a name that no place has, in a circle, or below a leaf",
        here: "REFUSED",
        bind: "added",
        why: "a symbolic link is a place and leads to one; a circle leads nowhere",
        of: &[Rcode, Zone],
        when: |exchange| refuses(exchange, |line| line.rtype == CNAME),
    },
    Row {
        what: "a change of a name with hard links",
        here: "all of them change",
        bind: "one changes",
        why: "hard links are names of one leaf",
        of: &[Zone],
        when: |exchange| zones_differ_by_links(exchange, is_hard_linked),
    },
    Row {
        what: "an alias of a directory",
        here: "DNAME",
        bind: "CNAME",
        why: "so the names below it resolve; it follows its target when that becomes a directory, or stops being one",
        of: &[Zone],
        when: |exchange| zones_differ_by_links(exchange, leads_elsewhere),
    },
    Row {
        what: "adding to an alias of a directory, or deleting it as CNAME",
        here: "as for a CNAME: ignored, replaced, deleted",
        bind: "added beside the DNAME",
        why: "a symbolic link has no other values",
        of: &[Zone, Rcode],
        when: |exchange| {
            exchange.there() == NOERROR && zones_differ_by_links(exchange, is_beside_alias)
        },
    },
    Row {
        what: "deleting the address of the server at the apex",
        here: "ignored",
        bind: "REFUSED",
        why: "it is the listening address, and no name of the graph",
        of: &[Rcode, Zone],
        when: |exchange| {
            (exchange.here(), exchange.there()) == (NOERROR, REFUSED)
                && exchange.changes().iter().any(|line| {
                    [ANY, NONE].contains(&line.class)
                        && line.owner.eq_ignore_ascii_case(&wire("lab"))
                })
        },
    },
    Row {
        what: "a later version of EDNS in a message that is malformed too",
        here: "BADVERS",
        bind: "FORMERR",
        why: "what a later version allows is not known",
        of: &[Rcode, Question, Edns],
        when: |exchange| (exchange.here(), exchange.there()) == (BADVERS, FORMERR),
    },
    Row {
        what: "adding a SOA record at the apex",
        here: "ignored",
        bind: "replaces the other when its serial is newer",
        why: "the serial follows the names (RFC 2136 section 3.4.2.2 lets a server ignore it)",
        of: &[Zone],
        when: |exchange| zones_differ_in(exchange, |record| record.rtype == SOA),
    },
    Row {
        what: "IXFR over UDP",
        here: "the newest SOA record, with authority",
        bind: "without the AA bit; without a serial of the zone FORMERR",
        why: "it is what a client with an older serial gets, which asks again over TCP (RFC 1995 section 2)",
        of: &[Rcode, Flags, Answer],
        when: |exchange| {
            let same_answer = |differences: &[Difference]| {
                let mut all = differences.iter().map(Difference::aspect);
                all.all(|aspect| aspect == Flags)
            };
            asks(exchange, |question| question.rtype == IXFR)
                && (exchange.there() == FORMERR || same_answer(&exchange.differences))
        },
    },
    Row {
        what: "a record of class ANY in the additional section of an update",
        here: "ignored",
        bind: "FORMERR",
        why: "these records have no meaning for the update (RFC 2136 section 2.6)",
        of: &[Rcode, Zone],
        when: |exchange| {
            exchange.is_update() && exchange.case.fault == "counts" && exchange.there() == FORMERR
        },
    },
    Row {
        what: "a TTL with the highest bit",
        here: "0",
        bind: "kept",
        why: "RFC 2181 section 8",
        of: &[Zone],
        when: |exchange| {
            zones_differ_in(exchange, |record| record.ttl == 0 || record.ttl >= 1 << 31)
                && exchange.changes().iter().any(|line| line.ttl >= 1 << 31)
        },
    },
];

/// The names that are delegated, or can be by an update.
const CUTS: [&str; 6] = [
    "region3.lab",
    "cell.region4.lab",
    "crowd.lab",
    "n4.lab",
    "new.lab",
    "top.lab",
];

/// The names of a leaf at the start.
const HARD_LINKED: [&str; 3] = ["a.rack.region1.lab", "b.rack.region1.lab", "www.lab"];

fn twice(lines: &[Line]) -> bool {
    let later = |index: usize| lines[index + 1..].iter();
    lines
        .iter()
        .enumerate()
        .any(|(index, line)| line.class == IN && later(index).any(|other| other == line))
}
