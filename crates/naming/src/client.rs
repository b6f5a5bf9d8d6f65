//! The client of a name server: queries and updates.

mod messages;
pub mod transfer;
mod update;

use std::{
    cell::Cell,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use common::{endpoint, exit::Failure, journal::Journal, shutdown::Shutdown};
use domain::{
    base::{
        Message, MessageBuilder,
        iana::{Class, Opcode, Rcode, Rtype, TsigRcode},
        message_builder::AdditionalBuilder,
    },
    rdata::tsig::Time48,
    tsig::{ClientTransaction, Key},
};
use ring::rand::{SecureRandom, SystemRandom};

pub use self::update::{Update, refusal};
use crate::{
    config::{Cli, SERVER},
    dns::{answer::UDP_MAX, owner::Owner, shown},
};

/// Why there is no answer where nobody listens.
pub const NOBODY: &str = "no server listens there; start one with: naming serve";

/// A client of one name server.
#[derive(Debug)]
pub struct Client<'c> {
    /// The server's addresses, in the order in which they are tried.
    servers: Vec<SocketAddr>,
    /// Which of them is asked: those before it do not answer.
    current: Cell<usize>,
    /// The key that signs messages to it.
    pub key: Option<Arc<Key>>,
    /// Whether it asks the server to resolve names recursively (RD).
    pub recursion: bool,
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// Where messages are logged, if they are.
    pub journal: Option<&'c Journal>,
    /// What ends every wait.
    pub shutdown: &'c Shutdown,
}

/// An answer, and how it arrived.
#[derive(Debug)]
pub struct Answer {
    /// The message.
    pub message: Vec<u8>,
    /// How long it took.
    pub took: Duration,
    /// Whether it was asked for over TCP.
    pub tcp: bool,
}

type Building = AdditionalBuilder<Vec<u8>>;

impl<'c> Client<'c> {
    /// The client of the server that the options name. Of a name with several addresses each is tried in turn.
    ///
    /// # Errors
    /// When the server has no address, or an option is out of range (exit code 2).
    pub fn new(cli: &Cli, journal: &'c Journal, shutdown: &'c Shutdown) -> Result<Self, Failure> {
        let server = cli.options.server.as_deref();
        let servers = server.map(|server| endpoint::connect("--server", server, SERVER));
        Ok(Self {
            servers: servers.unwrap_or_else(|| Ok(vec![SERVER]))?,
            current: Cell::new(0),
            key: cli.client_key()?,
            recursion: cli.options.recursive == Some(true),
            timeout: cli.timeout(Duration::from_secs(5))?,
            journal: Some(journal),
            shutdown,
        })
    }

    /// The client of the server at these addresses, of which there is at least one; it signs and logs nothing.
    pub fn of(servers: Vec<SocketAddr>, timeout: Duration, shutdown: &'c Shutdown) -> Self {
        Self {
            servers,
            current: Cell::new(0),
            key: None,
            recursion: false,
            timeout,
            journal: None,
            shutdown,
        }
    }

    /// The server's address: of several the first one that answers.
    pub fn server(&self) -> SocketAddr {
        self.servers[self.current.get()]
    }

    /// Goes on to the next address; false when there is none, or a stop was requested.
    fn try_next(&self) -> bool {
        let next = self.current.get() + 1;
        let is_there = next < self.servers.len() && !self.shutdown.requested();
        if is_there {
            self.current.set(next);
        }
        is_there
    }

    /// How long to wait for each address.
    fn share(&self) -> Duration {
        self.timeout / u32::try_from(self.servers.len()).unwrap_or(u32::MAX)
    }

    fn failed(&self, why: impl std::fmt::Display) -> Failure {
        Failure::could_not_run(format!("server {}", self.server()), why)
    }

    /// Asks for the records of one type.
    ///
    /// # Errors
    /// When there is no answer (exit code 2).
    pub fn ask(&self, name: &Owner, rtype: Rtype) -> Result<Answer, Failure> {
        let mut message = MessageBuilder::new_vec();
        message.header_mut().set_id(self.id()?);
        message.header_mut().set_rd(self.recursion);
        let mut question = message.question();
        let infallible = "a Vec has room for every record";
        question
            .push((name.name(), rtype, Class::IN))
            .expect(infallible);
        let mut additional = question.additional();
        additional
            .opt(|opt| {
                opt.set_udp_payload_size(UDP_MAX);
                Ok(())
            })
            .expect(infallible);
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

    /// The TTL of a zone's SOA record in seconds, which the records of the zone have where nothing else is said; None when
    /// the server does not say it. It is asked for over TCP, as the update that follows goes there.
    ///
    /// # Errors
    /// When there is no answer (exit code 2).
    pub fn zone_ttl(&self, zone: &Owner) -> Result<Option<u32>, Failure> {
        let mut message = MessageBuilder::new_vec();
        message.header_mut().set_id(self.id()?);
        let mut question = message.question();
        question
            .push((zone.name(), Rtype::SOA, Class::IN))
            .map_err(|_| self.failed("no room for a question"))?;
        let (query, transaction) = self.sign(question.additional())?;
        let answer = self.over_tcp(&query)?;
        // What is wrong with the signature is said of the update.
        let Ok(answer) = self.check(answer, transaction) else {
            return Ok(None);
        };
        let ttl = |answer: &[u8]| {
            let message = Message::from_octets(answer).ok()?;
            let mut records = message.answer().ok()?;
            let record = records.next()?.ok()?;
            (record.rtype() == Rtype::SOA && Owner::of(&record.owner()) == *zone)
                .then(|| record.ttl().as_secs())
        };
        Ok(ttl(&answer))
    }

    /// Sends an update and returns the code of its answer. It goes over TCP, where nothing is sent twice.
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
            .map_err(|_| self.failed("the answer is not a DNS message"))
    }

    /// A message identifier that cannot be guessed.
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
        let mut message = Message::from_octets(answer)
            .map_err(|_| self.failed("the answer is not a DNS message"))?;
        match transaction.answer(&mut message, Time48::now()) {
            Ok(()) => Ok(message.into_octets()),
            // The crate `domain` cannot check the signature of such an answer, which has the server's time.
            Err(_) if shown::tsig_error(message.as_slice()) == Some(TsigRcode::BADTIME) => {
                let why = "the clocks of server and client differ by more than five minutes";
                Err(self.failed(format!("NOTAUTH; BADTIME: {why}")))
            }
            Err(error) => {
                let rcode = shown::rcode(message.header().rcode());
                Err(self.failed(format!(
                    "the answer is not signed by the key: {rcode}; {error}"
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
                    Owner::of(question.qname()),
                    question.qtype(),
                    question.qclass(),
                )
            })
        };
        let (asked, header) = (query.header(), answer.header());
        // A server that could not read the question, or that answers an update, may leave it out.
        let may_lack = header.rcode() != Rcode::NOERROR || asked.opcode() != Opcode::QUERY;
        let same = question(&query) == question(&answer)
            || may_lack && answer.header_counts().qdcount() == 0;
        header.qr() && header.id() == asked.id() && header.opcode() == asked.opcode() && same
    }
}
