//! A program that sends to a group, of which the grader is a member.

use std::{
    io,
    net::{Ipv4Addr, UdpSocket},
    time::{Duration, Instant},
};

use common::exit::why;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::group::{LONGEST, group, route};
use crate::{
    bench::Bench,
    probes::{Role, connection::quoted, started::LOOK, tidy},
    program::{Ended, Program},
    requirement::{Finding, Probed, Requirement, Status},
};

/// The sender, being probed: each probe starts it anew.
#[derive(Debug)]
pub struct SenderRole<'a> {
    bench: &'a Bench<'a>,
}

impl<'a> SenderRole<'a> {
    /// A sender that is not started yet.
    pub fn new(bench: &'a Bench<'a>) -> Self {
        Self { bench }
    }

    /// A member of the group.
    fn member(&self) -> Result<UdpSocket, Finding> {
        let group = group(self.bench)?;
        let join = || -> io::Result<UdpSocket> {
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
            socket.set_reuse_address(true)?;
            // Bound to the group, it gets nothing that is sent to another one.
            socket.bind(&SockAddr::from(group))?;
            socket.join_multicast_v4(group.ip(), &Ipv4Addr::LOCALHOST)?;
            Ok(socket.into())
        };
        join().map_err(|error| Finding::grader(format!("join {group}: {}", why(&error))))
    }

    /// Starts the sender and waits for a datagram of it.
    fn datagram(&self) -> Result<(Program, Vec<u8>), Finding> {
        route(self.bench)?;
        let group = group(self.bench)?;
        let member = self.member()?;
        let mut program = self.bench.start()?;
        // One that sends what is typed has something to send; others do not read it.
        program.type_in("Hello group\n");
        let deadline = self.bench.start_deadline();
        let mut buffer = vec![0; LONGEST];
        let wait = member.set_read_timeout(Some(LOOK));
        wait.map_err(|error| Finding::grader(why(&error)))?;
        loop {
            match member.recv_from(&mut buffer) {
                Ok((length, _)) => return Ok((program, buffer[..length].to_vec())),
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) => {}
                Err(error) => return Err(Finding::grader(format!("receive: {}", why(&error)))),
            }
            let ended = program.ended();
            if ended.is_none() && Instant::now() < deadline {
                continue;
            }
            let status = if ended.is_some() {
                Status::WrongAnswer
            } else {
                Status::Timeout
            };
            let what = format!("no datagram of it reaches {group}");
            let finding = Finding::new(status, what).expected(format!("a datagram to {group}"));
            return Err(match ended {
                Some(Ended::Code(0)) => finding.received("it ended with exit code 0"),
                Some(ended) => program.explain_end(
                    ended,
                    Finding {
                        what: "before it has sent a datagram".into(),
                        ..finding
                    },
                ),
                None => program.explain(finding),
            });
        }
    }

    fn text(&self) -> Probed {
        let (_, bytes) = self.datagram()?;
        let is_text = std::str::from_utf8(&bytes).is_ok_and(|text| !text.trim().is_empty());
        if is_text && bytes.len() <= 1024 {
            return Ok(());
        }
        let finding = Finding::new(
            Status::WrongAnswer,
            "what it sends is no message of the handout's",
        );
        Err(finding
            .received(quoted(&bytes))
            .expected("a text of 1 to 1,024 bytes of UTF-8"))
    }

    fn alone(&self) -> Probed {
        route(self.bench)?;
        let mut program = self.bench.start()?;
        program.type_in("Hello group\n");
        program.close_stdin();
        match program.wait_ended(Instant::now() + self.bench.timeout().min(Duration::from_secs(1)))
        {
            None | Some(Ended::Code(0)) => Ok(()),
            Some(_) => {
                let finding = Finding::new(Status::Crash, "when nobody is a member of the group");
                Err(program.explain(finding.expected("it sends and does not fail")))
            }
        }
    }

    fn tidy(&self) -> Probed {
        let (program, _) = self.datagram()?;
        tidy::check(self.bench, &program)
    }
}

impl Role for SenderRole<'_> {
    const REQUIREMENTS: &'static [Requirement] = &[
        Requirement {
            id: "sends",
            points: 3,
            sentence: "sends a datagram that the members of the group receive",
            source: "experiment 4, objective: multicast; as printed, nobody sends",
            needs: None,
            when: None,
        },
        Requirement {
            id: "text",
            points: 2,
            sentence: "sends a text that the handout's programs can read",
            source: "experiment 4, multicast_client.py: recvfrom(1024), data.decode()",
            needs: Some("sends"),
            when: None,
        },
        Requirement {
            id: "alone",
            points: 1,
            sentence: "sends when nobody is a member, too",
            source: "experiment 4: a sender does not know the members",
            needs: Some("sends"),
            when: None,
        },
        tidy::requirement(Some("sends")),
    ];

    fn probe(&mut self, id: &str) -> Probed {
        match id {
            "sends" => self.datagram().map(drop),
            "text" => self.text(),
            "alone" => self.alone(),
            "tidy" => self.tidy(),
            _ => Err(Finding::grader(format!("there is no probe of {id}"))),
        }
    }
}
