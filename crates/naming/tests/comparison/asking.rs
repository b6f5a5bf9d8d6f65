//! How the resolvers are asked, and what is compared of their answers.

use std::{
    collections::BTreeSet,
    fmt,
    io::{Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    time::{Duration, Instant},
};

use domain::base::iana::{Rcode, Rtype};
use naming::{
    dns::{owner::Owner, shown},
    exchange::{Exchange, Socket},
    resolver::{Ask, Cache, Fault, Outcome, Output, Reply, Resolution, Roots, RrSet, World, query},
};

/// How long a resolver may take.
const LONG: Duration = Duration::from_secs(20);

/// What is compared: the code, and the records of the answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Answer {
    code: String,
    records: BTreeSet<String>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records: Vec<_> = self.records.iter().map(String::as_str).collect();
        write!(f, "{} {}", self.code, records.join("; "))
    }
}

impl Answer {
    /// What kind of answer it is.
    pub(crate) fn kind(&self) -> String {
        let is_alias = |line: &String| line.contains(" CNAME ");
        let how = match self.records.iter().any(is_alias) {
            true => " by alias",
            false if self.records.is_empty() && self.code == "NOERROR" => " without records",
            false => "",
        };
        format!("{}{how}", self.code)
    }

    fn of(code: Rcode, sets: &[RrSet]) -> Self {
        let records = sets.iter().flat_map(|set| {
            let lines = set.data.iter().map(|data| {
                format!(
                    "{} {} {}",
                    set.owner,
                    set.rtype,
                    shown::raw(set.rtype, data).to_lowercase()
                )
            });
            lines.collect::<Vec<_>>()
        });
        Self {
            code: code.to_string(),
            records: records.collect(),
        }
    }
}

/// A resolver or a server that is asked over the network.
#[derive(Debug)]
pub(crate) struct Peer {
    address: SocketAddr,
    udp: UdpSocket,
}

impl Peer {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.connect(address).unwrap();
        Self { address, udp }
    }

    /// The answer to a recursive query.
    pub(crate) fn ask(&self, name: &str, rtype: Rtype) -> Answer {
        let message = query(id(name), &name.parse().unwrap(), rtype, true, true);
        let reply = self.exchange(&message, LONG);
        let reply =
            reply.unwrap_or_else(|| panic!("{} does not answer {name} {rtype}", self.address));
        let reply = match reply.truncated {
            true => self.over_tcp(&message),
            false => reply,
        };
        Answer::of(reply.rcode(), &reply.answer)
    }

    /// Whether it answers for a zone.
    pub(crate) fn serves(&self, zone: &str) -> bool {
        let message = query(id(zone), &zone.parse().unwrap(), Rtype::SOA, true, true);
        let reply = self.exchange(&message, Duration::from_millis(100));
        reply.is_some_and(|reply| reply.code == 0 && !reply.answer.is_empty())
    }

    fn exchange(&self, message: &[u8], limit: Duration) -> Option<Reply> {
        let until = Instant::now() + limit;
        if self.udp.send(message).is_err() {
            std::thread::yield_now();
        }
        let mut buffer = vec![0; 65_535];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.udp.set_read_timeout(Some(left)).unwrap();
            match self.udp.recv(&mut buffer) {
                Ok(length) if buffer[..2] == message[..2] => return Reply::read(&buffer[..length]),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => return None,
                Err(_) => {}
            }
        }
    }

    fn over_tcp(&self, message: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let length = (message.len() as u16).to_be_bytes();
        stream.write_all(&[&length, message].concat()).unwrap();
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut reply).unwrap();
        Reply::read(&reply).unwrap()
    }
}

fn id(name: &str) -> u16 {
    name.bytes().fold(7, |id: u16, byte| {
        id.wrapping_mul(31).wrapping_add(byte.into())
    })
}

/// The state machine on sockets of its own.
#[derive(Debug)]
pub(crate) struct Iterative {
    cache: Cache,
    roots: Roots,
    begun: Instant,
    random: u16,
}

impl Iterative {
    /// A walk that begins at this server.
    pub(crate) fn new(root: SocketAddr) -> Self {
        Self {
            cache: Cache::new(1 << 20),
            roots: Roots::new(vec![root]).unwrap(),
            begun: Instant::now(),
            random: 0,
        }
    }

    /// The answer, by the client's own walk.
    pub(crate) fn ask(&mut self, name: &str, rtype: Rtype) -> Answer {
        let roots = self.roots.clone();
        let deadline = self.begun.elapsed() + LONG;
        let name: Owner = name.parse().unwrap();
        let mut resolution = Resolution::new(name, rtype, roots, deadline);
        let mut output = self.step(&mut resolution, Resolution::start);
        loop {
            output = match output {
                Output::Done(Outcome::Answer(answer)) => {
                    return Answer::of(answer.rcode, &answer.records);
                }
                Output::Done(Outcome::Failed(_)) => return Answer::of(Rcode::SERVFAIL, &[]),
                Output::Ask(ask) => self.exchange(&mut resolution, &ask),
                Output::Wait => panic!("it waits for nothing"),
            };
        }
    }

    fn exchange(&mut self, resolution: &mut Resolution, ask: &Ask) -> Output {
        let mut exchange = Exchange::open(ask).unwrap();
        exchange.send(&ask.message).unwrap();
        let mut buffer = vec![0; 65_535];
        loop {
            let until = Some(self.begun + ask.until);
            let interest = common::net::Interest::Read;
            let woken = match exchange.socket() {
                Socket::Udp(socket) => common::net::wait(socket, interest, until, None),
                Socket::Tcp(stream, frames) if frames.unwritten() > 0 => {
                    common::net::wait(stream, common::net::Interest::Write, until, None)
                }
                Socket::Tcp(stream, _) => common::net::wait(stream, interest, until, None),
            };
            if woken.unwrap() == common::net::Woken::TimedOut {
                return self.step(resolution, |it, world| it.failed(Fault::NoReply, world));
            }
            let output = match exchange.receive(&mut buffer) {
                Ok(None) => continue,
                Ok(Some((from, message))) => {
                    self.step(resolution, |it, world| it.received(from, &message, world))
                }
                Err(error) => {
                    let fault = Fault::Unreachable(error.to_string());
                    self.step(resolution, |it, world| it.failed(fault, world))
                }
            };
            if output != Output::Wait {
                return output;
            }
        }
    }

    fn step(
        &mut self,
        resolution: &mut Resolution,
        step: impl FnOnce(&mut Resolution, &mut World<'_>) -> Output,
    ) -> Output {
        let mut world = World {
            now: self.begun.elapsed(),
            cache: &mut self.cache,
            random: &mut || {
                self.random = self.random.wrapping_add(1);
                self.random
            },
        };
        step(resolution, &mut world)
    }
}
