//! What a client of a time server does, the same for Cristian's algorithm and for NTP: it asks, waits for the reply to its last
//! request, asks again when none comes, and adjusts its clock.

use common::process::{
    Meaning, Message, Outbox, Refusal, TimerKind, To,
    clock::Overflow,
    ids::ProcessId,
    physical::{ClockAction, MOST_DRIFT, Nanos, SoftwareClock},
};

use crate::bug::Bug;

/// The time server. It has a source of time, so that its clock is the one that others follow.
pub(super) const SERVER: ProcessId = ProcessId(0);

/// Why a process does not ask for the time.
const ASKING: &str = "it has asked for the time already, and waits for the reply";

/// The most waits for a reply.
const MOST_PATIENCE: u16 = 1 << 12;

/// How far two clocks may drift apart in this time, in nanoseconds.
pub fn drift(time: i64) -> i64 {
    let apart = i128::from(time) * i128::from(2 * MOST_DRIFT) / 1_000_000_000;
    apart as i64
}

/// A process with a software clock that it sets by requests.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct TimeClient {
    pub(super) clock: SoftwareClock,
    /// The number of its last request.
    round: u32,
    /// What its hardware clock showed when it sent that, while it waits for the reply.
    asked: Option<i64>,
    /// How many of the driver's waits it waits for the reply, and how many are over.
    patience: u16,
    waited: u16,
    pub(super) bug: Option<Bug>,
}

impl TimeClient {
    /// A client whose clock is not set.
    pub(super) fn new(bug: Option<Bug>) -> Self {
        Self {
            clock: SoftwareClock::default(),
            round: 0,
            asked: None,
            patience: 1,
            waited: 0,
            bug,
        }
    }

    /// Whether it waits for a reply.
    pub(super) fn waits(&self) -> bool {
        self.asked.is_some()
    }

    /// Sends a request with the next number, and waits for its reply.
    pub(super) fn ask<M: Message>(
        &mut self,
        to: To,
        request: impl FnOnce(u32) -> M,
        out: &mut Outbox<'_, M>,
    ) -> Result<(), Overflow> {
        self.round += 1;
        self.asked = Some(out.reading());
        self.waited = 0;
        let poll = self.event(ClockAction::Poll, out);
        out.send_as(poll, to, request(self.round))?;
        out.set_timer(TimerKind::Timeout);
        Ok(())
    }

    /// Whether a person can have it ask, who is a process that asks by its part in the algorithm.
    pub(super) fn may_ask(&self, asks: bool, why_not: &str) -> Result<(), Refusal> {
        match (asks, self.waits()) {
            (false, _) => Err(Refusal::Invalid(why_not.to_owned())),
            (true, true) => Err(Refusal::Invalid(ASKING.to_owned())),
            (true, false) => Ok(()),
        }
    }

    /// Its report in this round: the meaning of the event, and its time.
    pub(super) fn report<M>(&self, round: u32, out: &Outbox<'_, M>) -> (Meaning, i64) {
        let report = out.clock_event(round, &self.clock, ClockAction::Report);
        (report, self.clock.set(out.reading()))
    }

    /// What is assumed of a round trip that the reply took: half of it, with the bug all.
    pub(super) fn part_of_reply(&self, delay: i64) -> i64 {
        match self.bug {
            Some(Bug::NoHalving) => delay,
            _ => delay / 2,
        }
    }

    /// It has measured how far another clock is ahead.
    pub(super) fn sample<M>(
        &self,
        (offset, delay): (i64, i64),
        out: &mut Outbox<'_, M>,
    ) -> Result<(), Overflow> {
        let sample = self.event(ClockAction::Sample { offset, delay }, out);
        out.local(sample).map(drop)
    }

    /// The number of its last request.
    pub(super) fn round(&self) -> u32 {
        self.round
    }

    /// It takes part in a round of another process.
    pub(super) fn follow(&mut self, round: u32) {
        self.round = round;
    }

    /// What the hardware clock showed when the request of this number was sent; None if the reply is not to the last one, or to none.
    /// The bug takes a late reply as that to the last request.
    pub(super) fn asked(&self, round: u32) -> Option<i64> {
        let is_last = round == self.round || self.bug == Some(Bug::StaleReply);
        self.asked.filter(|_| is_last)
    }

    /// A wait is over. Whether the process gives the last request up; it waits twice as long for the next one, as its reply, too, may need
    /// longer than the first wait.
    pub(super) fn gives_up<M>(&mut self, out: &mut Outbox<'_, M>) -> bool {
        self.waited += 1;
        if self.waited < self.patience {
            out.set_timer(TimerKind::Timeout);
            return false;
        }
        self.patience = (2 * self.patience).min(MOST_PATIENCE);
        true
    }

    /// The last request is answered.
    pub(super) fn answered<M>(&mut self, out: &mut Outbox<'_, M>) {
        self.asked = None;
        out.clear_timer(TimerKind::Timeout);
    }

    /// Sets the clock ahead by this offset, which may be wrong by `bound`. One that is ahead is not set back: it runs slower.
    pub(super) fn adjust<M>(
        &mut self,
        offset: i64,
        bound: i64,
        out: &mut Outbox<'_, M>,
    ) -> Result<(), Overflow> {
        self.patience = 1;
        let now = out.reading();
        let before = self.clock.shown(now);
        let steps = self.bug == Some(Bug::SetBack);
        self.clock.adjust(now, self.clock.set(now) + offset, steps);
        out.local(self.event(ClockAction::Adjust { before, bound }, out))?;
        Ok(())
    }

    /// What it does in the present round.
    pub(super) fn event<M>(&self, action: ClockAction, out: &Outbox<'_, M>) -> Meaning {
        out.clock_event(self.round, &self.clock, action)
    }

    /// Its state in words.
    pub(super) fn queue(&self) -> Vec<String> {
        let set = Nanos(self.clock.set(0));
        let waits = || format!("request {}, waiting", self.round);
        let waits = self.waits().then(waits);
        [format!("its clock is its hardware clock and {set}")]
            .into_iter()
            .chain(waits)
            .collect()
    }
}
