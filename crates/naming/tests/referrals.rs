//! Zone cuts in answers: a question at one or below it is a referral to the servers that have the names (RFC 1034 section
//! 4.3.2, RFC 2181 section 6).

use std::{path::Path, sync::Arc};

use domain::{
    base::{
        Message, MessageBuilder, ParsedName,
        iana::{Class, Rcode, Rtype},
        message::RecordSection,
    },
    rdata::AllRecordData,
};
use naming::{
    dns::{
        answer::{Next, Transport, answer},
        owner::{Owner, Zones},
        publish::{self, publish},
        shown,
        zone::Zone,
    },
    file,
};

const NAMES: &str = r#"{
    "server1": "192.168.1.2",
    "region2": {"server3": "192.168.2.1", "rack2": ["delegate:127.0.0.3", "delegate:::3", "ttl:300"]},
    "/region1": "delegate:127.0.0.2", "/grüße": "delegate:127.0.0.2",
    "/*": "10.0.0.9",
    "/east": "symlink:/region1", "/www": "symlink:region1/web", "gate": "symlink:/www",
    "/far": "symlink:east/rack1/a", "/cut": "symlink:region2/rack2"
}"#;

fn zone(names: &str) -> Zone {
    let space = file::parse(Path::new("names.json"), names.as_bytes()).unwrap();
    let settings = publish::Settings {
        zones: Arc::new(Zones::new("lab.").unwrap()),
        ttl: 60,
        address: Some([127, 0, 0, 1].into()),
    };
    publish(&space, 7, &settings).unwrap()
}

/// A reply, each record as zone files write it.
#[derive(Debug, Eq, PartialEq)]
struct Reply {
    rcode: Rcode,
    /// Whether it is authoritative, and whether it is truncated.
    aa: bool,
    tc: bool,
    answer: Vec<String>,
    authority: Vec<String>,
    additional: Vec<String>,
}

fn ask(zone: &Zone, name: &str, rtype: Rtype) -> Reply {
    let owner: Owner = name.parse().unwrap();
    ask_wire(zone, owner.as_slice(), rtype, Some(1232))
}

fn ask_wire(zone: &Zone, name: &[u8], rtype: Rtype, edns: Option<u16>) -> Reply {
    let mut question = MessageBuilder::new_vec().question();
    let name = domain::base::Name::from_octets(name).unwrap();
    question.push((name, rtype, Class::IN)).unwrap();
    let mut additional = question.additional();
    if let Some(size) = edns {
        additional
            .opt(|opt| {
                opt.set_udp_payload_size(size);
                Ok(())
            })
            .unwrap();
    }
    let mut out = Vec::new();
    let next = answer(zone, &additional.finish(), Transport::Udp, &mut out);
    assert_eq!(next, Next::Answer);
    let message = Message::from_octets(out.as_slice()).unwrap();
    let header = message.header();
    let records = |section: RecordSection<'_, &[u8]>| -> Vec<String> {
        section
            .map(|record| record.unwrap())
            .filter(|record| record.rtype() != Rtype::OPT)
            .map(|record| {
                let (owner, ttl) = (Owner::of(&record.owner()), record.ttl().as_secs());
                let record = record
                    .into_any_record::<AllRecordData<_, ParsedName<_>>>()
                    .unwrap();
                let data = match record.data() {
                    AllRecordData::Soa(_) => "…".to_owned(),
                    _ => shown::data(&record),
                };
                format!("{owner} {ttl} {} {data}", record.rtype())
            })
            .collect()
    };
    Reply {
        rcode: header.rcode(),
        aa: header.aa(),
        tc: header.tc(),
        answer: records(message.answer().unwrap()),
        authority: records(message.authority().unwrap()),
        additional: records(message.additional().unwrap()),
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn referral(aa: bool, answer: &[&str], authority: &[&str], additional: &[&str]) -> Reply {
    Reply {
        rcode: Rcode::NOERROR,
        aa,
        tc: false,
        answer: texts(answer),
        authority: texts(authority),
        additional: texts(additional),
    }
}

const REGION1: (&str, &str) = (
    "region1.lab. 60 NS region1.lab.",
    "region1.lab. 60 A 127.0.0.2",
);

#[test]
fn at_a_cut_and_below_it_is_a_referral_with_glue() {
    let zone = zone(NAMES);
    for (name, rtype) in [
        ("server1.region1.lab.", Rtype::A),
        ("Server1.REGION1.lab.", Rtype::TXT),
        ("a.b.c.d.region1.lab.", Rtype::AAAA),
        ("*.region1.lab.", Rtype::A),
        ("_tcp.region1.lab.", Rtype::SRV),
        ("x.region1.lab.", Rtype::DS),
        ("region1.lab.", Rtype::A),
        ("region1.lab.", Rtype::NS),
        ("region1.lab.", Rtype::ANY),
        ("region1.lab.", Rtype::SOA),
        ("region1.lab.", Rtype::CNAME),
    ] {
        let expected = referral(false, &[], &[REGION1.0], &[REGION1.1]);
        assert_eq!(ask(&zone, name, rtype), expected, "{name} {rtype}");
    }
    let nested = referral(
        false,
        &[],
        &["rack2.region2.lab. 300 NS rack2.region2.lab."],
        &[
            "rack2.region2.lab. 300 A 127.0.0.3",
            "rack2.region2.lab. 300 AAAA ::3",
        ],
    );
    assert_eq!(ask(&zone, "x.rack2.region2.lab.", Rtype::A), nested);
    // What stands beside a cut is answered here.
    let beside = ask(&zone, "server3.region2.lab.", Rtype::A);
    assert!(beside.aa && beside.answer == ["server3.region2.lab. 60 A 192.168.2.1"]);
    let wildcard = ask(&zone, "region3.lab.", Rtype::A);
    assert!(wildcard.aa && wildcard.answer == ["region3.lab. 60 A 10.0.0.9"]);
}

#[test]
fn the_parent_answers_for_ds() {
    let zone = zone(NAMES);
    let reply = ask(&zone, "region1.lab.", Rtype::DS);
    assert_eq!(
        reply,
        referral(true, &[], &["lab. 60 SOA …"], &[]),
        "no record, with authority"
    );
    // A name of the zone that is not delegated has no DS record either.
    let reply = ask(&zone, "server3.region2.lab.", Rtype::DS);
    assert!(reply.aa && reply.rcode == Rcode::NOERROR);
}

#[test]
fn aliases_that_lead_below_a_cut_end_with_the_referral() {
    let zone = zone(NAMES);
    assert_eq!(
        ask(&zone, "gate.flat.lab.", Rtype::A),
        referral(
            true,
            &[
                "gate.flat.lab. 60 CNAME alias of www.lab.",
                "www.lab. 60 CNAME alias of web.region1.lab.",
            ],
            &[REGION1.0],
            &[REGION1.1],
        )
    );
    // An alias of the cut itself is one of its whole tree.
    assert_eq!(
        ask(&zone, "a.east.lab.", Rtype::A),
        referral(
            true,
            &[
                "east.lab. 60 DNAME alias of region1.lab.",
                "a.east.lab. 60 CNAME alias of a.region1.lab.",
            ],
            &[REGION1.0],
            &[REGION1.1],
        )
    );
    let far = ask(&zone, "far.lab.", Rtype::A);
    assert_eq!(far.answer.len(), 3, "{far:?}");
    assert_eq!(far.additional, [REGION1.1]);
    assert!(ask(&zone, "cut.lab.", Rtype::DNAME).answer.len() == 1);
}

#[test]
fn glue_is_in_the_referral_or_the_referral_is_truncated() {
    let servers: Vec<_> = (1..=20)
        .map(|last| format!("\"delegate:2001:db8::{last}\""))
        .collect();
    let zone = zone(&format!("{{\"/region1\": [{}]}}", servers.join(",")));
    let owner: Owner = "server1.region1.lab.".parse().unwrap();
    let whole = ask_wire(&zone, owner.as_slice(), Rtype::A, Some(1232));
    assert_eq!((whole.tc, whole.additional.len()), (false, 20));
    let plain = ask_wire(&zone, owner.as_slice(), Rtype::A, None);
    assert_eq!(
        plain,
        Reply {
            tc: true,
            ..referral(false, &[], &[], &[])
        }
    );
}

#[test]
fn a_cut_in_other_letters_is_the_same() {
    let zone = zone(NAMES);
    let mut name = vec![1, b'x', 7];
    name.extend("grüße".as_bytes());
    name.extend(b"\x03LAB\0");
    let reply = ask_wire(&zone, &name, Rtype::A, Some(1232));
    assert!(!reply.aa && reply.answer.is_empty() && reply.additional.len() == 1);
    let reply = ask(&zone, "x.xn--gre-6ka8l.lab.", Rtype::A);
    assert_eq!(
        reply.authority,
        ["xn--gre-6ka8l.lab. 60 NS xn--gre-6ka8l.lab."]
    );
}

#[test]
fn glue_has_no_name_in_the_zones_of_addresses() {
    let zone = zone(NAMES);
    let reply = ask(&zone, "2.0.0.127.in-addr.arpa.", Rtype::PTR);
    assert_eq!(reply.rcode, Rcode::NXDOMAIN);
    let reply = ask(&zone, "2.1.168.192.in-addr.arpa.", Rtype::PTR);
    assert_eq!(reply.answer.len(), 1);
}
