//! Processes that only have a failure detector: whom they suspect in the model checker and in the simulator.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Detection, Heartbeats, Suspected};
use crate::process::{
    Command, Meaning, Message, Outbox, Process, Refusal, Stamped, TimerKind,
    check::{
        model::Model,
        monitor::{Monitor, Seen},
        packed::PackedSystem,
        relevance::Relevance,
        search::{Limits, Progress, search, search_space},
        system::{FaultBudget, Step, System, TimerBounds},
    },
    clock::Overflow,
    faults::{Crash, Faults},
    ids::{Names, ProcessId},
    property::Property,
    reliable_link::ChannelOrder,
    simulation::{self, Detector},
    verdict::exercise::Exercise,
    workload::Workload,
};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_silent_process_is_suspected_and_a_wrong_suspicion_is_taken_back() {
    let [one, two] = [1, 2].map(ProcessId);
    let mut detector = Heartbeats::new(ProcessId(0), 3, Duration::ZERO);
    assert_eq!(detector.due(), Duration::ZERO);
    // The second process is silent for longer each time.
    for silence in [500, 1_000, 1_500] {
        let start = detector.due().as_millis() as u64;
        let mut at = start;
        let suspected = loop {
            assert_eq!(detector.heard(millis(at), one), None);
            let (sends, suspected) = detector.look(millis(at));
            assert!(sends, "each is due when the next heartbeats are");
            if !suspected.is_empty() {
                break suspected;
            }
            assert_eq!(detector.is_in_doubt(), at - start > 200, "{at}");
            at += 100;
        };
        assert_eq!(suspected, [Detection::Suspect(two)]);
        assert!(!detector.is_in_doubt());
        assert_eq!(at - start, silence);
        let trusted = detector.heard(millis(at + 100), two);
        assert_eq!(trusted, Some(Detection::Trust(two)));
    }
}

#[test]
fn a_process_that_was_stopped_itself_suspects_nobody() {
    let mut detector = Heartbeats::new(ProcessId(0), 3, Duration::ZERO);
    assert_eq!(detector.look(millis(100)), (true, vec![]));
    assert_eq!(detector.look(millis(60_000)), (true, vec![]));
    for at in [60_200, 60_400] {
        assert_eq!(detector.look(millis(at)), (true, vec![]));
    }
    assert_eq!(detector.look(millis(60_500)).1.len(), 2);
}

#[test]
fn the_suspected_processes_are_a_set() {
    let mut suspected = Suspected::default();
    for process in [2, 1, 2] {
        suspected.see(Detection::Suspect(ProcessId(process)));
    }
    assert!(suspected.iter().eq([ProcessId(1), ProcessId(2)]));
    suspected.see(Detection::Trust(ProcessId(1)));
    suspected.see(Detection::Trust(ProcessId(1)));
    assert!(suspected.contains(ProcessId(2)) && !suspected.contains(ProcessId(1)));
}

/// A process that keeps what its failure detector says.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
struct Watcher(Suspected);

/// No message.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum Nothing {}

impl Message for Nothing {
    fn word(&self) -> &'static str {
        match *self {}
    }
}

impl Process for Watcher {
    type Message = Nothing;
    type Settings = ();

    const DETECTS: bool = true;

    fn new(_: ProcessId, _: usize, (): &()) -> Self {
        Self::default()
    }

    fn start(&mut self, _: &mut Outbox<'_, Nothing>) -> Result<(), Overflow> {
        Ok(())
    }

    fn receive(
        &mut self,
        _: ProcessId,
        message: Stamped<Nothing>,
        _: &mut Outbox<'_, Nothing>,
    ) -> Result<(), Overflow> {
        match message.content {}
    }

    fn timer(&mut self, _: TimerKind, _: &mut Outbox<'_, Nothing>) -> Result<(), Overflow> {
        Ok(())
    }

    fn detect(
        &mut self,
        detection: Detection,
        _: &mut Outbox<'_, Nothing>,
    ) -> Result<(), Overflow> {
        self.0.see(detection);
        Ok(())
    }

    fn command(&mut self, _: Command, _: &mut Outbox<'_, Nothing>) -> Result<(), Refusal> {
        Err(Refusal::Unknown)
    }

    fn idle(&self) -> bool {
        true
    }

    fn queue(&self, _: &Names) -> Vec<String> {
        Vec::new()
    }
}

impl Relevance for Watcher {}

/// Whom each process suspects, by its events.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Suspicions([u16; 3]);

impl Monitor for Suspicions {
    fn step(&mut self) {}

    fn see(&mut self, process: ProcessId, seen: &Seen) -> Exercise {
        let suspected = &mut self.0[process.index()];
        match seen.meaning {
            Some(Meaning::Detect(Detection::Suspect(other))) => *suspected |= 1 << other.index(),
            Some(Meaning::Detect(Detection::Trust(other))) => *suspected &= !(1 << other.index()),
            _ => {}
        }
        Exercise::default()
    }

    fn violates(&self, _: Property) -> bool {
        false
    }

    fn complete(&self, processes: usize, crashed: u16) -> bool {
        let mut alive = ProcessId::all(processes).filter(|it| crashed >> it.index() & 1 == 0);
        alive.all(|process| self.0[process.index()] == crashed)
    }
}

fn system(crashed: u8, suspected: u8) -> System<Watcher, Suspicions> {
    System {
        monitor: Suspicions([0; 3]),
        properties: &[Property::LookUpsEnd],
        processes: 3,
        bounds: TimerBounds::operations(0),
        commands: Vec::new(),
        settings: (),
        budget: FaultBudget {
            crashed,
            suspected,
            ..FaultBudget::default()
        },
        order: ChannelOrder::Fifo,
        is_reduced: false,
        is_timeless: true,
        time: Default::default(),
        exercise: Arc::default(),
        process: PhantomData,
    }
}

#[test]
fn in_the_end_of_every_path_exactly_the_crashed_processes_are_suspected() {
    // Of one crash: nobody; or one of three crashed, which two processes suspect or not.
    for (crashed, suspected, states) in [(1, 0, 1 + 3 * 4), (2, 0, 0), (0, 1, 0), (1, 1, 0)] {
        let system = system(crashed, suspected);
        let (limits, progress) = (Limits::none(2), Progress::default());
        let plain = search(&system, limits, &progress, &|| false);
        let space = PackedSystem::new(&system, &limits);
        let packed = search_space(&space, limits, &progress, &|| false);
        assert_eq!(plain.counts, packed.counts);
        assert_eq!(plain.violations, [None], "{crashed} {suspected}");
        assert_eq!(packed.violations, [None], "{crashed} {suspected}");
        assert!(states == 0 || plain.counts.distinct == states, "{plain:?}");
    }
}

#[test]
fn a_perfect_detector_suspects_no_process_that_lives() {
    let [p1, p2, p3] = [0, 1, 2].map(ProcessId);
    let steps_of = |crashed, suspected, taken: &[Step]| {
        let system = system(crashed, suspected);
        let mut state = system.init_states().remove(0);
        for step in taken {
            state = system.next_state(&state, *step).unwrap();
        }
        let mut steps = Vec::new();
        system.actions(&state, &mut steps);
        steps.retain(|step| matches!(step, Step::Detect(..)));
        steps
    };
    assert!(steps_of(1, 0, &[]).is_empty());
    let suspect = |process, other| Step::Detect(process, Detection::Suspect(other));
    let by_both = [suspect(p1, p3), suspect(p2, p3)];
    assert_eq!(steps_of(1, 0, &[Step::Crash(p3)]), by_both);
    // A wrong suspicion uses the budget up, and is taken back.
    assert_eq!(steps_of(0, 1, &[]).len(), 6);
    let trust = Step::Detect(p1, Detection::Trust(p2));
    assert_eq!(steps_of(0, 1, &[suspect(p1, p2)]), [trust]);
    assert!(steps_of(0, 1, &[suspect(p1, p2), trust]).is_empty());
}

#[test]
fn simulated_processes_suspect_who_crashes_and_trust_who_recovers() {
    let [p1, p2, p3] = [0, 1, 2].map(ProcessId);
    let crash = |process, from, until| Crash {
        process,
        from,
        until,
    };
    let faults = Faults {
        crashes: vec![
            crash(p2, millis(1_000), Duration::MAX),
            crash(p3, millis(3_000), millis(5_000)),
        ],
        ..Faults::default()
    };
    let suspect = |process, other| (process, Detection::Suspect(other));
    for (detector, within) in [
        (Detector::Perfect, millis(20)),
        (Detector::Heartbeats, millis(700)),
    ] {
        let settings = simulation::Settings {
            faults: faults.clone(),
            detector,
            ..simulation::Settings::new(3, 1, Workload::new(1.0, 1), ())
        };
        let run = simulation::run::<Watcher>(&settings);
        let mut detected = run.events.iter().map(|event| {
            let Some(Meaning::Detect(detection)) = event.meaning else {
                panic!("{event:?}");
            };
            (event.at, (event.process, detection))
        });
        let mut next = |after: Duration| {
            let (at, detection) = detected.next().unwrap();
            assert!(after <= at + millis(100) && at <= after + within, "{at:?}");
            detection
        };
        let mut of_p2 = [next(millis(1_000)), next(millis(1_000))];
        of_p2.sort_by_key(|(process, _)| *process);
        assert_eq!(of_p2, [suspect(p1, p2), suspect(p3, p2)], "{detector:?}");
        assert_eq!(next(millis(3_000)), suspect(p1, p3));
        assert_eq!(next(millis(5_000)), (p1, Detection::Trust(p3)));
        assert_eq!(detected.next(), None);
    }
}
