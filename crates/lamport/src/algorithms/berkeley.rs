//! The Berkeley algorithm (Gusella & Zatti, "The accuracy of the clock synchronization achieved by TEMPO in Berkeley UNIX 4.3BSD",
//! 1989; van Steen & Tanenbaum, "The Berkeley algorithm"): no clock is right, all are to agree. The coordinator polls all clocks,
//! estimates by half of the round trip how far each is ahead of its own, takes the average of the largest set of clocks that agree
//! within a tolerance, and sends each process by how much it must adjust its clock.
//!
//! Clocks are adjusted only if a majority of all agrees: else a few that are wrong could draw the others away.

mod average;
mod estimate;
mod message;

use common::process::{
    Command, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::Relevance,
    clock::Overflow,
    ids::{Names, ProcessId},
    physical::ClockAction,
};
use smallvec::SmallVec;

pub use self::{average::TOLERANCE, message::Payload};
use self::{average::agreed, estimate::Estimate};
use super::time_client::{SERVER, TimeClient, drift};
use crate::bug::Bug;

/// The coordinator.
pub const COORDINATOR: ProcessId = SERVER;

/// The coordinator, or a process that it polls.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Berkeley {
    me: ProcessId,
    processes: usize,
    client: TimeClient,
    /// The coordinator's estimates in this round, in the order of arrival.
    estimates: SmallVec<[Estimate; 4]>,
    /// The round for which the process has reported its time last, if it has not adjusted its clock in it; and when that was.
    reported: Option<(u32, i64)>,
}

impl Berkeley {
    fn poll(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.estimates.clear();
        self.client.ask(To::All, Payload::Poll, out)
    }

    /// A clock of another process.
    fn estimate(
        &mut self,
        of: ProcessId,
        (round, time): (u32, i64),
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let is_known = self.estimates.iter().any(|known| known.of == of);
        let Some(asked) = self.client.asked(round).filter(|_| !is_known) else {
            return Ok(());
        };
        let now = out.reading();
        let delay = now - asked;
        // A hardware clock that was set back has measured nothing.
        if delay < 0 {
            return self.poll(out);
        }
        let part = self.client.part_of_reply(delay);
        let offset = time + part - self.client.clock.set(now);
        self.client.sample((offset, delay), out)?;
        self.estimates.push(Estimate {
            of,
            ahead: offset,
            bound: delay / 2 + drift(delay),
            is_slow: delay > TOLERANCE,
        });
        match self.estimates.len() + 1 == self.processes {
            true => self.conclude(out),
            false => Ok(()),
        }
    }

    /// All have answered that will: the coordinator adjusts the clocks, if a majority agrees.
    fn conclude(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.client.answered(out);
        out.set_timer(TimerKind::Think);
        let used = self.estimates.iter().filter(|estimate| !estimate.is_slow);
        let used: SmallVec<[Estimate; 4]> = used.copied().collect();
        let others = used.iter().map(|of| (of.ahead, of.bound));
        let clocks: SmallVec<[(i64, i64); 5]> = [(0, 0)].into_iter().chain(others).collect();
        let takes_all = self.client.bug == Some(Bug::AverageOutliers);
        let Some(average) = agreed(&clocks, self.processes, takes_all) else {
            out.local(self.client.event(ClockAction::Keep, out))?;
            return Ok(());
        };
        self.client.adjust(average, 0, out)?;
        let round = self.client.round();
        for estimate in used {
            let by = average - estimate.ahead;
            let adjust = Payload::Adjust(round, by, estimate.bound);
            out.send(To::One(estimate.of), adjust)?;
        }
        Ok(())
    }
}

impl Process for Berkeley {
    type Message = Payload;
    type Settings = Option<Bug>;

    const READS_CLOCK: bool = true;

    fn new(me: ProcessId, processes: usize, bug: &Option<Bug>) -> Self {
        Self {
            me,
            processes,
            client: TimeClient::new(*bug),
            estimates: SmallVec::new(),
            reported: None,
        }
    }

    fn start(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if self.me == COORDINATOR {
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
            Payload::Poll(round) => {
                self.reported = Some((round, out.reading()));
                let (report, time) = self.client.report(round, out);
                out.send_as(report, To::One(from), Payload::Clock(round, time))?;
                Ok(())
            }
            Payload::Clock(round, time) => self.estimate(from, (round, time), out),
            // A later one was reported since, or this one is a copy.
            Payload::Adjust(round, by, bound) => match self.reported {
                Some((reported, at)) if reported == round => {
                    self.reported = None;
                    let since = (out.reading() - at).max(0);
                    self.client.follow(round);
                    self.client.adjust(by, bound + drift(since), out)
                }
                _ => Ok(()),
            },
        }
    }

    /// Its application asks for a round; or some have not answered in time.
    fn timer(&mut self, kind: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        match kind {
            TimerKind::Timeout if self.client.gives_up(out) => self.conclude(out),
            TimerKind::Timeout => Ok(()),
            _ => self.poll(out),
        }
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        match command {
            Command::Synchronize => {
                self.client
                    .may_ask(self.me == COORDINATOR, "the coordinator p1 begins rounds")?;
                Ok(self.poll(out)?)
            }
            _ => Err(Refusal::Unknown),
        }
    }

    fn idle(&self) -> bool {
        !self.client.waits()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let estimates = self.estimates.iter().map(|estimate| estimate.words(names));
        self.client.queue().into_iter().chain(estimates).collect()
    }
}

/// No process compares logical times.
impl Relevance for Berkeley {}
