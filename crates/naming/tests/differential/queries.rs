//! Queries of every kind, from a seed.

use super::{
    message::{
        A, AA, AAAA, AD, ANY, AXFR, CD, CNAME, Case, DNAME, Edns, IN, IXFR, Line, MX, NONE, NS,
        OPT, PTR, QR, Question, RA, RD, SOA, SRV, TC, TKEY, TXT, Transport, Z, wire,
    },
    random::Random,
    reply::Record,
};

/// Types that names have here, types that they do not have, and numbers without a meaning.
const TYPES: [u16; 41] = [
    A, A, A, A, AAAA, AAAA, TXT, TXT, CNAME, CNAME, DNAME, NS, NS, 43, 43, SOA, SOA, PTR, PTR, MX,
    SRV, ANY, ANY, ANY, 13, 35, 43, 46, 47, 48, 64, 65, 99, 257, 65_280, 65_281, 0, 1234, 65_535,
    254, 253,
];

/// Types of questions that are no look-ups.
const META: [u16; 5] = [OPT, TKEY, 250, IXFR, AXFR];

/// Names that are nowhere in the zones, or that a name of the lab cannot be.
const STRANGE: [&str; 24] = [
    "",
    "lab",
    "arpa",
    "in-addr.arpa",
    "ip6.arpa",
    "example.org",
    "slab",
    "lab.x",
    "x.lab",
    "flat.lab",
    "*.lab",
    "*.region1.lab",
    "_x.lab",
    "_dmarc.server1.flat.lab",
    "\\255\\254.lab",
    "\\000.lab",
    "a\\046b.flat.lab",
    "a\\032b.lab",
    "a.b.flat.lab",
    "region1.flat.lab",
    "1.2.3.in-addr.arpa",
    "999.0.0.10.in-addr.arpa",
    "0.ip6.arpa",
    "xn--gre-6ka8i.region1.lab",
];

/// The next query.
pub(crate) fn query(random: &mut Random, zone: &[Record]) -> Case {
    let name = name(random, zone);
    let rtype = match random.percent(4) {
        true => random.pick(&META),
        false => random.pick(&TYPES),
    };
    // Not CH: BIND limits the rate of its answers for it.
    let class = match random.percent(6) {
        true => random.pick(&[ANY, NONE, 4, 0, 2, 65_280]),
        false => IN,
    };
    let mut case = Case::new(0, Question { name, rtype, class });
    // A transfer over TCP is compared as a whole elsewhere.
    if random.percent(25) && rtype != AXFR && rtype != IXFR {
        case.transport = Transport::Tcp;
    }
    for (flag, percent) in [
        (RD, 40),
        (AD, 15),
        (CD, 15),
        (AA, 5),
        (TC, 5),
        (RA, 5),
        (Z, 5),
    ] {
        if random.percent(percent) {
            case.flags |= flag;
        }
    }
    if random.percent(60) {
        case.edns = Some(edns(random));
    }
    if rtype == IXFR && random.percent(70) {
        case.sections[1].push(soa(random));
    }
    if random.percent(15) {
        break_query(random, &mut case);
    }
    case
}

/// A name that exists, or that almost does.
pub(crate) fn name(random: &mut Random, zone: &[Record]) -> Vec<u8> {
    let existing = zone[random.below(zone.len())].owner.clone();
    let mut name = match random.below(23) {
        0..=8 => existing,
        9 | 10 => [wire("nobody")[..7].to_vec(), above(&existing, 1)].concat(),
        11 | 12 => [wire("below")[..6].to_vec(), existing].concat(),
        13 => above(&existing, 1 + random.below(3)),
        14 | 15 => {
            let alias = random.pick(&[
                "east.lab",
                "old.lab",
                "ways.region1.lab",
                "ways.ways.east.lab",
                "dead.lab",
            ]);
            let below = random.pick(&[
                "", "server1.", "a.rack.", "rack.", "nobody.", "ways.", "x.y.z.",
            ]);
            wire(&format!("{below}{alias}"))
        }
        16 => long(random),
        // At and below zone cuts, and aliases that lead there.
        17..=19 => {
            let cut = random.pick(&[
                "region3.lab",
                "cell.region4.lab",
                "crowd.lab",
                "west.lab",
                "cell.lab",
                "across.flat.lab",
                "region5.lab",
            ]);
            let below = random.pick(&[
                "", "", "a.", "x.y.z.", "_tcp.", "*.", "flat.", "cell.", "\\255.",
            ]);
            wire(&format!("{below}{cut}"))
        }
        _ => wire(random.pick(&STRANGE)),
    };
    if name.len() > 255 {
        name = wire("lab");
    }
    if random.percent(25) {
        for byte in &mut name {
            // The lengths of labels are no letters.
            if random.percent(50) {
                *byte = byte.to_ascii_uppercase();
            }
        }
    }
    name
}

/// A name without its first labels.
fn above(name: &[u8], labels: usize) -> Vec<u8> {
    let mut rest = name;
    for _ in 0..labels {
        if rest[0] > 0 {
            rest = &rest[usize::from(rest[0]) + 1..];
        }
    }
    rest.to_vec()
}

/// Names as long as they can be; a DNAME makes some of them longer.
fn long(random: &mut Random) -> Vec<u8> {
    let alias = wire(random.pick(&[
        "east.lab",
        "ways.region1.lab",
        "old.lab",
        "lab",
        "region1.lab",
        "flat.lab",
    ]));
    let mut name = Vec::new();
    let length = 255 - random.below(12);
    while name.len() + alias.len() + 2 <= length {
        let label =
            (length - name.len() - alias.len() - 1).min(if random.percent(50) { 63 } else { 20 });
        name.push(label as u8);
        name.extend(std::iter::repeat_n(b'n', label));
    }
    name.extend(alias);
    name
}

fn edns(random: &mut Random) -> Edns {
    // An unknown one, a cookie, NSID, padding, a client subnet; then two that are cut off.
    let options: [&[u8]; 8] = [
        &[],
        &[],
        &[0xfd, 0xe9, 0, 2, 1, 2],
        &[0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0, 3, 0, 0],
        &[0, 12, 0, 4, 0, 0, 0, 0],
        &[0, 8, 0, 7, 0, 1, 24, 0, 10, 0, 0],
        &[0xfd, 0xe9, 0, 9, 1],
    ];
    let options = match random.percent(30) {
        true => random.pick(&options).to_vec(),
        false => Vec::new(),
    };
    Edns {
        version: if random.percent(10) {
            random.pick(&[1, 2, 255])
        } else {
            0
        },
        wants_dnssec: random.percent(40),
        size: random.pick(&[0, 100, 512, 700, 1232, 4096, 65_535]),
        options,
    }
}

/// The SOA record of a secondary that asks for changes.
fn soa(random: &mut Random) -> Line {
    let mut data = [wire("lab"), wire("hostmaster.lab")].concat();
    let serial: u32 = random.pick(&[0, 1, 2, 0x7fff_ffff, 0xffff_ffff]);
    for figure in [serial, 60, 10, 604_800, 60] {
        data.extend(figure.to_be_bytes());
    }
    Line {
        owner: wire("lab"),
        rtype: SOA,
        class: IN,
        ttl: 0,
        data,
    }
}

fn break_query(random: &mut Random, case: &mut Case) {
    let line = Line {
        owner: wire("x.lab"),
        rtype: A,
        class: IN,
        ttl: 1,
        data: vec![10, 0, 0, 1],
    };
    case.fault = random.pick(&[
        "opcode",
        "opcode",
        "response",
        "short",
        "no question",
        "two questions",
        "answer",
        "authority",
        "additional",
        "counts",
        "trailing",
        "cut",
        "pointer",
        "label",
        "long name",
        "rcode",
        "two OPT",
        "OPT elsewhere",
        "OPT owner",
    ]);
    match case.fault {
        "opcode" => case.flags |= random.pick(&[1, 2, 3, 4, 6, 7, 15]) << 11,
        "response" => case.flags |= QR,
        "short" => case.cut = usize::MAX,
        "no question" => case.questions.clear(),
        "two questions" => {
            let mut other = case.questions[0].clone();
            other.rtype = random.pick(&[A, TXT]);
            case.questions.push(other);
        }
        "answer" => case.sections[0].push(line),
        "authority" => case.sections[1].push(line),
        "additional" => case.sections[2].push(line),
        "counts" => {
            let mut counts = [1, 0, 0, u16::from(case.edns.is_some())];
            counts[random.below(4)] += 1 + random.below(3) as u16;
            case.counts = Some(counts);
        }
        "trailing" => case.trailing = vec![0; 1 + random.below(20)],
        "cut" => case.cut = 1 + random.below(10),
        // To itself, forwards, into the header, far outside.
        "pointer" => {
            case.questions[0].name = random
                .pick(&[[0xc0, 12], [0xc0, 14], [0xc0, 2], [0xff, 0xff]])
                .to_vec()
        }
        "label" => case.questions[0]
            .name
            .splice(0..0, [random.pick(&[0x40, 0x80, 0xbf]), 1])
            .for_each(drop),
        "long name" => {
            case.questions[0].name = [[1, b'x'].repeat(126 + random.below(3)), wire("lab")].concat()
        }
        "rcode" => case.flags |= 1 + random.below(15) as u16,
        "two OPT" | "OPT elsewhere" | "OPT owner" => {
            let opt = Line {
                owner: vec![0],
                rtype: OPT,
                class: 1232,
                ttl: 0,
                data: Vec::new(),
            };
            match case.fault {
                "two OPT" => {
                    case.edns = Some(edns(random));
                    case.sections[2].push(opt);
                }
                "OPT elsewhere" => case.sections[random.below(2)].push(opt),
                _ => case.sections[2].push(Line {
                    owner: wire("lab"),
                    ..opt
                }),
            }
        }
        _ => unreachable!(),
    }
}
