//! The Network Time Protocol's measurement (Mills et al., RFC 5905, section 8; van Steen & Tanenbaum, "Network Time Protocol"): a
//! client's packet leaves at T1 and arrives at T2, the server's leaves at T3 and arrives at T4. The client's clock is behind by
//! ((T2−T1) + (T3−T4)) / 2, the **offset**, wrong by at most half of (T4−T1) − (T3−T2), the **delay**. The time that the server needs
//! does not count, in contrast to Cristian's algorithm.
//!
//! A **clock filter** keeps the last samples and uses the best of them: the one with the least delay, where an old one may have drifted.

mod filter;
mod message;

use common::process::{
    Command, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::Relevance,
    clock::Overflow,
    ids::{Names, ProcessId},
};
use smallvec::SmallVec;

use self::filter::{ClockFilter, Sample};
pub use self::message::Payload;
use super::time_client::{SERVER, TimeClient, drift};
use crate::bug::Bug;

/// The time server, or a client that repeatedly asks it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Ntp {
    me: ProcessId,
    client: TimeClient,
    filter: ClockFilter,
    /// The requests that the server has not answered: of whom, which one, and T2; one of each client.
    queue: SmallVec<[(ProcessId, u32, i64); 2]>,
}

impl Ntp {
    fn ask(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.client.ask(To::One(SERVER), Payload::Request, out)
    }

    /// The server's response to the request of this number: T2 and T3.
    fn take(
        &mut self,
        round: u32,
        (t2, t3): (i64, i64),
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let Some(t1) = self.client.asked(round) else {
            return Ok(());
        };
        let t4 = out.reading();
        let delay = (t4 - t1) - (t3 - t2);
        // A clock that was set back, here or at the server, has measured nothing. The bug has another reason for it.
        let is_set_back = delay < -drift(t4 - t1) && self.client.bug != Some(Bug::StaleReply);
        if t4 < t1 || is_set_back {
            return self.ask(out);
        }
        let delay = delay.max(0);
        self.client.answered(out);
        let ahead = match self.client.bug {
            Some(Bug::WrongSign) => ((t1 - t2) + (t4 - t3)) / 2,
            _ => ((t2 - t1) + (t3 - t4)) / 2,
        };
        let adjusted = self.client.clock.set(t4) - t4;
        let offset = ahead - adjusted;
        self.client.sample((offset, delay), out)?;
        let best = self.filter.add(Sample {
            ahead,
            bound: delay / 2 + drift(t4 - t1),
            at: t4,
        });
        self.client
            .adjust(best.ahead - adjusted, best.bound(t4), out)?;
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    /// The server answers the request that has waited longest.
    fn answer(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if self.queue.is_empty() {
            return Ok(());
        }
        let (from, round, t2) = self.queue.remove(0);
        let (report, t3) = self.client.report(round, out);
        out.send_as(report, To::One(from), Payload::Response(round, t2, t3))?;
        if !self.queue.is_empty() {
            out.set_timer(TimerKind::Work);
        }
        Ok(())
    }
}

impl Process for Ntp {
    type Message = Payload;
    type Settings = Option<Bug>;

    const READS_CLOCK: bool = true;

    fn new(me: ProcessId, _: usize, bug: &Option<Bug>) -> Self {
        Self {
            me,
            client: TimeClient::new(*bug),
            filter: ClockFilter::default(),
            queue: SmallVec::new(),
        }
    }

    fn start(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if self.me != SERVER {
            out.set_timer(TimerKind::Think);
        }
        Ok(())
    }

    fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<Payload>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        match message.content {
            Payload::Request(round) => {
                let (report, t2) = self.client.report(round, out);
                out.local(report)?;
                if self.queue.is_empty() {
                    out.set_timer(TimerKind::Work);
                }
                // A client that asks again does not wait for the earlier response, and the network may deliver that request last.
                let request = (from, round, t2);
                let mut queue = self.queue.iter_mut();
                match queue.find(|(client, ..)| *client == from) {
                    Some(earlier) if earlier.1 < round => *earlier = request,
                    Some(_) => {}
                    None => self.queue.push(request),
                }
                Ok(())
            }
            Payload::Response(round, t2, t3) => self.take(round, (t2, t3), out),
        }
    }

    fn timer(&mut self, kind: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        match kind {
            TimerKind::Work => self.answer(out),
            TimerKind::Timeout if !self.client.gives_up(out) => Ok(()),
            _ => self.ask(out),
        }
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        match command {
            Command::Synchronize => {
                self.client
                    .may_ask(self.me != SERVER, "it is the time server")?;
                Ok(self.ask(out)?)
            }
            _ => Err(Refusal::Unknown),
        }
    }

    fn idle(&self) -> bool {
        !self.client.waits() && self.queue.is_empty()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let queue = self.queue.iter();
        let queue =
            queue.map(|(client, round, _)| format!("{}: request {round}", names.of(*client)));
        self.client.queue().into_iter().chain(queue).collect()
    }
}

/// No process compares logical times.
impl Relevance for Ntp {}
