//! Generated name spaces: a tree of zones over several servers, with everything that a resolver has to follow.

use domain::base::iana::Rtype;

use super::random::Random;

/// The last bytes of the servers' addresses, 127.0.0.N.
pub(crate) const SERVERS: std::ops::RangeInclusive<u8> = 1..=6;

/// A name space.
#[derive(Debug)]
pub(crate) struct NameSpace {
    pub(crate) zones: Vec<Zone>,
    pub(crate) questions: Vec<(String, Rtype)>,
}

/// A zone, and the servers that have it.
#[derive(Debug)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) servers: Vec<u8>,
    lines: Vec<String>,
}

impl Zone {
    fn new(name: String, servers: Vec<u8>) -> Self {
        let soa = format!("{name} 300 IN SOA {name} hostmaster.{name} 1 3600 600 86400 120");
        Self {
            name,
            servers,
            lines: vec![soa],
        }
    }

    fn add(&mut self, owner: &str, rtype: &str, data: &str) {
        self.lines.push(format!("{owner} 300 IN {rtype} {data}"));
    }

    /// The zone file.
    pub(crate) fn file(&self) -> String {
        self.lines.join("\n") + "\n"
    }
}

impl NameSpace {
    /// All zone files, each with its servers.
    pub(crate) fn zone_files(&self) -> String {
        let files = self
            .zones
            .iter()
            .map(|zone| format!("; {} at {:?}\n{}", zone.name, zone.servers, zone.file()));
        files.collect()
    }
}

/// The name space with this number.
pub(crate) fn name_space(index: usize, random: &mut Random) -> NameSpace {
    let mut zones = vec![Zone::new(format!("z{index}."), vec![1])];
    let top = zones[0].name.clone();
    zones[0].add(&top, "NS", &format!("ns.{top}"));
    zones[0].add(&format!("ns.{top}"), "A", "127.0.0.1");
    for number in 1..3 + random.below(5) {
        delegate(&mut zones, number, random);
    }
    // A name refers to names that were made before, so that no aliases form a circle.
    let mut names = Vec::new();
    for at in 0..zones.len() {
        names.push(zones[at].name.clone());
        for number in 0..2 + random.below(6) {
            item(&mut zones, at, number, &mut names, random);
        }
    }
    let types = [
        Rtype::A,
        Rtype::A,
        Rtype::A,
        Rtype::AAAA,
        Rtype::TXT,
        Rtype::MX,
        Rtype::CNAME,
        Rtype::NS,
        Rtype::SOA,
    ];
    let questions = (0..30).map(|_| {
        let name = names[random.below(names.len())].clone();
        let name = match random.below(8) {
            0 => format!("x.{name}"),
            1 => format!("x.y.{name}"),
            2 => name
                .split_once('.')
                .map_or(name.clone(), |(_, above)| above.to_owned()),
            _ => name,
        };
        let name = if name.is_empty() { top.clone() } else { name };
        (name, random.pick(&types))
    });
    NameSpace {
        questions: questions.collect(),
        zones,
    }
}

/// Adds a zone below one of the others.
fn delegate(zones: &mut Vec<Zone>, number: usize, random: &mut Random) {
    let parent = random.below(zones.len());
    let above = zones[parent].name.clone();
    let name = match random.percent(20) {
        true => format!("r{number}.e{number}.{above}"),
        false => format!("r{number}.{above}"),
    };
    let mut servers = Vec::new();
    for _ in 0..1 + random.below(2) {
        let server = SERVERS.start() + random.below(SERVERS.count()) as u8;
        if !servers.contains(&server) {
            servers.push(server);
        }
    }
    let mut zone = Zone::new(name.clone(), servers.clone());
    for (index, server) in servers.into_iter().enumerate() {
        let address = format!("127.0.0.{server}");
        let host = match random.percent(30) {
            // Its address is in a zone that was made before, and is not glue, unless that is the zone above.
            true => {
                let other = random.below(zones.len());
                let host = format!("dns{number}-{index}.{}", zones[other].name);
                zones[other].add(&host, "A", &address);
                host
            }
            false => {
                let host = format!("ns{index}.{name}");
                zones[parent].add(&host, "A", &address);
                zone.add(&host, "A", &address);
                host
            }
        };
        zones[parent].add(&name, "NS", &host);
        zone.add(&name, "NS", &host);
    }
    zones.push(zone);
}

/// Adds a name to a zone.
fn item(
    zones: &mut [Zone],
    at: usize,
    number: usize,
    names: &mut Vec<String>,
    random: &mut Random,
) {
    let apex = zones[at].name.clone();
    let before = names[random.below(names.len())].clone();
    let target = match random.below(6) {
        0 => format!("missing.{before}"),
        _ => before.clone(),
    };
    let earlier = zones[random.below(at + 1)].name.clone();
    let zone = &mut zones[at];
    match random.below(10) {
        0..=2 => {
            let host = format!("h{number}.{apex}");
            for _ in 0..1 + random.below(3) {
                let address = format!("10.{}.{}.{}", random.below(256), random.below(256), number);
                zone.add(&host, "A", &address);
            }
            if random.percent(40) {
                zone.add(&host, "AAAA", &format!("2001:db8::{number}"));
            }
            if random.percent(40) {
                zone.add(&host, "TXT", &format!("\"text {number}\" \"more\""));
            }
            if random.percent(30) {
                zone.add(&host, "MX", &format!("10 {target}"));
            }
            names.push(host);
        }
        3 => {
            // Between the name and the zone is an empty non-terminal.
            let host = format!("a.b.n{number}.{apex}");
            zone.add(&host, "A", &format!("10.0.0.{number}"));
            names.push(host);
            names.push(format!("b.n{number}.{apex}"));
        }
        4 | 5 => {
            let alias = format!("c{number}.{apex}");
            zone.add(&alias, "CNAME", &target);
            names.push(alias);
        }
        6 => {
            let wildcard = format!("*.w{number}.{apex}");
            zone.add(&wildcard, "A", &format!("10.0.1.{number}"));
            if random.percent(50) {
                zone.add(&wildcard, "TXT", "\"wild\"");
            }
            names.push(format!("any.w{number}.{apex}"));
            names.push(format!("any.other.w{number}.{apex}"));
            names.push(format!("w{number}.{apex}"));
        }
        7 if random.percent(10) => {
            let (one, other) = (format!("o{number}.{apex}"), format!("p{number}.{apex}"));
            zone.add(&one, "CNAME", &other);
            zone.add(&other, "CNAME", &one);
            names.push(one);
        }
        7 => {
            zone.add(&format!("*.v{number}.{apex}"), "CNAME", &target);
            names.push(format!("any.v{number}.{apex}"));
        }
        _ => {
            let owner = format!("d{number}.{apex}");
            zone.add(&owner, "DNAME", &earlier);
            // A name below it stands for one that is there, or for none.
            let below = before
                .strip_suffix(&earlier)
                .filter(|below| !below.is_empty());
            names.push(format!("{}{owner}", below.unwrap_or("nothing.")));
            names.push(owner);
        }
    }
}
