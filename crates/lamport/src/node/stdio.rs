//! A process on standard input and output: it speaks Maelstrom's protocol, so that `run --node`, or another program that does,
//! is its network and its application. docs/reference/nodes.md describes the messages.
//!
//! | module | job |
//! | --- | --- |
//! | `input`, `readings` | what the process gets, in its order, each with a reading of the hardware clock where it has one |
//! | `requests` | the requests of the application, as commands |
//! | `output` | what the process sends and sets, and its answers |
//! | `reports` | what it reports to the lab |

mod input;
mod output;
mod readings;
mod reports;
mod requests;

use std::{
    io::Stdout,
    thread,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary, why},
    journal::Journal,
    process::{
        Process, TimerKind, detector::Detection, engine::Engine, ids::Names, node::transport::spawn,
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
use serde_json::Value;

use self::{
    input::{Input, Inputs, frame},
    output::Output,
};
use crate::{
    algorithms::{Algorithm, wireless::network::Given, with_process},
    bug::Bug,
    harness::message::{CLOCK, LAB, LONGEST_LINE, Message, kind, number},
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

/// A process and its output.
struct Stdio<'a, P: Process<Settings = Option<Bug>>> {
    algorithm: Algorithm,
    bug: Option<Bug>,
    engine: Option<Engine<P>>,
    /// What the process gets once its hardware clock is read.
    inputs: Inputs<P::Message>,
    out: Output<'a>,
    start: Instant,
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
            inputs: Inputs::default(),
            out: Output::new(algorithm, out, journal),
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
                if timer.is_some_and(|at| at <= Instant::now()) {
                    *timer = None;
                    self.input(Input::Timer(kind));
                }
            }
        }
        let events = plural(self.out.events, "event");
        Ok(
            Summary::done(format!("{events}, clock at {}", self.out.time))
                .count("events", self.out.events),
        )
    }

    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        let message = Message::parse(line)?;
        let body = &message.body;
        match (kind(body), &self.engine) {
            ("init", None) => self.init(&message),
            ("init", Some(_)) => Err("expected init once".to_owned()),
            ("topology", None) if self.out.names.count() > 0 => self.topology(&message),
            (_, None) => Err("expected init first".to_owned()),
            _ if message.src == CLOCK => self.read(body),
            ("suspect", Some(_)) if message.src == LAB => {
                let suspect = body.get("node").and_then(Value::as_str);
                let suspect = suspect.and_then(|suspect| self.out.names.process(suspect));
                let suspect = suspect.ok_or("expected a node in suspect")?;
                self.input(Input::Detect(Detection::Suspect(suspect)));
                Ok(())
            }
            ("message" | "frame", Some(_)) => {
                let Some(from) = self.out.names.process(&message.src) else {
                    return Err(format!("expected a node as src, found {}", message.src));
                };
                let frame =
                    frame(body).map_err(|error| format!("not of this algorithm: {error}"))?;
                self.input(Input::Frame(from, frame));
                Ok(())
            }
            (_, Some(_)) => {
                self.input(Input::Request(message));
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
        self.out.reply(message, "init_ok", []);
        // In a wireless network it does not know yet whom it reaches.
        if self.algorithm != Algorithm::Wireless {
            self.begin();
        }
        Ok(())
    }

    /// The neighbours and the capacity of a process in a wireless network.
    fn topology(&mut self, message: &Message) -> Result<(), String> {
        let (names, me) = (&self.out.names, self.out.me);
        let neighbours = message.body.get("topology");
        let neighbours = neighbours.and_then(|all| all.get(names.of(me))?.as_array());
        let capacity = number(&message.body, "capacity");
        let capacity = capacity.and_then(|capacity| u32::try_from(capacity).ok());
        let (Some(neighbours), Some(capacity)) = (neighbours, capacity) else {
            return Err("expected its neighbours and its capacity in topology".to_owned());
        };
        let reached = neighbours.iter().filter_map(Value::as_str);
        let reached = reached.filter_map(|name| names.process(name));
        Given {
            links: Some(reached.map(|other| (me, other)).collect()),
            capacities: Some(vec![capacity; names.count()]),
            flags: String::new(),
        }
        .set();
        self.out.reply(message, "topology_ok", []);
        self.begin();
        Ok(())
    }

    /// The process begins.
    fn begin(&mut self) {
        let processes = self.out.names.count();
        let mut engine = Engine::new(self.out.me, processes, &self.bug);
        if self.algorithm == Algorithm::Events {
            engine = engine.without_channels();
        }
        self.out
            .journal
            .record(Event::new(Kind::Ready).algorithm(self.algorithm.word()));
        engine.start(self.start.elapsed(), &mut self.out);
        self.engine = Some(engine);
    }
}
