//! A short run of the targets of `scripts/fuzz.sh naming`: valid input with random errors, the same each time.

#[path = "../fuzz/targets.rs"]
mod targets;

/// A zone file with records of every kind.
const ZONE: &str = "$ORIGIN lab.\n$TTL 60\n@ IN SOA lab. hostmaster.lab. ( 1 2 3 4 5 )\n NS lab.\n\
    server1.flat A 192.168.1.2\nalias.flat CNAME server1.flat\na.region1 A 10.0.0.1\n TXT \"x\\\"y\\007\" z\n\
    b.region1 A 10.0.0.1\nb.region1 TYPE65280 \\# 15 01610772656769 6f6e31036c616200\neast DNAME region1.lab.\n\
    c.region1 NS c.region1\nc.region1 A 127.0.0.2\nd NS ns.d\nns.d 60 AAAA ::2\n";

/// A zone file as BIND has it.
const BIND_ZONE: &str = "$ttl 1d\n\"a b\" 6h IN A 10.0.0.1 ; x\n\tIN 1w2d TXT ( \"x\"\"y\" gr\u{fc}n\n z\\;\\255 )\n\
    $GENERATE 1-9/2 h${-1,3,x}.${0,4,n}g 60 A 10.0.0.$\n$GENERATE 0-1 t$ TXT \"\\\"a $\\\" $$\"\n$ORIGIN sub\n\
    _s._tcp SRV 1 2 3 a\\032b\n* A \\# 4 0a00 0001\nc CNAME @\n";

/// A file of keys.
const KEYS: &str = "/* two */ key \"lab\" {\n algorithm hmac-sha256; // x\n secret \"c2VjcmV0\"; # y\n};\n\
    key two{secret c2VjcmV0;algorithm HMAC-SHA512-256;};\n";

/// How many inputs each target gets.
const RUNS: u64 = 20_000;

/// Random random, the same each time (Vigna's SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// Changes, removes, inserts, or copies a few bytes.
    fn mutate(&mut self, text: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(text.len());
            match self.below(5) {
                0 if !text.is_empty() => text[at] = self.next() as u8,
                1 if !text.is_empty() => text[at] ^= 1 << self.below(8),
                2 => drop(text.splice(at..(at + self.below(6)).min(text.len()), [])),
                3 => text.insert(at, [0, 0xc0, 0xff, 63, b'"', b'{'][self.below(6)]),
                _ => {
                    let end = (at + self.below(12)).min(text.len());
                    let part = text[at..end].to_vec();
                    let to = self.below(text.len());
                    drop(text.splice(to..to, part));
                }
            }
        }
    }
}

fn run(seeds: &[Vec<u8>], target: fn(&[u8])) {
    let mut random = Random(1);
    for seed in seeds {
        target(seed);
    }
    for _ in 0..RUNS {
        let mut text = seeds[random.below(seeds.len())].clone();
        random.mutate(&mut text);
        target(&text);
    }
}

/// A name on the wire.
fn wire(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    let mut wire: Vec<u8> = labels
        .flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat())
        .collect();
    wire.push(0);
    wire
}

fn packet_seeds() -> Vec<Vec<u8>> {
    let query = |name: &str, rtype: u16| {
        let mut message = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        message.extend(wire(name));
        message.extend([rtype.to_be_bytes(), [0, 1]].concat());
        message
    };
    let mut seeds: Vec<Vec<u8>> = [
        ("server1.flat.lab", 1),
        ("many.flat.lab", 255),
        ("a.rack.ways.east.lab", 1),
        ("lab", 252),
        ("1.0.0.10.in-addr.arpa", 12),
        ("x.region2.lab", 1),
        ("across.flat.lab", 1),
    ]
    .into_iter()
    .map(|(name, rtype)| query(name, rtype))
    .collect();
    // A transfer of the changes since a serial, the newest one and others.
    for serial in [0_u32, 1, 1 << 31] {
        let mut changes = query("lab", 251);
        changes[9] = 1;
        changes.extend(wire("lab"));
        changes.extend([0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0]);
        changes.extend(serial.to_be_bytes());
        changes.extend([0; 16]);
        seeds.push(changes);
    }
    let mut edns = seeds[0].clone();
    edns[11] = 1;
    edns.extend([0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0]);
    let mut signed = seeds[0].clone();
    signed[11] = 1;
    signed.extend(wire("lab"));
    signed.extend([0, 250, 0, 255, 0, 0, 0, 0, 0, 61]);
    signed.extend(wire("hmac-sha256"));
    signed.extend([0, 0, 0x6a, 0, 0, 0, 1, 0x2c, 0, 32]);
    signed.extend([7; 32]);
    signed.extend([0, 7, 0, 0, 0, 0]);
    seeds.extend([edns, signed]);
    for (rtype, class, data) in [
        (1_u16, 1_u8, vec![10, 0, 0, 9]),
        (5, 1, wire("server1.flat.lab")),
        (65_280, 1, wire("server1.flat.lab")),
        (65_281, 1, wire("x.lab")),
        (65_282, 1, vec![4, 127, 0, 0, 4]),
        (2, 1, wire("a.rack.region1.lab")),
        (255, 255, vec![]),
        (1, 254, vec![10, 0, 0, 1]),
    ] {
        let mut update = vec![0, 7, 0x28, 0, 0, 1, 0, 1, 0, 1, 0, 0];
        update.extend(wire("lab"));
        update.extend([0, 6, 0, 1]);
        // The prerequisite that a name does not exist, and a change of another.
        update.extend(wire("n.lab"));
        update.extend([0, 255, 0, 254, 0, 0, 0, 0, 0, 0]);
        update.extend(wire("a.rack.region1.lab"));
        update.extend([rtype.to_be_bytes(), [0, class]].concat());
        update.extend([0, 0, 0, 0]);
        update.extend((data.len() as u16).to_be_bytes());
        update.extend(data);
        seeds.push(update);
    }
    seeds
}

#[test]
fn malformed_packets_do_no_harm() {
    let seeds = packet_seeds();
    if let Some(folder) = std::env::var_os("NAMING_SEEDS") {
        write_seeds(&folder);
    }
    run(&seeds, targets::packet);
}

/// Replies of every kind.
fn reply_seeds() -> Vec<Vec<u8>> {
    let soa = [wire("lab"), wire("lab"), vec![0; 20]].concat();
    let glue = ("ns.region1.lab", 1, vec![127, 0, 0, 2]);
    type Lines = Vec<(&'static str, u8, Vec<u8>)>;
    let replies: Vec<(u8, u8, [Lines; 3])> = vec![
        (
            4,
            0,
            [vec![(targets::ASKED, 1, vec![10, 0, 0, 1])], vec![], vec![]],
        ),
        (
            4,
            0,
            [vec![(targets::ASKED, 5, wire("w.lab"))], vec![], vec![]],
        ),
        (
            4,
            0,
            [
                vec![
                    ("region1.lab", 39, wire("lab")),
                    ("www.lab", 1, vec![10, 0, 0, 1]),
                ],
                vec![],
                vec![],
            ],
        ),
        (4, 3, [vec![], vec![("lab", 6, soa)], vec![]]),
        (
            0,
            0,
            [
                vec![],
                vec![("region1.lab", 2, wire("ns.region1.lab"))],
                vec![glue],
            ],
        ),
        (0, 0, [vec![], vec![("lab", 2, wire("ns.lab"))], vec![]]),
        (2, 0, Default::default()),
        (0, 1, Default::default()),
    ];
    let message = |(flags, code, sections): (u8, u8, [Lines; 3])| {
        let counts = sections
            .each_ref()
            .map(|lines| [0, lines.len() as u8])
            .concat();
        let mut message = [&[0, 7, 0x80 | flags, code, 0, 1][..], &counts].concat();
        message.extend(wire(targets::ASKED));
        message.extend([0, 1, 0, 1]);
        for (owner, rtype, data) in sections.into_iter().flatten() {
            message.extend(wire(owner));
            message.extend([0, rtype, 0, 1, 0, 0, 0, 60, 0, data.len() as u8]);
            message.extend(data);
        }
        message
    };
    replies.into_iter().map(message).collect()
}

#[test]
fn malformed_replies_do_no_harm() {
    run(&reply_seeds(), targets::reply);
}

/// For `scripts/fuzz.sh`: the first inputs of the fuzzer.
fn write_seeds(folder: &std::ffi::OsStr) {
    for (target, seeds) in [
        ("packet", packet_seeds()),
        ("reply", reply_seeds()),
        ("zone", vec![ZONE.into(), BIND_ZONE.into()]),
        ("names", vec![targets::NAMES.into()]),
        ("keys", vec![KEYS.into()]),
    ] {
        let folder = std::path::Path::new(folder).join(target);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds.into_iter().enumerate() {
            std::fs::write(folder.join(number.to_string()), seed).unwrap();
        }
    }
}

#[test]
fn malformed_zone_files_do_no_harm() {
    let zones = naming::dns::owner::Zones::new("lab.").unwrap();
    for zone in [ZONE, BIND_ZONE] {
        let read = naming::zonefile::parse("zone".as_ref(), zone.as_bytes(), &zones);
        assert!(read.is_ok(), "{read:?}");
    }
    run(&[ZONE.into(), BIND_ZONE.into()], targets::zone);
}

#[test]
fn malformed_names_files_do_no_harm() {
    run(&[targets::NAMES.into()], targets::names);
}

#[test]
fn malformed_key_files_do_no_harm() {
    run(&[KEYS.into()], targets::keys);
}
