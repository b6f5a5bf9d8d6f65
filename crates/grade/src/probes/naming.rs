//! The resolver of experiment 5: a command that is run once for each name.

use std::net::Ipv4Addr;

use common::sys::processes::is_no_command;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::{
    Role,
    connection::quoted,
    names::{self, FLAT, NamesFile, STRUCTURED},
    tidy,
};
use crate::{
    bench::Bench,
    program::{Ended, Program, words},
    requirement::{Finding, Probed, Requirement, Status},
    sandbox, stack_trace,
};

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
            Some(Ended::Code(code)) if is_no_command(code) => {
                failed(Status::NotStarted, "its command cannot be started".into())
            }
            Some(ended @ Ended::Signal(_)) => failed(Status::Crash, words(ended)),
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
        let file = sandbox::names_file(self.bench.isolation());
        let file = file.to_string_lossy();
        let words = [
            ("scheme", scheme),
            ("name", name),
            ("path", &name.replace('/', " ")),
            ("names", &file),
        ];
        let mut program = self.bench.start_with(&words)?;
        program.close_stdin();
        let ended = program.wait_ended(self.bench.start_deadline());
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

    /// Asks for the names of a file that it has never seen.
    fn reads(&self, file: &NamesFile) -> Probed {
        names::write(self.bench, &file.content)?;
        for (scheme, names) in [("flat", &file.flat), ("structured", &file.structured)] {
            let names: Vec<(&str, &str)> = names
                .iter()
                .map(|(name, address)| (name.as_str(), address.as_str()))
                .collect();
            self.resolves(scheme, &names)?;
        }
        Ok(())
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
        names::write(self.bench, &names::handout())?;
        match id {
            "flat" => self.resolves("flat", &FLAT),
            "structured" => self.resolves("structured", &STRUCTURED),
            "missing-name" => {
                self.misses("flat", &["server9"])?;
                self.misses("structured", &["region1/server9"])
            }
            "missing-region" => self.misses("structured", &["region9/server1"]),
            "names-file" => {
                let file = names::unseen(&mut self.random);
                self.reads(&file)
            }
            "nested" => {
                let file = names::nested(&mut self.random);
                self.reads(&file)
            }
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
