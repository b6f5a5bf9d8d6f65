//! How the results of two servers differ.

use std::{collections::BTreeSet, fmt};

use super::{
    message::{Case, DNAME, Line, QR, Question, TC, Transport, UPDATE},
    peers::Peer,
    reply::{Record, Reply},
};

/// What is compared.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Aspect {
    /// Whether there is a reply.
    Silence,
    Rcode,
    /// The bits of the header, without TC: see [`Exchange::of`].
    Flags,
    Question,
    Answer,
    Authority,
    Additional,
    Edns,
    /// The zone after an update.
    Zone,
    /// Whether the serial moved, although the zone did not, or the other way round.
    Serial,
}

/// A difference.
#[derive(Clone, Debug)]
pub(crate) enum Difference {
    Reply(Aspect),
    /// A record that only one server has after an update.
    Zone {
        record: Record,
        ours: bool,
    },
}

impl Difference {
    pub(crate) fn aspect(&self) -> Aspect {
        match self {
            Self::Reply(aspect) => *aspect,
            Self::Zone { .. } => Aspect::Zone,
        }
    }
}

/// A message, both replies, and how they differ.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) case: Case,
    pub(crate) ours: Option<Reply>,
    pub(crate) bind: Option<Reply>,
    pub(crate) differences: Vec<Difference>,
    /// The aliases of directories in either zone after an update.
    pub(crate) directories: BTreeSet<Vec<u8>>,
}

impl Exchange {
    /// Sends a message to both. A reply that one server truncates is asked for again over TCP, from both: whether it fits
    /// depends on how much of it is compressed.
    pub(crate) fn of(ours: &mut Peer, bind: &mut Peer, case: Case, serial: bool) -> Self {
        let silent = case.flags & QR > 0 || case.fault == "short";
        let mut ask = |case: &Case, most: usize| {
            let ours = ours.ask(case, silent);
            let bind = bind.ask(case, silent);
            if let Some(reply) = &ours {
                assert!(
                    reply.len() <= most,
                    "{} bytes, but {most} are possible\n{case}",
                    reply.len()
                );
            }
            [ours, bind].map(|reply| {
                reply.map(|reply| {
                    Reply::parse(&reply, serial).unwrap_or_else(|error| panic!("{error}\n{case}"))
                })
            })
        };
        let most = match (case.transport, &case.edns) {
            (Transport::Tcp, _) => usize::from(u16::MAX),
            (Transport::Udp, None) => 512,
            (Transport::Udp, Some(edns)) => usize::from(edns.size).clamp(512, 1232),
        };
        let mut replies = ask(&case, most);
        if replies.iter().flatten().any(Reply::is_truncated) {
            let again = Case {
                transport: Transport::Tcp,
                ..case.clone()
            };
            replies = ask(&again, usize::from(u16::MAX));
        }
        let [ours, bind] = replies;
        let mut exchange = Self {
            case,
            ours,
            bind,
            differences: Vec::new(),
            directories: BTreeSet::new(),
        };
        exchange.compare();
        exchange
    }

    fn compare(&mut self) {
        let (ours, bind) = match (&self.ours, &self.bind) {
            (Some(ours), Some(bind)) => (ours, bind),
            (None, None) => return,
            _ => return self.differences.push(Difference::Reply(Aspect::Silence)),
        };
        let [answer, authority, additional] =
            [0, 1, 2].map(|number| ours.sections[number] == bind.sections[number]);
        let same = [
            (Aspect::Rcode, ours.rcode == bind.rcode),
            (Aspect::Flags, ours.flags & !TC == bind.flags & !TC),
            (Aspect::Question, ours.question == bind.question),
            (Aspect::Answer, answer && ours.duplicates == bind.duplicates),
            (Aspect::Authority, authority),
            (Aspect::Additional, additional),
            (Aspect::Edns, ours.edns == bind.edns),
        ];
        let differ = same.into_iter().filter(|(_, same)| !same);
        self.differences = differ
            .map(|(aspect, _)| Difference::Reply(aspect))
            .collect();
    }

    /// The zones after an update.
    pub(crate) fn zones(&mut self, ours: &BTreeSet<Record>, bind: &BTreeSet<Record>) {
        let only = |records: &BTreeSet<Record>, others: &BTreeSet<Record>, ours| {
            let records = records.difference(others).cloned();
            records
                .map(|record| Difference::Zone { record, ours })
                .collect::<Vec<_>>()
        };
        let of_directories = ours.union(bind).filter(|record| record.rtype == DNAME);
        self.directories = of_directories.map(|record| record.owner.clone()).collect();
        self.differences.extend(only(ours, bind, true));
        self.differences.extend(only(bind, ours, false));
    }

    pub(crate) fn is_update(&self) -> bool {
        self.case.opcode() == UPDATE
    }

    /// The only question, of a query or an update without another error in it.
    pub(crate) fn question(&self) -> Option<&Question> {
        match self.case.questions.as_slice() {
            [question] => Some(question),
            _ => None,
        }
    }

    /// Our code.
    pub(crate) fn here(&self) -> Option<u16> {
        self.ours.as_ref().map(|reply| reply.rcode)
    }

    /// BIND's.
    pub(crate) fn there(&self) -> Option<u16> {
        self.bind.as_ref().map(|reply| reply.rcode)
    }

    /// The prerequisites of an update.
    pub(crate) fn prerequisites(&self) -> &[Line] {
        match self.is_update() {
            true => &self.case.sections[0],
            false => &[],
        }
    }

    /// The changes of an update.
    pub(crate) fn changes(&self) -> &[Line] {
        match self.is_update() {
            true => &self.case.sections[1],
            false => &[],
        }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.case)?;
        for (name, reply) in [("naming", &self.ours), ("BIND", &self.bind)] {
            match reply {
                Some(reply) => write!(f, "{name}: {reply}")?,
                None => writeln!(f, "{name}: no reply")?,
            }
        }
        for difference in &self.differences {
            match difference {
                Difference::Zone { record, ours: true } => writeln!(f, "  only here: {record}")?,
                Difference::Zone { record, .. } => writeln!(f, "  only in BIND: {record}")?,
                Difference::Reply(aspect) => writeln!(f, "  another {aspect:?}")?,
            }
        }
        Ok(())
    }
}
