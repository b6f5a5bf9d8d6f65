//! Runs again what stands in an event log: each timer goes off and each message arrives when it did there.
//!
//! The log says only what the processes did; that they do it again is what the run shows. The network is unreliable: the log has
//! what came of it, and of any channels.

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

/// The command: replays the log, shows and checks it; exit code 1 when a property is violated.
///
/// # Errors
/// When the log cannot be read, or the processes do something else than it says (exit code 2).
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
    let events = events.map_err(|Differs { line, why }| {
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
        "every message in order, and once"
    } else {
        "with messages lost, duplicated or reordered"
    };
    let same = plural(events.len() as u64, "event");
    report.record(end, line(format!("the same {same} again, {network}")));
    let show = cli.options.show.unwrap_or(Show(usize::MAX));
    if show.0 > 0 {
        report.events(&events, show.0);
    }
    let verdict = Verdict::of(&RunUnderTest::new(algorithm, &names, &events));
    // What the network did is no fault of the processes.
    let checks = verdict.checks.iter();
    let checks: Vec<_> = checks
        .filter(|check| in_order || check.property != Property::Channels)
        .collect();
    for check in &checks {
        let mut event = check.event();
        if check.is_violated() && check.property.is_liveness() {
            let still = format!("{}; or still to come, where the log ends", check.found);
            event = event.text(still);
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

/// Whether every channel carried its messages in order, each once and none missing before one that came.
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

/// The processes do not do what the log says.
#[derive(Debug)]
struct Differs {
    line: u32,
    why: String,
}

/// The driver of one process.
struct Stage<M> {
    /// Every frame with a message, by the receiver and the sender's number of it.
    sent: HashMap<(ProcessId, u64), Frame<Packet<M>>>,
    happened: VecDeque<RunEvent>,
    wish: Option<TimerKind>,
}

impl<M: Clone> Driver<M> for Stage<M> {
    fn send(&mut self, to: ProcessId, frame: Frame<Packet<M>>) {
        if let Some(packet) = &frame.packet {
            self.sent.insert((to, packet.number), frame);
        }
    }

    fn record(&mut self, event: RunEvent) {
        self.happened.push_back(event);
    }

    fn set_timer(&mut self, timer: TimerKind) {
        self.wish = Some(timer);
    }

    // No time passes, so no process is unresponsive, and all clocks are the processes's.
    fn warn(&mut self, _: EngineWarning) {}
}

fn replay<P: Process>(
    settings: &Settings,
    script: &[(u32, RunEvent)],
) -> Result<Vec<RunEvent>, Differs> {
    let names = Names::numbered(settings.processes);
    let engine = |me| Engine::<P>::new(me, settings.processes, settings.bug).without_channels();
    let mut engines: Vec<_> = ProcessId::all(settings.processes).map(engine).collect();
    let stage = || Stage {
        sent: HashMap::new(),
        happened: VecDeque::new(),
        wish: None,
    };
    let mut stages: Vec<_> = engines.iter().map(|_| stage()).collect();
    for (engine, stage) in engines.iter_mut().zip(&mut stages) {
        engine.start(Duration::ZERO, stage);
    }
    let mut events = Vec::new();
    for (line, expected) in script {
        let me = expected.process.index();
        let differs = |why: String| Differs { line: *line, why };
        let sentence = format!("in the log {}", expected.sentence(&names));
        if stages[me].happened.is_empty() {
            match expected.what {
                MessageAction::Receive { from, number, .. } => {
                    let sent = stages.get(from.index());
                    let frame = sent.and_then(|stage| stage.sent.get(&(expected.process, number)));
                    let frame = frame
                        .cloned()
                        .ok_or_else(|| differs(format!("{sentence}, but it was not sent now")))?;
                    engines[me].receive(expected.at, from, frame, &mut stages[me]);
                }
                _ => {
                    if stages[me].wish.take().is_none() {
                        let name = names.of(expected.process);
                        return Err(differs(format!(
                            "{sentence}, but now {name} waits for a message"
                        )));
                    }
                    engines[me].timer(expected.at, &mut stages[me]);
                }
            }
        }
        let Some(event) = stages[me].happened.pop_front() else {
            return Err(differs(format!("{sentence}, but now nothing happens")));
        };
        if !is_same(&event, expected) {
            let found = event.sentence(&names);
            return Err(differs(format!("{sentence}, but now {found}")));
        }
        events.push(event);
    }
    Ok(events)
}

/// Whether they are the same event, whatever is said in it.
fn is_same(one: &RunEvent, other: &RunEvent) -> bool {
    fn what(event: &RunEvent) -> (Option<ProcessId>, Option<To>, u64, &str) {
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
    (one.process, one.time, what(one), meaning(one))
        == (other.process, other.time, what(other), meaning(other))
}
