//! Cristian's algorithm (Cristian, "Probabilistic clock synchronization", 1989; van Steen & Tanenbaum, "Clock synchronization
//! algorithms"): a client asks the time server, and takes the time T of its reply and half of the round trip D. Whatever part of D the
//! reply took, the clock is then wrong by at most D/2; and by less if a message is known to take some time at least.
//!
//! A reply counts only for the last request, from whose sending the round trip is measured.

use common::process::{
    Command, Message, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::Relevance,
    clock::Overflow,
    ids::{Names, ProcessId},
    physical::TimeOfDay,
};
use serde::{Deserialize, Serialize};

use super::time_client::{SERVER, TimeClient, drift};
use crate::bug::Bug;

/// The time server, or a client that repeatedly asks it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Cristian {
    me: ProcessId,
    client: TimeClient,
}

/// The algorithm's messages.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The sender asks for the time; with the number of its request.
    Ask(u32),
    /// The reply to the request of this number: the time, in nanoseconds.
    Time(u32, i64),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Time(..) => "time",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Ask(round) => format!("request {round}"),
            Self::Time(round, time) => format!("request {round}: {}", TimeOfDay(*time)),
        }
    }
}

impl Cristian {
    fn ask(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.client.ask(To::One(SERVER), Payload::Ask, out)
    }

    /// The server's reply to the request of this number.
    fn take(
        &mut self,
        round: u32,
        time: i64,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let Some(asked) = self.client.asked(round) else {
            return Ok(());
        };
        let now = out.reading();
        let delay = now - asked;
        // A hardware clock that was set back has measured nothing.
        if delay < 0 {
            return self.ask(out);
        }
        self.client.answered(out);
        let part = self.client.part_of_reply(delay);
        let offset = time + part - self.client.clock.set(now);
        self.client.sample((offset, delay), out)?;
        self.client.adjust(offset, delay / 2 + drift(delay), out)?;
        out.set_timer(TimerKind::Think);
        Ok(())
    }
}

impl Process for Cristian {
    type Message = Payload;
    type Settings = Option<Bug>;

    const READS_CLOCK: bool = true;

    fn new(me: ProcessId, _: usize, bug: &Option<Bug>) -> Self {
        Self {
            me,
            client: TimeClient::new(*bug),
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
            Payload::Ask(round) => {
                let (report, time) = self.client.report(round, out);
                out.send_as(report, To::One(from), Payload::Time(round, time))?;
                Ok(())
            }
            Payload::Time(round, time) => self.take(round, time, out),
        }
    }

    /// Its application asks, or no reply has come.
    fn timer(&mut self, kind: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        match kind {
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
        !self.client.waits()
    }

    fn queue(&self, _: &Names) -> Vec<String> {
        self.client.queue()
    }
}

/// No process compares logical times.
impl Relevance for Cristian {}
