//! The resolver of experiment 5: a command that is run once for each name.

use std::{fs, net::Ipv4Addr};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::{Map, Value, json};

use super::{Role, connection::quoted, tidy};
use crate::{
    bench::Bench,
    program::{Ended, Program},
    requirement::{Finding, Probed, Requirement, Status},
    sandbox, stack_trace,
};

/// The handout's flat names.
const FLAT: [(&str, &str); 2] = [("server1", "192.168.1.2"), ("server2", "192.168.1.3")];
/// The handout's structured names.
const STRUCTURED: [(&str, &str); 4] = [
    ("region1/server1", "192.168.1.2"),
    ("region1/server2", "192.168.1.3"),
    ("region2/server3", "192.168.2.1"),
    ("region2/server4", "192.168.2.2"),
];

/// The resolver, being probed: each name starts it anew.
#[derive(Debug)]
pub struct NamingRole<'a> {
    bench: &'a Bench<'a>,
    random: Pcg64Mcg,
}

/// What a run for one name has come to.
struct Answer {
    program: Program,
    ended: Option<Ended>,
    /// What it was asked, in words.
    asked: String,
    printed: String,
    complained: String,
}

impl Answer {
    fn shown(&self) -> String {
        match (self.printed.trim(), self.complained.trim()) {
            ("", "") => "nothing".into(),
            (printed, "") => quoted(printed.as_bytes()),
            ("", complained) => format!("on standard error {}", quoted(complained.as_bytes())),
            (printed, _) => quoted(printed.as_bytes()),
        }
    }

    fn finding(&self, status: Status, what: String, expected: String) -> Finding {
        let finding = Finding::new(status, what).sent(self.asked.as_str());
        let mut finding = finding.received(self.shown()).expected(expected);
        finding.stderr = self.program.last_words();
        finding
    }

    /// What is wrong with how it ended, whatever it has printed.
    fn is_whole(&self, expected: &str) -> Probed {
        let failed = |status, what| Err(self.finding(status, what, expected.to_owned()));
        if self.program.breached().is_some() {
            let finding = self.finding(Status::Crash, String::new(), expected.to_owned());
            return Err(self.program.explain(finding));
        }
        let all = format!("{}\n{}", self.printed, self.complained);
        match self.ended {
            None => failed(Status::Timeout, "it does not end in time".into()),
            Some(Ended::Code(126 | 127)) => {
                failed(Status::NotStarted, "its command cannot be started".into())
            }
            Some(ended @ Ended::Signal(_)) => failed(Status::Crash, ended.words()),
            Some(Ended::Code(_)) => match stack_trace::find(&all) {
                Some(error) => failed(Status::Crash, format!("it ends in a stack trace: {error}")),
                None => Ok(()),
            },
        }
    }
}

impl<'a> NamingRole<'a> {
    /// A resolver that was not asked yet.
    pub fn new(bench: &'a Bench<'a>) -> Self {
        Self {
            bench,
            random: Pcg64Mcg::seed_from_u64(bench.seed()),
        }
    }

    fn ask(&self, scheme: &str, name: &str) -> Result<Answer, Finding> {
        let names = sandbox::names_file(self.bench.isolation());
        let names = names.to_string_lossy();
        let words = [
            ("scheme", scheme),
            ("name", name),
            ("path", &name.replace('/', " ")),
            ("names", &names),
        ];
        let mut program = self.bench.start_with(&words)?;
        program.close_stdin();
        let ended = program.wait_ended(self.bench.deadline());
        Ok(Answer {
            ended,
            asked: format!("the {scheme} name {name}"),
            printed: program.printed(),
            complained: program.complained(),
            program,
        })
    }

    /// Asks for names that are there.
    fn resolves(&self, scheme: &str, names: &[(&str, &str)]) -> Probed {
        for (name, address) in names {
            let answer = self.ask(scheme, name)?;
            let expected = format!("{address}, and no other address");
            answer.is_whole(&expected)?;
            let found = addresses(&answer.printed);
            let is_it = |found: &Ipv4Addr| found.to_string() == *address;
            if found.is_empty() || !found.iter().all(is_it) {
                let what = match found.as_slice() {
                    [] => format!("it prints no address for {name}"),
                    _ => format!("it prints another address for {name}"),
                };
                return Err(answer.finding(Status::WrongAnswer, what, expected));
            }
        }
        Ok(())
    }

    /// Asks for names that are not there.
    fn misses(&self, scheme: &str, names: &[&str]) -> Probed {
        for name in names {
            let answer = self.ask(scheme, name)?;
            let expected = "a word that there is no such name, and no stack trace".to_owned();
            answer.is_whole(&expected)?;
            let is_silent = answer.printed.trim().is_empty() && answer.complained.trim().is_empty();
            let what = match addresses(&answer.printed).first() {
                Some(address) => format!("it prints {address} for {name}, which does not exist"),
                None if is_silent => format!("it says nothing about {name}, which does not exist"),
                None => continue,
            };
            return Err(answer.finding(Status::WrongAnswer, what, expected));
        }
        Ok(())
    }

    /// Writes the names file that the command is given.
    fn write(&self, names: &Value) -> Probed {
        let path = sandbox::names_file(self.bench.isolation());
        fs::write(&path, names.to_string())
            .map_err(|error| Finding::grader(format!("the names file: {error}")))
    }

    fn handout(&self) -> Probed {
        let object = |names: &[(&str, &str)]| -> Map<String, Value> {
            let names = names.iter();
            names
                .map(|(name, address)| ((*name).to_owned(), json!(address)))
                .collect()
        };
        let mut all = object(&FLAT);
        for region in ["region1", "region2"] {
            let below: Vec<_> = STRUCTURED
                .iter()
                .filter_map(|(name, address)| {
                    Some((name.strip_prefix(region)?.strip_prefix('/')?, *address))
                })
                .collect();
            all.insert(region.to_owned(), object(&below).into());
        }
        self.write(&all.into())
    }

    /// A names file that nobody has seen before, and its names.
    fn unseen(&mut self) -> Probed {
        let (one, two) = (self.address(), self.address());
        let number = self.random.random_range(10..1000);
        let (flat, region) = (format!("host{number}"), format!("lab{number}"));
        let mut below = Map::new();
        below.insert("door".into(), json!(two));
        let mut names = Map::new();
        names.insert(flat.clone(), json!(one));
        names.insert(region.clone(), below.into());
        self.write(&names.into())?;
        self.resolves("flat", &[(&flat, &one)])?;
        self.resolves("structured", &[(&format!("{region}/door"), &two)])
    }

    fn nested(&mut self) -> Probed {
        let (deep, shallow) = (self.address(), self.address());
        self.write(&json!({"eu": {"north": {"oslo": {"server7": deep}}, "server8": shallow}}))?;
        self.resolves(
            "structured",
            &[("eu/north/oslo/server7", &deep), ("eu/server8", &shallow)],
        )
    }

    fn address(&mut self) -> String {
        let mut part = || self.random.random_range(1..255_u8);
        Ipv4Addr::new(10, part(), part(), part()).to_string()
    }

    fn tidy(&self) -> Probed {
        let answer = self.ask("flat", FLAT[0].0)?;
        answer.is_whole("an answer")?;
        tidy::check(self.bench, &answer.program)
    }
}

impl Role for NamingRole<'_> {
    const REQUIREMENTS: &'static [Requirement] = &[
        Requirement {
            id: "flat",
            points: 3,
            sentence: "resolves each flat name of the handout",
            source: "experiment 5, flat_naming.py",
            needs: None,
            when: None,
        },
        Requirement {
            id: "structured",
            points: 3,
            sentence: "resolves each structured name of the handout",
            source: "experiment 5, structured_naming.py",
            needs: None,
            when: None,
        },
        Requirement {
            id: "missing-name",
            points: 2,
            sentence: "says that a name does not exist, without a stack trace",
            source: "experiment 5: a missing name prints None",
            needs: Some("flat"),
            when: None,
        },
        Requirement {
            id: "missing-region",
            points: 2,
            sentence: "says that a region does not exist, without a stack trace",
            source: "experiment 5: a missing region ends in a KeyError in the handout",
            needs: Some("structured"),
            when: None,
        },
        Requirement {
            id: "names-file",
            points: 2,
            sentence: "resolves the names of a file that it has never seen",
            source: "experiment 5: name resolution by dictionaries, whatever is in them",
            needs: None,
            when: Some("{names}"),
        },
        Requirement {
            id: "nested",
            points: 2,
            sentence: "resolves names in regions of regions",
            source: "experiment 5: hierarchical naming",
            needs: Some("names-file"),
            when: Some("{names}"),
        },
        tidy::requirement(None),
    ];

    fn probe(&mut self, id: &str) -> Probed {
        self.handout()?;
        match id {
            "flat" => self.resolves("flat", &FLAT),
            "structured" => self.resolves("structured", &STRUCTURED),
            "missing-name" => {
                self.misses("flat", &["server9"])?;
                self.misses("structured", &["region1/server9"])
            }
            "missing-region" => self.misses("structured", &["region9/server1"]),
            "names-file" => self.unseen(),
            "nested" => self.nested(),
            "tidy" => self.tidy(),
            _ => Err(Finding::grader(format!("there is no probe of {id}"))),
        }
    }
}

/// The IPv4 addresses in a text.
fn addresses(text: &str) -> Vec<Ipv4Addr> {
    let words = text.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
    words
        .filter_map(|word| word.trim_matches('.').parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::addresses;

    #[test]
    fn an_address_is_found_in_a_sentence() {
        assert_eq!(
            addresses("IP address of server1: 192.168.1.2.\n"),
            ["192.168.1.2".parse::<std::net::Ipv4Addr>().unwrap()]
        );
        assert!(addresses("None 1.2.3 server1").is_empty());
    }
}
