//! What a member hears: each datagram is told, and counted by how it came and by what its stamp says.

use super::{
    Batch, Receiver, Technique,
    stamp::{self, Clock, Envelope, FiguresReader},
    tally::{Counts, Place, Session, Sessions},
};
use crate::{
    event::{Event, Kind, Level},
    exit::Summary,
    journal::{Journal, Lines, usual_view},
    message::{Carrier, MessageId},
    telling::Telling,
    text::plural,
};

/// A stamp's clock that is so far ahead of ours is a forger's, and moves ours nowhere.
const CLOCK_JUMP: u64 = 1 << 40;

/// How many senders the end tells of, one by one.
const SENDERS_TOLD: usize = 20;

/// What was heard so far.
#[derive(Debug)]
pub struct Hearing<'a> {
    journal: &'a Journal,
    clock: Clock,
    sessions: Sessions,
    figures: FiguresReader,
    telling: Telling,
    /// Datagrams that came.
    pub received: u64,
    /// How many of them by each technique, in the order of [`Technique::ALL`].
    by: [u64; 3],
    stamped: u64,
    damaged: u64,
    cut: u64,
    /// Whether it was told that the kernel drops datagrams.
    drops_told: bool,
}

impl<'a> Hearing<'a> {
    /// Nothing yet. Stamped messages move this clock (Lamport 1978, rule IR2 b).
    pub fn new(journal: &'a Journal, clock: Clock) -> Self {
        Self {
            journal,
            clock,
            sessions: Sessions::default(),
            figures: FiguresReader::default(),
            telling: Telling::new("datagrams came"),
            received: 0,
            by: [0; 3],
            stamped: 0,
            damaged: 0,
            cut: 0,
            drops_told: false,
        }
    }

    /// Takes at most so many datagrams of a batch.
    pub fn take(&mut self, batch: &Batch<'_>, most: u64) {
        self.telling.go_on(self.journal);
        let clock = self.clock.clone();
        let mut clock = clock.lock();
        let before = self.received;
        for datagram in batch
            .datagrams()
            .take(usize::try_from(most).unwrap_or(usize::MAX))
        {
            self.received += 1;
            self.take_one(batch, datagram, &mut clock);
        }
        self.by[batch.technique as usize] += self.received - before;
        self.cut += u64::from(batch.cut);
    }

    fn take_one(&mut self, batch: &Batch<'_>, datagram: &[u8], clock: &mut u64) {
        let found = session(&mut self.sessions, &mut self.figures, batch, datagram);
        let (session, number, time_us, sent, message) = match found {
            Ok(stamped) => stamped,
            Err(unstamped) => {
                let damaged = unstamped == Unstamped::Damaged;
                self.damaged += u64::from(damaged);
                // A plain datagram is always told: there is no number to know it by afterwards.
                let odd = damaged.then_some("damaged stamp");
                return self.journal.record(receipt(batch, datagram, odd));
            }
        };
        self.stamped += 1;
        // Neither is beyond 2^63, so their difference fits.
        let delay = batch.time_us as i64 - time_us as i64;
        let place = session.note(number, delay);
        let honest = sent < *clock + CLOCK_JUMP && place != Place::Implausible;
        if honest {
            *clock = sent.max(*clock) + 1;
        }
        if self.telling.one_more() {
            let odd = place.remark().or((!honest).then_some("implausible clock"));
            let id = MessageId::new(Carrier::Udp, &*session.identity, batch.to, number);
            let mut event = receipt(batch, message, odd).message(id).clock(*clock);
            event.bytes = Some(datagram.len() as u64);
            self.journal.record(event);
        }
    }

    /// Tells of datagrams that the kernel had to drop, once.
    pub fn look_at(&mut self, receiver: &Receiver) {
        if receiver.dropped > 0 && !self.drops_told {
            self.drops_told = true;
            let (_, granted) = receiver.room;
            let text = format!(
                "the kernel drops datagrams: the receive buffer of {granted} bytes is full; --receive-buffer asks for more"
            );
            self.journal.record(Event::error(Level::Warn, text));
        }
    }

    /// Tells what was heard of each sender, and sums up.
    pub fn finish(mut self, receiver: &mut Receiver, what_else: &str) -> Summary {
        receiver.count_dropped();
        self.telling.finish(self.journal);
        for session in self.sessions.iter().take(SENDERS_TOLD) {
            let event = Event::new(Kind::Local).peer(session.source);
            self.journal
                .record(event.text(session.words()).counts(session.named()));
        }
        let total = self.sessions.total();
        let senders = self.sessions.iter().count() as u64 + self.sessions.left();
        let mut summary = Summary::done(self.words(&total, senders, receiver.dropped, what_else))
            .count("stamped", self.stamped)
            .count("damaged", self.damaged)
            .count("cut", self.cut)
            .count("senders", senders)
            .count("dropped_by_kernel", receiver.dropped)
            .count("receive_buffer_bytes", receiver.room.1 as u64);
        for (name, value) in total.named() {
            summary = summary.count(name, value);
        }
        for (technique, count) in Technique::ALL.into_iter().zip(self.by) {
            summary = summary.count(technique.word(), count);
        }
        summary.count("received", self.received)
    }

    fn words(&self, total: &Counts, senders: u64, dropped: u64, what_else: &str) -> String {
        let mut words = format!(
            "stopped: {what_else}{} received",
            plural(self.received, "datagram")
        );
        let by: Vec<_> = Technique::ALL
            .into_iter()
            .zip(self.by)
            .filter(|(_, count)| *count > 0)
            .map(|(technique, count)| format!("{count} by {}", technique.word()))
            .collect();
        if !by.is_empty() {
            words += &format!(" ({})", by.join(", "));
        }
        if self.stamped > 0 {
            let from = plural(senders, "sender");
            words += &format!("; {} stamped, from {from}: {}", self.stamped, total.words());
        }
        for (count, what) in [
            (self.damaged, "with a damaged stamp"),
            (self.cut, "cut off"),
        ] {
            if count > 0 {
                words += &format!("; {count} {what}");
            }
        }
        if dropped > 0 {
            // With offload a drop is one of a piece, so it is no number of datagrams.
            let times = plural(dropped, "time");
            words +=
                &format!("; the kernel dropped what came {times}, as the receive buffer was full");
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

/// The session that a stamped datagram belongs to, and its number, time, clock and message.
fn session<'s, 'd>(
    sessions: &'s mut Sessions,
    figures: &mut FiguresReader,
    batch: &Batch<'_>,
    datagram: &'d [u8],
) -> Result<(&'s mut Session, u64, u64, u64, &'d [u8]), Unstamped> {
    if let Some(prefix) = sessions.same_as_last(batch.sender, datagram) {
        let read = figures.read(&datagram[prefix..]);
        let (number, time_us, clock, message) = read.ok_or(Unstamped::Damaged)?;
        return Ok((sessions.last(), number, time_us, clock, message));
    }
    let (stamp, message) = match stamp::read(datagram) {
        Envelope::Stamped(stamp, message) => (stamp, message),
        Envelope::Damaged => return Err(Unstamped::Damaged),
        Envelope::None => return Err(Unstamped::Plain),
    };
    let session = sessions.find(batch.sender, stamp.identity(), stamp.prefix);
    Ok((session, stamp.number, stamp.time_us, stamp.clock, message))
}

fn receipt(batch: &Batch<'_>, message: &[u8], odd: Option<&str>) -> Event {
    let mut event = Event::new(Kind::Receive)
        .peer(batch.sender)
        .technique(batch.technique)
        .content(message);
    event.value = odd.or(batch.cut.then_some("cut off")).map(str::to_owned);
    if event.value.is_some() {
        event.level = Level::Warn;
    }
    event
}

/// How a message came, for people: ` [multicast, mcast-client/5f3a9c21 #17, overtaken]`.
fn tag(event: &Event) -> String {
    let Some(technique) = event.technique else {
        return String::new();
    };
    let stamp = event
        .message
        .as_ref()
        .map(|id| format!(", {} #{}", id.from, id.number));
    let odd = event.value.as_ref().map(|odd| format!(", {odd}"));
    format!(
        " [{}{}{}]",
        technique.word(),
        stamp.unwrap_or_default(),
        odd.unwrap_or_default()
    )
}

/// What people see of a member's events; each message after the handout's words. With `json` what it all came to is
/// part of the answer.
pub fn view(event: &Event, lines: &mut Lines, words: &str, json: bool) {
    let text = event.text.as_deref().unwrap_or_default();
    match event.kind {
        Kind::Ready => lines.status = format!("listening on {text}"),
        Kind::Receive => lines.answer = format!("{words}: {text}{}", tag(event)),
        Kind::Check => super::doctor::view(event, lines),
        Kind::Local | Kind::Stop if json && !event.counts.is_empty() => lines.answer.push_str(text),
        Kind::Local | Kind::Stop => lines.status.push_str(text),
        _ => usual_view(event, lines),
    }
}
