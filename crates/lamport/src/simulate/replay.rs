//! Runs again what stands in an event log: each timer goes off and each message arrives when it did there.
//!
//! The log says only what the processes did; that they do it again is what the run shows. The network is bare: the log has
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
    channel::Frame,
    config::{Cli, Show},
    engine::{Driver, Engine, Packet, Trouble},
    happening::{Happening, What},
    logs,
    process::{Names, Pause, Process, ProcessId, To},
    reporting::{Report, line},
    verdict::{Case, Verdict, Wrong, in_causal_order},
};

/// The command: runs the log again, shows it and judges it; exit code 1 when a promise was broken.
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
    let read = logs::read_one(log, &names, true)?;
    if read.is_empty() {
        let why = "no event of p1, p2, … with a logical clock is in it";
        return Err(Failure::could_not_run(visible_path(log), why));
    }
    let script = in_order(read, settings.processes);
    let in_order = keeps_order(&script, settings.processes);
    let happenings = with_process!(algorithm, P => replay::<P>(settings, &script));
    let happenings = happenings.map_err(|Differs { line, why }| {
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
        "with messages lost, doubled or overtaken"
    };
    let events = plural(happenings.len() as u64, "event");
    report.tell(end, line(format!("the same {events} again, {network}")));
    let show = cli.options.show.unwrap_or(Show(usize::MAX));
    if show.0 > 0 {
        report.events(&happenings, show.0);
    }
    let verdict = Verdict::of(&Case {
        algorithm,
        names: &names,
        happenings: &happenings,
        gone: &[],
    });
    // What the network did is no fault of the processes.
    let checks = verdict.checks.iter();
    let checks: Vec<_> = checks
        .filter(|check| in_order || check.rule != "channels")
        .collect();
    for check in &checks {
        let mut event = check.event();
        if check.wrong == Some(Wrong::Missing) {
            let still = format!("{}; or still to come, where the log ends", check.found);
            event = event.text(still);
        }
        report.tell(end, event);
    }
    let holds = checks.iter().all(|check| check.wrong.is_none());
    let exit = if holds { Exit::Done } else { Exit::No };
    let summary = Summary::done(verdict.figures.words(algorithm)).exit(exit);
    let summary = verdict.figures.counted(summary);
    report.tell(end, Event::report(&summary));
    Ok(Summary {
        text: String::new(),
        ..summary
    })
}

/// The events from the first one on, no effect before its cause: logs of several processes may stand one behind the other,
/// and their clocks differ.
fn in_order(read: Vec<(usize, Happening)>, processes: usize) -> Vec<(usize, Happening)> {
    let begun = read.iter().map(|(_, happening)| happening.at).min();
    let mut of_each = vec![Vec::new(); processes];
    let mut lines = vec![VecDeque::new(); processes];
    for (line, mut happening) in read {
        happening.at -= begun.unwrap_or_default();
        let process = happening.process.index();
        lines[process].push_back(line);
        of_each[process].push(happening);
    }
    let ordered = in_causal_order(of_each).into_iter();
    let lined = ordered.filter_map(|happening| {
        let line = lines[happening.process.index()].pop_front()?;
        Some((line, happening))
    });
    lined.collect()
}

/// Whether every channel carried its messages in order, each once and none missing before one that came.
fn keeps_order(script: &[(usize, Happening)], processes: usize) -> bool {
    let mut flying: HashMap<(ProcessId, ProcessId), VecDeque<u64>> = HashMap::new();
    script.iter().all(|(_, happening)| {
        let me = happening.process;
        match happening.what {
            What::Send { to, number, .. } => {
                for other in to.receivers(me, processes) {
                    flying.entry((me, other)).or_default().push_back(number);
                }
                true
            }
            What::Receive { from, number, .. } => {
                let channel = flying.entry((from, me)).or_default();
                channel.pop_front() == Some(number)
            }
            What::Local => true,
        }
    })
}

/// The processes do not do what the log says.
#[derive(Debug)]
struct Differs {
    line: usize,
    why: String,
}

/// The driver of one process.
struct Stage<M> {
    /// Every frame with a message, by the receiver and the sender's number of it.
    sent: HashMap<(ProcessId, u64), Frame<Packet<M>>>,
    happened: VecDeque<Happening>,
    wish: Option<Pause>,
}

impl<M: Clone> Driver<M> for Stage<M> {
    fn send(&mut self, to: ProcessId, frame: Frame<Packet<M>>) {
        if let Some(packet) = &frame.packet {
            self.sent.insert((to, packet.message), frame);
        }
    }

    fn happened(&mut self, happening: Happening) {
        self.happened.push_back(happening);
    }

    fn pause(&mut self, pause: Pause) {
        self.wish = Some(pause);
    }

    // Nobody is silent where no time passes, and clocks come from the processes themselves.
    fn trouble(&mut self, _: Trouble) {}
}

fn replay<P: Process>(
    settings: &Settings,
    script: &[(usize, Happening)],
) -> Result<Vec<Happening>, Differs> {
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
    let mut happenings = Vec::new();
    for (line, expected) in script {
        let me = expected.process.index();
        let differs = |why: String| Differs { line: *line, why };
        let sentence = format!("in the log {}", expected.sentence(&names));
        if stages[me].happened.is_empty() {
            match expected.what {
                What::Receive { from, number, .. } => {
                    let sent = stages.get(from.index());
                    let frame = sent.and_then(|stage| stage.sent.get(&(expected.process, number)));
                    let frame = frame.cloned().ok_or_else(|| {
                        differs(format!("{sentence}, but nobody has sent it now"))
                    })?;
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
        let Some(happening) = stages[me].happened.pop_front() else {
            return Err(differs(format!("{sentence}, but now nothing happens")));
        };
        if !is_same(&happening, expected) {
            let found = happening.sentence(&names);
            return Err(differs(format!("{sentence}, but now {found}")));
        }
        happenings.push(happening);
    }
    Ok(happenings)
}

/// Whether they are the same event, whatever is said in it.
fn is_same(one: &Happening, other: &Happening) -> bool {
    fn what(happening: &Happening) -> (Option<ProcessId>, Option<To>, u64, &str) {
        match &happening.what {
            What::Send {
                to, number, word, ..
            } => (None, Some(*to), *number, word),
            What::Receive {
                from,
                to,
                number,
                word,
                ..
            } => (Some(*from), Some(*to), *number, word),
            What::Local => (None, None, 0, ""),
        }
    }
    let deed = |happening: &Happening| happening.deed.as_ref().map(std::mem::discriminant);
    (one.process, one.time, what(one), deed(one))
        == (other.process, other.time, what(other), deed(other))
}
