//! Messages to the server and from it, over UDP and over a connection.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind},
    exit::{Failure, why},
    message::{Carrier, MessageId},
    net::{self, Deadline, Interest},
};

use super::{Client, NOBODY};
use crate::dns::shown;

/// How often a query is sent over UDP.
const TRIES: u32 = 3;

/// A connection over TCP, and this end of it.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    local: SocketAddr,
}

impl Client<'_> {
    /// Asks over UDP, each address in turn until one answers.
    pub(super) fn over_udp(&self, query: &[u8]) -> Result<Vec<u8>, Failure> {
        loop {
            match self.one_over_udp(query) {
                Err(_) if self.try_next() => {}
                answer => return answer,
            }
        }
    }

    fn one_over_udp(&self, query: &[u8]) -> Result<Vec<u8>, Failure> {
        let failed = |error: io::Error| self.failed(why(&error));
        let any: SocketAddr = match self.server() {
            SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
            SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
        };
        let socket = UdpSocket::bind(any).map_err(failed)?;
        socket.connect(self.server()).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let local = socket.local_addr().map_err(failed)?;
        let until = Instant::now() + self.share();
        for attempt in 1..=TRIES {
            let sent = Event::new(Kind::Send);
            socket.send(query).map_err(failed)?;
            self.log(sent, Carrier::Udp, local, query);
            let end = if attempt == TRIES {
                until
            } else {
                until.min(Instant::now() + self.share() / 5)
            };
            loop {
                match net::wait(&socket, Interest::Read, Some(end), Some(self.shutdown))
                    .map_err(failed)?
                {
                    net::Woken::Ready => {}
                    net::Woken::TimedOut => break,
                    net::Woken::Stopping => return Err(self.failed("stopped")),
                }
                let mut buffer = vec![0; usize::from(u16::MAX)];
                let received = socket.recv(&mut buffer).or_else(|error| {
                    // A socket may be ready because of an error that a read does not return.
                    let is_empty = error.kind() == io::ErrorKind::WouldBlock;
                    match is_empty.then(|| socket.take_error()).transpose()? {
                        Some(Some(pending)) => Err(pending),
                        _ => Err(error),
                    }
                });
                let length = match received {
                    Ok(length) => length,
                    Err(error) => match error.kind() {
                        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => continue,
                        // By ConnectionReset Windows says the same.
                        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => {
                            return Err(self.failed(NOBODY));
                        }
                        _ => return Err(failed(error)),
                    },
                };
                buffer.truncate(length);
                if Self::answers(query, &buffer) {
                    self.log(Event::new(Kind::Receive), Carrier::Udp, local, &buffer);
                    return Ok(buffer);
                }
            }
        }
        Err(self.failed(format!("no answer within {}", humane(self.timeout))))
    }

    pub(super) fn over_tcp(&self, query: &[u8]) -> Result<Vec<u8>, Failure> {
        let connection = self.connect_and_send(query)?;
        self.receive(&connection, query)
    }

    /// Connects over TCP, to each address in turn until one accepts, and sends a query.
    pub(super) fn connect_and_send(&self, query: &[u8]) -> Result<Connection, Failure> {
        let deadline = self.deadline();
        let stream = loop {
            let until = Instant::now() + self.share();
            let share = Deadline { until, ..deadline };
            match net::connect(self.server(), None, share, self.shutdown) {
                Err(_) if self.try_next() => {}
                done => break done.map_err(|error| self.failed_over_tcp(&error))?,
            }
        };
        let local = stream
            .local_addr()
            .map_err(|error| self.failed_over_tcp(&error))?;
        let length =
            u16::try_from(query.len()).map_err(|_| self.failed("a message longer than 64 kB"))?;
        let whole = [&length.to_be_bytes(), query].concat();
        let sent = Event::new(Kind::Send);
        self.transmit(
            &stream,
            (Interest::Write, deadline),
            &mut |mut stream, done| stream.write(&whole[done..]),
            whole.len(),
        )
        .map_err(|error| self.failed_over_tcp(&error))?;
        self.log(sent, Carrier::Tcp, local, query);
        Ok(Connection { stream, local })
    }

    /// Receives one message that answers the query.
    pub(super) fn receive(
        &self,
        connection: &Connection,
        query: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let Connection { stream, local } = connection;
        let waiting = (Interest::Read, self.deadline());
        let mut length = [0; 2];
        self.transmit(
            stream,
            waiting,
            &mut |mut stream, done| stream.read(&mut length[done..]),
            2,
        )
        .map_err(|error| self.failed_over_tcp(&error))?;
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        let whole = answer.len();
        self.transmit(
            stream,
            waiting,
            &mut |mut stream, done| stream.read(&mut answer[done..]),
            whole,
        )
        .map_err(|error| self.failed_over_tcp(&error))?;
        if !Self::answers(query, &answer) {
            return Err(self.failed("the answer is to another query"));
        }
        self.log(Event::new(Kind::Receive), Carrier::Tcp, *local, &answer);
        Ok(answer)
    }

    fn deadline(&self) -> Deadline {
        Deadline {
            until: Instant::now() + self.timeout,
            grace: Duration::ZERO,
        }
    }

    fn failed_over_tcp(&self, error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => self.failed(NOBODY),
            io::ErrorKind::TimedOut => {
                self.failed(format!("no answer within {}", humane(self.timeout)))
            }
            _ => self.failed(why(error)),
        }
    }

    /// Repeats a read or a write until all bytes are transmitted.
    fn transmit(
        &self,
        stream: &TcpStream,
        (interest, deadline): (Interest, Deadline),
        step: &mut dyn FnMut(&TcpStream, usize) -> io::Result<usize>,
        whole: usize,
    ) -> io::Result<()> {
        let mut done = 0;
        while done < whole {
            match step(stream, done) {
                Ok(0) => {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "the server closed the connection",
                    ));
                }
                Ok(more) => done += more,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let until = Some(deadline.until);
                    match net::wait(stream, interest, until, Some(self.shutdown))? {
                        net::Woken::Ready => {}
                        _ => return Err(io::ErrorKind::TimedOut.into()),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Logs a message to the server or from it.
    fn log(&self, event: Event, carrier: Carrier, local: SocketAddr, message: &[u8]) {
        let Some(journal) = self.journal else {
            return;
        };
        let id = shown::number(message);
        let (from, to) = match event.kind {
            Kind::Send => (local, self.server()),
            _ => (self.server(), local),
        };
        let text = shown::question(message)
            .map_or_else(String::new, |(name, rtype)| format!("{name} {rtype}"));
        let event = match event.kind {
            Kind::Send => event.text(text),
            _ => event.resolved(text, shown::outcome(message)),
        };
        let event = Event {
            bytes: Some(message.len() as u64),
            ..event
                .peer(self.server())
                .message(MessageId::new(carrier, from, to, id))
        };
        journal.record(event);
    }
}

fn humane(time: Duration) -> String {
    common::text::micros(common::text::whole_micros(time))
}
