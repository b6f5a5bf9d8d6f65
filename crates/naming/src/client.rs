//! The client: asks a name server, and changes its names.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind},
    exit::{Failure, why},
    journal::Journal,
    message::{Carrier, MessageId},
    net::{self, Interest, Patience},
    shutdown::Shutdown,
};
use domain::{
    base::{
        Message, MessageBuilder, Record, Ttl,
        iana::{Class, Opcode, Rcode, Rtype},
        message_builder::AdditionalBuilder,
        rdata::UnknownRecordData,
    },
    rdata::tsig::Time48,
    tsig::{ClientTransaction, Key},
};
use ring::rand::{SecureRandom, SystemRandom};

use crate::dns::{answer::UDP_MAX, owner::Owner, shown, zone::Records};

/// How often a question is asked over UDP.
const TRIES: u32 = 3;

/// Somebody who asks one server.
#[derive(Debug)]
pub struct Client<'c> {
    /// The server.
    pub server: SocketAddr,
    /// What signs messages to it.
    pub key: Option<Arc<Key>>,
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// Where messages are told.
    pub journal: &'c Journal,
    /// What ends every wait.
    pub shutdown: &'c Shutdown,
}

/// An answer, and how it came.
#[derive(Debug)]
pub struct Answer {
    /// The message.
    pub message: Vec<u8>,
    /// How long it took.
    pub took: Duration,
    /// Whether it took TCP.
    pub tcp: bool,
}

type Building = AdditionalBuilder<Vec<u8>>;

impl Client<'_> {
    fn failed(&self, why: impl std::fmt::Display) -> Failure {
        Failure::could_not_run(format!("server {}", self.server), why)
    }

    /// Asks for the records of one type.
    ///
    /// # Errors
    /// When there is no answer (exit code 2).
    pub fn ask(&self, name: &Owner, rtype: Rtype) -> Result<Answer, Failure> {
        let mut message = MessageBuilder::new_vec();
        message.header_mut().set_id(self.id()?);
        let mut question = message.question();
        let taken = "a Vec takes all that is written";
        question.push((name.name(), rtype, Class::IN)).expect(taken);
        let mut additional = question.additional();
        additional
            .opt(|opt| {
                opt.set_udp_payload_size(UDP_MAX);
                Ok(())
            })
            .expect(taken);
        let begun = Instant::now();
        let (query, transaction) = self.sign(additional)?;
        let mut answer = Answer {
            message: self.over_udp(&query)?,
            took: Duration::ZERO,
            tcp: false,
        };
        if Message::from_octets(&answer.message).is_ok_and(|answer| answer.header().tc()) {
            answer.message = self.over_tcp(&query)?;
            answer.tcp = true;
        }
        answer.message = self.check(answer.message, transaction)?;
        answer.took = begun.elapsed();
        Ok(answer)
    }

    /// Sends an update and returns the code of its answer. Over TCP: a signed update that is sent twice counts as a forgery.
    ///
    /// # Errors
    /// When there is no answer (exit code 2).
    pub fn update(&self, update: &Update) -> Result<Rcode, Failure> {
        let mut message = MessageBuilder::new_vec();
        message.set_push_limit(usize::from(u16::MAX) - 512);
        message.header_mut().set_id(self.id()?);
        message.header_mut().set_opcode(Opcode::UPDATE);
        let full = |_| self.failed("an update longer than 64 kB");
        let mut question = message.question();
        question
            .push((update.zone.name(), Rtype::SOA, Class::IN))
            .map_err(full)?;
        let mut prerequisites = question.answer();
        for line in &update.prerequisites {
            prerequisites.push(line.record()).map_err(full)?;
        }
        let mut changes = prerequisites.authority();
        for line in &update.changes {
            changes.push(line.record()).map_err(full)?;
        }
        let mut additional = changes.additional();
        additional.clear_push_limit();
        let (message, transaction) = self.sign(additional)?;
        let answer = self.check(self.over_tcp(&message)?, transaction)?;
        Message::from_octets(&answer)
            .map(|answer| answer.header().rcode())
            .map_err(|_| self.failed("an answer that is none"))
    }

    /// A number that nobody can guess.
    fn id(&self) -> Result<u16, Failure> {
        let mut id = [0; 2];
        let filled = SystemRandom::new().fill(&mut id);
        filled.map_err(|_| self.failed("the system has no random numbers"))?;
        Ok(u16::from_ne_bytes(id))
    }

    #[allow(clippy::type_complexity)]
    fn sign(
        &self,
        mut message: Building,
    ) -> Result<(Vec<u8>, Option<ClientTransaction<Arc<Key>>>), Failure> {
        let transaction = self.key.as_ref().map(|key| {
            ClientTransaction::request(Arc::clone(key), &mut message, Time48::now())
                .map_err(|_| self.failed("no room for a signature"))
        });
        Ok((message.finish(), transaction.transpose()?))
    }

    fn check(
        &self,
        answer: Vec<u8>,
        transaction: Option<ClientTransaction<Arc<Key>>>,
    ) -> Result<Vec<u8>, Failure> {
        let Some(transaction) = transaction else {
            return Ok(answer);
        };
        let mut message =
            Message::from_octets(answer).map_err(|_| self.failed("an answer that is none"))?;
        match transaction.answer(&mut message, Time48::now()) {
            Ok(()) => Ok(message.into_octets()),
            Err(error) => {
                let rcode = shown::rcode(message.header().rcode());
                Err(self.failed(format!(
                    "its answer is not signed by the key: {rcode}; {error}"
                )))
            }
        }
    }

    /// Whether a message answers the query.
    fn answers(query: &[u8], answer: &[u8]) -> bool {
        let (Ok(query), Ok(answer)) = (Message::from_octets(query), Message::from_octets(answer))
        else {
            return false;
        };
        let question = |message: &Message<&[u8]>| {
            message.first_question().map(|question| {
                (
                    question.qname().to_string().to_lowercase(),
                    question.qtype(),
                )
            })
        };
        let same = answer.header_counts().qdcount() == 0 || question(&query) == question(&answer);
        answer.header().qr() && answer.header().id() == query.header().id() && same
    }

    fn over_udp(&self, query: &[u8]) -> Result<Vec<u8>, Failure> {
        let failed = |error: io::Error| self.failed(why(&error));
        let any: SocketAddr = match self.server {
            SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
            SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
        };
        let socket = UdpSocket::bind(any).map_err(failed)?;
        socket.connect(self.server).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let local = socket.local_addr().map_err(failed)?;
        let until = Instant::now() + self.timeout;
        for attempt in 1..=TRIES {
            let sent = Event::new(Kind::Send);
            socket.send(query).map_err(failed)?;
            self.tell(sent, Carrier::Udp, local, query);
            let end = if attempt == TRIES {
                until
            } else {
                until.min(Instant::now() + self.timeout / 5)
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
                let length = socket
                    .recv(&mut buffer)
                    .map_err(|error| match error.kind() {
                        io::ErrorKind::ConnectionRefused => {
                            self.failed("nobody serves there; start one with: naming serve")
                        }
                        _ => failed(error),
                    })?;
                buffer.truncate(length);
                if Self::answers(query, &buffer) {
                    self.tell(Event::new(Kind::Receive), Carrier::Udp, local, &buffer);
                    return Ok(buffer);
                }
            }
        }
        Err(self.failed(format!("no answer within {}", humane(self.timeout))))
    }

    fn over_tcp(&self, query: &[u8]) -> Result<Vec<u8>, Failure> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                self.failed("nobody serves there; start one with: naming serve")
            }
            io::ErrorKind::TimedOut => {
                self.failed(format!("no answer within {}", humane(self.timeout)))
            }
            _ => self.failed(why(&error)),
        };
        let patience = Patience {
            until: Instant::now() + self.timeout,
            grace: Duration::ZERO,
        };
        let stream = net::connect(self.server, None, patience, self.shutdown).map_err(failed)?;
        let local = stream.local_addr().map_err(failed)?;
        let length =
            u16::try_from(query.len()).map_err(|_| self.failed("a message longer than 64 kB"))?;
        let whole = [&length.to_be_bytes(), query].concat();
        let sent = Event::new(Kind::Send);
        self.patiently(
            &stream,
            patience,
            &mut |mut stream, done| stream.write(&whole[done..]),
            whole.len(),
        )
        .map_err(failed)?;
        self.tell(sent, Carrier::Tcp, local, query);
        let mut length = [0; 2];
        self.patiently(
            &stream,
            patience,
            &mut |mut stream, done| stream.read(&mut length[done..]),
            2,
        )
        .map_err(failed)?;
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        let whole = answer.len();
        self.patiently(
            &stream,
            patience,
            &mut |mut stream, done| stream.read(&mut answer[done..]),
            whole,
        )
        .map_err(failed)?;
        if !Self::answers(query, &answer) {
            return Err(self.failed("an answer to something else"));
        }
        self.tell(Event::new(Kind::Receive), Carrier::Tcp, local, &answer);
        Ok(answer)
    }

    /// Reads or writes until so many bytes are done.
    fn patiently(
        &self,
        stream: &TcpStream,
        patience: Patience,
        step: &mut dyn FnMut(&TcpStream, usize) -> io::Result<usize>,
        whole: usize,
    ) -> io::Result<()> {
        let mut done = 0;
        while done < whole {
            match step(stream, done) {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it hung up")),
                Ok(more) => done += more,
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                    ) =>
                {
                    if self.shutdown.requested() || Instant::now() >= patience.until {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A message that went to the server, or came from it.
    fn tell(&self, event: Event, carrier: Carrier, local: SocketAddr, message: &[u8]) {
        let id = shown::number(message);
        let (from, to) = match event.kind {
            Kind::Send => (local, self.server),
            _ => (self.server, local),
        };
        let text = shown::question(message)
            .map_or_else(String::new, |(name, rtype)| format!("{name} {rtype}"));
        let event = Event {
            bytes: Some(message.len() as u64),
            ..event
                .peer(self.server)
                .message(MessageId::new(carrier, from, to, id))
                .text(text)
        };
        self.journal.record(event);
    }
}

fn humane(time: Duration) -> String {
    common::text::micros(common::text::whole_micros(time))
}

/// A record of an update.
#[derive(Clone, Debug)]
pub struct Line {
    owner: Owner,
    class: Class,
    rtype: Rtype,
    data: Vec<u8>,
}

impl Line {
    fn record(&self) -> Record<domain::base::Name<&[u8]>, UnknownRecordData<&[u8]>> {
        let data =
            UnknownRecordData::from_octets(self.rtype, self.data.as_slice()).expect("short data");
        // A lifetime of its own has no name; whatever tests or deletes must have none.
        let ttl = if self.class == Class::IN { 60 } else { 0 };
        Record::new(self.owner.name(), self.class, Ttl::from_secs(ttl), data)
    }
}

/// An update of a zone (RFC 2136): what must hold, and what is to be changed then.
#[derive(Clone, Debug)]
pub struct Update {
    zone: Owner,
    prerequisites: Vec<Line>,
    changes: Vec<Line>,
}

impl Update {
    /// An update that changes nothing yet.
    pub fn of(zone: &Owner) -> Self {
        Self {
            zone: zone.clone(),
            prerequisites: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// The name must exist, or must not.
    #[must_use]
    pub fn when(mut self, owner: &Owner, exists: bool) -> Self {
        let class = if exists { Class::ANY } else { Class::NONE };
        self.prerequisites.push(Line {
            owner: owner.clone(),
            class,
            rtype: Rtype::ANY,
            data: Vec::new(),
        });
        self
    }

    /// The name gets these records.
    #[must_use]
    pub fn add(mut self, owner: &Owner, records: Records<'_>) -> Self {
        self.changes.extend(records.map(|(rtype, data)| Line {
            owner: owner.clone(),
            class: Class::IN,
            rtype,
            data: data.to_vec(),
        }));
        self
    }

    /// The name loses whatever it has.
    #[must_use]
    pub fn delete(mut self, owner: &Owner) -> Self {
        self.changes.push(Line {
            owner: owner.clone(),
            class: Class::ANY,
            rtype: Rtype::ANY,
            data: Vec::new(),
        });
        self
    }
}

/// What a code says about a change of a name.
pub fn refusal(rcode: Rcode, place: &crate::name::Place, server: SocketAddr) -> Failure {
    let why = match rcode {
        Rcode::YXDOMAIN => "exists already".to_owned(),
        Rcode::NXDOMAIN => "no such name".to_owned(),
        Rcode::REFUSED => format!("{server} refuses that; its log says why"),
        Rcode::NOTAUTH => format!("{server} has no such zone or key"),
        rcode => format!("{server} says {}", shown::rcode(rcode)),
    };
    Failure::no(place, why)
}
