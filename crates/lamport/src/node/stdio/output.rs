//! What a process sends and sets, and its answers to its application.

use std::{
    collections::VecDeque,
    io::{Stdout, Write as _},
    mem,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Level},
    journal::Journal,
    message::Carrier,
    process::{
        Outcome, TimerKind,
        engine::{Driver, EngineWarning, Packet},
        ids::{Names, ProcessId},
        physical::SoftwareClock,
        reliable_link::Frame,
        run_event::RunEvent,
    },
};
use serde_json::Value;

use crate::{
    algorithms::Algorithm,
    harness::message::{Body, Message, body},
};

/// The time between two rounds of periodic work.
const MAINTENANCE: Duration = Duration::from_millis(20);

/// How long a time server needs for a request.
const SERVICE: Duration = Duration::from_millis(1);

/// How long a process waits for what the others do.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The same of one that synchronizes its clock: its client waits for no longer time than that.
const CLOCK_TIMEOUT: Duration = Duration::from_millis(500);

/// What a process writes.
pub(super) struct Output<'a> {
    pub(super) out: &'a Stdout,
    pub(super) journal: &'a Journal,
    pub(super) algorithm: Algorithm,
    pub(super) names: Names,
    pub(super) me: ProcessId,
    /// The request that is answered in its time, for the critical section or to begin a transaction: its client and its id.
    pub(super) waiting: Option<(String, u64)>,
    /// How its client wants it to vote on the next transactions.
    pub(super) votes: VecDeque<Outcome>,
    /// Whether it is asked for its vote.
    pub(super) is_voting: bool,
    /// What the hardware clock showed when it was read last, and the clock that the process sets.
    pub(super) reading: i64,
    pub(super) clock: SoftwareClock,
    /// The sender and the clock of the message that is being received.
    pub(super) receiving: Option<(ProcessId, u64)>,
    /// The clock after the last event.
    pub(super) time: u64,
    pub(super) events: u64,
    /// When each timer expires.
    pub(super) timers: [Option<Instant>; TimerKind::COUNT],
}

impl<'a> Output<'a> {
    pub(super) fn new(algorithm: Algorithm, out: &'a Stdout, journal: &'a Journal) -> Self {
        Self {
            out,
            journal,
            algorithm,
            names: Names::of_all(Vec::new()),
            me: ProcessId(0),
            waiting: None,
            votes: VecDeque::new(),
            is_voting: false,
            reading: 0,
            clock: SoftwareClock::default(),
            receiving: None,
            time: 0,
            events: 0,
            timers: [None; TimerKind::COUNT],
        }
    }

    /// Writes a line at once. When nobody reads it any more, the input ends too.
    pub(super) fn write(&self, dest: &str, body: Body) {
        let message = Message {
            src: self.names.of(self.me).to_owned(),
            dest: dest.to_owned(),
            body,
        };
        let mut out = self.out;
        let _ = out.write_all(&message.line()).and_then(|()| out.flush());
    }

    pub(super) fn reply<const N: usize>(
        &self,
        request: &Message,
        kind: &str,
        fields: [(&str, Value); N],
    ) {
        let mut body = body(kind, fields);
        if let Some(id) = request.body.get("msg_id") {
            body.insert("in_reply_to".into(), id.clone());
        }
        self.write(&request.src, body);
    }

    /// Answers the request that waits.
    pub(super) fn answer<const N: usize>(&mut self, kind: &str, fields: [(&str, Value); N]) {
        if let Some((client, id)) = self.waiting.take() {
            let mut body = body(kind, fields);
            body.insert("in_reply_to".into(), id.into());
            self.write(&client, body);
        }
    }

    pub(super) fn refuse(&self, request: &Message, code: u64, text: String) {
        self.reply(
            request,
            "error",
            [("code", code.into()), ("text", text.into())],
        );
    }
}

impl<M: common::process::Message> Driver<M> for Output<'_> {
    fn send(&mut self, to: ProcessId, frame: Frame<Packet<M>>) {
        let body = match (self.algorithm, frame.packet) {
            (Algorithm::Events, Some(packet)) => {
                let clock = packet.message.time.into();
                let packet = serde_json::to_value(packet).expect("a packet is JSON");
                body("message", [("clock", clock), ("packet", packet)])
            }
            (_, packet) => {
                let frame = Frame { packet, ..frame };
                let frame = serde_json::to_value(frame).expect("a frame is JSON");
                body("frame", [("frame", frame)])
            }
        };
        self.write(self.names.of(to), body);
    }

    fn record(&mut self, event: RunEvent) {
        self.events += 1;
        self.time = event.time;
        self.journal
            .record(event.event(&self.names, Carrier::Memory));
        self.report(&event);
    }

    /// The application, which sets the other timers, is on the other side of the pipe.
    fn set_timer(&mut self, kind: TimerKind) {
        let is_commit = self.algorithm.commits();
        let duration = match kind {
            TimerKind::Maintain => MAINTENANCE,
            TimerKind::Timeout if self.algorithm.reads_clock() => CLOCK_TIMEOUT,
            TimerKind::Timeout => TIMEOUT,
            // A time server needs some time for a request.
            TimerKind::Work if self.algorithm == Algorithm::Ntp => SERVICE,
            TimerKind::Work => {
                self.is_voting = is_commit;
                return;
            }
            // A coordinator may begin the next transaction.
            TimerKind::Think if is_commit => return self.answer("begin_ok", []),
            TimerKind::Think => return,
        };
        self.timers[kind.index()] = Some(Instant::now() + duration);
    }

    fn clear_timer(&mut self, kind: TimerKind) {
        self.timers[kind.index()] = None;
        // It has voted to abort before its client was asked.
        if kind == TimerKind::Work && mem::take(&mut self.is_voting) {
            self.votes.pop_front();
        }
    }

    fn warn(&mut self, warning: EngineWarning) {
        let text = warning.words(&self.names);
        self.journal.record(Event::error(Level::Warn, text));
    }
}
