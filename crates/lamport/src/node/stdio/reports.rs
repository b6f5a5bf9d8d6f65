//! What a process reports to the lab of its events, and the answers that events bring.

use common::process::{
    Meaning,
    clock::Timestamp,
    physical::{ClockAction, ClockEvent},
    run_event::{MessageAction, RunEvent},
};
use serde_json::Value;

use super::output::Output;
use crate::{
    algorithms::Algorithm,
    harness::message::{CLOCK_UNIT, LAB, Message, body},
};

impl Output<'_> {
    /// The lab gets to know what it cannot see.
    pub(super) fn report(&mut self, event: &RunEvent) {
        let Some(meaning) = &event.meaning else {
            return self.received(event);
        };
        match meaning {
            Meaning::Enter(_) => self.answer("lock_ok", [("clock", event.time.into())]),
            Meaning::Deliver(_, text) => {
                // The account's text is `+17: 1017.00`.
                let payload = match self.algorithm {
                    Algorithm::Total => text
                        .split(':')
                        .next()
                        .unwrap_or_default()
                        .trim_start_matches('+'),
                    _ => text,
                };
                let message = serde_json::from_str(payload).unwrap_or_else(|_| payload.into());
                self.write(LAB, body("deliver", [("message", message)]));
            }
            Meaning::Leader(named) => self.names("leader", *named),
            Meaning::Parent(named) => self.names("parent", *named),
            Meaning::Vote(transaction, vote) => {
                let vote = ("vote", vote.word().into());
                let fields = [("transaction", (*transaction).into()), vote];
                self.write(LAB, body("vote", fields));
            }
            Meaning::Decide(transaction, outcome) => {
                let outcome = ("outcome", outcome.word().into());
                let fields = [("transaction", (*transaction).into()), outcome];
                self.write(LAB, body("decide", fields));
            }
            Meaning::Transfer(transfer, _) => {
                let transfer = self.number(*transfer);
                self.write(LAB, body("debit", [("transfer", transfer)]));
            }
            Meaning::Credit(transfer, _) => {
                let transfer = self.number(*transfer);
                self.write(LAB, body("credit", [("transfer", transfer)]));
            }
            Meaning::Record(snapshot, balance) => {
                let balance = ("balance", (*balance).into());
                let fields = [("snapshot", self.number(*snapshot)), balance];
                self.write(LAB, body("record", fields));
            }
            Meaning::RecordChannel(snapshot, from, money) => {
                let fields = [
                    ("snapshot", self.number(*snapshot)),
                    ("from", self.names.of(*from).into()),
                    ("money", (*money).into()),
                ];
                self.write(LAB, body("channel", fields));
            }
            Meaning::Complete(_, money) => self.answer("snapshot_ok", [("money", (*money).into())]),
            Meaning::Clock(clock) => self.clock_event(clock),
            _ => {}
        }
    }

    /// A process with logical clocks has received a message.
    fn received(&mut self, event: &RunEvent) {
        let is_receive = matches!(event.what, MessageAction::Receive { .. });
        if self.algorithm == Algorithm::Events
            && is_receive
            && let Some((from, sent)) = self.receiving.take()
        {
            let fields = [
                ("from", self.names.of(from).into()),
                ("sent", sent.into()),
                ("clock", event.time.into()),
            ];
            self.write(LAB, body("receive", fields));
        }
    }

    /// A process of a term: the leader, or a parent.
    fn names(&self, what: &str, named: Timestamp) {
        let name = self.names.of(named.process).into();
        let fields = [("term", named.time.into()), (what, name)];
        self.write(LAB, body(what, fields));
    }

    /// The lab's number of a transfer or a snapshot, of which each process has every N-th.
    fn number(&self, of: Timestamp) -> Value {
        let (count, place) = (self.names.count() as u64, of.process.index() as u64);
        (of.time.saturating_sub(1) * count + place + 1).into()
    }

    /// The process does something with its clock.
    fn clock_event(&mut self, event: &ClockEvent) {
        match event.action {
            ClockAction::Keep => self.answer("sync_ok", []),
            ClockAction::Adjust { bound, .. } => {
                let hardware = event.reading.hardware;
                self.clock.adjust(
                    hardware,
                    event.set,
                    event.shown < self.clock.shown(hardware),
                );
                // The round trip, and what clocks drift: of a process that is polled only its coordinator has measured it.
                let delay = 2 * bound;
                let micros = |time: i64| Value::from(time.div_euclid(CLOCK_UNIT));
                let mut adjust = body(
                    "adjust",
                    [
                        ("reading", micros(hardware)),
                        ("time", micros(event.set)),
                        ("delay", micros(delay)),
                    ],
                );
                if self.algorithm == Algorithm::Berkeley {
                    adjust.insert("round".into(), event.round.into());
                }
                self.write(LAB, adjust);
                self.answer("sync_ok", []);
            }
            ClockAction::Poll
            | ClockAction::Report
            | ClockAction::Sample { .. }
            | ClockAction::Show => {}
        }
    }

    /// Its client asks what its clock shows.
    pub(super) fn show(&mut self, request: &Message) {
        let hardware = self.reading;
        let shown = self.clock.shown(hardware);
        let fields = [
            ("reading", hardware.div_euclid(CLOCK_UNIT).into()),
            ("time", shown.div_euclid(CLOCK_UNIT).into()),
        ];
        self.reply(request, "now_ok", fields);
    }
}
