//! A process on standard input and output: it speaks Maelstrom's protocol, so that `run --node`, or another program that does,
//! is its network and its application. docs/reference/nodes.md describes the messages.

use std::{
    collections::VecDeque,
    io::{Stdout, Write as _},
    mem, thread,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind, Level},
    exit::{Failure, Summary, why},
    journal::Journal,
    message::Carrier,
    process::{
        Command, Meaning, Outcome, Process, Refusal, TimerKind,
        detector::Detection,
        engine::{Driver, Engine, EngineWarning, Packet},
        ids::{Names, ProcessId},
        node::transport::spawn,
        reliable_link::Frame,
        run_event::{MessageAction, RunEvent},
    },
    shutdown::Shutdown,
    sys::terminal,
    text::plural,
    typed::{Line, Lines},
};
use crossbeam::{
    channel::{Receiver, Sender, bounded},
    select,
};
use serde_json::{Value, json};

use crate::{
    algorithms::{Algorithm, with_process},
    bug::Bug,
    harness::message::{
        ABORT, Body, LAB, LONGEST_LINE, MALFORMED_REQUEST, Message, NOT_SUPPORTED, body, kind,
        number,
    },
};

/// How many lines may wait.
const INPUTS: usize = 256;

/// The longest wait for a line.
const TICK: Duration = Duration::from_millis(500);

/// Runs a process of this algorithm until its input ends.
///
/// # Errors
/// When a line is no message (exit code 1), or the process cannot run (exit code 2).
pub fn run(
    (algorithm, bug): (Algorithm, Option<Bug>),
    (input, out): (terminal::Input, &Stdout),
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let failed = |error| Failure::could_not_run("start", why(&error));
    let closing = &Shutdown::new().map_err(failed)?;
    thread::scope(|scope| {
        let (sender, lines) = bounded(INPUTS);
        let read = move || read(input, &sender, closing);
        let done = spawn(scope, "input".into(), read).and_then(|_| {
            with_process!(algorithm, P => {
                Stdio::<P>::new((algorithm, bug), out, journal).run(&lines, shutdown)
            })
        });
        closing.request();
        done
    })
}

fn read(input: terminal::Input, lines: &Sender<Line>, closing: &Shutdown) {
    let mut read = Lines::new(input, LONGEST_LINE);
    while let Ok(Some(line)) = read.next(closing) {
        if !closing.put(lines, line) {
            return;
        }
    }
}

/// The time between two rounds of periodic work.
const MAINTENANCE: Duration = Duration::from_millis(20);

/// How long a process waits for what the others do.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A process and its output.
struct Stdio<'a, P: Process<Settings = Option<Bug>>> {
    algorithm: Algorithm,
    bug: Option<Bug>,
    engine: Option<Engine<P>>,
    out: Output<'a>,
    start: Instant,
}

/// What a process writes.
struct Output<'a> {
    out: &'a Stdout,
    journal: &'a Journal,
    algorithm: Algorithm,
    names: Names,
    me: ProcessId,
    /// The request that is answered in its time, for the critical section or to begin a transaction: its client and its id.
    waiting: Option<(String, u64)>,
    /// How its client wants it to vote on the next transactions.
    votes: VecDeque<Outcome>,
    /// Whether it is asked for its vote.
    is_voting: bool,
    /// The sender and the clock of the message that is being received.
    receiving: Option<(ProcessId, u64)>,
    /// The clock after the last event.
    time: u64,
    events: u64,
    /// When each timer expires.
    timers: [Option<Instant>; TimerKind::COUNT],
}

impl<'a, P: Process<Settings = Option<Bug>>> Stdio<'a, P> {
    fn new(
        (algorithm, bug): (Algorithm, Option<Bug>),
        out: &'a Stdout,
        journal: &'a Journal,
    ) -> Self {
        Self {
            algorithm,
            bug,
            engine: None,
            out: Output {
                out,
                journal,
                algorithm,
                names: Names::of_all(Vec::new()),
                me: ProcessId(0),
                waiting: None,
                votes: VecDeque::new(),
                is_voting: false,
                receiving: None,
                time: 0,
                events: 0,
                timers: [None; TimerKind::COUNT],
            },
            start: Instant::now(),
        }
    }

    fn run(mut self, lines: &Receiver<Line>, shutdown: &Shutdown) -> Result<Summary, Failure> {
        let mut count = 0_u64;
        loop {
            let due = self.engine.as_ref().and_then(Engine::due);
            let now = self.start.elapsed();
            let wait = due.map_or(TICK, |due| due.saturating_sub(now).min(TICK));
            let timers = self.out.timers.iter().flatten().min();
            let wait = timers.map_or(wait, |timer| {
                wait.min(timer.saturating_duration_since(Instant::now()))
            });
            select! {
                recv(lines) -> line => {
                    let Ok(line) = line else { break };
                    count += 1;
                    let done = match &line {
                        Line::Text(line) => self.line(line),
                        Line::TooLong => Err(format!("more than {LONGEST_LINE} bytes")),
                    };
                    done.map_err(|why| Failure::no(format!("line {count}"), why))?;
                }
                recv(shutdown.channel()) -> _ => break,
                default(wait) => {}
            }
            let now = self.start.elapsed();
            if let Some(engine) = &mut self.engine
                && engine.due().is_some_and(|due| due <= now)
            {
                engine.poll(now, &mut self.out);
            }
            self.vote();
            for kind in TimerKind::ALL {
                let timer = &mut self.out.timers[kind.index()];
                if timer.is_some_and(|at| at <= Instant::now())
                    && let Some(engine) = &mut self.engine
                {
                    *timer = None;
                    engine.timer(now, kind, &mut self.out);
                }
            }
        }
        let events = plural(self.out.events, "event");
        Ok(
            Summary::done(format!("{events}, clock at {}", self.out.time))
                .count("events", self.out.events),
        )
    }

    /// Votes as its client wants, if it is asked for its vote.
    fn vote(&mut self) {
        if let Some(engine) = &mut self.engine
            && self.out.is_voting
            && let Some(vote) = self.out.votes.pop_front()
        {
            self.out.is_voting = false;
            // It is not refused: the vote is asked for.
            let _ = engine.command(self.start.elapsed(), Command::Vote(vote), &mut self.out);
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        let message = Message::parse(line)?;
        let body = &message.body;
        match (kind(body), &mut self.engine) {
            ("init", None) => self.init(&message),
            ("init", Some(_)) => Err("expected init once".to_owned()),
            (_, None) => Err("expected init first".to_owned()),
            ("suspect", Some(engine)) if message.src == LAB => {
                let suspect = body.get("node").and_then(Value::as_str);
                let suspect = suspect.and_then(|suspect| self.out.names.process(suspect));
                let suspect = suspect.ok_or("expected a node in suspect")?;
                let detection = Detection::Suspect(suspect);
                engine.detect(self.start.elapsed(), detection, &mut self.out);
                Ok(())
            }
            ("message" | "frame", Some(engine)) => {
                let Some(from) = self.out.names.process(&message.src) else {
                    return Err(format!("expected a node as src, found {}", message.src));
                };
                let frame =
                    frame(body).map_err(|error| format!("not of this algorithm: {error}"))?;
                let sent = frame
                    .packet
                    .as_ref()
                    .map(|packet: &Packet<P::Message>| packet.message.time);
                self.out.receiving = sent.map(|sent| (from, sent));
                engine.receive(self.start.elapsed(), from, frame, &mut self.out);
                Ok(())
            }
            (_, Some(_)) => {
                self.request(&message);
                Ok(())
            }
        }
    }

    fn init(&mut self, message: &Message) -> Result<(), String> {
        let body = &message.body;
        let me = body.get("node_id").and_then(Value::as_str);
        let ids = body.get("node_ids").and_then(Value::as_array);
        let ids = ids.map(|ids| {
            ids.iter()
                .filter_map(|id| Some(id.as_str()?.to_owned()))
                .collect()
        });
        let names = Names::of_all(ids.unwrap_or_default());
        let Some(me) = me.and_then(|me| names.process(me)) else {
            return Err("expected node_ids in init, and node_id among them".to_owned());
        };
        (self.out.names, self.out.me) = (names, me);
        let processes = self.out.names.count();
        let mut engine = Engine::new(me, processes, &self.bug);
        if self.algorithm == Algorithm::Events {
            engine = engine.without_channels();
        }
        self.out
            .journal
            .record(Event::new(Kind::Ready).algorithm(self.algorithm.word()));
        self.out.reply(message, "init_ok", []);
        engine.start(self.start.elapsed(), &mut self.out);
        self.engine = Some(engine);
        Ok(())
    }

    /// A request of the application.
    fn request(&mut self, message: &Message) {
        let body = &message.body;
        let command = match kind(body) {
            "local" => Some(Command::Local),
            "send" => {
                let to = body.get("to").and_then(Value::as_str);
                let to = to.and_then(|to| self.out.names.process(to));
                let text = body.get("text").and_then(Value::as_str).unwrap_or_default();
                let others = to.filter(|to| *to != self.out.me);
                others.map(|to| Command::Send(to, text.to_owned()))
            }
            "lock" => Some(Command::Lock),
            "unlock" => Some(Command::Unlock),
            "elect" => Some(Command::Elect),
            "begin" => Some(Command::Begin),
            "vote" => {
                let vote = body.get("vote").and_then(Value::as_str);
                vote.and_then(Outcome::of_word).map(Command::Vote)
            }
            "multicast" => body
                .get("message")
                .and_then(|payload| match self.algorithm {
                    // A deposit of this amount.
                    Algorithm::Total => {
                        Some(format!("+{}", i32::try_from(payload.as_i64()?).ok()?))
                    }
                    _ => Some(payload.to_string()),
                })
                .map(Command::Multicast),
            other => {
                let text = format!("{} has no request of type {other}", self.algorithm.word());
                return self.out.refuse(message, NOT_SUPPORTED, text);
            }
        };
        let (Some(command), Some(engine)) = (command, &mut self.engine) else {
            let text = format!("not the form of {}", kind(body));
            return self.out.refuse(message, MALFORMED_REQUEST, text);
        };
        if let Command::Vote(vote) = command {
            self.out.votes.push_back(vote);
            return self.out.reply(message, "vote_ok", []);
        }
        let elects = command == Command::Elect;
        let waits = matches!(command, Command::Lock | Command::Begin);
        let before = self.out.waiting.clone();
        if waits {
            self.out.waiting = number(body, "msg_id").map(|id| (message.src.clone(), id));
        }
        match engine.command(self.start.elapsed(), command, &mut self.out) {
            // It is answered in its time.
            Ok(()) if waits => {}
            Ok(()) => {
                let clock = self.out.time;
                self.out.reply(
                    message,
                    &format!("{}_ok", kind(body)),
                    [("clock", clock.into())],
                );
            }
            // An election is going on already.
            Err(Refusal::Invalid(_)) if elects => self.out.reply(message, "elect_ok", []),
            Err(why) => {
                self.out.waiting = before;
                let (code, text) = match why {
                    Refusal::Unknown => (
                        NOT_SUPPORTED,
                        format!("{} has no {}", self.algorithm.word(), kind(body)),
                    ),
                    Refusal::Invalid(why) => (ABORT, why),
                    Refusal::Overflow(overflow) => (ABORT, overflow.to_string()),
                };
                self.out.refuse(message, code, text);
            }
        }
    }
}

/// The frame in a body. A message of another program has only its clock, and no text.
fn frame<M: serde::de::DeserializeOwned>(body: &Body) -> serde_json::Result<Frame<Packet<M>>> {
    if let Some(frame) = body.get("frame") {
        return serde_json::from_value(frame.clone());
    }
    let clock = number(body, "clock").unwrap_or_default();
    let bare = json!({"number": 0, "to_all": false, "message": {"time": clock, "content": ""}});
    let packet = body.get("packet").cloned().unwrap_or(bare);
    Ok(Frame {
        sequence: 0,
        acknowledged: 0,
        packet: Some(serde_json::from_value(packet)?),
    })
}

impl Output<'_> {
    /// Writes a line at once. When nobody reads it any more, the input ends too.
    fn write(&self, dest: &str, body: Body) {
        let message = Message {
            src: self.names.of(self.me).to_owned(),
            dest: dest.to_owned(),
            body,
        };
        let mut out = self.out;
        let _ = out.write_all(&message.line()).and_then(|()| out.flush());
    }

    fn reply<const N: usize>(&self, request: &Message, kind: &str, fields: [(&str, Value); N]) {
        let mut body = body(kind, fields);
        if let Some(id) = request.body.get("msg_id") {
            body.insert("in_reply_to".into(), id.clone());
        }
        self.write(&request.src, body);
    }

    /// Answers the request that waits.
    fn answer(&mut self, kind: &str) {
        if let Some((client, id)) = self.waiting.take() {
            let fields = [("in_reply_to", id.into()), ("clock", self.time.into())];
            self.write(&client, body(kind, fields));
        }
    }

    fn refuse(&self, request: &Message, code: u64, text: String) {
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
        match (&event.meaning, &event.what) {
            (Some(Meaning::Enter(_)), _) => {
                self.answer("lock_ok");
            }
            (Some(Meaning::Deliver(_, text)), _) => {
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
            (Some(Meaning::Leader(leader)), _) => {
                let name = self.names.of(leader.process).into();
                let fields = [("term", leader.time.into()), ("leader", name)];
                self.write(LAB, body("leader", fields));
            }
            (Some(Meaning::Vote(transaction, vote)), _) => {
                let fields = [
                    ("transaction", (*transaction).into()),
                    ("vote", vote.word().into()),
                ];
                self.write(LAB, body("vote", fields));
            }
            (Some(Meaning::Decide(transaction, outcome)), _) => {
                let fields = [
                    ("transaction", (*transaction).into()),
                    ("outcome", outcome.word().into()),
                ];
                self.write(LAB, body("decide", fields));
            }
            (None, MessageAction::Receive { .. }) if self.algorithm == Algorithm::Events => {
                if let Some((from, sent)) = self.receiving.take() {
                    let from = self.names.of(from).into();
                    let fields = [
                        ("from", from),
                        ("sent", sent.into()),
                        ("clock", event.time.into()),
                    ];
                    self.write(LAB, body("receive", fields));
                }
            }
            _ => {}
        }
    }

    /// The application, which sets the other timers, is on the other side of the pipe.
    fn set_timer(&mut self, kind: TimerKind) {
        let is_commit = self.algorithm.commits();
        let duration = match kind {
            TimerKind::Maintain => MAINTENANCE,
            TimerKind::Timeout => TIMEOUT,
            TimerKind::Work => {
                self.is_voting = is_commit;
                return;
            }
            // A coordinator may begin the next transaction.
            TimerKind::Think if is_commit => return self.answer("begin_ok"),
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
