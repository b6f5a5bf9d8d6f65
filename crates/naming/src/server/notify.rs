//! Notifies the secondaries that the zones changed (NOTIFY, RFC 1996), so that they need not wait for their next refresh.
//!
//! A notice leaves from the listening address, is signed by the first key, and is sent until its secondary answers it. A
//! secondary that does not know the key is notified without a signature.

use std::{
    collections::HashSet,
    io,
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind},
    exit::why,
    journal::Journal,
    net::{self, Interest},
    rate_limit::RateLimit,
    shutdown::Shutdown,
};
use crossbeam::{channel::Receiver, select};
use domain::{
    base::{
        Message, MessageBuilder,
        iana::{Class, Opcode, Rcode, Rtype, TsigRcode},
    },
    rdata::tsig::Time48,
    tsig::{ClientTransaction, Key},
};

use super::{
    context::{Counts, Settings},
    events::warning,
    snapshot::ZoneSnapshot,
};
use crate::dns::{owner::Owner, shown, tsig::SigningKey};

/// How long to wait for an answer before the first retransmission; the wait doubles with each.
const TIMEOUT: Duration = Duration::from_millis(500);

/// How often a notice of the same change is sent.
const TRIES: u32 = 5;

/// The least time between two rounds of notices: many changes share one.
const INTERVAL: Duration = Duration::from_millis(100);

/// What became of a notice.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Outcome {
    Accepted,
    /// The answer has another code: why it is none.
    Refused(String),
    /// The secondary does not know the key.
    UnknownKey,
    /// It could not be sent: why.
    NotSent(String),
    /// The kernel sends nothing to the secondary from this address.
    Impossible(String),
}

/// A notice that its secondary has not answered yet.
struct Unanswered<'a> {
    secondary: SocketAddr,
    zone: &'a Owner,
    id: u16,
    message: Vec<u8>,
    /// Checks the signature of the answer.
    transaction: Option<ClientTransaction<Arc<Key>>>,
    outcome: Option<Outcome>,
    /// Whether there was an answer without a valid signature, which anybody may have sent.
    unverified: bool,
}

/// Notifies the secondaries.
pub(super) struct Notifier<'s> {
    /// The listening address.
    address: SocketAddr,
    secondaries: Vec<SocketAddr>,
    key: Option<&'s SigningKey>,
    /// The secondaries that do not know the key.
    unsigned: HashSet<SocketAddr>,
    /// The zones of addresses that a secondary does not serve.
    not_served: HashSet<(SocketAddr, Owner)>,
    snapshot: &'s ZoneSnapshot,
    counts: &'s Counts,
    journal: &'s Journal,
    shutdown: &'s Shutdown,
    log_limit: RateLimit,
    last_id: u16,
}

impl<'s> Notifier<'s> {
    pub(super) fn new(
        address: SocketAddr,
        settings: &'s Settings,
        snapshot: &'s ZoneSnapshot,
        counts: &'s Counts,
        journal: &'s Journal,
        shutdown: &'s Shutdown,
    ) -> Self {
        Self {
            address: net::canonical(address),
            secondaries: settings
                .secondaries
                .iter()
                .copied()
                .map(net::canonical)
                .collect(),
            key: settings.keys.first().map(AsRef::as_ref),
            unsigned: HashSet::new(),
            not_served: HashSet::new(),
            snapshot,
            counts,
            journal,
            shutdown,
            log_limit: RateLimit::new("notices were answered"),
            last_id: 0,
        }
    }

    /// Sends notices until the registrar ends or a stop is requested.
    pub(super) fn run(mut self, changes: &Receiver<()>) {
        let mut reader = self.snapshot.reader();
        loop {
            select! {
                recv(changes) -> change => if change.is_err() { break },
                recv(self.shutdown.channel()) -> _ => break,
            }
            if self.secondaries.is_empty() {
                continue;
            }
            let zone = Arc::clone(reader.zone());
            let zones = &zone.zones;
            let begun = Instant::now();
            let mut notices = Vec::new();
            for secondary in self.secondaries.clone() {
                notices.extend(zones.all().map(|zone| self.notice(secondary, zone)));
            }
            if let Err(error) = self.send(&mut notices, changes) {
                let text = format!("notifying the secondaries: {}", why(&error));
                self.journal.record(warning(text));
            } else {
                let newer = !changes.is_empty() || self.shutdown.requested();
                for notice in notices {
                    let serial = zone.serial(notice.zone);
                    self.report(notice, serial, newer, &zones.names);
                }
            }
            self.log_limit.go_on(self.journal);
            if self
                .shutdown
                .sleep(INTERVAL.saturating_sub(begun.elapsed()))
            {
                break;
            }
        }
        self.log_limit.finish(self.journal);
    }

    fn notice<'z>(&mut self, secondary: SocketAddr, zone: &'z Owner) -> Unanswered<'z> {
        self.last_id = self.last_id.wrapping_add(1);
        let key = self.key.filter(|_| !self.unsigned.contains(&secondary));
        let (message, transaction) = message(zone, self.last_id, key);
        Unanswered {
            secondary,
            zone,
            id: self.last_id,
            message,
            transaction,
            outcome: None,
            unverified: false,
        }
    }

    /// Sends the notices until all are answered, or there is a newer change.
    fn send(&mut self, notices: &mut [Unanswered], changes: &Receiver<()>) -> io::Result<()> {
        let wanted = |v4| {
            let mut secondaries = self.secondaries.iter();
            secondaries.any(|secondary| secondary.is_ipv4() == v4)
        };
        let sockets = [true, false]
            .into_iter()
            .filter(|v4| wanted(*v4))
            .map(|v4| Ok((v4, self.socket(v4)?)))
            .collect::<io::Result<Vec<_>>>()?;
        for attempt in 0..TRIES {
            for notice in notices.iter_mut() {
                let v4 = notice.secondary.is_ipv4();
                let socket = sockets.iter().find(|(of, _)| *of == v4);
                if let (Some((_, socket)), None | Some(Outcome::NotSent(_))) =
                    (socket, &notice.outcome)
                {
                    let sent = socket.send_to(&notice.message, notice.secondary);
                    notice.outcome = sent.err().map(|error| match error.kind() {
                        io::ErrorKind::InvalidInput => Outcome::Impossible(why(&error)),
                        _ => Outcome::NotSent(why(&error)),
                    });
                }
            }
            let until = Instant::now() + TIMEOUT * 2_u32.pow(attempt);
            while Instant::now() < until {
                let waits = |notice: &Unanswered| notice.outcome.is_none();
                if !changes.is_empty() || self.shutdown.requested() {
                    return Ok(());
                }
                let unsent =
                    |notice: &Unanswered| matches!(notice.outcome, Some(Outcome::NotSent(_)));
                if !notices.iter().any(|notice| waits(notice) || unsent(notice)) {
                    return Ok(());
                }
                let soon = until.min(Instant::now() + Duration::from_millis(20));
                net::wait(
                    &sockets[0].1,
                    Interest::Read,
                    Some(soon),
                    Some(self.shutdown),
                )?;
                for (_, socket) in &sockets {
                    self.receive(socket, notices);
                }
            }
        }
        Ok(())
    }

    /// A socket at the listening address, when that is of this family.
    fn socket(&self, v4: bool) -> io::Result<UdpSocket> {
        let address = if self.address.is_ipv4() == v4 {
            // With the scope of a link-local address.
            let mut address = self.address;
            address.set_port(0);
            address
        } else if v4 {
            ([0, 0, 0, 0], 0).into()
        } else {
            ([0_u16; 8], 0).into()
        };
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }

    /// Takes the answers that wait. A notice that was refused for its key is sent again without a signature.
    fn receive(&mut self, socket: &UdpSocket, notices: &mut [Unanswered]) {
        let mut buffer = [0; 1232];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let answer = &buffer[..length];
            let notice = notices
                .iter_mut()
                .find(|notice| notice.secondary == from && notice.is_answered_by(answer));
            let Some(notice) = notice else { continue };
            notice.outcome = notice.outcome_of(answer);
            notice.unverified = notice.outcome.is_none();
            if notice.outcome == Some(Outcome::UnknownKey) {
                if self.unsigned.insert(from) {
                    let text = format!(
                        "secondary {from} does not know the key {}: it is notified without a signature",
                        self.key.map_or(String::new(), |key| key.client.to_string())
                    );
                    self.journal.record(warning(text).peer(from));
                }
                let again = self.notice(from, notice.zone);
                let _ = socket.send_to(&again.message, from);
                *notice = again;
            }
        }
    }

    /// Logs what became of a notice.
    fn report(&mut self, notice: Unanswered, serial: u32, newer: bool, names: &Owner) {
        let (secondary, zone) = (notice.secondary, notice.zone);
        let is_names = zone == names;
        if newer && matches!(notice.outcome, None | Some(Outcome::NotSent(_))) {
            // The notice of the newer change follows.
            return;
        }
        let count = match notice.outcome {
            Some(Outcome::Accepted) => &self.counts.notices,
            _ => &self.counts.notices_failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
        let event = match notice.outcome {
            Some(Outcome::Accepted) => {
                self.not_served.remove(&(secondary, zone.clone()));
                let text = format!(
                    "secondary {secondary} is notified of zone {zone} with serial {serial}: NOERROR"
                );
                Event::new(Kind::Local).text(text)
            }
            // Many serve only the zone of the names; that is worth one line.
            Some(Outcome::Refused(why)) if !is_names => {
                if !self.not_served.insert((secondary, zone.clone())) {
                    return;
                }
                let text = format!("secondary {secondary} does not take zone {zone}: {why}");
                Event::new(Kind::Local).text(text)
            }
            _ if !is_names => return,
            Some(Outcome::Refused(why)) => warning(format!(
                "secondary {secondary} refuses the notice of zone {zone} with serial {serial}: {why}"
            )),
            Some(Outcome::NotSent(why) | Outcome::Impossible(why)) => warning(format!(
                "secondary {secondary} cannot be notified from {}: {why}",
                self.address.ip()
            )),
            None if notice.unverified => warning(format!(
                "secondary {secondary} answers the notice of zone {zone} without a valid signature"
            )),
            None | Some(Outcome::UnknownKey) => warning(format!(
                "secondary {secondary} does not answer: notified {TRIES} times of a change"
            )),
        };
        if self.log_limit.one_more() {
            self.journal.record(event.peer(secondary));
        }
    }
}

impl Unanswered<'_> {
    fn is_answered_by(&self, answer: &[u8]) -> bool {
        Message::from_octets(answer).is_ok_and(|answer| {
            let header = answer.header();
            header.qr() && header.opcode() == Opcode::NOTIFY && header.id() == self.id
        })
    }

    /// What an answer says; None when its signature is not that of the secondary, whose answer may still come.
    fn outcome_of(&self, answer: &[u8]) -> Option<Outcome> {
        let mut answer = Message::from_octets(answer.to_vec()).ok()?;
        let rcode = answer.header().rcode();
        let tsig = shown::tsig_error(answer.as_slice());
        if let Some(transaction) = &self.transaction
            && transaction.answer(&mut answer, Time48::now()).is_err()
        {
            return match (rcode, tsig) {
                (Rcode::NOTAUTH, Some(TsigRcode::BADKEY)) => Some(Outcome::UnknownKey),
                (Rcode::NOERROR, _) => None,
                (_, Some(error)) if error != TsigRcode::NOERROR => Some(Outcome::Refused(format!(
                    "{} ({error})",
                    shown::rcode(rcode)
                ))),
                _ => Some(Outcome::Refused(shown::rcode(rcode))),
            };
        }
        Some(match rcode {
            Rcode::NOERROR => Outcome::Accepted,
            rcode => Outcome::Refused(shown::rcode(rcode)),
        })
    }
}

/// A notice, and what checks the signature of its answer.
fn message(
    zone: &Owner,
    id: u16,
    key: Option<&SigningKey>,
) -> (Vec<u8>, Option<ClientTransaction<Arc<Key>>>) {
    let mut message = MessageBuilder::new_vec();
    let header = message.header_mut();
    header.set_id(id);
    header.set_opcode(Opcode::NOTIFY);
    header.set_aa(true);
    let infallible = "a Vec has room for every record";
    let mut question = message.question();
    question
        .push((zone.name(), Rtype::SOA, Class::IN))
        .expect(infallible);
    let mut message = question.additional();
    let transaction = key.map(|key| {
        let key = Arc::clone(&key.client);
        ClientTransaction::request(key, &mut message, Time48::now()).expect(infallible)
    });
    (message.finish(), transaction)
}
