//! The client of experiment 3: the grader is the server.

use std::{
    thread,
    time::{Duration, Instant},
};

use common::{exit::why, net::listen};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{
    Role,
    connection::{Connection, End, Reading, quoted},
    started::awaited,
    tidy,
};
use crate::{
    bench::Bench,
    program::{Ended, Program},
    requirement::{Finding, Probed, Requirement, Status},
    stack_trace,
};

const MESSAGE: &[u8] = b"Hello server";
const REPLY: &str = "Hello from server";
/// How long a late answer takes; a third of the time that the client may take where that is less.
const LATE: Duration = Duration::from_millis(700);
/// How many connections wait to be accepted.
const BACKLOG: i32 = 16;
/// How long more than the message is waited for.
const GRACE: Duration = Duration::from_millis(100);

/// The client, being probed: each probe starts it anew.
#[derive(Debug)]
pub struct ClientRole<'a> {
    bench: &'a Bench<'a>,
    random: Pcg64Mcg,
}

/// A client that has connected and sent its message.
struct Served {
    program: Program,
    connection: Connection,
    message: Reading,
}

impl<'a> ClientRole<'a> {
    /// A client that is not started yet.
    pub fn new(bench: &'a Bench<'a>) -> Self {
        Self {
            bench,
            random: Pcg64Mcg::seed_from_u64(bench.seed()),
        }
    }

    /// Starts the client, accepts it and reads its message.
    fn accept(&self) -> Result<Served, Finding> {
        let address = self.bench.address();
        let listener =
            listen(address, BACKLOG).map_err(|failure| Finding::grader(failure.to_string()))?;
        let program = self.bench.start()?;
        let deadline = self.bench.start_deadline();
        let accept = || match listener.accept() {
            Ok((stream, _)) => Ok(Some(stream)),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(Finding::grader(format!("accept: {}", why(&error)))),
        };
        let late = || {
            let what = format!("it has not connected to {address} in time");
            Finding::new(Status::Timeout, what)
        };
        let first = format!("connects to {address}");
        let expected = format!("a connection to {address}");
        let stream = awaited(&program, deadline, (first, expected), accept, late)?;
        let blocking = stream.set_nonblocking(false);
        blocking.map_err(|error| Finding::grader(why(&error)))?;
        let mut connection = Connection::of(stream);
        let message = connection.read(MESSAGE.len(), self.bench.deadline());
        Ok(Served {
            program,
            connection,
            message,
        })
    }

    fn message(&self) -> Probed {
        let mut served = self.accept()?;
        let more = served.connection.read(usize::MAX, Instant::now() + GRACE);
        let bytes = [served.message.bytes, more.bytes].concat();
        if bytes == MESSAGE {
            return Ok(());
        }
        let (status, what) = match bytes.as_slice() {
            [] if more.end == End::Late => (Status::Timeout, "it sends nothing"),
            _ => (Status::WrongAnswer, "it sends another message"),
        };
        let received = Reading {
            bytes,
            end: more.end,
        };
        let finding = Finding::new(status, what).received(received.words());
        Err(served.program.explain(finding.expected(quoted(MESSAGE))))
    }

    /// Answers with this text after this time, and looks at what the client prints.
    fn prints(&self, reply: &str, after: Duration) -> Probed {
        let mut served = self.accept()?;
        thread::sleep(after);
        let _ = served
            .connection
            .send(reply.as_bytes(), self.bench.deadline());
        let expected = format!("Received from server: {reply}");
        let is_it = |text: &str| text.lines().any(|line| line.trim_end() == expected);
        if served.program.wait_printed(self.bench.deadline(), is_it) {
            return Ok(());
        }
        let printed = served.program.printed();
        let (status, what) = match printed.trim() {
            "" => (Status::Timeout, "it does not print the reply"),
            _ => (Status::WrongAnswer, "it prints something else"),
        };
        let sent = match after.as_millis() {
            0 => quoted(reply.as_bytes()),
            after => format!("{} {after} ms after its message", quoted(reply.as_bytes())),
        };
        let finding = Finding::new(status, what)
            .sent(sent)
            .received(shown(&printed));
        let finding = finding.expected(format!("the line {}", quoted(expected.as_bytes())));
        Err(match served.program.ended() {
            // It has ended as it should, and printed something else.
            Some(Ended::Code(0)) => Finding {
                status: Status::WrongAnswer,
                ..finding
            },
            _ => served.program.explain(finding),
        })
    }

    /// Waits for the end of the client, which is to be one by itself.
    fn ends(&self, program: &Program, deadline: Instant, sent: &str) -> Probed {
        let ended = program.wait_ended(deadline);
        let complaint = program.complained();
        let expected = "it says what is wrong and ends by itself, without a stack trace";
        let finding = |status, what: String| {
            let finding = Finding::new(status, what).sent(sent).expected(expected);
            finding.received(shown(&(program.printed() + &complaint)))
        };
        match ended {
            None => Err(program.explain(finding(Status::Timeout, "it does not end".into()))),
            Some(Ended::Signal(_)) => {
                Err(program.explain(finding(Status::Crash, "it does not end by itself".into())))
            }
            Some(Ended::Code(_)) => match stack_trace::find(&complaint) {
                Some(error) => Err(finding(
                    Status::Crash,
                    format!("it ends in a stack trace: {error}"),
                )),
                None => Ok(()),
            },
        }
    }

    fn closes(&self) -> Probed {
        let mut served = self.accept()?;
        let _ = served
            .connection
            .send(REPLY.as_bytes(), self.bench.deadline());
        self.ends(
            &served.program,
            self.bench.deadline(),
            &quoted(REPLY.as_bytes()),
        )?;
        match served.program.ended() {
            Some(Ended::Code(0)) => Ok(()),
            _ => {
                let what = "it does not end with exit code 0 after a good exchange";
                Err(served.program.explain(Finding::new(Status::Crash, what)))
            }
        }
    }

    fn nobody(&self) -> Probed {
        let program = self.bench.start()?;
        let sent = "nothing: nobody listens on its server's address";
        self.ends(&program, self.bench.start_deadline(), sent)?;
        let printed = program.printed();
        if printed.contains("Received from server") {
            let finding = Finding::new(Status::WrongAnswer, "it prints a reply that nobody sent");
            return Err(finding.received(shown(&printed)));
        }
        Ok(())
    }

    fn closed(&self) -> Probed {
        let served = self.accept()?;
        drop(served.connection);
        let sent = "the end of the connection, and no reply";
        self.ends(&served.program, self.bench.deadline(), sent)
    }

    fn tidy(&self) -> Probed {
        let served = self.accept()?;
        tidy::check(self.bench, &served.program)
    }

    /// A reply that nobody has seen before.
    fn new_reply(&mut self) -> String {
        format!("Hello from server {:08x}", self.random.random::<u32>())
    }
}

impl Role for ClientRole<'_> {
    const REQUIREMENTS: &'static [Requirement] = &[
        Requirement {
            id: "connects",
            points: 2,
            sentence: "connects to its server",
            source: "experiment 3, thread_client.py: client_socket.connect(('localhost', 12345))",
            needs: None,
            when: None,
        },
        Requirement {
            id: "message",
            points: 2,
            sentence: "sends \"Hello server\", once, and nothing else",
            source: "experiment 3, thread_client.py: client_socket.send(b'Hello server')",
            needs: Some("connects"),
            when: None,
        },
        Requirement {
            id: "prints",
            points: 3,
            sentence: "prints \"Received from server: Hello from server\"",
            source: "experiment 3, thread_client.py: print",
            needs: Some("connects"),
            when: None,
        },
        Requirement {
            id: "any-reply",
            points: 2,
            sentence: "prints the reply that it receives, whatever it is",
            source: "experiment 3, thread_client.py: response.decode()",
            needs: Some("prints"),
            when: None,
        },
        Requirement {
            id: "late-reply",
            points: 2,
            sentence: "waits for a reply that is late",
            source: "experiment 3, thread_client.py: client_socket.recv(1024) waits",
            needs: Some("prints"),
            when: None,
        },
        Requirement {
            id: "ends",
            points: 1,
            sentence: "ends with exit code 0 after its exchange",
            source: "experiment 3, thread_client.py: client_socket.close()",
            needs: Some("connects"),
            when: None,
        },
        Requirement {
            id: "no-reply",
            points: 1,
            sentence: "ends by itself when the server closes without a reply",
            source: "experiment 3: recv returns no byte at the end of the connection",
            needs: Some("connects"),
            when: None,
        },
        Requirement {
            id: "nobody",
            points: 2,
            sentence: "says so and ends when nobody listens, without a stack trace",
            source: "experiment 3: the server is started first, and may not be there",
            needs: Some("connects"),
            when: None,
        },
        tidy::requirement(Some("connects")),
    ];

    fn probe(&mut self, id: &str) -> Probed {
        match id {
            "connects" => self.accept().map(drop),
            "message" => self.message(),
            "prints" => self.prints(REPLY, Duration::ZERO),
            "any-reply" => {
                let reply = self.new_reply();
                self.prints(&reply, Duration::ZERO)
            }
            "late-reply" => self.prints(REPLY, LATE.min(self.bench.timeout() / 3)),
            "ends" => self.closes(),
            "no-reply" => self.closed(),
            "nobody" => self.nobody(),
            "tidy" => self.tidy(),
            _ => Err(Finding::grader(format!("there is no probe of {id}"))),
        }
    }
}

/// What a program has printed, in words.
fn shown(printed: &str) -> String {
    match printed.trim() {
        "" => "nothing on standard output".into(),
        printed => quoted(printed.as_bytes()),
    }
}
