//! A network that is a function: who is asked what, and what arrives.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use domain::base::iana::{Rcode, Rtype};

use crate::{
    dns::owner::Owner,
    resolver::{Ask, Cache, Fault, Note, Outcome, Output, Reply, Resolution, Roots, RrSet, World},
};

#[derive(Clone, Debug)]
pub(super) enum Arrives {
    Message(SocketAddr, Vec<u8>),
    Silence,
    Unreachable,
}

/// A record: its owner, type and data.
#[derive(Clone, Debug)]
pub(super) struct Line(pub(super) Owner, pub(super) Rtype, pub(super) Vec<u8>);

pub(super) fn owner(name: &str) -> Owner {
    name.parse().unwrap()
}

pub(super) fn a(name: &str, address: &str) -> Line {
    let address: std::net::Ipv4Addr = address.parse().unwrap();
    Line(owner(name), Rtype::A, address.octets().to_vec())
}

pub(super) fn named(name: &str, rtype: Rtype, target: &str) -> Line {
    Line(owner(name), rtype, owner(target).as_slice().to_vec())
}

pub(super) fn ns(name: &str, target: &str) -> Line {
    named(name, Rtype::NS, target)
}

pub(super) fn cname(name: &str, target: &str) -> Line {
    named(name, Rtype::CNAME, target)
}

pub(super) fn soa(name: &str, minimum: u32) -> Line {
    let mut data = [owner(name).as_slice(), owner(name).as_slice()].concat();
    for field in [1, 60, 60, 60, minimum] {
        data.extend(u32::to_be_bytes(field));
    }
    Line(owner(name), Rtype::SOA, data)
}

/// A reply as a server writes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Says {
    pub(super) code: u8,
    pub(super) aa: bool,
    pub(super) tc: bool,
    pub(super) ttl: Option<u32>,
    pub(super) sections: [Vec<Line>; 3],
    pub(super) no_question: bool,
}

impl Says {
    pub(super) fn answer(lines: &[Line]) -> Self {
        Self {
            aa: true,
            sections: [lines.to_vec(), vec![], vec![]],
            ..Self::default()
        }
    }

    pub(super) fn referral(servers: &[Line], glue: &[Line]) -> Self {
        Self {
            sections: [vec![], servers.to_vec(), glue.to_vec()],
            ..Self::default()
        }
    }

    pub(super) fn code(code: Rcode) -> Self {
        Self {
            code: code.to_int(),
            ..Self::default()
        }
    }

    pub(super) fn negative(code: Rcode, soa: Line) -> Self {
        Self {
            code: code.to_int(),
            aa: true,
            sections: [vec![], vec![soa], vec![]],
            ..Self::default()
        }
    }

    pub(super) fn with(mut self, section: usize, line: Line) -> Self {
        self.sections[section].push(line);
        self
    }

    pub(super) fn to(&self, query: &[u8]) -> Vec<u8> {
        let end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
        let mut message = query[..if self.no_question { 12 } else { end }].to_vec();
        message[2] = 0x80 | u8::from(self.aa) << 2 | u8::from(self.tc) << 1;
        message[3] = self.code;
        message[5] = u8::from(!self.no_question);
        for (section, lines) in self.sections.iter().enumerate() {
            message[7 + 2 * section] = lines.len() as u8;
            for Line(owner, rtype, data) in lines {
                message.extend(owner.as_slice());
                message.extend(rtype.to_int().to_be_bytes());
                message.extend([0, 1]);
                message.extend(self.ttl.unwrap_or(60).to_be_bytes());
                message.extend((data.len() as u16).to_be_bytes());
                message.extend(data);
            }
        }
        if self.sections[2].is_empty() {
            message[11] = 0;
        }
        message
    }
}

pub(super) fn at(last: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, last], 5300))
}

/// A resolver, and its time.
pub(super) struct Lab {
    pub(super) cache: Cache,
    pub(super) now: Duration,
}

/// How a resolution went.
#[derive(Debug)]
pub(super) struct Went {
    pub(super) outcome: Outcome,
    pub(super) asked: Vec<Ask>,
    pub(super) notes: Vec<Note>,
    pub(super) took: Duration,
}

impl Went {
    pub(super) fn addresses(&self) -> Vec<String> {
        match &self.outcome {
            Outcome::Failed(why) => panic!("{why}: {self:#?}"),
            Outcome::Answer(answer) => answer
                .records
                .iter()
                .flat_map(RrSet::addresses)
                .map(|address| address.to_string())
                .collect(),
        }
    }

    pub(super) fn faults(&self) -> Vec<String> {
        let faults = self.notes.iter().filter_map(|note| match note {
            Note::Fault(_, fault) => Some(fault.to_string()),
            _ => None,
        });
        faults.collect()
    }

    pub(super) fn has_fault(&self, words: &str) -> bool {
        self.faults().iter().any(|fault| fault.contains(words))
    }

    pub(super) fn why(&self) -> &str {
        match &self.outcome {
            Outcome::Failed(why) => why,
            answer => panic!("{answer:?}"),
        }
    }

    pub(super) fn servers(&self) -> Vec<u8> {
        let asked = self.asked.iter().map(|ask| match ask.server {
            SocketAddr::V4(address) => address.ip().octets()[3],
            SocketAddr::V6(_) => 0,
        });
        asked.collect()
    }
}

impl Lab {
    pub(super) fn new() -> Self {
        Self {
            cache: Cache::new(1 << 20),
            now: Duration::ZERO,
        }
    }

    pub(super) fn resolve(
        &mut self,
        name: &str,
        rtype: Rtype,
        mut network: impl FnMut(&Ask) -> Vec<Arrives>,
    ) -> Went {
        let begun = self.now;
        let roots = Roots::new(vec![at(1)]).unwrap();
        let deadline = self.now + Duration::from_secs(5);
        let mut resolution = Resolution::new(owner(name), rtype, roots, deadline);
        let mut id = 7;
        let mut random = || {
            id += 1;
            id
        };
        let (mut asked, mut notes) = (Vec::new(), Vec::new());
        let mut world = World {
            now: self.now,
            cache: &mut self.cache,
            random: &mut random,
        };
        let mut output = resolution.start(&mut world);
        let outcome = loop {
            notes.extend(resolution.take_notes());
            let ask = match output {
                Output::Done(outcome) => break outcome,
                Output::Ask(ask) => ask,
                Output::Wait => panic!("it waits for nothing"),
            };
            asked.push(ask.clone());
            assert!(asked.len() < 200 && ask.until <= deadline);
            output = Output::Wait;
            for arrives in network(&ask) {
                output = match arrives {
                    Arrives::Message(from, message) => {
                        world.now += Duration::from_millis(1);
                        resolution.received(from, &message, &mut world)
                    }
                    Arrives::Silence => break,
                    Arrives::Unreachable => {
                        resolution.failed(Fault::Unreachable("refused".into()), &mut world)
                    }
                };
                if output != Output::Wait {
                    break;
                }
            }
            if output == Output::Wait {
                world.now = world.now.max(ask.until);
                output = resolution.failed(Fault::NoReply, &mut world);
            }
        };
        notes.extend(resolution.take_notes());
        self.now = world.now;
        Went {
            outcome,
            asked,
            notes,
            took: self.now - begun,
        }
    }
}

/// A network in which servers say this, by address and question.
pub(super) fn network(
    script: Vec<(u8, &str, Rtype, Says)>,
) -> impl FnMut(&Ask) -> Vec<Arrives> + Clone + use<> {
    let script: BTreeMap<(SocketAddr, Owner, u16), Says> = script
        .into_iter()
        .map(|(server, name, rtype, says)| ((at(server), owner(name), rtype.to_int()), says))
        .collect();
    move |ask| {
        let (name, rtype) = question(ask);
        match script.get(&(ask.server, name, rtype.to_int())) {
            Some(says) => vec![Arrives::Message(ask.server, says.to(&ask.message))],
            None => vec![Arrives::Silence],
        }
    }
}

pub(super) fn question(ask: &Ask) -> (Owner, Rtype) {
    let mut reply = ask.message.clone();
    reply[2] |= 0x80;
    Reply::read(&reply).unwrap().question.unwrap()
}

pub(super) const WWW: &str = "www.region1.lab.";

/// The root refers to region1 at 2.
pub(super) fn to_region1() -> Says {
    Says::referral(
        &[ns("region1.lab.", "ns.region1.lab.")],
        &[a("ns.region1.lab.", "127.0.0.2")],
    )
}

pub(super) fn found() -> Says {
    Says::answer(&[a(WWW, "10.0.0.1")])
}

/// Two servers of region1: the first has a fault, the second answers.
pub(super) fn two_servers() -> Says {
    Says::referral(
        &[
            ns("region1.lab.", "ns1.region1.lab."),
            ns("region1.lab.", "ns2.region1.lab."),
        ],
        &[
            a("ns1.region1.lab.", "127.0.0.2"),
            a("ns2.region1.lab.", "127.0.0.3"),
        ],
    )
}

/// Resolves `WWW` where the first server of two says this.
pub(super) fn with_first(mut first: impl FnMut(&Ask) -> Vec<Arrives>) -> Went {
    Lab::new().resolve(WWW, Rtype::A, |ask| match ask.server {
        server if server == at(1) => vec![Arrives::Message(server, two_servers().to(&ask.message))],
        server if server == at(2) => first(ask),
        server => vec![Arrives::Message(server, found().to(&ask.message))],
    })
}
