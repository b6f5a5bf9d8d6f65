//! Replays a path of the TLA+ module LamportMutex: each line of its log is an action of the module, or an event of one.

use std::collections::VecDeque;

use common::{
    config::in_range,
    exit::{Failure, Summary},
    journal::Journal,
    process::{
        Meaning,
        check::{
            model::Model,
            path_event::{ExplainPath, PathRenderer},
        },
        fault_event::PathEvent,
        property::Property,
        report::Show,
        run_event::{MessageAction, RunEvent},
        verdict::{Verdict, check::Check},
    },
    text::{plural, visible_path},
};

use super::lamport_mutex::{Action, LamportMutex, MOST_CLOCK, MOST_PROCESSES, PROPERTIES};
use crate::{
    algorithms::Algorithm,
    bug::Bug,
    config::Cli,
    simulate::replay::{self, Replayed, Script, Scripted, Step},
};

/// Replays the log of `--replay`, with the processes or with the module that it is a path of; exit code 1 when a property is
/// violated.
///
/// # Errors
/// When the log cannot be read, or is not repeated (exit code 2).
pub fn run(cli: &Cli, algorithm: Algorithm, journal: &Journal) -> Result<Option<Summary>, Failure> {
    let Some(log) = cli.replay()? else {
        return Ok(None);
    };
    let script = Script::read(cli, algorithm, log)?;
    let given = cli.options.max_clock;
    let given = given.filter(|_| cli.options.given.has("--max-clock"));
    let Some(max_clock) = given.or(script.max_clock) else {
        let summary = replay::of_processes(cli, algorithm, &script, journal)?;
        return Ok(Some(summary));
    };
    if algorithm != Algorithm::Mutex {
        let what = match given {
            Some(_) => "--max-clock".to_owned(),
            None => visible_path(log),
        };
        let why = "the TLA+ module LamportMutex is of the algorithm mutex";
        return Err(Failure::could_not_run(what, why));
    }
    let max_clock = in_range("--max-clock", max_clock, 1, MOST_CLOCK)?;
    let (replayed, verdict) = repeat(&script, cli.bug(algorithm)?, max_clock)?;
    let show = cli.options.show.unwrap_or(Show(usize::MAX));
    Ok(Some(
        replayed.report(algorithm, &script, &verdict, show, journal),
    ))
}

/// Replays a path of the module, and checks the module's invariants in each state of it.
///
/// # Errors
/// When the module does not repeat it (exit code 2).
pub fn repeat(
    script: &Script,
    bug: Option<Bug>,
    max_clock: u8,
) -> Result<(Replayed, Verdict), Failure> {
    let processes = script.names.count();
    let module = LamportMutex {
        processes: in_range("--processes", processes, 2, MOST_PROCESSES)?,
        max_clock,
        bug,
    };
    let mut run = ModuleRun::new(&module);
    let mut path = Vec::new();
    for step in &script.steps {
        let expected = match &step.what {
            Scripted::Event(expected) => expected,
            Scripted::Fault(fault) => {
                let words = fault.words(&script.names);
                let why = format!("{words}, and the network of the module has no faults");
                return Err(script.differs(step, why));
            }
        };
        path.push(PathEvent::Event(run.next(script, step, expected)?));
    }
    let missing = run.pending.iter_mut().find_map(VecDeque::pop_front);
    let replayed = Replayed {
        path,
        in_order: true,
        cycle: None,
        missing: missing.map(|event| event.sentence(&script.names)),
    };
    let mut verdict = replayed.verdict(Algorithm::Mutex, script);
    let of_module = |check: &Check| check.property == Property::MutualExclusion;
    verdict.checks.retain(of_module);
    for (property, violated) in [Property::TypeCorrect, Property::BoundedChannels]
        .into_iter()
        .zip(run.violated)
    {
        let states = plural(run.states, "state");
        verdict.checks.push(match violated {
            Some(state) => Check::unfulfilled(
                property,
                format!("violated after {}", plural(state, "step")),
            ),
            None => Check::ok(property, format!("in all {states} of the path")),
        });
    }
    Ok((replayed, verdict))
}

/// A run of the module.
struct ModuleRun<'m> {
    module: &'m LamportMutex,
    state: <LamportMutex as Model>::State,
    renderer: PathRenderer,
    /// The events of each process that the log must repeat next.
    pending: Vec<VecDeque<RunEvent>>,
    states: u64,
    /// The number of the step after which type correctness, and the bound on channels, is violated first.
    violated: [Option<u64>; 2],
}

impl<'m> ModuleRun<'m> {
    fn new(module: &'m LamportMutex) -> Self {
        Self {
            module,
            state: module.init_states().remove(0),
            renderer: PathRenderer::new(module.processes),
            pending: vec![VecDeque::new(); module.processes],
            states: 1,
            violated: [None; 2],
        }
    }

    /// The event of the module in place of that of the log.
    fn next(
        &mut self,
        script: &Script,
        step: &Step,
        expected: &RunEvent,
    ) -> Result<RunEvent, Failure> {
        let differs = |why: &str| script.differs_in("module", step, expected, why);
        let me = expected.process.index();
        if self.pending[me].is_empty() {
            let action = action(expected).ok_or_else(|| differs("no action does this"))?;
            let mut possible = Vec::new();
            self.module.actions(&self.state, &mut possible);
            if !possible.contains(&action) {
                let words = |action: &Action| self.module.format_action(action);
                let possible: Vec<_> = possible.iter().map(words).collect();
                return Err(differs(&format!(
                    "{} is not possible here, only {}",
                    words(&action),
                    possible.join(", ")
                )));
            }
            self.take(action);
        }
        let event = self.pending[me].pop_front().map(|event| RunEvent {
            at: expected.at,
            ..event
        });
        script.compared("module", step, expected, event)
    }

    fn take(&mut self, action: Action) {
        self.renderer.step();
        self.module
            .explain_step(&mut self.state, &action, &mut self.renderer);
        for event in self.renderer.events.drain(..) {
            if let PathEvent::Event(event) = event {
                self.pending[event.process.index()].push_back(event);
            }
        }
        let violated = self.module.violated(&self.state);
        for (number, property) in PROPERTIES.into_iter().enumerate() {
            let of = [Property::TypeCorrect, Property::BoundedChannels];
            let place = of.iter().position(|known| *known == property);
            if let Some(place) = place
                && violated >> number & 1 == 1
            {
                self.violated[place].get_or_insert(self.states);
            }
        }
        self.states += 1;
    }
}

/// The module's action whose first event this is.
fn action(event: &RunEvent) -> Option<Action> {
    match (&event.what, &event.meaning) {
        (MessageAction::Receive { from, .. }, None) => Some(Action::Receive(event.process, *from)),
        (_, Some(Meaning::Request)) => Some(Action::Request(event.process)),
        (_, Some(Meaning::Enter(_))) => Some(Action::Enter(event.process)),
        (_, Some(Meaning::Exit(_))) => Some(Action::Exit(event.process)),
        _ => None,
    }
}
