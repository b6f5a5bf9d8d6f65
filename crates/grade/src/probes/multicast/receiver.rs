//! A program that joins a group and prints what it hears.

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    thread,
    time::Instant,
};

use common::{exit::why, sys::socket_table::joined, text::visible};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::group::{LONGEST, group, route, to_groups};
use crate::{
    bench::Bench,
    picture::{Exchange, Sent, Side},
    probes::{
        Role,
        connection::quoted,
        started::{LOOK, Started, bound_udp},
        tidy,
    },
    program::Program,
    requirement::{Finding, Probed, Requirement, Status},
};

/// How many datagrams are sent in a row.
const ROW: usize = 20;

/// How much of a datagram a picture shows, in characters.
const SHOWN: usize = 24;

/// The receiver, being probed: one start of it serves many probes.
#[derive(Debug)]
pub struct ReceiverRole<'a> {
    bench: &'a Bench<'a>,
    started: Started,
    random: Pcg64Mcg,
    /// What was sent in this sandbox, and received.
    exchange: Exchange,
}

impl<'a> ReceiverRole<'a> {
    /// A receiver that is not started yet.
    pub fn new(bench: &'a Bench<'a>) -> Self {
        Self {
            bench,
            started: Started::default(),
            random: Pcg64Mcg::seed_from_u64(bench.seed()),
            exchange: Exchange::new("receiver"),
        }
    }

    /// Starts it, and waits until it has bound its port.
    fn start(&self) -> Result<Program, Finding> {
        route(self.bench)?;
        let port = self.bench.address().port();
        let program = self.bench.start()?;
        let expected = format!("a program that receives on UDP port {port}");
        let deadline = self.bench.start_deadline();
        bound_udp(&program, deadline, port, expected)?;
        Ok(program)
    }

    /// The one that was started for this probe, though it may have ended.
    fn running(&self) -> Result<&Program, Finding> {
        self.started.program("receiver")
    }

    fn joins(&self) -> Probed {
        let group = *group(self.bench)?.ip();
        // To join is part of its start.
        let deadline = self.bench.start_deadline();
        let program = self.running()?;
        loop {
            let Some(joined) = joined() else {
                let what = "this system does not say of which groups a program is a member";
                return Err(Finding::grader(what));
            };
            if joined.contains(&group) {
                return Ok(());
            }
            if Instant::now() >= deadline || program.ended().is_some() {
                let others: Vec<String> = joined.iter().map(Ipv4Addr::to_string).collect();
                let (what, received) = match others.as_slice() {
                    [] => (
                        format!("it does not join {group}"),
                        "a member of no group".to_owned(),
                    ),
                    others => (
                        "it joins another group".into(),
                        format!("a member of {}", others.join(", ")),
                    ),
                };
                let finding = Finding::new(Status::WrongAnswer, what).received(received);
                return Err(finding.expected(format!("a member of {group}")));
            }
            thread::sleep(LOOK);
        }
    }

    fn send(&mut self, to: SocketAddrV4, bytes: &[u8]) -> Result<Sent, Finding> {
        let shown: String = visible(bytes).chars().take(SHOWN).collect();
        let own = group(self.bench)?;
        let text = match *to.ip() {
            ip if ip == *own.ip() => shown,
            ip => format!("{shown}, to {ip}"),
        };
        let drawn = self.exchange.send(Side::Grader, "udp", &text, None);
        let sent = to_groups().and_then(|socket| socket.send_to(bytes, to));
        sent.map(|_| drawn)
            .map_err(|error| Finding::grader(format!("send to {to}: {}", why(&error))))
    }

    /// A text that nobody has seen before.
    fn text(&mut self) -> String {
        format!("hello {:08x}", self.random.random::<u32>())
    }

    /// Sends a text to the group, and waits until a line with it is printed.
    fn heard(&mut self, sent: &str) -> Result<String, Finding> {
        let (group, text) = (group(self.bench)?, self.text());
        let before = self.running()?.printed().len();
        let drawn = self.send(group, text.as_bytes())?;
        let deadline = self.bench.deadline();
        let program = self.started.program("receiver")?;
        if program.wait_printed(deadline, |printed| {
            printed.lines().any(|line| line.contains(&text))
        }) {
            let printed = program.printed();
            let line = printed.lines().find(|line| line.contains(&text));
            self.exchange.receive(&drawn, None);
            return Ok(line.unwrap_or_default().trim_end().to_owned());
        }
        let printed = program.printed();
        let (status, what) = match printed.get(before..).map(str::trim) {
            None | Some("") => (Status::Timeout, "it does not print a datagram to its group"),
            Some(_) => (
                Status::WrongAnswer,
                "it prints something else than the datagram",
            ),
        };
        let finding = Finding::new(status, what);
        let finding = finding.sent(format!("{sent}{} to {group}", quoted(text.as_bytes())));
        Err(finding
            .received(format!("on standard output {}", quoted(printed.as_bytes())))
            .expected(format!("\"Received message: {text}\"")))
    }

    fn prints(&mut self) -> Probed {
        let line = self.heard("")?;
        let known = ["Received message: hello ", "Received data: hello "];
        if known.iter().any(|known| line.starts_with(known)) {
            return Ok(());
        }
        let finding = Finding::new(Status::WrongAnswer, "its line is not the handout's");
        Err(finding
            .received(quoted(line.as_bytes()))
            .expected("\"Received message: TEXT\" or \"Received data: TEXT\""))
    }

    fn each(&mut self) -> Probed {
        let group = group(self.bench)?;
        let texts: Vec<String> = (0..ROW)
            .map(|number| format!("{} {number}.", self.text()))
            .collect();
        let mut drawn = Vec::new();
        for text in &texts {
            drawn.push(self.send(group, text.as_bytes())?);
        }
        let deadline = self.bench.deadline();
        let program = self.started.program("receiver")?;
        let missing = |printed: &str| -> Vec<usize> {
            (0..ROW)
                .filter(|number| !printed.contains(&texts[*number]))
                .collect()
        };
        if program.wait_printed(deadline, |printed| missing(printed).is_empty()) {
            return Ok(());
        }
        let missing = missing(&program.printed());
        let heard = drawn
            .iter()
            .enumerate()
            .filter(|(number, _)| !missing.contains(number));
        for (_, drawn) in heard {
            self.exchange.receive(drawn, None);
        }
        let what = format!("it does not print {} of {ROW} datagrams", missing.len());
        let finding = Finding::new(Status::Timeout, what)
            .sent(format!("{ROW} datagrams to {group} in a row"));
        Err(finding.expected(format!("{ROW} lines")))
    }

    fn stranger(&mut self) -> Probed {
        let group = group(self.bench)?;
        let octets = group.ip().octets();
        let other = Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3].wrapping_add(1));
        let other = SocketAddrV4::new(other, group.port());
        let text = format!("strange {}", self.text());
        let drawn = self.send(other, text.as_bytes())?;
        let sent = format!(
            "{} to {other}, which it has not joined, and ",
            quoted(text.as_bytes())
        );
        self.heard(&sent)?;
        let printed = self.running()?.printed();
        match printed.lines().find(|line| line.contains(&text)) {
            None => Ok(()),
            Some(line) => {
                self.exchange.receive(&drawn, None);
                let what = format!("it hears the group {}, which is not its own", other.ip());
                let finding = Finding::new(Status::WrongAnswer, what).sent(sent);
                Err(finding
                    .received(quoted(line.as_bytes()))
                    .expected("nothing of the other group"))
            }
        }
    }

    fn odd(&mut self) -> Probed {
        let group = group(self.bench)?;
        let mut strange = b"\xff\xfe\x00\x1b[2J".to_vec();
        strange.extend((0..16).map(|_| self.random.random_range(0x80..=0xff_u8)));
        let odd: [(&str, Vec<u8>); 4] = [
            ("an empty datagram", Vec::new()),
            ("bytes that are no UTF-8", strange),
            ("2,000 bytes", vec![b'x'; 2_000]),
            ("the longest datagram, of 65,507 bytes", vec![b'y'; LONGEST]),
        ];
        for (name, bytes) in odd {
            let drawn = self.send(group, &bytes)?;
            self.heard(&format!("{name}, and then "))?;
            // A receiver that goes on has taken it, whatever it has printed.
            self.exchange.receive(&drawn, None);
        }
        Ok(())
    }

    fn tidy(&mut self) -> Probed {
        self.heard("")?;
        tidy::check(self.bench, self.running()?)
    }
}

impl Role for ReceiverRole<'_> {
    const REQUIREMENTS: &'static [Requirement] = &[
        Requirement {
            id: "start",
            points: 1,
            sentence: "binds the port of its group",
            source: "experiment 4, multicast_client.py: client_socket.bind(('', PORT))",
            needs: None,
            when: None,
        },
        Requirement {
            id: "joins",
            points: 3,
            sentence: "joins its group",
            source: "experiment 4, multicast_client.py: IP_ADD_MEMBERSHIP",
            needs: Some("start"),
            when: None,
        },
        Requirement {
            id: "hears",
            points: 3,
            sentence: "prints a datagram that is sent to its group",
            source: "experiment 4, multicast_client.py: client_socket.recvfrom(1024)",
            needs: Some("joins"),
            when: None,
        },
        Requirement {
            id: "each",
            points: 2,
            sentence: "prints each of 20 datagrams in a row",
            source: "experiment 4, multicast_client.py: while True",
            needs: Some("hears"),
            when: None,
        },
        Requirement {
            id: "prints",
            points: 1,
            sentence: "prints \"Received message: …\" or \"Received data: …\"",
            source: "experiment 4, multicast_client.py and multicast_server.py: print",
            needs: Some("hears"),
            when: None,
        },
        Requirement {
            id: "stranger",
            points: 2,
            sentence: "does not hear a group that it has not joined",
            source: "experiment 4, objective: multicast reaches the members of a group",
            needs: Some("hears"),
            when: None,
        },
        Requirement {
            id: "odd",
            points: 2,
            sentence: "goes on after datagrams that are empty, long, or no UTF-8",
            source: "experiment 4: anybody can send to a group",
            needs: Some("hears"),
            when: None,
        },
        tidy::requirement(Some("hears")),
    ];

    fn probe(&mut self, id: &str) -> Probed {
        if !self.started.is_running() {
            self.started.program = Some(self.start()?);
        }
        let probed = match id {
            "start" => Ok(()),
            "joins" => self.joins(),
            "hears" => self.heard("").map(drop),
            "prints" => self.prints(),
            "each" => self.each(),
            "stranger" => self.stranger(),
            "odd" => self.odd(),
            "tidy" => self.tidy(),
            _ => Err(Finding::grader(format!("there is no probe of {id}"))),
        };
        let explained = self.started.explained(probed);
        explained.map_err(|finding| match self.bench.draws() {
            true if finding.status != Status::GraderFault => {
                let picture = self.exchange.draw(self.bench.grader());
                finding.picture(picture)
            }
            _ => finding,
        })
    }

    fn is_spent(&self) -> bool {
        self.started.is_spent
    }
}
