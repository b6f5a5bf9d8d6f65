//! Logs each datagram received, and counts them by addressing mode and by what their stamps say.

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

/// What a run received so far.
#[derive(Debug)]
pub struct ReceiveStats<'a> {
    journal: &'a Journal,
    clock: Clock,
    sessions: Sessions,
    stamp_fields: StampFieldsReader,
    rate_limit: RateLimit,
    /// Datagrams received.
    received: u64,
    /// The same by addressing mode, in the order of [`AddressingMode::ALL`].
    by_mode: [u64; 3],
    stamped: u64,
    damaged: u64,
    truncated: u64,
    /// The size of the receive buffer in bytes.
    receive_buffer: usize,
    /// Whether the log says already that the kernel drops datagrams.
    drops_reported: bool,
}

impl<'a> ReceiveStats<'a> {
    /// The statistics of a run that begins.
    pub fn new(receiver: &Receiver, journal: &'a Journal) -> Self {
        Self {
            journal,
            clock: Clock::default(),
            sessions: Sessions::default(),
            stamp_fields: StampFieldsReader::default(),
            rate_limit: RateLimit::new("datagrams were received"),
            received: 0,
            by_mode: [0; 3],
            stamped: 0,
            damaged: 0,
            truncated: 0,
            receive_buffer: receiver.socket().receive_buffer.granted,
            drops_reported: false,
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
        for datagram in batch.datagrams() {
            self.record_one(batch, datagram, &mut clock);
        }
        self.received += batch.len();
        self.by_mode[batch.mode as usize] += batch.len();
        self.truncated += u64::from(batch.truncated);
        if batch.dropped > 0 && !self.drops_reported {
            self.drops_reported = true;
            let text = format!(
                "the kernel drops datagrams: the receive buffer of {} bytes is full; --receive-buffer requests a larger one",
                self.receive_buffer
            );
            self.journal.record(Event::error(Level::Warn, text));
        }
    }

    fn record_one(&mut self, batch: &Batch<'_>, datagram: &[u8], clock: &mut u64) {
        let found = session(&mut self.sessions, &mut self.stamp_fields, batch, datagram);
        let (session, fields, message) = match found {
            Ok(stamped) => stamped,
            Err(unstamped) => {
                let damaged = unstamped == Unstamped::Damaged;
                self.damaged += u64::from(damaged);
                // A plain datagram is always logged: it has no number that a report could count.
                let anomaly = damaged.then_some(Anomaly::DamagedStamp);
                return self.journal.record(received(batch, datagram, anomaly));
            }
        };
        self.stamped += 1;
        // Neither is above 2^63, so the difference fits.
        let delay = batch.time_us as i64 - fields.time_us as i64;
        let arrival = session.record(fields.number, delay);
        let plausible = fields.clock < *clock + CLOCK_JUMP && arrival != Arrival::Implausible;
        if plausible {
            *clock = fields.clock.max(*clock) + 1;
        }
        if self.rate_limit.one_more() {
            let anomaly = arrival
                .anomaly()
                .or((!plausible).then_some(Anomaly::ImplausibleClock));
            let id = MessageId::new(Carrier::Udp, &*session.identity, batch.to, fields.number);
            let mut event = received(batch, message, anomaly).message(id).clock(*clock);
            event.bytes = Some(datagram.len() as u64);
            self.journal.record(event);
        }
    }

    /// Reports each sender, and sums up. The answer is no when the run ended before `--count` datagrams were received,
    /// unless a shutdown request ended it.
    pub fn finish(self, receiver: Receiver) -> Summary {
        self.finish_after("", receiver)
    }

    /// The same, with the words for what the process sent before the words for what it received.
    pub fn finish_after(mut self, sent: &str, mut receiver: Receiver) -> Summary {
        let dropped = receiver.count_dropped();
        self.rate_limit.finish(self.journal);
        for session in self.sessions.iter().take(SENDERS_REPORTED) {
            let event = Event::new(Kind::Report).peer(session.source);
            self.journal
                .record(event.text(session.words()).counts(session.named()));
        }
        let total = self.sessions.total();
        let senders = self.sessions.iter().count() as u64 + self.sessions.evicted();
        let words = self.words(&total, senders, dropped);
        let mut summary = Summary::done(format!("stopped: {sent}{words}"))
            .count("stamped", self.stamped)
            .count("damaged", self.damaged)
            .count("truncated", self.truncated)
            .count("senders", senders)
            .count("dropped_by_kernel", dropped)
            .count("receive_buffer_bytes", self.receive_buffer as u64);
        for (name, value) in total.named() {
            summary = summary.count(name, value);
        }
        for (mode, count) in AddressingMode::ALL.into_iter().zip(self.by_mode) {
            summary = summary.count(mode.word(), count);
        }
        summary = summary.count("received", self.received);
        if let (Some(count), Some(1..)) = (receiver.count(), receiver.missing()) {
            summary.text += &format!("; {count} were requested");
            if !receiver.interrupted() {
                summary.exit = Exit::No;
            }
        }
        summary
    }

    fn words(&self, total: &Counts, senders: u64, dropped: u64) -> String {
        let mut words = format!("{} received", plural(self.received, "datagram"));
        let by_mode: Vec<_> = AddressingMode::ALL
            .into_iter()
            .zip(self.by_mode)
            .filter(|(_, count)| *count > 0)
            .map(|(mode, count)| format!("{count} by {}", mode.word()))
            .collect();
        if !by_mode.is_empty() {
            words += &format!(" ({})", by_mode.join(", "));
        }
        if self.stamped > 0 {
            let from = plural(senders, "sender");
            words += &format!("; {} stamped, from {from}: {}", self.stamped, total.words());
        }
        for (count, what) in [
            (self.damaged, "with a damaged stamp"),
            (self.truncated, "truncated"),
        ] {
            if count > 0 {
                words += &format!("; {count} {what}");
            }
        }
        if dropped > 0 {
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
        .mode(batch.mode)
        .content(message);
    event.anomaly = anomaly.or(batch.truncated.then_some(Anomaly::Truncated));
    if event.anomaly.is_some() {
        event.level = Level::Warn;
    }
    event
}
