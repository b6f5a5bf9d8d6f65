//! Updates of every form of RFC 2136, from a seed.

use super::{
    message::{
        A, AAAA, ANY, AXFR, CNAME, Case, DELEGATION, DNAME, Edns, HARD_LINK, IN, IXFR, Line, MX,
        NONE, NS, PTR, Question, RD, RENAME, SOA, SRV, TXT, Transport, UPDATE, wire,
    },
    random::Random,
    reply::Record,
};

/// Names that exist at the start, names that come and go, and names that cannot exist.
const NAMES: [&str; 41] = [
    "region3.lab",
    "region3.lab",
    "x.region3.lab",
    "_tcp.region3.lab",
    "cell.region4.lab",
    "n4.lab",
    "n4.lab",
    "server1.flat.lab",
    "server2.flat.lab",
    "n1.flat.lab",
    "n1.flat.lab",
    "n2.flat.lab",
    "n2.flat.lab",
    "n3.flat.lab",
    "alias.flat.lab",
    "a.rack.region1.lab",
    "server1.region1.lab",
    "n1.region1.lab",
    "n1.region1.lab",
    "n2.region1.lab",
    "n3.new.lab",
    "n3.new.lab",
    "x.y.z.lab",
    "www.lab",
    "top.lab",
    "top.lab",
    "N1.Flat.LAB",
    "TOP.lab",
    "region1.lab",
    "rack.region1.lab",
    "new.lab",
    "flat.lab",
    "lab",
    "below.server1.flat.lab",
    "below.a.rack.region1.lab",
    "east.lab",
    "n1.east.lab",
    "_acme-challenge.server1.region1.lab",
    "*.region1.lab",
    "example.org",
    "a\\255.lab",
];

/// Targets of aliases.
const TARGETS: [&str; 19] = [
    "region3.lab",
    "cell.region4.lab",
    "n4.lab",
    "N4.lab",
    "x.region3.lab",
    "server1.flat.lab",
    "SERVER1.flat.lab",
    "n1.flat.lab",
    "n2.flat.lab",
    "alias.flat.lab",
    "region1.lab",
    "new.lab",
    "top.lab",
    "missing.flat.lab",
    "x.east.lab",
    "lab",
    "flat.lab",
    "example.org",
    "",
];

const TYPES: [u16; 20] = [
    A, A, A, A, AAAA, AAAA, TXT, TXT, TXT, CNAME, CNAME, CNAME, MX, NS, SRV, PTR, DNAME, SOA, 13,
    1234,
];

/// The next update; `zone` is what the zone has now.
pub(crate) fn update(random: &mut Random, zone: &[Record]) -> Case {
    let mut case = Case::new(
        UPDATE,
        Question {
            name: wire("lab"),
            rtype: SOA,
            class: IN,
        },
    );
    if random.percent(30) {
        case.transport = Transport::Tcp;
    }
    if random.percent(10) {
        case.flags |= RD;
    }
    if random.percent(25) {
        let version = if random.percent(15) { 1 } else { 0 };
        let (wants_dnssec, size) = (random.percent(30), random.pick(&[512, 1232, 4096]));
        case.edns = Some(Edns {
            version,
            wants_dnssec,
            size,
            options: Vec::new(),
        });
    }
    if random.percent(40) {
        for _ in 0..1 + random.below(3) {
            case.sections[0].extend(prerequisite(random, zone));
        }
    }
    for _ in 0..if random.percent(60) {
        1
    } else {
        random.below(5)
    } {
        case.sections[1].push(change(random, zone));
    }
    if random.percent(20) {
        break_update(random, &mut case);
    }
    case
}

fn owner(random: &mut Random, zone: &[Record]) -> Vec<u8> {
    match random.percent(25) {
        true => zone[random.below(zone.len())].owner.clone(),
        false => wire(random.pick(&NAMES)),
    }
}

/// The five forms of RFC 2136 section 2.4; a whole set of records is several lines.
fn prerequisite(random: &mut Random, zone: &[Record]) -> Vec<Line> {
    let owner = owner(random, zone);
    let rtype = random.pick(&[A, A, AAAA, TXT, CNAME, SOA, NS, MX, DNAME]);
    let line = |rtype, class, data: Vec<u8>| Line {
        owner: owner.clone(),
        rtype,
        class,
        ttl: 0,
        data,
    };
    match random.below(6) {
        0 => vec![line(rtype, ANY, vec![])],
        1 => vec![line(ANY, ANY, vec![])],
        2 => vec![line(rtype, NONE, vec![])],
        3 => vec![line(ANY, NONE, vec![])],
        // A whole set, as it is or with another case in its names; now and then one record more.
        4 => {
            let some = zone[random.below(zone.len())].clone();
            let set = zone
                .iter()
                .filter(|record| (&record.owner, record.rtype) == (&some.owner, some.rtype));
            let upper = random.percent(40) && [CNAME, NS, PTR, DNAME].contains(&some.rtype);
            let line = |data: Vec<u8>| Line {
                owner: some.owner.clone(),
                rtype: some.rtype,
                class: IN,
                ttl: 0,
                data: if upper {
                    data.to_ascii_uppercase()
                } else {
                    data
                },
            };
            let mut lines: Vec<_> = set.map(|record| line(record.data.clone())).collect();
            if random.percent(20) {
                lines.push(line(data(random, some.rtype)));
            }
            if random.percent(20) {
                lines.swap_remove(0);
            }
            lines
        }
        _ => vec![line(rtype, IN, data(random, rtype))],
    }
}

/// The four forms of RFC 2136 section 2.5.
fn change(random: &mut Random, zone: &[Record]) -> Line {
    let owner = owner(random, zone);
    let rtype = random.pick(&TYPES);
    let (rtype, class, ttl, data) = match random.below(10) {
        0..=4 => (
            rtype,
            IN,
            random.pick(&[60, 60, 60, 60, 0, 300]),
            data(random, rtype),
        ),
        5 => (rtype, ANY, 0, vec![]),
        6 => (ANY, ANY, 0, vec![]),
        7 => {
            let some = &zone[random.below(zone.len())];
            let data = match some.rtype {
                CNAME | DNAME | NS if random.percent(50) => some.data.to_ascii_uppercase(),
                _ => some.data.clone(),
            };
            return Line {
                owner: some.owner.clone(),
                rtype: some.rtype,
                class: NONE,
                ttl: 0,
                data,
            };
        }
        _ => (rtype, NONE, 0, data(random, rtype)),
    };
    Line {
        owner,
        rtype,
        class,
        ttl,
        data,
    }
}

/// Data of a type, from few values, so that what is added is also deleted.
fn data(random: &mut Random, rtype: u16) -> Vec<u8> {
    match rtype {
        A => vec![10, 0, 0, 1 + random.below(4) as u8],
        AAAA => [
            &[0x20, 1, 0xd, 0xb8][..],
            &[0; 11],
            &[1 + random.below(3) as u8],
        ]
        .concat(),
        TXT => match random.below(9) {
            0 => b"\x03one".to_vec(),
            1 => b"\x03one\x03two".to_vec(),
            2 => b"\x06onetwo".to_vec(),
            3 => b"\x00".to_vec(),
            4 => b"\x02\xff\xfe".to_vec(),
            5 => b"\x00\x03one\x00".to_vec(),
            6 => [&[255][..], &[b'x'; 255], &[255], &[b'y'; 255]].concat(),
            7 => b"\x05say \"".to_vec(),
            _ => b"\x03ONE".to_vec(),
        },
        CNAME | DNAME | NS | PTR => wire(random.pick(&TARGETS)),
        MX => [vec![0, 10], wire("server1.flat.lab")].concat(),
        SRV => [vec![0, 0, 0, 0, 0, 80], wire("server1.flat.lab")].concat(),
        SOA => {
            let mut data = [wire("lab"), wire("hostmaster.lab")].concat();
            let serial: u32 = random.pick(&[1, 2, 0x7fff_ffff]);
            for figure in [serial, 60, 10, 604_800, 60] {
                data.extend(figure.to_be_bytes());
            }
            data
        }
        13 => b"\x01a\x01b".to_vec(),
        _ => vec![1, 2, 3],
    }
}

fn break_update(random: &mut Random, case: &mut Case) {
    case.fault = random.pick(&[
        "no zone",
        "two zones",
        "zone type",
        "zone class",
        "other zone",
        "other zone",
        "reverse zone",
        "zone below",
        "ZONE",
        "TTL",
        "class",
        "meta type",
        "data",
        "empty data",
        "trailing",
        "cut",
        "counts",
        "additional",
        "outside",
        "cut data",
        "private type",
    ]);
    let section = random.below(2);
    if case.sections[section].is_empty() {
        let owner = wire("n1.flat.lab");
        let line = match section {
            0 => Line {
                owner,
                rtype: A,
                class: ANY,
                ttl: 0,
                data: Vec::new(),
            },
            _ => Line {
                owner,
                rtype: A,
                class: IN,
                ttl: 60,
                data: vec![10, 0, 0, 1],
            },
        };
        case.sections[section].push(line);
    }
    let index = random.below(case.sections[section].len());
    let zone = &mut case.questions[0];
    let line = &mut case.sections[section][index];
    match case.fault {
        "no zone" => case.questions.clear(),
        "two zones" => case.questions.push(case.questions[0].clone()),
        "zone type" => zone.rtype = random.pick(&[A, ANY, AXFR, 0]),
        "zone class" => zone.class = random.pick(&[ANY, NONE, 3, 0]),
        "other zone" => zone.name = wire(random.pick(&["example", "", "lab.x", "slab"])),
        "reverse zone" => zone.name = wire(random.pick(&["in-addr.arpa", "ip6.arpa"])),
        "zone below" => {
            zone.name = wire(random.pick(&["flat.lab", "region1.lab", "server1.flat.lab"]))
        }
        "ZONE" => zone.name = wire("LAB"),
        "TTL" => line.ttl = random.pick(&[1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]),
        "class" => line.class = random.pick(&[0, 3, 4, 253, 65_280]),
        "meta type" => line.rtype = random.pick(&[ANY, AXFR, IXFR, 253, 254, 0, 41, 249, 250, 128]),
        "data" => line.data.push(7),
        "empty data" => line.data.clear(),
        "cut data" => drop(line.data.pop()),
        "trailing" => case.trailing = vec![0; 1 + random.below(20)],
        "cut" => case.cut = 1 + random.below(8),
        "counts" => {
            let mut counts = [1, 0, 1, 0].map(|count| count + random.below(2) as u16);
            counts[3] += u16::from(case.edns.is_some());
            case.counts = Some(counts);
        }
        "additional" => case.sections[2].push(Line {
            owner: wire("x.lab"),
            rtype: A,
            class: IN,
            ttl: 1,
            data: vec![10, 0, 0, 1],
        }),
        "outside" => line.owner = wire(random.pick(&["example.org", "", "slab", "lab.x"])),
        "private type" => {
            (line.rtype, line.data) = match random.below(3) {
                0 => (DELEGATION, vec![4, 127, 0, 0, 4]),
                _ => (random.pick(&[HARD_LINK, RENAME]), wire("n9.lab")),
            }
        }
        _ => unreachable!(),
    }
}
