//! The state machine over a network that is a function: who is asked what, and what arrives.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use domain::base::iana::{Rcode, Rtype};

use super::{
    Ask, Cache, Fault, Note, Outcome, Output, Resolution, Roots, World, resolution::FIRST_WAIT,
};
use crate::dns::{owner::Owner, request::Transport};

/// What arrives after a query.
#[derive(Clone, Debug)]
enum Arrives {
    Message(SocketAddr, Vec<u8>),
    Silence,
    Unreachable,
}

/// A record: its owner, type and data.
#[derive(Clone, Debug)]
struct Line(Owner, Rtype, Vec<u8>);

fn owner(name: &str) -> Owner {
    name.parse().unwrap()
}

fn a(name: &str, address: &str) -> Line {
    let address: std::net::Ipv4Addr = address.parse().unwrap();
    Line(owner(name), Rtype::A, address.octets().to_vec())
}

fn named(name: &str, rtype: Rtype, target: &str) -> Line {
    Line(owner(name), rtype, owner(target).as_slice().to_vec())
}

fn ns(name: &str, target: &str) -> Line {
    named(name, Rtype::NS, target)
}

fn cname(name: &str, target: &str) -> Line {
    named(name, Rtype::CNAME, target)
}

fn soa(name: &str, minimum: u32) -> Line {
    let mut data = [owner(name).as_slice(), owner(name).as_slice()].concat();
    for field in [1, 60, 60, 60, minimum] {
        data.extend(u32::to_be_bytes(field));
    }
    Line(owner(name), Rtype::SOA, data)
}

/// A reply as a server writes it.
#[derive(Clone, Debug, Default)]
struct Says {
    code: u8,
    aa: bool,
    tc: bool,
    ttl: Option<u32>,
    sections: [Vec<Line>; 3],
    no_question: bool,
}

impl Says {
    fn answer(lines: &[Line]) -> Self {
        Self {
            aa: true,
            sections: [lines.to_vec(), vec![], vec![]],
            ..Self::default()
        }
    }

    fn referral(servers: &[Line], glue: &[Line]) -> Self {
        Self {
            sections: [vec![], servers.to_vec(), glue.to_vec()],
            ..Self::default()
        }
    }

    fn code(code: Rcode) -> Self {
        Self {
            code: code.to_int(),
            ..Self::default()
        }
    }

    fn negative(code: Rcode, soa: Line) -> Self {
        Self {
            code: code.to_int(),
            aa: true,
            sections: [vec![], vec![soa], vec![]],
            ..Self::default()
        }
    }

    fn with(mut self, section: usize, line: Line) -> Self {
        self.sections[section].push(line);
        self
    }

    fn to(&self, query: &[u8]) -> Vec<u8> {
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

fn at(last: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, last], 5300))
}

/// A resolver, and its time.
struct World1 {
    cache: Cache,
    now: Duration,
}

/// How a resolution went.
#[derive(Debug)]
struct Went {
    outcome: Outcome,
    asked: Vec<Ask>,
    notes: Vec<Note>,
    took: Duration,
}

impl Went {
    fn addresses(&self) -> Vec<String> {
        match &self.outcome {
            Outcome::Failed(why) => panic!("{why}: {self:#?}"),
            Outcome::Answer(answer) => answer
                .records
                .iter()
                .flat_map(super::RrSet::addresses)
                .map(|address| address.to_string())
                .collect(),
        }
    }

    fn faults(&self) -> Vec<String> {
        let faults = self.notes.iter().filter_map(|note| match note {
            Note::Fault(_, fault) => Some(fault.to_string()),
            _ => None,
        });
        faults.collect()
    }

    fn has_fault(&self, words: &str) -> bool {
        self.faults().iter().any(|fault| fault.contains(words))
    }

    fn why(&self) -> &str {
        match &self.outcome {
            Outcome::Failed(why) => why,
            answer => panic!("{answer:?}"),
        }
    }

    fn servers(&self) -> Vec<u8> {
        let asked = self.asked.iter().map(|ask| match ask.server {
            SocketAddr::V4(address) => address.ip().octets()[3],
            SocketAddr::V6(_) => 0,
        });
        asked.collect()
    }
}

impl World1 {
    fn new() -> Self {
        Self {
            cache: Cache::new(1 << 20),
            now: Duration::ZERO,
        }
    }

    fn resolve(
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
fn network(
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

fn question(ask: &Ask) -> (Owner, Rtype) {
    let mut reply = ask.message.clone();
    reply[2] |= 0x80;
    super::Reply::read(&reply).unwrap().question.unwrap()
}

const WWW: &str = "www.region1.lab.";

/// The root refers to region1 at 2.
fn to_region1() -> Says {
    Says::referral(
        &[ns("region1.lab.", "ns.region1.lab.")],
        &[a("ns.region1.lab.", "127.0.0.2")],
    )
}

fn found() -> Says {
    Says::answer(&[a(WWW, "10.0.0.1")])
}

#[test]
fn referrals_are_followed_and_the_cache_keeps_what_they_say() {
    let mut world = World1::new();
    let net = network(vec![
        (1, WWW, Rtype::A, to_region1()),
        (2, WWW, Rtype::A, found()),
        (
            2,
            WWW,
            Rtype::TXT,
            Says::negative(Rcode::NOERROR, soa("region1.lab.", 30)),
        ),
        (
            2,
            "x.region1.lab.",
            Rtype::A,
            Says::negative(Rcode::NXDOMAIN, soa("region1.lab.", 30)),
        ),
    ]);
    let went = world.resolve(WWW, Rtype::A, net.clone());
    assert_eq!(
        (went.addresses(), went.servers()),
        (vec!["10.0.0.1".into()], vec![1, 2])
    );
    assert!(went.faults().is_empty(), "{went:#?}");
    // Records by their TTL, which counts down.
    world.now += Duration::from_secs(20);
    let went = world.resolve(WWW, Rtype::A, net.clone());
    assert!(went.asked.is_empty());
    let Outcome::Answer(answer) = &went.outcome else {
        panic!()
    };
    assert_eq!(answer.records[0].ttl, 40);
    // The delegation, and negative answers by their SOA record.
    let went = world.resolve(WWW, Rtype::TXT, net.clone());
    assert_eq!(went.servers(), [2]);
    for (name, rtype, code) in [
        (WWW, Rtype::TXT, Rcode::NOERROR),
        ("x.region1.lab.", Rtype::A, Rcode::NXDOMAIN),
    ] {
        let went = world.resolve(name, rtype, net.clone());
        let Outcome::Answer(answer) = went.outcome else {
            panic!()
        };
        assert_eq!((answer.rcode, answer.soa.unwrap().ttl), (code, 30));
    }
    // No name has no type.
    assert!(
        world
            .resolve("x.region1.lab.", Rtype::MX, net.clone())
            .asked
            .is_empty()
    );
    world.now += Duration::from_secs(30);
    assert_eq!(world.resolve(WWW, Rtype::TXT, net.clone()).servers(), [2]);
    world.now += Duration::from_secs(60);
    assert_eq!(world.resolve(WWW, Rtype::A, net).servers(), [1, 2]);
}

#[test]
fn aliases_lead_across_zones() {
    let mut world = World1::new();
    let net = network(vec![
        (
            1,
            "mail.lab.",
            Rtype::A,
            Says::answer(&[cname("mail.lab.", "m.east.lab.")]),
        ),
        (
            1,
            "m.east.lab.",
            Rtype::A,
            Says::answer(&[
                named("east.lab.", Rtype::DNAME, "region1.lab."),
                cname("m.east.lab.", "m.region1.lab."),
            ]),
        ),
        (1, "m.region1.lab.", Rtype::A, to_region1()),
        (
            2,
            "m.region1.lab.",
            Rtype::A,
            Says::answer(&[cname("m.region1.lab.", WWW), a(WWW, "10.0.0.1")]),
        ),
    ]);
    let went = world.resolve("mail.lab.", Rtype::A, net.clone());
    assert_eq!(went.addresses(), ["10.0.0.1"]);
    let Outcome::Answer(answer) = &went.outcome else {
        panic!()
    };
    let chain: Vec<_> = answer
        .records
        .iter()
        .map(|set| format!("{} {}", set.owner, set.rtype))
        .collect();
    assert_eq!(
        chain,
        [
            "mail.lab. CNAME",
            "east.lab. DNAME",
            "m.east.lab. CNAME",
            "m.region1.lab. CNAME",
            "www.region1.lab. A"
        ]
    );
    assert!(
        world
            .resolve("mail.lab.", Rtype::A, net.clone())
            .asked
            .is_empty()
    );
    // Another name below the DNAME record needs its owner's zone no more.
    let went = world.resolve("other.east.lab.", Rtype::A, net);
    assert_eq!(question(&went.asked[0]).0, owner("other.region1.lab."));
}

#[test]
fn a_circle_of_aliases_ends() {
    let net = network(vec![
        (
            1,
            "a.lab.",
            Rtype::A,
            Says::answer(&[cname("a.lab.", "b.lab.")]),
        ),
        (
            1,
            "b.lab.",
            Rtype::A,
            Says::answer(&[cname("b.lab.", "a.lab.")]),
        ),
    ]);
    let went = World1::new().resolve("a.lab.", Rtype::A, net);
    assert_eq!(went.why(), "the aliases of a.lab. form a circle");
    let long = |ask: &Ask| {
        let (name, _) = question(ask);
        let next = format!("x{}", name.to_string().len()) + &name.to_string();
        vec![Arrives::Message(
            ask.server,
            Says::answer(&[cname(&name.to_string(), &next)]).to(&ask.message),
        )]
    };
    let went = World1::new().resolve("a.lab.", Rtype::A, long);
    assert_eq!(went.why(), "more than 16 aliases lead on from a.lab.");
}

/// Two servers of region1: the first has a fault, the second answers.
fn two_servers() -> Says {
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
fn with_first(mut first: impl FnMut(&Ask) -> Vec<Arrives>) -> Went {
    World1::new().resolve(WWW, Rtype::A, |ask| match ask.server {
        server if server == at(1) => vec![Arrives::Message(server, two_servers().to(&ask.message))],
        server if server == at(2) => first(ask),
        server => vec![Arrives::Message(server, found().to(&ask.message))],
    })
}

#[test]
fn a_server_with_a_fault_is_passed_over() {
    let upward = Says::referral(&[ns("lab.", "ns.lab.")], &[]);
    let answers_from_a_cache = Says {
        aa: false,
        ..found()
    };
    let several = Says::answer(&[cname(WWW, "a.lab."), cname(WWW, "b.lab.")]);
    for (says, words) in [
        (
            Says::code(Rcode::REFUSED),
            "lame delegation: it refuses to answer for region1.lab.",
        ),
        (
            upward,
            "lame delegation: a server of region1.lab. refers to lab.",
        ),
        (
            Says::default(),
            "lame delegation: it has no authority over region1.lab.",
        ),
        (
            answers_from_a_cache,
            "lame delegation: it has no authority over region1.lab.",
        ),
        (
            to_region1(),
            "lame delegation: a server of region1.lab. refers to region1.lab.",
        ),
        (Says::code(Rcode::SERVFAIL), "SERVFAIL"),
        (Says::code(Rcode::masked_from_int(9)), "lame delegation"),
        (Says::code(Rcode::masked_from_int(11)), "the code"),
        (several, "has several CNAME records"),
    ] {
        let went = with_first(|ask| vec![Arrives::Message(ask.server, says.to(&ask.message))]);
        assert_eq!(
            (went.addresses(), went.servers()),
            (vec!["10.0.0.1".into()], vec![1, 2, 3]),
            "{words}"
        );
        assert!(went.has_fault(words), "{words}: {went:#?}");
    }
    let went = with_first(|ask| {
        vec![Arrives::Message(
            ask.server,
            [&ask.message[..2], &[0x80, 0, 0, 1, 0, 9]].concat(),
        )]
    });
    assert!(went.has_fault("a malformed reply") && went.addresses() == ["10.0.0.1"]);
    let went = with_first(|_| vec![Arrives::Unreachable]);
    assert!(went.has_fault("unreachable") && went.addresses() == ["10.0.0.1"]);
    assert!(went.took < Duration::from_millis(100), "{:?}", went.took);
    let went = with_first(|_| vec![Arrives::Silence]);
    assert!(went.has_fault("no reply in time") && went.addresses() == ["10.0.0.1"]);
    assert!(went.took < FIRST_WAIT * 2);
}

#[test]
fn a_server_that_was_silent_is_asked_last_for_a_while() {
    let mut world = World1::new();
    let net = |ask: &Ask| match ask.server {
        server if server == at(1) => vec![Arrives::Message(server, two_servers().to(&ask.message))],
        server if server == at(2) => vec![Arrives::Silence],
        server => {
            let name = question(ask).0.to_string();
            vec![Arrives::Message(
                server,
                Says::answer(&[a(&name, "10.0.0.1")]).to(&ask.message),
            )]
        }
    };
    assert_eq!(world.resolve(WWW, Rtype::A, net).servers(), [1, 2, 3]);
    assert_eq!(
        world.resolve("ftp.region1.lab.", Rtype::A, net).servers(),
        [3]
    );
    world.now += Duration::from_secs(31);
    assert_eq!(
        world.resolve("irc.region1.lab.", Rtype::A, net).servers(),
        [2, 3]
    );
}

#[test]
fn wrong_replies_are_ignored_and_the_right_one_is_taken() {
    let forged = Says::answer(&[a(WWW, "6.6.6.6")]);
    for (wrong, words) in [
        (
            Box::new(|ask: &Ask, message: Vec<u8>| {
                (
                    SocketAddr::from(([127, 0, 0, 9], 5300)),
                    message,
                    ask.server,
                )
                    .into()
            }) as Box<dyn Fn(&Ask, Vec<u8>) -> Forged>,
            "a reply from another address, 127.0.0.9:5300: ignored",
        ),
        (
            Box::new(|ask, mut message| {
                message[1] ^= 1;
                (ask.server, message, ask.server).into()
            }),
            "a reply with another identifier: ignored",
        ),
        (
            Box::new(|ask, mut message| {
                message[13] = b'v';
                (ask.server, message, ask.server).into()
            }),
            "a reply to another question: ignored",
        ),
    ] {
        let went = with_first(|ask| {
            let Forged(from, message) = wrong(ask, forged.to(&ask.message));
            vec![
                Arrives::Message(from, message),
                Arrives::Message(ask.server, found().to(&ask.message)),
            ]
        });
        assert_eq!(
            (went.addresses(), went.servers()),
            (vec!["10.0.0.1".into()], vec![1, 2]),
            "{words}"
        );
        assert!(went.has_fault(words), "{words}: {went:#?}");
    }
    // Somebody who guesses gets no more than a few attempts.
    let went = with_first(|ask| match ask.transport {
        Transport::Tcp => vec![Arrives::Message(ask.server, found().to(&ask.message))],
        Transport::Udp => (0..100)
            .map(|guess| {
                let mut message = forged.to(&ask.message);
                message[0] = 0xff;
                message[1] = guess;
                Arrives::Message(ask.server, message)
            })
            .collect(),
    });
    assert_eq!(went.addresses(), ["10.0.0.1"]);
    assert!(went.has_fault("many wrong replies"));
}

struct Forged(SocketAddr, Vec<u8>);

impl From<(SocketAddr, Vec<u8>, SocketAddr)> for Forged {
    fn from((from, message, _): (SocketAddr, Vec<u8>, SocketAddr)) -> Self {
        Self(from, message)
    }
}

#[test]
fn a_record_out_of_bailiwick_poisons_nothing() {
    let mut world = World1::new();
    let victim = "www.region2.lab.";
    let net = network(vec![
        (1, WWW, Rtype::A, to_region1()),
        (
            2,
            WWW,
            Rtype::A,
            found()
                .with(0, a(victim, "6.6.6.6"))
                .with(1, ns("region2.lab.", "evil.region1.lab."))
                .with(2, a("ns.region2.lab.", "6.6.6.6")),
        ),
        (1, victim, Rtype::A, Says::answer(&[a(victim, "10.0.0.2")])),
    ]);
    let went = world.resolve(WWW, Rtype::A, net.clone());
    assert_eq!(went.addresses(), ["10.0.0.1"]);
    for owner in [victim, "region2.lab.", "ns.region2.lab."] {
        assert!(
            went.has_fault(&format!("out of bailiwick, {owner}")),
            "{went:#?}"
        );
    }
    let went = world.resolve(victim, Rtype::A, net);
    assert_eq!(
        (went.addresses(), went.servers()),
        (vec!["10.0.0.2".into()], vec![1])
    );
}

#[test]
fn an_alias_into_another_zone_brings_no_records_of_it() {
    let mut world = World1::new();
    let net = network(vec![
        (1, WWW, Rtype::A, to_region1()),
        (
            2,
            WWW,
            Rtype::A,
            Says::answer(&[cname(WWW, "www.lab."), a("www.lab.", "6.6.6.6")]),
        ),
        (
            1,
            "www.lab.",
            Rtype::A,
            Says::answer(&[a("www.lab.", "10.0.0.2")]),
        ),
    ]);
    assert_eq!(world.resolve(WWW, Rtype::A, net).addresses(), ["10.0.0.2"]);
}

#[test]
fn glue_is_no_answer_and_answers_are_believed_more() {
    let mut world = World1::new();
    let name = "ns.region1.lab.";
    let net = network(vec![
        (1, WWW, Rtype::A, to_region1()),
        (2, WWW, Rtype::A, found()),
        (2, name, Rtype::A, Says::answer(&[a(name, "127.0.0.3")])),
        (
            3,
            "ftp.region1.lab.",
            Rtype::A,
            Says::answer(&[a("ftp.region1.lab.", "10.0.0.5")]),
        ),
    ]);
    world.resolve(WWW, Rtype::A, net.clone());
    let went = world.resolve(name, Rtype::A, net.clone());
    assert_eq!(
        (went.addresses(), went.servers()),
        (vec!["127.0.0.3".into()], vec![2])
    );
    assert_eq!(
        world.resolve("ftp.region1.lab.", Rtype::A, net).servers(),
        [3]
    );
}

#[test]
fn the_address_of_a_name_server_is_looked_up() {
    let without_glue = Says::referral(&[ns("region1.lab.", "dns.region2.lab.")], &[]);
    let net = network(vec![
        (1, WWW, Rtype::A, without_glue),
        (
            1,
            "dns.region2.lab.",
            Rtype::A,
            Says::referral(
                &[ns("region2.lab.", "ns.region2.lab.")],
                &[a("ns.region2.lab.", "127.0.0.3")],
            ),
        ),
        (
            3,
            "dns.region2.lab.",
            Rtype::A,
            Says::answer(&[a("dns.region2.lab.", "127.0.0.2")]),
        ),
        (2, WWW, Rtype::A, found()),
    ]);
    let went = World1::new().resolve(WWW, Rtype::A, net);
    assert_eq!(
        (went.addresses(), went.servers()),
        (vec!["10.0.0.1".into()], vec![1, 1, 3, 2])
    );
}

#[test]
fn name_servers_that_need_one_another_end_the_resolution() {
    let net = network(vec![
        (
            1,
            WWW,
            Rtype::A,
            Says::referral(&[ns("region1.lab.", "ns.region2.lab.")], &[]),
        ),
        (
            1,
            "ns.region2.lab.",
            Rtype::A,
            Says::referral(&[ns("region2.lab.", "ns.region1.lab.")], &[]),
        ),
        (
            1,
            "ns.region2.lab.",
            Rtype::AAAA,
            Says::referral(&[ns("region2.lab.", "ns.region1.lab.")], &[]),
        ),
        (
            1,
            "ns.region1.lab.",
            Rtype::A,
            Says::referral(&[ns("region1.lab.", "ns.region2.lab.")], &[]),
        ),
        (
            1,
            "ns.region1.lab.",
            Rtype::AAAA,
            Says::referral(&[ns("region1.lab.", "ns.region2.lab.")], &[]),
        ),
    ]);
    let went = World1::new().resolve(WWW, Rtype::A, net);
    assert!(
        went.why().starts_with("no server of region1.lab. answers"),
        "{went:?}"
    );
    assert!(
        went.has_fault("is needed to find that address"),
        "{went:#?}"
    );
    assert!(went.asked.len() < 20, "{}", went.asked.len());
    // Within its own zone.
    let net = network(vec![(
        1,
        WWW,
        Rtype::A,
        Says::referral(&[ns("region1.lab.", "ns.region1.lab.")], &[]),
    )]);
    let went = World1::new().resolve(WWW, Rtype::A, net);
    assert!(
        went.has_fault("the delegation lacks its address"),
        "{went:#?}"
    );
}

#[test]
fn a_delegation_to_many_names_causes_few_queries() {
    let many: Vec<_> = (0..16)
        .map(|n| ns("region1.lab.", &format!("n{n}.victim.lab.")))
        .collect();
    let net = |ask: &Ask| {
        let says = match question(ask).0.to_string().as_str() {
            WWW => Says::referral(&many, &[]),
            _ => Says::negative(Rcode::NXDOMAIN, soa("lab.", 60)),
        };
        vec![Arrives::Message(ask.server, says.to(&ask.message))]
    };
    let went = World1::new().resolve(WWW, Rtype::A, net);
    assert!(went.why().contains("no server of region1.lab."), "{went:?}");
    assert!(went.asked.len() <= 6, "{}", went.asked.len());
}

#[test]
fn referrals_without_end_end() {
    // Each server refers one label further down, as a loop of referrals would; a name has no more labels than that.
    let deep = format!("{}lab.", "x.".repeat(100));
    let net = |ask: &Ask| {
        let zone = ask.zone.to_string();
        let labels = zone
            .trim_matches('.')
            .split('.')
            .filter(|label| !label.is_empty())
            .count();
        let below = match labels {
            0 => "lab.".to_owned(),
            n => format!("{}lab.", "x.".repeat(n)),
        };
        let server = format!("ns.{below}");
        let says = Says::referral(&[ns(&below, &server)], &[a(&server, "127.0.0.1")]);
        vec![Arrives::Message(ask.server, says.to(&ask.message))]
    };
    let went = World1::new().resolve(&deep, Rtype::A, net);
    assert!(
        went.why().contains("64 queries did not find it"),
        "{went:?}"
    );
}

#[test]
fn a_truncated_reply_or_one_that_is_too_long_goes_over_tcp() {
    for truncated in [true, false] {
        let went = with_first(|ask| {
            let says = match (ask.transport, truncated) {
                (Transport::Tcp, _) => found(),
                (_, true) => Says {
                    tc: true,
                    ..Says::answer(&[])
                },
                _ => Says::answer(
                    &(0..100)
                        .map(|n| a(WWW, &format!("10.0.0.{n}")))
                        .collect::<Vec<_>>(),
                ),
            };
            vec![Arrives::Message(ask.server, says.to(&ask.message))]
        });
        assert_eq!(
            (went.addresses(), went.servers()),
            (vec!["10.0.0.1".into()], vec![1, 2, 2])
        );
        assert!(went.has_fault("asked over TCP"));
    }
    let went = with_first(|ask| {
        let says = Says {
            tc: true,
            ..Says::answer(&[])
        };
        vec![Arrives::Message(ask.server, says.to(&ask.message))]
    });
    assert!(went.has_fault("truncated over TCP, too") && went.addresses() == ["10.0.0.1"]);
}

#[test]
fn a_server_without_edns_is_asked_without() {
    let mut world = World1::new();
    let net = |ask: &Ask| {
        let edns = ask.message[11] == 1;
        let says = match (ask.server == at(1), edns) {
            (true, _) => to_region1(),
            (_, true) => Says {
                no_question: true,
                ..Says::code(Rcode::FORMERR)
            },
            (_, false) => Says::answer(&[a(&question(ask).0.to_string(), "10.0.0.1")]),
        };
        vec![Arrives::Message(ask.server, says.to(&ask.message))]
    };
    let went = world.resolve(WWW, Rtype::A, net);
    assert_eq!(
        (went.addresses(), went.servers()),
        (vec!["10.0.0.1".into()], vec![1, 2, 2])
    );
    assert!(went.has_fault("does not know EDNS(0)"));
    // It is remembered.
    assert_eq!(
        world.resolve("ftp.region1.lab.", Rtype::A, net).servers(),
        [2]
    );
}

#[test]
fn an_alias_beside_other_records_wins() {
    let net = network(vec![
        (
            1,
            "www.lab.",
            Rtype::A,
            Says::answer(&[a("www.lab.", "6.6.6.6"), cname("www.lab.", "w.lab.")]),
        ),
        (
            1,
            "w.lab.",
            Rtype::A,
            Says::answer(&[a("w.lab.", "10.0.0.1")]),
        ),
    ]);
    let went = World1::new().resolve("www.lab.", Rtype::A, net);
    assert_eq!(went.addresses(), ["10.0.0.1"]);
    assert!(went.has_fault("has a CNAME record and others"));
}

#[test]
fn a_zone_that_has_moved_is_found_again() {
    let mut world = World1::new();
    let long = |says: Says| Says {
        ttl: Some(3600),
        ..says
    };
    let before = network(vec![
        (1, WWW, Rtype::A, long(to_region1())),
        (2, WWW, Rtype::A, found()),
    ]);
    assert_eq!(
        world.resolve(WWW, Rtype::A, before).addresses(),
        ["10.0.0.1"]
    );
    world.now += Duration::from_secs(61);
    let moved = Says::referral(
        &[ns("region1.lab.", "ns.region1.lab.")],
        &[a("ns.region1.lab.", "127.0.0.3")],
    );
    let after = network(vec![
        (1, WWW, Rtype::A, long(moved)),
        (2, WWW, Rtype::A, Says::code(Rcode::REFUSED)),
        (3, WWW, Rtype::A, found()),
    ]);
    let went = world.resolve(WWW, Rtype::A, after);
    assert_eq!(
        (went.addresses(), went.servers()),
        (vec!["10.0.0.1".into()], vec![2, 1, 3])
    );
    assert!(went.notes.contains(&Note::OutOfDate(owner("region1.lab."))));
}

#[test]
fn a_resolution_ends_in_time() {
    let went = World1::new().resolve(WWW, Rtype::A, |_| vec![Arrives::Silence]);
    assert!(
        went.why().contains("127.0.0.1:5300: no reply in time"),
        "{went:?}"
    );
    assert_eq!(went.servers(), [1, 1, 1]);
    assert!(went.took <= Duration::from_secs(5), "{:?}", went.took);
    let went = World1::new().resolve(
        WWW,
        Rtype::A,
        network(vec![(1, WWW, Rtype::A, Says::code(Rcode::REFUSED))]),
    );
    assert_eq!(
        went.why(),
        "no server of the root answers (127.0.0.1:5300: it refuses to answer (REFUSED))"
    );
}

#[test]
fn any_bytes_are_read_without_a_panic() {
    let mut seed = 7_u64;
    let mut random = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    for _ in 0..20_000 {
        let went = with_first(|ask| {
            let says = [found(), two_servers(), to_region1()];
            let mut message = says[random() % 3].to(&ask.message);
            for _ in 0..1 + random() % 4 {
                let at = 2 + random() % (message.len() - 2);
                message[at] = random() as u8;
            }
            message.truncate(message.len() - random() % 2 * (random() % message.len()));
            vec![Arrives::Message(ask.server, message)]
        });
        assert!(went.asked.len() <= 64);
    }
}
