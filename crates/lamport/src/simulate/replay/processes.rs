//! Replays a script with the processes: each timer expires and each message arrives when it did in the log.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use common::{
    exit::Failure,
    process::{
        Action, Meaning, Message, Process, Refusal, Stamped, TimerKind,
        check::relevance::Relevance,
        engine::{Driver, Engine, EngineWarning, Packet},
        fault_event::PathEvent,
        ids::ProcessId,
        reliable_link::Frame,
        run_event::{MessageAction, RunEvent},
        timers::Timers,
    },
};

use super::{
    beginning::Beginning,
    lasso::{self, LoopEnds, is_mark},
    network::{Channel, Network, words},
    readings,
    replayed::Replayed,
    script::{Script, Scripted, Step},
    typed,
};
use crate::bug::Bug;

/// The driver of one process.
struct ReplayDriver<M> {
    /// The frames with messages, by the receiver and the sender's number of the message.
    sent: HashMap<(ProcessId, u64), Frame<Packet<M>>>,
    /// The events that the log must repeat next.
    events: VecDeque<RunEvent>,
    /// The timers that are set.
    timers: Timers,
}

impl<M: Clone> Driver<M> for ReplayDriver<M> {
    fn send(&mut self, to: ProcessId, frame: Frame<Packet<M>>) {
        if let Some(packet) = &frame.packet {
            self.sent.insert((to, packet.number), frame);
        }
    }

    fn record(&mut self, event: RunEvent) {
        self.events.push_back(event);
    }

    fn set_timer(&mut self, kind: TimerKind) {
        self.timers.set(kind);
    }

    fn clear_timer(&mut self, kind: TimerKind) {
        self.timers.clear(kind);
    }

    // No time passes, so no process is unresponsive; and the logical clocks are those of the processes themselves.
    fn warn(&mut self, _: EngineWarning) {}
}

/// The processes of a replay.
struct Processes<P: Process> {
    engines: Vec<Engine<P>>,
    drivers: Vec<ReplayDriver<P::Message>>,
}

/// How often a timer may expire without an event before one.
const MOST_IN_VAIN: usize = 1 << 16;

/// Whether the action is such an event.
fn fits<M: Message>(action: &Action<M>, expected: &RunEvent) -> bool {
    let Action::Event { meaning, send, .. } = action else {
        return false;
    };
    let word = match &expected.what {
        MessageAction::Send { word, .. } => Some(&**word),
        _ => None,
    };
    let sent = send.as_ref().map(|(_, message)| message.word());
    *meaning == expected.meaning && sent == word
}

/// Replays the script.
///
/// # Errors
/// When the processes do not repeat it (exit code 2).
pub(super) fn replay<P: Relevance<Settings = Option<Bug>>>(
    script: &Script,
    bug: Option<Bug>,
) -> Result<Replayed, Failure> {
    let names = &script.names;
    let mut network = Network::new(names.count());
    let mut processes = Processes::<P>::start(&script.beginnings, bug);
    let mut path = Vec::with_capacity(script.steps.len());
    let mut ends = LoopEnds::new(script);
    let mut clocks = Vec::new().into_iter();
    if P::READS_CLOCK {
        clocks = readings::clocks(script).into_iter();
    }
    for step in &script.steps {
        let clock = clocks.next();
        let event = match &step.what {
            Scripted::Fault(fault) => {
                let fits = network.fault(*fault, names);
                let fits = fits.map_err(|why| {
                    script.differs(
                        step,
                        format!("in the log {}, but {why}", fault.words(names)),
                    )
                });
                PathEvent::Fault(step.at, fits?)
            }
            Scripted::Event(expected) => {
                ends.see(path.len(), expected, || {
                    lasso::state(
                        &processes.engines,
                        &processes.timers(),
                        network.in_flight(),
                        |channel, number| processes.message(channel, number),
                    )
                });
                if let Some(clock) = clock {
                    let engine = &mut processes.engines[expected.process.index()];
                    engine.set_hardware_clock(step.at, clock);
                }
                let event = processes.next(script, step, expected)?;
                let fits = network.event(expected, names);
                fits.map_err(|why| {
                    let sentence = expected.sentence(names);
                    script.differs(step, format!("in the log {sentence}, but {why}"))
                })?;
                PathEvent::Event(event)
            }
        };
        path.push(event);
    }
    Ok(Replayed {
        path,
        in_order: network.in_order,
        missing: processes.missing(script)?,
        cycle: ends.cycle()?,
    })
}

impl<P: Process<Settings = Option<Bug>>> Processes<P> {
    fn start(beginnings: &[Beginning], bug: Option<Bug>) -> Self {
        let processes = beginnings.len();
        let engine = |(me, beginning): (ProcessId, &Beginning)| {
            let engine = Engine::<P>::new(me, processes, &bug).without_channels();
            engine.with_clock(beginning.clock)
        };
        let all = ProcessId::all(processes).zip(beginnings);
        let mut engines: Vec<_> = all.map(engine).collect();
        let driver = || ReplayDriver {
            sent: HashMap::new(),
            events: VecDeque::new(),
            timers: Timers::default(),
        };
        let mut drivers: Vec<_> = engines.iter().map(|_| driver()).collect();
        for (engine, driver) in engines.iter_mut().zip(&mut drivers) {
            engine.start(Duration::ZERO, driver);
        }
        Self { engines, drivers }
    }

    /// The event that a process has in place of that of the log.
    fn next(
        &mut self,
        script: &Script,
        step: &Step,
        expected: &RunEvent,
    ) -> Result<RunEvent, Failure> {
        let names = &script.names;
        let differs = |why: &str| script.differs_in("replay", step, expected, why);
        let me = expected.process.index();
        if self.drivers[me].events.is_empty() {
            if script.beginnings[me].lasso > 1 {
                self.engines[me].advance_clock(expected.time.saturating_sub(1));
            }
            let before = self.before_receiving(script, step, expected)?;
            let first = before.unwrap_or(expected);
            match first.what {
                MessageAction::Receive { from, number, .. } => {
                    let sent = self.drivers.get(from.index());
                    let frame =
                        sent.and_then(|driver| driver.sent.get(&(expected.process, number)));
                    let frame = frame.cloned().ok_or_else(|| {
                        let message = words((from, expected.process), number, names);
                        differs(&format!("no process has sent it: {message}"))
                    })?;
                    self.engines[me].receive(expected.at, from, frame, &mut self.drivers[me]);
                }
                _ if let Some(Meaning::Detect(detection)) = expected.meaning => {
                    let driver = &mut self.drivers[me];
                    self.engines[me].detect(expected.at, detection, driver);
                }
                MessageAction::Local if is_mark(script, expected) => {
                    let text = match &expected.meaning {
                        Some(Meaning::Local(text)) => text.clone(),
                        _ => String::new(),
                    };
                    self.engines[me].local(expected.at, text, &mut self.drivers[me]);
                }
                _ if self.expires(me, expected, script.beginnings[me].typed) => {}
                _ if script.beginnings[me].typed => {
                    let command = typed::command(expected);
                    let command = command.ok_or_else(|| differs("no command does this"))?;
                    let driver = &mut self.drivers[me];
                    let done = self.engines[me].command(expected.at, command, driver);
                    done.map_err(|refusal| match refusal {
                        Refusal::Invalid(why) => differs(&format!("the process refuses it: {why}")),
                        Refusal::Unknown | Refusal::Overflow(_) => differs("no command does this"),
                    })?;
                }
                _ => {
                    let Some(kind) = self.drivers[me].timers.iter().next() else {
                        let name = names.of(expected.process);
                        return Err(differs(&format!("{name} waits for a message")));
                    };
                    self.drivers[me].timers.clear(kind);
                    self.engines[me].timer(expected.at, kind, &mut self.drivers[me]);
                }
            }
        }
        let event = self.drivers[me].events.pop_front();
        script.compared("replay", step, expected, event)
    }

    /// The receive of the message whose arrival causes the event, which happens before it; None if the event has another cause.
    fn before_receiving<'s>(
        &self,
        script: &'s Script,
        step: &Step,
        expected: &RunEvent,
    ) -> Result<Option<&'s RunEvent>, Failure> {
        if !P::ACTS_BEFORE_RECEIVING || matches!(expected.what, MessageAction::Receive { .. }) {
            return Ok(None);
        }
        let Some((receive, next)) = script.next_receive(step, expected.process) else {
            return Ok(None);
        };
        let MessageAction::Receive { from, number, .. } = next.what else {
            return Ok(None);
        };
        let channel = (from, expected.process);
        let Some(message) = self.message(channel, number) else {
            // A process records the snapshot of another one only when a message arrives.
            return match expected.meaning {
                Some(Meaning::Record(snapshot, _)) if snapshot.process != expected.process => {
                    let message = words(channel, number, &script.names);
                    let why = format!("no process has sent it: {message}");
                    Err(script.differs_in("replay", receive, next, &why))
                }
                _ => Ok(None),
            };
        };
        let mut node = self.engines[expected.process.index()].clocked().clone();
        let mut actions = Vec::new();
        let done = node.before_receiving(from, &message, &mut actions);
        let is_first = done.is_ok() && actions.first().is_some_and(|it| fits(it, expected));
        Ok(is_first.then_some(next))
    }

    /// The timers of each process that are set.
    fn timers(&self) -> Vec<Timers> {
        self.drivers.iter().map(|driver| driver.timers).collect()
    }

    /// The message with this number of a channel.
    fn message(&self, (from, to): Channel, number: u64) -> Option<Stamped<P::Message>> {
        let frame = self.drivers.get(from.index())?.sent.get(&(to, number))?;
        Some(frame.packet.as_ref()?.message.clone())
    }

    /// Whether the event follows from a timer; if so, that one expires. Of a process whose commands are typed only the timers
    /// expire that its application does not set.
    fn expires(&mut self, me: usize, expected: &RunEvent, is_typed: bool) -> bool {
        let engine = &mut self.engines[me];
        let by_itself = |kind: &TimerKind| {
            !is_typed || matches!(kind, TimerKind::Maintain | TimerKind::Timeout)
        };
        let set = self.drivers[me].timers;
        let found = set.iter().filter(by_itself).find_map(|kind| {
            let (times, event) = engine.foresee(kind, MOST_IN_VAIN)?;
            fits(&event, expected).then_some((times, kind))
        });
        let Some((times, kind)) = found else {
            return false;
        };
        for _ in 0..times {
            self.drivers[me].timers.clear(kind);
            engine.timer(expected.at, kind, &mut self.drivers[me]);
        }
        true
    }

    /// The first event of a begun step that the log does not have any more.
    fn missing(&mut self, script: &Script) -> Result<Option<String>, Failure> {
        let mut rest = self
            .drivers
            .iter_mut()
            .map(|driver| driver.events.pop_front());
        let Some(event) = rest.find_map(|event| event) else {
            return Ok(None);
        };
        let sentence = event.sentence(&script.names);
        match script.last_of(event.process) {
            Some(last) if !script.unfinished.contains(&event.process) => {
                let why = format!("in the replay {sentence} after it, but not in the log");
                Err(script.differs(last, why))
            }
            _ => Ok(Some(sentence)),
        }
    }
}
