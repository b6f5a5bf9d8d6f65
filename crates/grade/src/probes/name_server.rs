//! A name server: one that runs already, or one that the command starts. It is asked over DNS by the resolver of the program
//! `naming`.

mod datagram;
mod requirements;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use common::shutdown::Shutdown;
use domain::base::{
    Message,
    iana::{Rcode, Rtype},
};
use naming::{
    client::{Client, NOBODY},
    dns::{
        owner::{Owner, Zones},
        shown,
    },
    name::Place,
};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

use super::{
    Role,
    names::{self, NamesFile},
    started::{Started, bound_udp},
    tidy,
};
use crate::{
    bench::Bench,
    program::Program,
    requirement::{Finding, Probed, Requirement, Status},
    sandbox,
    served::{Known, Served},
};

/// The zone of the names.
const ZONE: &str = "lab";
/// How long a datagram that is no answer is waited for, to say what came instead of one.
const INSTEAD: Duration = Duration::from_secs(1);

/// The name server, being probed: one start of it serves many probes.
#[derive(Debug)]
pub struct NameServerRole<'a> {
    bench: &'a Bench<'a>,
    servers: &'a [SocketAddr],
    served: &'a Served,
    zones: Zones,
    shutdown: Shutdown,
    started: Started,
    /// The names file with which it was started.
    names: Value,
    random: Pcg64Mcg,
    has_answered: bool,
}

/// An answer to a question.
struct Answer {
    owner: Owner,
    rtype: Rtype,
    message: Vec<u8>,
    question: String,
}

impl Answer {
    fn rcode(&self) -> Rcode {
        Message::from_octets(&self.message)
            .map_or(Rcode::SERVFAIL, |message| message.header().rcode())
    }

    /// The data of the records that answer the question.
    fn data(&self) -> Result<Vec<String>, String> {
        let records = shown::chain(&self.message, &self.owner, self.rtype)?;
        Ok(records.iter().map(shown::data).collect())
    }

    fn wrong(&self, what: impl Into<String>, expected: &str) -> Finding {
        let finding = Finding::new(Status::WrongAnswer, what).sent(self.question.as_str());
        finding
            .received(shown::outcome(&self.message))
            .expected(expected)
    }
}

impl<'a> NameServerRole<'a> {
    /// A server that was not asked yet.
    ///
    /// # Errors
    /// When the job is not that of a name server, or the system has no descriptor left.
    pub fn new(bench: &'a Bench<'a>) -> io::Result<Self> {
        let job = bench.named().filter(|named| !named.addresses.is_empty());
        let job = job.ok_or_else(|| io::Error::other("no name server to ask"))?;
        Ok(Self {
            bench,
            servers: &job.addresses,
            served: &job.served,
            zones: Zones::new(ZONE).map_err(io::Error::other)?,
            shutdown: Shutdown::new()?,
            started: Started::default(),
            names: Value::Null,
            random: Pcg64Mcg::seed_from_u64(bench.seed()),
            has_answered: false,
        })
    }

    /// Whether the server runs without the grader.
    fn runs_already(&self) -> bool {
        self.bench.command().is_empty()
    }

    /// Starts it with these names, unless it runs with them.
    fn start(&mut self, names: Value) -> Probed {
        if self.runs_already() || self.names == names && self.started.is_running() {
            return Ok(());
        }
        if let Some(program) = self.started.program.take() {
            program.end();
        }
        names::write(self.bench, &names)?;
        self.names = names;
        let file = sandbox::names_file(self.bench.isolation());
        let program = self
            .bench
            .start_with(&[("names", &file.to_string_lossy())])?;
        let program = self.started.program.insert(program);
        let port = self.servers[0].port();
        let expected = format!("a name server on UDP port {port}");
        let deadline = self.bench.start_deadline();
        bound_udp(program, deadline, port, expected)
    }

    fn owner(&self, name: &str) -> Result<Owner, Finding> {
        let place: Result<Place, _> = name.parse();
        let place = place.map_err(|failure| failure.to_string());
        let owner = place.and_then(|place| self.zones.owner(&place));
        owner.map_err(|why| Finding::grader(format!("name {name}: {why}")))
    }

    fn ask(&mut self, name: &str, rtype: Rtype) -> Result<Answer, Finding> {
        let owner = self.owner(name)?;
        let question = format!("a query for {owner} {rtype}");
        let servers = self.servers.to_vec();
        let client = Client::of(servers, self.bench.timeout(), &self.shutdown);
        let begun = Instant::now();
        match client.ask(&owner, rtype) {
            Ok(answer) => {
                self.has_answered = true;
                Ok(Answer {
                    owner,
                    rtype,
                    message: answer.message,
                    question,
                })
            }
            Err(failure) => {
                let server = client.server();
                let is_late = begun.elapsed() >= self.bench.timeout();
                let finding = match failure.why.as_str() {
                    NOBODY if self.has_answered => {
                        let what = format!("nothing listens on UDP {server} any more");
                        Finding::new(Status::Crash, what).received("nothing")
                    }
                    NOBODY => {
                        let what = format!("nothing listens on UDP {server}");
                        Finding::new(Status::NotStarted, what).received("nothing")
                    }
                    _ if is_late => self.silence(&owner, rtype, server),
                    why => Finding::new(Status::WrongAnswer, why),
                };
                Err(finding.sent(question).expected("an answer"))
            }
        }
    }

    /// Why there was no answer: nothing came, or what came is none.
    fn silence(&self, owner: &Owner, rtype: Rtype, server: SocketAddr) -> Finding {
        let limit = INSTEAD.min(self.bench.timeout());
        match datagram::instead_of_an_answer(server, owner, rtype, limit) {
            Some(received) => {
                let what = "what it sends does not answer the query";
                Finding::new(Status::WrongAnswer, what).received(received)
            }
            None => {
                let seconds = self.bench.timeout().as_secs_f64();
                let what = format!("no answer within {seconds:.1} s");
                Finding::new(Status::Timeout, what).received("nothing")
            }
        }
    }

    /// Asks for names that are there.
    fn resolves(&mut self, names: &[Known]) -> Probed {
        for known in names {
            for (rtype, is_v4) in [(Rtype::A, true), (Rtype::AAAA, false)] {
                let of_type = known
                    .addresses
                    .iter()
                    .filter(|address| address.is_ipv4() == is_v4);
                let mut wanted: Vec<String> = of_type.map(IpAddr::to_string).collect();
                if wanted.is_empty() {
                    continue;
                }
                let expected = wanted.join(", ");
                let answer = self
                    .ask(&known.name, rtype)
                    .map_err(|finding| finding.expected(&*expected))?;
                let mut data = answer.data().map_err(|why| answer.wrong(why, &expected))?;
                wanted.sort_unstable();
                data.sort_unstable();
                data.dedup();
                let what = match answer.rcode() {
                    Rcode::NOERROR if data == wanted => continue,
                    Rcode::NOERROR if data.is_empty() => {
                        format!("it has no address for {}", known.name)
                    }
                    Rcode::NOERROR => format!("it has another address for {}", known.name),
                    Rcode::NXDOMAIN => format!("it says that {} does not exist", known.name),
                    rcode => format!("it answers {}", shown::rcode(rcode)),
                };
                return Err(answer.wrong(what, &expected));
            }
        }
        Ok(())
    }

    /// Asks for names that are not there.
    fn misses(&mut self, names: &[String]) -> Probed {
        let expected = "NXDOMAIN: there is no such name";
        for name in names {
            let answer = self
                .ask(name, Rtype::A)
                .map_err(|finding| finding.expected(expected))?;
            let has_records = !shown::answers(&answer.message).is_empty();
            let what = match answer.rcode() {
                Rcode::NXDOMAIN if !has_records => continue,
                Rcode::NXDOMAIN => {
                    format!("it says that {name} does not exist, and has records for it")
                }
                Rcode::NOERROR if has_records => {
                    format!("it has an address for {name}, which does not exist")
                }
                Rcode::NOERROR => format!("it says that {name} exists and has no address"),
                rcode => format!("it answers {} for {name}", shown::rcode(rcode)),
            };
            return Err(answer.wrong(what, expected));
        }
        Ok(())
    }

    /// Asks for an IPv6 address of a name that has none.
    fn has_no_data(&mut self) -> Probed {
        let Some(name) = self.name_without_ipv6() else {
            return Ok(());
        };
        let expected = "NOERROR, and no record in the answer";
        let answer = self
            .ask(&name, Rtype::AAAA)
            .map_err(|finding| finding.expected(expected))?;
        let what = match answer.rcode() {
            Rcode::NOERROR if shown::answers(&answer.message).is_empty() => return Ok(()),
            Rcode::NOERROR => {
                "it answers with a record of another type, or an address that is not there"
                    .to_owned()
            }
            Rcode::NXDOMAIN => format!("it says that {name} does not exist"),
            rcode => format!("it answers {}", shown::rcode(rcode)),
        };
        Err(answer.wrong(what, expected))
    }

    fn all(&self) -> impl Iterator<Item = &'a Known> + use<'a> {
        let served = self.served;
        served
            .flat
            .iter()
            .chain(&served.structured)
            .chain(&served.nested)
    }

    fn name_without_ipv6(&self) -> Option<String> {
        let is_v4 = |known: &&Known| known.addresses.iter().all(IpAddr::is_ipv4);
        Some(self.all().find(is_v4)?.name.clone())
    }

    /// The first name that it has.
    fn first(&self) -> Result<Known, Finding> {
        let first = self.all().next().cloned();
        first.ok_or_else(|| Finding::grader("no name to ask for"))
    }

    fn first_type(&self, known: &Known) -> Rtype {
        match known.addresses.first() {
            Some(IpAddr::V6(_)) => Rtype::AAAA,
            _ => Rtype::A,
        }
    }

    /// Sends datagrams that are no queries, and then asks.
    fn survives(&mut self) -> Probed {
        let first = self.first()?;
        for (name, bytes) in datagram::odd(&mut self.random) {
            let server = self.servers[0];
            datagram::send(server, &bytes)
                .map_err(|why| Finding::grader(format!("send to {server}: {why}")))?;
            let rtype = self.first_type(&first);
            self.ask(&first.name, rtype).map_err(|finding| {
                let asked = finding.sent.clone().unwrap_or_default();
                finding.sent(format!("{name}; then {asked}"))
            })?;
        }
        Ok(())
    }

    /// Starts it with the names of a file that it has never seen, and asks for them.
    fn reads(&mut self, file: &NamesFile) -> Probed {
        self.start(file.content.clone())?;
        let names = file.flat.iter().chain(&file.structured);
        let known = names.map(|(name, address)| {
            let address = address.parse::<IpAddr>();
            Known {
                name: name.clone(),
                addresses: address.into_iter().collect(),
            }
        });
        self.resolves(&known.collect::<Vec<_>>())
    }

    fn probe_one(&mut self, id: &str) -> Probed {
        let served = self.served;
        match id {
            "answers" => {
                let first = self.first()?;
                let rtype = self.first_type(&first);
                self.ask(&first.name, rtype).map(drop)
            }
            "flat" => self.resolves(&served.flat),
            "structured" => self.resolves(&served.structured),
            "missing-name" => self.misses(&served.missing),
            "missing-region" => self.misses(&served.missing_region),
            "longer" => self.misses(&served.longer),
            "no-data" => self.has_no_data(),
            "odd" => self.survives(),
            "names-file" => {
                let file = names::unseen(&mut self.random);
                self.reads(&file)
            }
            "nested" if !served.nested.is_empty() => self.resolves(&served.nested),
            "nested" => {
                let file = names::nested(&mut self.random);
                self.reads(&file)
            }
            "tidy" => {
                let first = self.first()?;
                let rtype = self.first_type(&first);
                self.ask(&first.name, rtype)?;
                tidy::check(self.bench, self.program()?)
            }
            _ => Err(Finding::grader(format!("there is no probe of {id}"))),
        }
    }

    fn program(&self) -> Result<&Program, Finding> {
        self.started.program("name server")
    }
}

impl Role for NameServerRole<'_> {
    const REQUIREMENTS: &'static [Requirement] = requirements::ALL;

    fn probe(&mut self, id: &str) -> Probed {
        if self.runs_already() {
            return self.probe_one(id);
        }
        self.has_answered = false;
        if !matches!(id, "names-file" | "nested") {
            self.start(names::handout())?;
        }
        let probed = self.probe_one(id);
        self.started.explained(probed)
    }

    fn is_spent(&self) -> bool {
        self.started.is_spent
    }
}
