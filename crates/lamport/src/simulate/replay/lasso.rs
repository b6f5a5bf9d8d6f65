//! The loop of a lasso in a log: it repeats for ever if the processes and their network are at its end as they were at its
//! beginning, but for the values of clocks. A local event marks either end.

use std::{ops::Range, sync::Arc};

use common::{
    exit::Failure,
    process::{
        Meaning, Stamped,
        check::{
            monitor::Known,
            relevance::Relevance,
            system::{FaultBudget, GlobalState, InFlight, Node},
        },
        engine::Engine,
        run_event::RunEvent,
        timers::Timers,
    },
};

use super::{
    network::Channel,
    script::{Script, Scripted},
};
use crate::{algorithms::Algorithm, check::monitor::PropertyMonitor};

/// Processes and their network without the values of clocks.
type State<P> = GlobalState<P, PropertyMonitor>;

/// Whether an event marks an end of a loop.
pub(super) fn is_mark(script: &Script, event: &RunEvent) -> bool {
    let is_lasso = script.beginnings[event.process.index()].lasso > 0;
    is_lasso && matches!(event.meaning, Some(Meaning::Local(_)))
}

/// The state of the processes and of the network.
pub(super) fn state<P: Relevance>(
    engines: &[Engine<P>],
    timers: &[Timers],
    in_flight: Vec<(Channel, u64)>,
    message: impl Fn(Channel, u64) -> Option<Stamped<P::Message>>,
) -> State<P> {
    let nodes = engines.iter().zip(timers);
    let nodes =
        nodes.map(|(engine, timers)| Arc::new(Node::new(engine.clocked().clone(), *timers)));
    let network = in_flight.into_iter().filter_map(|(channel, number)| {
        let (from, to) = channel;
        Some(InFlight {
            from,
            to,
            copy: false,
            message: message(channel, number)?,
            known: Known::Nothing,
        })
    });
    let state = GlobalState {
        nodes: nodes.collect(),
        network: network.collect(),
        budget: FaultBudget::default(),
        crashed: 0,
        // What the properties depend on is in the events.
        monitor: PropertyMonitor::new(Algorithm::Events, engines.len()),
        given: 0,
    };
    state.without_clocks()
}

/// The ends of a loop, as far as they were met.
pub(super) struct LoopEnds<'s, P: Relevance> {
    script: &'s Script,
    /// How many events were before each end, and the state then.
    met: Vec<(usize, State<P>)>,
}

impl<'s, P: Relevance> LoopEnds<'s, P> {
    pub(super) fn new(script: &'s Script) -> Self {
        Self {
            script,
            met: Vec::new(),
        }
    }

    /// The next event of the log, after so many.
    pub(super) fn see(
        &mut self,
        before: usize,
        event: &RunEvent,
        state: impl FnOnce() -> State<P>,
    ) {
        if self.met.len() < 2 && is_mark(self.script, event) {
            self.met.push((before, state()));
        }
    }

    /// The events of the loop, if the log has one.
    ///
    /// # Errors
    /// When it does not lead back to where it began (exit code 2).
    pub(super) fn cycle(self) -> Result<Option<Range<usize>>, Failure> {
        let [(begin, first), (end, last)] = &self.met[..] else {
            return Ok(None);
        };
        if first == last {
            return Ok(Some(*begin..*end));
        }
        let marks = self.script.steps.iter();
        let mut marks = marks.rev().filter(|step| match &step.what {
            Scripted::Event(event) => is_mark(self.script, event),
            Scripted::Fault(_) => false,
        });
        let why = "the loop ends in another state than it began with, not only with later clocks";
        Err(match marks.next() {
            Some(mark) => self.script.differs(mark, why),
            None => Failure::could_not_run("--replay", why),
        })
    }
}
