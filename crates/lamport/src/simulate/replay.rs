//! Replays an event log: each timer expires and each message arrives when it did in the log.
//!
//! The log contains the events of the processes; the replay shows that the processes repeat them. Channels are not replayed: the
//! log contains the messages that they delivered.

use std::{
    collections::{HashMap, VecDeque},
    path::Path,
    time::Duration,
};

use common::{
    event::Event,
    exit::{Exit, Failure, Summary},
    journal::Journal,
    message::Carrier,
    text::{plural, visible_path},
};

use super::Settings;
use crate::{
    algorithms::{Algorithm, with_process},
    config::{Cli, Show},
    engine::{Driver, Engine, EngineWarning, Packet},
    ids::{Names, ProcessId},
    process::{Process, TimerKind, To},
    property::Property,
    reliable_link::Frame,
    reporting::{Report, line},
    run_event::{MessageAction, RunEvent},
    trace::runs::LoggedRun,
    verdict::{RunUnderTest, Verdict},
};

/// The command: replays the log, prints and checks it; exit code 1 when a property is violated.
///
/// # Errors
/// When the log cannot be read, or the processes do not repeat it (exit code 2).
pub(super) fn command(
    cli: &Cli,
    algorithm: Algorithm,
    settings: &Settings,
    log: &Path,
    journal: &Journal,
) -> Result<Summary, Failure> {
    let names = Names::numbered(settings.processes);
    let (trace, logged) = LoggedRun::read(&[log.to_owned()], algorithm, &names)?;
    if logged.events.is_empty() {
        let why = "no event of p1, p2, … with a logical clock is in it";
        return Err(Failure::could_not_run(visible_path(log), why));
    }
    let lines = logged.origin.iter().map(|id| trace.events[*id].place.line);
    let script: Vec<_> = lines.zip(logged.events).collect();
    let in_order = keeps_order(&script, settings.processes);
    let events = with_process!(algorithm, P => replay::<P>(settings, &script));
    let events = events.map_err(|Difference { line, why }| {
        Failure::could_not_run(format!("{}:{line}", visible_path(log)), why)
    })?;

    let report = Report {
        algorithm,
        names: &names,
        over: Carrier::Memory,
        journal,
    };
    let end = script.last().map_or(Duration::ZERO, |(_, last)| last.at);
    let network = if in_order {
        "over reliable FIFO channels"
    } else {
        "with messages lost, duplicated or reordered"
    };
    let same = plural(events.len() as u64, "event");
    report.record(end, line(format!("replayed the same {same}, {network}")));
    let show = cli.options.show.unwrap_or(Show(usize::MAX));
    if show.0 > 0 {
        report.events(&events, show.0);
    }
    let verdict = Verdict::of(&RunUnderTest::new(algorithm, &names, &events));
    // Faults of the network are no violation by the processes.
    let checks = verdict.checks.iter();
    let checks: Vec<_> = checks
        .filter(|check| in_order || check.property != Property::Channels)
        .collect();
    for check in &checks {
        let mut event = check.event();
        if check.is_violated() && check.property.is_liveness() {
            let text = format!("{}; or the log ends too early", check.found);
            event = event.text(text);
        }
        report.record(end, event);
    }
    let holds = checks.iter().all(|check| !check.is_violated());
    let exit = if holds { Exit::Done } else { Exit::No };
    let summary = Summary::done(verdict.figures.words(algorithm)).exit(exit);
    let summary = verdict.figures.counted(summary);
    report.record(end, Event::report(&summary));
    Ok(Summary {
        text: String::new(),
        ..summary
    })
}

/// Whether every channel delivered its messages in order, each once, with none missing before a delivered one.
fn keeps_order(script: &[(u32, RunEvent)], processes: usize) -> bool {
    let mut in_flight: HashMap<(ProcessId, ProcessId), VecDeque<u64>> = HashMap::new();
    script.iter().all(|(_, event)| {
        let me = event.process;
        match event.what {
            MessageAction::Send { to, number, .. } => {
                for other in to.receivers(me, processes) {
                    in_flight.entry((me, other)).or_default().push_back(number);
                }
                true
            }
            MessageAction::Receive { from, number, .. } => {
                let channel = in_flight.entry((from, me)).or_default();
                channel.pop_front() == Some(number)
            }
            MessageAction::Local => true,
        }
    })
}

/// A difference between the processes and the log.
#[derive(Debug)]
struct Difference {
    line: u32,
    why: String,
}

/// The driver of one process.
struct ReplayDriver<M> {
    /// The frames with messages, by the receiver and the sender's number of the message.
    sent: HashMap<(ProcessId, u64), Frame<Packet<M>>>,
    /// The events that the log must repeat next.
    events: VecDeque<RunEvent>,
    /// The timer that is set.
    timer: Option<TimerKind>,
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

    fn set_timer(&mut self, timer: TimerKind) {
        self.timer = Some(timer);
    }

    // No time passes, so no process is unresponsive; and the logical clocks are those of the processes themselves.
    fn warn(&mut self, _: EngineWarning) {}
}

fn replay<P: Process>(
    settings: &Settings,
    script: &[(u32, RunEvent)],
) -> Result<Vec<RunEvent>, Difference> {
    let names = Names::numbered(settings.processes);
    let engine = |me| Engine::<P>::new(me, settings.processes, settings.bug).without_channels();
    let mut engines: Vec<_> = ProcessId::all(settings.processes).map(engine).collect();
    let driver = || ReplayDriver {
        sent: HashMap::new(),
        events: VecDeque::new(),
        timer: None,
    };
    let mut drivers: Vec<_> = engines.iter().map(|_| driver()).collect();
    for (engine, driver) in engines.iter_mut().zip(&mut drivers) {
        engine.start(Duration::ZERO, driver);
    }
    let mut events = Vec::new();
    for (line, expected) in script {
        let me = expected.process.index();
        let differs = |why: String| Difference { line: *line, why };
        let sentence = format!("in the log {}", expected.sentence(&names));
        if drivers[me].events.is_empty() {
            match expected.what {
                MessageAction::Receive { from, number, .. } => {
                    let sent = drivers.get(from.index());
                    let frame =
                        sent.and_then(|driver| driver.sent.get(&(expected.process, number)));
                    let frame = frame.cloned().ok_or_else(|| {
                        differs(format!(
                            "{sentence}, but in the replay no process has sent it"
                        ))
                    })?;
                    engines[me].receive(expected.at, from, frame, &mut drivers[me]);
                }
                _ => {
                    if drivers[me].timer.take().is_none() {
                        let name = names.of(expected.process);
                        return Err(differs(format!(
                            "{sentence}, but in the replay {name} waits for a message"
                        )));
                    }
                    engines[me].timer(expected.at, &mut drivers[me]);
                }
            }
        }
        let Some(event) = drivers[me].events.pop_front() else {
            return Err(differs(format!(
                "{sentence}, but in the replay nothing happens"
            )));
        };
        if !is_same(&event, expected) {
            let found = event.sentence(&names);
            return Err(differs(format!("{sentence}, but in the replay {found}")));
        }
        events.push(event);
    }
    Ok(events)
}

/// Whether two events are the same, apart from their texts.
fn is_same(one: &RunEvent, other: &RunEvent) -> bool {
    fn action(event: &RunEvent) -> (Option<ProcessId>, Option<To>, u64, &str) {
        match &event.what {
            MessageAction::Send {
                to, number, word, ..
            } => (None, Some(*to), *number, word),
            MessageAction::Receive {
                from,
                to,
                number,
                word,
                ..
            } => (Some(*from), Some(*to), *number, word),
            MessageAction::Local => (None, None, 0, ""),
        }
    }
    let meaning = |event: &RunEvent| event.meaning.as_ref().map(std::mem::discriminant);
    (one.process, one.time, action(one), meaning(one))
        == (other.process, other.time, action(other), meaning(other))
}
