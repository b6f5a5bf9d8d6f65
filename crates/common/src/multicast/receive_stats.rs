//! Logs each datagram received, and counts them by addressing mode and by what their stamps say.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    group_socket::Batch,
    receiver::Receiver,
    sessions::Sessions,
    stamp::{self, Clock, Envelope, StampFields, StampFieldsReader},
    tally::{Arrival, Counts, Session},
};
use crate::{
    event::{AddressingMode, Anomaly, Event, Kind, Level},
    exit::{Exit, Summary},
    journal::Journal,
    message::{Carrier, MessageId},
    rate_limit::RateLimit,
    text::plural,
};

/// A clock in a stamp that is this far ahead is forged, and does not move the receiver's.
const CLOCK_JUMP: u64 = 1 << 40;

/// How many senders are reported one by one at the end.
const SENDERS_REPORTED: usize = 20;

/// What a run received so far, and how it is logged.
#[derive(Debug)]
pub struct ReceiveStats<'a> {
    journal: &'a Journal,
    clock: Clock,
    stamp_fields: StampFieldsReader,
    rate_limit: RateLimit,
    /// Shared with the report that a signal asks for. Not held while an event is recorded, which may wait.
    received: Arc<Mutex<Received>>,
    /// Whether the log says already that the kernel drops datagrams.
    drops_reported: bool,
    /// Whether the log says already that the table of sessions is full.
    eviction_reported: bool,
}

/// The counts.
#[derive(Debug)]
struct Received {
    sessions: Sessions,
    /// Datagrams received.
    received: u64,
    /// The same by addressing mode, in the order of [`AddressingMode::ALL`].
    by_mode: [u64; 3],
    /// Those whose addressing mode is not known.
    unknown_mode: u64,
    stamped: u64,
    damaged: u64,
    truncated: u64,
    /// How often the kernel dropped datagrams; None: the system does not count it.
    dropped: Option<u64>,
    /// The size of the receive buffer in bytes.
    receive_buffer: usize,
}

fn lock(received: &Mutex<Received>) -> MutexGuard<'_, Received> {
    received.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> ReceiveStats<'a> {
    /// The statistics of a run that begins. From now on the journal can report them.
    pub fn new(receiver: &Receiver, journal: &'a Journal) -> Self {
        let received = Arc::new(Mutex::new(Received {
            sessions: Sessions::default(),
            received: 0,
            by_mode: [0; 3],
            unknown_mode: 0,
            stamped: 0,
            damaged: 0,
            truncated: 0,
            dropped: receiver.socket().dropped,
            receive_buffer: receiver.socket().receive_buffer.granted,
        }));
        let so_far = Arc::clone(&received);
        journal.report_with(move || Event::report(&lock(&so_far).summary("so far: ")));
        Self {
            journal,
            clock: Clock::default(),
            stamp_fields: StampFieldsReader::default(),
            rate_limit: RateLimit::new("datagrams were received"),
            received,
            drops_reported: false,
            eviction_reported: false,
        }
    }

    /// The same, for a process whose sender shares this clock. Stamped messages move it (Lamport 1978, rule IR2 b).
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Logs and counts the datagrams of a batch.
    pub fn record(&mut self, batch: &Batch<'_>) {
        self.rate_limit.go_on(self.journal);
        let clock = self.clock.clone();
        let mut clock = clock.lock();
        let shared = Arc::clone(&self.received);
        let mut received = lock(&shared);
        received.received += batch.len();
        match batch.mode {
            Some(mode) => received.by_mode[mode as usize] += batch.len(),
            None => received.unknown_mode += batch.len(),
        }
        received.truncated += u64::from(batch.truncated);
        received.dropped = batch.dropped;
        for datagram in batch.datagrams() {
            if let Some(event) = self.count_one(&mut received, batch, datagram, &mut clock) {
                drop(received);
                self.journal.record(event);
                received = lock(&shared);
            }
        }
        if batch.dropped > Some(0) && !self.drops_reported {
            self.drops_reported = true;
            let text = format!(
                "the kernel drops datagrams: the receive buffer of {} bytes is full; --receive-buffer requests a larger one",
                received.receive_buffer
            );
            drop(received);
            self.journal.record(Event::error(Level::Warn, text));
            received = lock(&shared);
        }
        if received.sessions.evicted() > 0 && !self.eviction_reported {
            self.eviction_reported = true;
            let text = received.eviction();
            drop(received);
            self.journal.record(Event::error(Level::Warn, text));
        }
    }

    /// Counts a datagram; its event, if it is logged.
    fn count_one(
        &mut self,
        counts: &mut Received,
        batch: &Batch<'_>,
        datagram: &[u8],
        clock: &mut u64,
    ) -> Option<Event> {
        let found = session(
            &mut counts.sessions,
            &mut self.stamp_fields,
            batch,
            datagram,
        );
        let (session, fields, message) = match found {
            Ok(stamped) => stamped,
            Err(unstamped) => {
                let damaged = unstamped == Unstamped::Damaged;
                counts.damaged += u64::from(damaged);
                // A plain datagram is always logged: it has no number that a report could count.
                let anomaly = damaged.then_some(Anomaly::DamagedStamp);
                return Some(received(batch, datagram, anomaly));
            }
        };
        counts.stamped += 1;
        // Neither is above 2^63, so the difference fits.
        let delay = batch.time_us as i64 - fields.time_us as i64;
        let arrival = session.record(fields.number, delay);
        let plausible = fields.clock < *clock + CLOCK_JUMP && arrival != Arrival::Implausible;
        if plausible {
            *clock = fields.clock.max(*clock) + 1;
        }
        self.rate_limit.one_more().then(|| {
            let anomaly = arrival
                .anomaly()
                .or((!plausible).then_some(Anomaly::ImplausibleClock));
            let mut event = received(batch, message, anomaly).clock(*clock);
            // The destination is a part of what identifies a message.
            event.message = batch
                .to
                .map(|to| MessageId::new(Carrier::Udp, &*session.identity, to, fields.number));
            event.bytes = Some(datagram.len() as u64);
            event
        })
    }

    /// Reports each sender, and sums up. The answer is no when the run ended before `--count` datagrams were received,
    /// unless a shutdown request ended it.
    pub fn finish(self, receiver: Receiver) -> Summary {
        self.finish_after("", receiver)
    }

    /// The same, with the words for what the process sent before the words for what it received.
    pub fn finish_after(mut self, sent: &str, mut receiver: Receiver) -> Summary {
        self.rate_limit.finish(self.journal);
        let mut received = lock(&self.received);
        received.dropped = receiver.count_dropped();
        let reports = received.senders();
        let mut summary = received.summary(&format!("stopped: {sent}"));
        drop(received);
        for report in reports {
            self.journal.record(report);
        }
        if let (Some(count), Some(1..)) = (receiver.count(), receiver.missing()) {
            summary.text += &format!("; {count} were requested");
            if !receiver.interrupted() {
                summary.exit = Exit::No;
            }
        }
        summary
    }
}

impl Received {
    /// The report of each sender, of so many at most.
    fn senders(&self) -> Vec<Event> {
        let some = self.sessions.some(SENDERS_REPORTED);
        let mut reports: Vec<_> = some
            .iter()
            .map(|session| {
                let event = Event::new(Kind::Report).peer(session.source);
                event.text(session.words()).counts(session.named())
            })
            .collect();
        let others = self.sessions.kept() - some.len();
        if others > 0 {
            let text = format!(
                "and {}, counted in the sums: the reports are of the addresses with the fewest senders",
                plural(others as u64, "more sender")
            );
            reports.push(Event::new(Kind::Report).text(text));
        }
        reports
    }

    /// That the table of sessions is full, and at whose cost.
    fn eviction(&self) -> String {
        let (address, share) = self
            .sessions
            .fullest()
            .unwrap_or((Ipv4Addr::UNSPECIFIED.into(), 0));
        format!(
            "the table of {} senders is full: each new one evicts one of the address that has the most, now {address} with {share}",
            self.sessions.kept()
        )
    }

    fn summary(&self, beginning: &str) -> Summary {
        let total = self.sessions.total();
        let evicted = self.sessions.evicted();
        let senders = self.sessions.kept() as u64 + evicted;
        let words = self.words(&total, senders);
        let mut summary = Summary::done(format!("{beginning}{words}"))
            .count("stamped", self.stamped)
            .count("damaged", self.damaged)
            .count("truncated", self.truncated)
            .count("senders", senders)
            .count("senders_evicted", evicted)
            .count("receive_buffer_bytes", self.receive_buffer as u64);
        for (name, value) in total.named() {
            summary = summary.count(name, value);
        }
        if let Some(dropped) = self.dropped {
            summary = summary.count("dropped_by_kernel", dropped);
        }
        if self.unknown_mode > 0 {
            summary = summary.count("unknown_mode", self.unknown_mode);
        }
        for (mode, count) in AddressingMode::ALL.into_iter().zip(self.by_mode) {
            summary = summary.count(mode.word(), count);
        }
        summary.count("received", self.received)
    }

    fn words(&self, total: &Counts, senders: u64) -> String {
        let mut words = format!("{} received", plural(self.received, "datagram"));
        let by_mode: Vec<_> = AddressingMode::ALL
            .into_iter()
            .zip(self.by_mode)
            .filter(|(_, count)| *count > 0)
            .map(|(mode, count)| format!("{count} by {}", mode.word()))
            .chain(
                (self.unknown_mode > 0)
                    .then(|| format!("{} by an unknown mode", self.unknown_mode)),
            )
            .collect();
        if !by_mode.is_empty() {
            words += &format!(" ({})", by_mode.join(", "));
        }
        if self.stamped > 0 {
            let from = plural(senders, "sender");
            words += &format!("; {} stamped, from {from}: {}", self.stamped, total.words());
        }
        let evicted = self.sessions.evicted();
        if evicted > 0 {
            words += &format!(
                "; {} evicted from a table of {}, with what became of their messages until then in these sums",
                plural(evicted, "sender"),
                self.sessions.kept()
            );
        }
        for (count, what) in [
            (self.damaged, "with a damaged stamp"),
            (self.truncated, "truncated"),
        ] {
            if count > 0 {
                words += &format!("; {count} {what}");
            }
        }
        if let Some(dropped @ 1..) = self.dropped {
            // With offload the kernel drops a whole piece at a time, so this is no number of datagrams.
            let times = plural(dropped, "time");
            words +=
                &format!("; the kernel dropped datagrams {times}, as the receive buffer was full");
        }
        words
    }
}

/// Why a datagram belongs to no session.
#[derive(Eq, PartialEq)]
enum Unstamped {
    Plain,
    Damaged,
}

/// The session of a stamped datagram, its fields and its message.
fn session<'s, 'd>(
    sessions: &'s mut Sessions,
    stamp_fields: &mut StampFieldsReader,
    batch: &Batch<'_>,
    datagram: &'d [u8],
) -> Result<(&'s mut Session, StampFields, &'d [u8]), Unstamped> {
    if let Some(prefix) = sessions.same_as_last(batch.sender, datagram) {
        let read = stamp_fields.read(&datagram[prefix..]);
        let (fields, message) = read.ok_or(Unstamped::Damaged)?;
        return Ok((sessions.last(), fields, message));
    }
    let (stamp, message) = match stamp::read(datagram) {
        Envelope::Stamped(stamp, message) => (stamp, message),
        Envelope::Damaged => return Err(Unstamped::Damaged),
        Envelope::None => return Err(Unstamped::Plain),
    };
    let session = sessions.find(batch.sender, stamp.identity(), stamp.prefix);
    Ok((session, stamp.fields, message))
}

/// The event of a message received.
fn received(batch: &Batch<'_>, message: &[u8], anomaly: Option<Anomaly>) -> Event {
    let mut event = Event::new(Kind::Receive)
        .peer(batch.sender)
        .content(message);
    event.mode = batch.mode;
    let unknown = batch.mode.is_none().then_some(Anomaly::UnknownMode);
    event.anomaly = anomaly
        .or(batch.truncated.then_some(Anomaly::Truncated))
        .or(unknown);
    if event.anomaly.is_some() {
        event.level = Level::Warn;
    }
    event
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::{
        super::{
            interface::Interface,
            membership::{GROUP, Membership, MembershipArgs},
            sender::{Reach, Sender},
            stamp::StampWriter,
            view::{Words, view},
        },
        *,
    };
    use crate::{journal::Lines, testing::Recorder};

    const WORDS: Words = Words {
        running: None,
        received: "Received",
    };

    #[test]
    fn a_mode_that_the_system_does_not_say_is_called_unknown() {
        let membership = Membership::new(MembershipArgs {
            port: Some(0),
            count: Some(2),
            ..MembershipArgs::default()
        });
        let mut receiver = Receiver::join(&membership.unwrap()).unwrap();
        let loopback = &Interface::find(None, GROUP).unwrap()[0];
        let to = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), receiver.group().port());
        let mut sender =
            Sender::new(AddressingMode::Unicast, to, loopback, Reach::default()).unwrap();
        let mut stamped = Vec::new();
        let fields = StampFields {
            number: 1,
            time_us: stamp::now_us(),
            clock: 1,
        };
        StampWriter::new("sender")
            .unwrap()
            .write(&mut stamped, fields);
        for message in [b"plain".as_slice(), &stamped] {
            sender.send(message).unwrap();
        }
        let recorder = Recorder::new(view(WORDS, false));
        let mut stats = ReceiveStats::new(&receiver, &recorder.journal);
        while let Some(batch) = receiver.receive(&recorder.shutdown).unwrap() {
            stats.record(&batch.of_unknown_mode());
        }
        let summary = stats.finish(receiver);
        assert_eq!(summary.counts["unknown_mode"], 2);
        assert!(
            summary.text.contains("(2 by an unknown mode)"),
            "{}",
            summary.text
        );
        let events = recorder.events();
        let received = events.iter().filter(|event| event.kind == Kind::Receive);
        let received: Vec<_> = received.collect();
        assert_eq!(received.len(), 2);
        for event in received {
            // Without its destination a message is not identified.
            assert_eq!(
                (event.mode, event.anomaly, &event.message),
                (None, Some(Anomaly::UnknownMode), &None)
            );
            let mut lines = Lines::default();
            view(WORDS, false)(event, &mut lines);
            assert!(
                lines
                    .answer
                    .ends_with(" [unknown mode, this system does not say how it was addressed]"),
                "{}",
                lines.answer
            );
        }
    }
}
