//! Generated name spaces that our own servers have: zones with delegations, symbolic links that lead into them, and wildcards.

use std::{collections::BTreeMap, fmt::Write, net::SocketAddr};

use common::testing::{self, Folder, Running};
use domain::base::iana::Rtype;

use super::{
    asking::{Iterative, Peer},
    random::Random,
    servers::{start_unbound, until_it_serves},
};

/// A name space: its zones, each on an address of its own.
#[derive(Debug)]
pub(crate) struct OwnNameSpace {
    /// The second byte from the right of the addresses.
    number: u8,
    zones: Vec<OwnZone>,
    /// The questions.
    pub(crate) questions: Vec<(String, Rtype)>,
}

/// A zone, as a names file has it.
#[derive(Debug)]
struct OwnZone {
    name: String,
    /// The names of the file, each with its value.
    entries: Vec<(String, String)>,
}

impl OwnNameSpace {
    /// The name space with this number.
    pub(crate) fn new(number: u8, random: &mut Random) -> Self {
        let top = format!("y{number}.");
        let mut zones = vec![OwnZone::new(top.clone())];
        for child in 1..2 + random.below(4) {
            let above = random.below(zones.len());
            let address = format!("127.0.{number}.{}", child + 1);
            let label = format!("r{child}");
            let name = format!("{label}.{}", zones[above].name);
            zones[above].add(&format!("/{label}"), &format!("delegate:{address}"));
            zones.push(OwnZone::new(name));
        }
        let mut questions = Vec::new();
        for zone in &mut zones {
            let children = zone.children();
            let apex = zone.name.clone();
            for item in 0..3 + random.below(5) {
                let (path, asked) = match random.below(6) {
                    0 | 1 => {
                        zone.add(&format!("d{item}/h"), &format!("10.0.0.{item}"));
                        (
                            format!("/d{item}/h"),
                            vec![format!("h.d{item}"), format!("d{item}")],
                        )
                    }
                    2 => {
                        zone.add(&format!("w{item}/*"), &format!("10.0.1.{item}"));
                        (
                            format!("/w{item}"),
                            vec![format!("any.w{item}"), format!("a.b.w{item}")],
                        )
                    }
                    3 if !children.is_empty() => {
                        // Into the zone of another server, where the name may be or not; below the link as well.
                        let child = random
                            .pick(&children.iter().map(String::as_str).collect::<Vec<_>>())
                            .to_owned();
                        zone.add(&format!("/s{item}"), &format!("symlink:{child}"));
                        (
                            String::new(),
                            vec![
                                format!("h.d0.s{item}"),
                                format!("s{item}"),
                                format!("any.w1.s{item}"),
                            ],
                        )
                    }
                    4 if !children.is_empty() => {
                        let child = random
                            .pick(&children.iter().map(String::as_str).collect::<Vec<_>>())
                            .to_owned();
                        zone.add(
                            &format!("/t{item}"),
                            &format!("symlink:{child}/d{}/h", random.below(4)),
                        );
                        (String::new(), vec![format!("t{item}")])
                    }
                    _ => {
                        zone.add(&format!("/x{item}"), "text:a text");
                        (
                            String::new(),
                            vec![format!("x{item}"), format!("missing{item}")],
                        )
                    }
                };
                if !path.is_empty() && random.percent(30) {
                    zone.add(&format!("/l{item}"), &format!("symlink:{path}"));
                    questions.push(format!("l{item}.{apex}"));
                    questions.push(format!("h.l{item}.{apex}"));
                }
                questions.extend(asked.into_iter().map(|name| format!("{name}.{apex}")));
            }
            questions.push(apex);
        }
        let types = [
            Rtype::A,
            Rtype::A,
            Rtype::TXT,
            Rtype::CNAME,
            Rtype::SOA,
            Rtype::NS,
        ];
        let questions = questions
            .into_iter()
            .map(|name| (name, random.pick(&types)));
        Self {
            number,
            questions: questions.collect(),
            zones,
        }
    }

    fn address(&self, last: usize) -> SocketAddr {
        format!("127.0.{}.{last}:53", self.number).parse().unwrap()
    }

    /// The names files.
    pub(crate) fn files(&self) -> String {
        self.zones
            .iter()
            .map(|zone| format!("; {}\n{}\n", zone.name, zone.file()))
            .collect()
    }
}

impl OwnZone {
    fn new(name: String) -> Self {
        Self {
            name,
            entries: Vec::new(),
        }
    }

    fn add(&mut self, path: &str, value: &str) {
        self.entries.push((path.to_owned(), value.to_owned()));
    }

    /// The paths that are delegated.
    fn children(&self) -> Vec<String> {
        let is_cut = |(_, value): &&(String, String)| value.starts_with("delegate:");
        self.entries
            .iter()
            .filter(is_cut)
            .map(|(path, _)| path.clone())
            .collect()
    }

    fn file(&self) -> String {
        let mut text = String::from("{");
        let mut between = "";
        for (path, value) in &self.entries {
            match path.split_once('/').filter(|(above, _)| !above.is_empty()) {
                Some((above, below)) => {
                    write!(text, "{between}\"{above}\": {{\"{below}\": \"{value}\"}}").unwrap();
                }
                None => write!(text, "{between}\"{path}\": \"{value}\"").unwrap(),
            }
            between = ", ";
        }
        text + "}"
    }
}

/// The servers of such name spaces, and the resolvers in front.
#[derive(Debug)]
pub(crate) struct OwnServers {
    unbound: Peer,
    recursive: Vec<Peer>,
    _processes: Vec<Running>,
    _folder: Folder,
}

impl OwnServers {
    pub(crate) fn start(spaces: &[OwnNameSpace]) -> Self {
        let folder = Folder::new();
        let (mut processes, mut recursive) = (Vec::new(), Vec::new());
        let mut serve = |arguments: &[&str], listen: SocketAddr| {
            let listen = listen.to_string();
            let arguments = [&["serve", "--listen", &listen], arguments].concat();
            let mut server = testing::start(env!("CARGO_BIN_EXE_naming"), &arguments);
            server.ready();
            processes.push(server);
        };
        for space in spaces {
            for (at, zone) in space.zones.iter().enumerate() {
                let file = folder.write(&format!("{}json", zone.name), zone.file());
                let arguments = ["--names", &file, "--zone", &zone.name, "--workers", "1"];
                serve(&arguments, space.address(at + 1));
            }
            let root = space.address(1).to_string();
            serve(
                &["--recursive", "--root", &root, "--cache", "1"],
                space.address(254),
            );
            recursive.push(Peer::new(space.address(254)));
        }
        let stubs = spaces
            .iter()
            .map(|space| (space.zones[0].name.as_str(), space.address(1)));
        processes.push(start_unbound(&folder, stubs));
        let unbound = Peer::new("127.0.0.53:53".parse().unwrap());
        until_it_serves(&unbound, &spaces[0].zones[0].name);
        Self {
            unbound,
            recursive,
            _processes: processes,
            _folder: folder,
        }
    }
}

/// Compares the answers about name spaces of our own servers; how many there are, and those that differ.
pub(crate) fn compare(count: u8, seed: u64) -> (usize, Vec<String>) {
    let mut kinds = BTreeMap::<String, usize>::new();
    let spaces =
        (1..=count).map(|number| OwnNameSpace::new(number, &mut Random(seed + u64::from(number))));
    let spaces: Vec<_> = spaces.collect();
    let servers = OwnServers::start(&spaces);
    let (mut questions, mut wrong) = (0, Vec::new());
    for (space, recursive) in spaces.iter().zip(&servers.recursive) {
        let mut iterative = Iterative::new(space.address(1));
        for (name, rtype) in &space.questions {
            questions += 1;
            let theirs = servers.unbound.ask(name, *rtype);
            let ours = recursive.ask(name, *rtype);
            let walked = iterative.ask(name, *rtype);
            *kinds.entry(theirs.kind()).or_default() += 1;
            if theirs != ours || theirs != walked {
                wrong.push(format!(
                    "{name} {rtype}\n  unbound   {theirs}\n  recursive {ours}\n  iterative {walked}\n{}",
                    space.files()
                ));
            }
        }
    }
    println!("{kinds:?}");
    (questions, wrong)
}
