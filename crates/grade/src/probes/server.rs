//! The server of experiment 3.

mod requirements;

use std::{
    io::ErrorKind,
    thread,
    time::{Duration, Instant},
};

use common::exit::why;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{
    Role,
    connection::{Connection, End, Reading, quoted},
    kernel::listening,
    started::{Started, awaited},
    tidy,
};
use crate::{
    bench::Bench,
    program::Program,
    requirement::{Finding, Probed, Requirement, Status},
};

/// The handout's message.
const MESSAGE: &[u8] = b"Hello server";
/// The handout's reply.
const REPLY: &[u8] = b"Hello from server";
/// How many clients are connected and silent while another one is served.
const STALLED: usize = 20;
/// How many clients are connected at once.
const MANY: usize = 50;
/// How long more than the reply is waited for, where that is not what is probed.
const GRACE: Duration = Duration::from_millis(200);

/// The server, being probed: one start of it serves many probes.
#[derive(Debug)]
pub struct ServerRole<'a> {
    bench: &'a Bench<'a>,
    started: Started,
    random: Pcg64Mcg,
}

impl<'a> ServerRole<'a> {
    /// A server that is not started yet.
    pub fn new(bench: &'a Bench<'a>) -> Self {
        Self {
            bench,
            started: Started::default(),
            random: Pcg64Mcg::seed_from_u64(bench.seed()),
        }
    }

    /// Starts it, and waits until it listens.
    fn start(&self) -> Result<Program, Finding> {
        let address = self.bench.address();
        let program = self.bench.start()?;
        let deadline = self.bench.start_deadline();
        let listens = || Ok(listening(address).0.then_some(()));
        let late = || {
            let others = listening(address).1;
            let others: Vec<String> = others.iter().map(ToString::to_string).collect();
            let what = format!("it does not listen on {address}");
            let received = match others.as_slice() {
                [] => "a program that runs and listens nowhere".to_owned(),
                others => format!("it listens on {}", others.join(" and ")),
            };
            Finding::new(Status::NotStarted, what).received(received)
        };
        let first = format!("listens on {address}");
        let expected = format!("a server that listens on {address}");
        awaited(&program, deadline, (first, expected), listens, late)?;
        Ok(program)
    }

    fn connect(&self) -> Result<Connection, Finding> {
        let address = self.bench.address();
        Connection::open(address, self.bench.deadline()).map_err(|error| {
            let status = match error.kind() {
                ErrorKind::TimedOut => Status::Timeout,
                _ => Status::WrongAnswer,
            };
            let what = format!("a client cannot connect: {}", why(&error));
            Finding::new(status, what).expected("every client is accepted")
        })
    }

    /// One exchange as the handout's client has it; what was read.
    fn exchange(&self, message: &[u8], enough: usize) -> Result<(Connection, Reading), Finding> {
        let mut connection = self.connect()?;
        // A server may have answered and closed before; what it sent can still be read.
        let _ = connection.send(message, self.bench.deadline());
        let reading = connection.read(enough, self.bench.deadline());
        Ok((connection, reading))
    }

    /// One exchange, in which something has to be answered; `when` says what is special about it. What the answer says is
    /// another requirement's.
    fn served(&self, when: &str) -> Probed {
        let begun = Instant::now();
        let sent = format!("{}{when}", quoted(MESSAGE));
        let (mut connection, reading) = self
            .exchange(MESSAGE, 1)
            .map_err(|finding| finding.sent(sent.clone()))?;
        self.is_answered(&reading, begun)
            .map_err(|finding| finding.sent(sent))?;
        // The next probe is not to find this connection half open.
        let _ = connection.read(usize::MAX, Instant::now() + GRACE);
        Ok(())
    }

    fn is_answered(&self, reading: &Reading, begun: Instant) -> Probed {
        if !reading.bytes.is_empty() {
            return Ok(());
        }
        let (status, what) = match reading.end {
            End::Late => {
                let what = format!("no answer within {} s", seconds(begun.elapsed()));
                (Status::Timeout, what)
            }
            _ => (
                Status::WrongAnswer,
                "the connection ended without an answer".into(),
            ),
        };
        let finding = Finding::new(status, what);
        Err(finding.received(reading.words()).expected(quoted(REPLY)))
    }

    fn text(&self) -> Probed {
        let mut connection = self.connect()?;
        let sent = connection.send(MESSAGE, self.bench.deadline());
        // A server may write its reply in pieces; what more comes than that comes soon.
        let first = connection.read(REPLY.len(), self.bench.deadline());
        let more = connection.read(usize::MAX, Instant::now() + GRACE);
        let reading = Reading {
            bytes: [first.bytes, more.bytes].concat(),
            end: more.end,
        };
        if reading.bytes == REPLY {
            return Ok(());
        }
        let what = match () {
            () if sent.is_err() => "the connection ended before the message".to_owned(),
            () if reading.bytes.is_empty() => "there is no reply".into(),
            () if reading.bytes == [REPLY, REPLY].concat() => "it answered twice".into(),
            () if reading.bytes.starts_with(REPLY) => "it sent more than the reply".into(),
            () => "the reply is another text".into(),
        };
        let finding = Finding::new(Status::WrongAnswer, what).sent(quoted(MESSAGE));
        Err(finding.received(reading.words()).expected(quoted(REPLY)))
    }

    fn closes(&self) -> Probed {
        let (_, reading) = self.exchange(MESSAGE, usize::MAX)?;
        if reading.end != End::Late {
            return Ok(());
        }
        let what = format!(
            "{} s after the reply the connection is still open",
            seconds(self.bench.timeout())
        );
        let finding = Finding::new(Status::Timeout, what).sent(quoted(MESSAGE));
        Err(finding
            .received(format!("{} and then nothing", quoted(&reading.bytes)))
            .expected(format!(
                "{} and then the end of the connection",
                quoted(REPLY)
            )))
    }

    fn prints(&mut self) -> Probed {
        self.served("")?;
        let deadline = self.bench.deadline();
        let program = self.started.program("server")?;
        for expected in ["Connection from ", "Received: Hello server"] {
            let is_it = |text: &str| text.lines().any(|line| line.starts_with(expected));
            if !program.wait_printed(deadline, is_it) {
                let what = format!("it prints no line that begins with \"{expected}\"");
                let printed = program.printed();
                let finding = Finding::new(Status::WrongAnswer, what).sent(quoted(MESSAGE));
                return Err(finding
                    .received(format!(
                        "on standard output: {}",
                        quoted(printed.as_bytes())
                    ))
                    .expected(
                        "the lines \"Connection from ADDRESS\" and \"Received: Hello server\"",
                    ));
            }
        }
        Ok(())
    }

    /// Clients that are connected and silent, and one that is served meanwhile; then they are served too.
    fn beside(&self, silent: usize) -> Probed {
        let mut stalled = Vec::new();
        for _ in 0..silent {
            stalled.push(self.connect()?);
        }
        let when = match silent {
            1 => ", while another client is connected and sends nothing".to_owned(),
            silent => format!(", while {silent} other clients are connected and send nothing"),
        };
        self.served(&when)?;
        let begun = Instant::now();
        for connection in &mut stalled {
            let _ = connection.send(MESSAGE, self.bench.deadline());
        }
        for connection in &mut stalled {
            let reading = connection.read(1, begun + self.bench.timeout());
            let sent =
                "by a client that was connected first and waited; another one was served meanwhile";
            self.is_answered(&reading, begun)
                .map_err(|finding| finding.sent(format!("{} {sent}", quoted(MESSAGE))))?;
        }
        finish(stalled);
        Ok(())
    }

    fn many(&self) -> Probed {
        let mut clients = Vec::new();
        let begun = Instant::now();
        for number in 1..=MANY {
            let client = Connection::open(self.bench.address(), begun + self.bench.timeout());
            clients.push(client.map_err(|error| {
                let what = format!("client {number} of {MANY} cannot connect: {}", why(&error));
                let finding = Finding::new(Status::Timeout, what);
                finding
                    .sent(format!("{MANY} connections at once"))
                    .expected("every client is accepted")
            })?);
        }
        let begun = Instant::now();
        for client in &mut clients {
            let _ = client.send(MESSAGE, self.bench.deadline());
        }
        let mut first = None;
        let mut failed = 0;
        for client in &mut clients {
            let reading = client.read(1, begun + self.bench.timeout());
            if let Err(finding) = self.is_answered(&reading, begun) {
                failed += 1;
                first.get_or_insert(finding);
            }
        }
        finish(clients);
        match first {
            None => Ok(()),
            Some(finding) => {
                let what = format!("{failed} of {MANY} clients: {}", finding.what);
                let sent = format!(
                    "{} by each of {MANY} clients, all connected at once",
                    quoted(MESSAGE)
                );
                Err(Finding { what, ..finding }.sent(sent))
            }
        }
    }

    /// A client that resets its connection: before its message, after half of it, and after all of it.
    fn reset(&self) -> Probed {
        for message in [&b""[..], b"Hello", MESSAGE] {
            let mut connection = self.connect()?;
            let _ = connection.send(message, self.bench.deadline());
            connection.reset();
            let sent = format!(
                "{} and a reset of the connection; then another client",
                quoted(message)
            );
            self.next_is_served(&sent)?;
        }
        Ok(())
    }

    fn next_is_served(&self, sent: &str) -> Probed {
        self.served("").map_err(|finding| finding.sent(sent))
    }

    fn empty(&self) -> Probed {
        for _ in 0..2 {
            drop(self.connect()?);
        }
        self.next_is_served("a connection that is closed without a byte; then another client")
    }

    fn fragments(&mut self) -> Probed {
        let at = self.random.random_range(1..MESSAGE.len());
        let (first, second) = MESSAGE.split_at(at);
        let sent = format!("{}, and 50 ms later {}", quoted(first), quoted(second));
        let begun = Instant::now();
        let mut connection = self.connect()?;
        let _ = connection.send(first, self.bench.deadline());
        thread::sleep(Duration::from_millis(50));
        // A server that answers after its first read may have closed by now.
        let _ = connection.send(second, self.bench.deadline());
        let reading = connection.read(1, self.bench.deadline());
        self.is_answered(&reading, begun)
            .map_err(|finding| finding.sent(sent))?;
        let _ = connection.read(usize::MAX, Instant::now() + GRACE);
        drop(connection);
        self.next_is_served("a message in two fragments; then another client")
    }

    /// A client that sends nothing is told nothing.
    fn waits(&self) -> Probed {
        let mut connection = self.connect()?;
        let reading = connection.read(1, Instant::now() + GRACE);
        if reading.bytes.is_empty() {
            return Ok(());
        }
        let what = "it answers before it was sent anything";
        let finding = Finding::new(Status::WrongAnswer, what).received(reading.words());
        Err(finding
            .sent("a connection, and no byte")
            .expected("nothing until a message comes"))
    }

    fn not_utf8(&mut self) -> Probed {
        let mut bytes = b"Hello \xff\xfe ".to_vec();
        bytes.extend((0..8).map(|_| self.random.random_range(0x80..=0xff_u8)));
        let mut connection = self.connect()?;
        let _ = connection.send(&bytes, self.bench.deadline());
        let reading = connection.read(1, self.bench.deadline());
        if reading.end == End::Late {
            let what = format!("no answer within {} s", seconds(self.bench.timeout()));
            let finding = Finding::new(Status::Timeout, what).sent(quoted(&bytes));
            let expected = format!("{}, or the end of the connection", quoted(REPLY));
            return Err(finding.received("nothing").expected(expected));
        }
        drop(connection);
        let sent = format!("{}, which is no UTF-8; then another client", quoted(&bytes));
        self.next_is_served(&sent)
    }

    /// Ends the server while connections of it linger, and starts it again.
    fn restart(&mut self) -> Probed {
        // The server closes first, so the connection lingers on its side.
        let (mut connection, _) = self.exchange(MESSAGE, 1)?;
        let _ = connection.read(usize::MAX, Instant::now() + GRACE);
        drop(connection);
        if let Some(program) = self.started.program.take() {
            program.end();
        }
        let sent = format!(
            "one exchange; then the server was ended and started again on {}",
            self.bench.address()
        );
        let started = self.start().map_err(|finding| {
            let expected = "it listens on the same port again at once (SO_REUSEADDR)";
            finding.sent(sent.clone()).expected(expected)
        })?;
        self.started.program = Some(started);
        self.served("").map_err(|finding| finding.sent(sent))
    }

    fn tidy(&mut self) -> Probed {
        self.served("")?;
        tidy::check(self.bench, self.started.program("server")?)
    }
}

impl Role for ServerRole<'_> {
    const REQUIREMENTS: &'static [Requirement] = requirements::ALL;

    fn probe(&mut self, id: &str) -> Probed {
        if !self.started.is_running() {
            self.started.program = Some(self.start()?);
        }
        let probed = match id {
            "start" => Ok(()),
            // A server that ends after its first client serves no second one.
            "exchange" => self
                .served("")
                .and_then(|()| self.served(" by a second client, after the first one")),
            "text" => self.text(),
            "closes" => self.closes(),
            "prints" => self.prints(),
            "idle" => self.beside(1),
            "concurrent" => self.beside(STALLED),
            "many" => self.many(),
            "reset" => self.reset(),
            "empty" => self.empty(),
            "waits" => self.waits(),
            "fragments" => self.fragments(),
            "not-utf8" => self.not_utf8(),
            "restart" => self.restart(),
            "tidy" => self.tidy(),
            _ => Err(Finding::grader(format!("there is no probe of {id}"))),
        };
        self.started.explained(probed)
    }

    fn is_spent(&self) -> bool {
        self.started.is_spent
    }
}

/// Reads what the submission still has to say, and closes.
fn finish(connections: Vec<Connection>) {
    let deadline = Instant::now() + GRACE;
    for mut connection in connections {
        let _ = connection.read(usize::MAX, deadline);
    }
}

/// A length of time in seconds, with as many digits as say something.
fn seconds(time: Duration) -> String {
    let text = format!("{:.1}", time.as_secs_f64());
    text.trim_end_matches(".0").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_comes_after_what_it_needs() {
        let all = ServerRole::REQUIREMENTS;
        for (at, requirement) in all.iter().enumerate() {
            let before = &all[..at];
            let needs = requirement.needs;
            assert!(needs.is_none_or(|needs| before.iter().any(|other| other.id == needs)));
        }
    }
}
