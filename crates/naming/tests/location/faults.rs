//! The schemes in simulated runs: over a network that loses, duplicates and reorders, and with processes that crash.

use std::time::Duration;

use common::{
    event::Verdict as Word,
    process::{
        Command, Meaning,
        faults::{Crash, Delay, Faults},
        ids::{Names, ProcessId},
        simulation::{Run, Settings, run},
        verdict::{Verdict, check::Check, run::RunUnderTest},
        workload::Workload,
    },
};
use naming::location::{
    Scheme,
    broadcast::Broadcast,
    chord::{Chord, settings::Settings as Ring},
    entities::home,
    forwarding::{Forwarding, Shortening},
    hierarchy::{Fanout, Hierarchy},
    home::HomeBased,
    schemes::{Group, LocationScheme},
    verdict::{LookUpChecker, Promise, RunFaults},
};

const NODES: usize = 16;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn names() -> Vec<String> {
    (1..=12).map(|number| format!("server{number}")).collect()
}

/// A tenth of the frames is lost, and as many are duplicated and reordered.
fn bad_network() -> Faults {
    let chance = || "10%".parse().unwrap();
    Faults {
        loss: chance(),
        duplicate: chance(),
        reorder: chance(),
        delay: Delay::Constant(Duration::from_millis(5)),
        ..Faults::default()
    }
}

/// Every name is inserted at home; later each of some processes looks all of them up, again and again.
fn commands(
    askers: &[ProcessId],
    times: std::ops::Range<u64>,
) -> Vec<(Duration, ProcessId, Command)> {
    let mut commands = Vec::new();
    for name in names() {
        let insert = Command::Insert(name.clone(), String::new());
        commands.push((seconds(1), home(&name, NODES), insert));
        for time in times.clone() {
            for asker in askers {
                commands.push((seconds(time), *asker, Command::LookUp(name.clone())));
            }
        }
    }
    commands.sort_by_key(|(at, ..)| *at);
    commands
}

fn simulate<P: Scheme>(
    process: P::Settings,
    faults: Faults,
    commands: Vec<(Duration, ProcessId, Command)>,
) -> Run {
    let mut settings = Settings::new(NODES, 7, Workload::new(1.0, 0), process);
    settings.faults = faults;
    settings.lasting = seconds(60);
    settings.commands = commands;
    run::<P>(&settings)
}

/// The verdict is that everything holds; returns how many look-ups ended with and without a place.
fn verdict(
    scheme: LocationScheme,
    faults: &Faults,
    run: &Run,
    crashed: &[ProcessId],
) -> (usize, usize) {
    assert!(
        !run.cut_short && run.refusals.is_empty(),
        "{:?}",
        run.refusals
    );
    let names = Names::numbered(NODES);
    let under_test = RunUnderTest::new(&names, &run.events).crashed(crashed);
    let promise = Promise::new(scheme, Group::of(NODES));
    let checker = LookUpChecker::new(promise, RunFaults::of(faults, seconds(5)));
    let verdict = Verdict::of(&under_test, vec![Box::new(checker)]);
    let is_ok = |check: &Check| check.verdict == Word::Ok;
    assert!(verdict.checks.iter().all(is_ok), "{:?}", verdict.checks);
    let found = run.events.iter().filter_map(|event| match &event.meaning {
        Some(Meaning::Found(_, value)) => Some(!value.is_nothing()),
        _ => None,
    });
    let (found, none): (Vec<bool>, Vec<bool>) = found.partition(|found| *found);
    (found.len(), none.len())
}

#[test]
fn every_scheme_finds_everything_over_a_bad_network() {
    fn finds<P: Scheme>(scheme: LocationScheme, process: P::Settings) {
        let askers: Vec<_> = ProcessId::all(NODES).step_by(5).collect();
        let mut commands = commands(&askers, 10..13);
        // Everything moves, and is looked up again.
        let to = ProcessId(3);
        for name in names() {
            let from = home(&name, NODES);
            if from != to {
                commands.push((seconds(20), from, Command::Move(name.clone(), to)));
            }
            commands.push((seconds(30), ProcessId(8), Command::LookUp(name)));
        }
        let run = simulate::<P>(process, bad_network(), commands);
        let found = verdict(scheme, &bad_network(), &run, &[]);
        assert_eq!(found, (12 * (4 * 3 + 1), 0), "{scheme}");
    }
    finds::<Broadcast>(LocationScheme::Broadcast, ());
    finds::<HomeBased>(LocationScheme::Home, ());
    finds::<Forwarding>(LocationScheme::ForwardingShortened, Shortening::Chain);
    finds::<Hierarchy>(LocationScheme::Hierarchical, Fanout(4));
    let ring = Ring {
        maintain: true,
        ..Ring::whole(NODES)
    };
    finds::<Chord>(LocationScheme::ChordIterative, ring);
}

#[test]
fn a_ring_heals_while_look_ups_go_on_and_three_crashes_lose_no_record() {
    let ring = Ring {
        maintain: true,
        ..Ring::whole(NODES)
    };
    let down = [ProcessId(2), ProcessId(9), ProcessId(14)];
    let crashes = down.iter().map(|process| Crash {
        process: *process,
        from: seconds(5),
        until: Duration::MAX,
    });
    let faults = Faults {
        crashes: crashes.collect(),
        ..bad_network()
    };
    let up: Vec<_> = ProcessId::all(NODES)
        .filter(|process| !down.contains(process))
        .collect();
    let run = simulate::<Chord>(ring, faults.clone(), commands(&up[..4], 4..40));
    // Names of entities that crashed are found, too: their records are at others.
    let (found, none) = verdict(LocationScheme::ChordIterative, &faults, &run, &down);
    assert_eq!(none, 0, "{found} were found");
    assert_eq!(found, 12 * 4 * 36);
}
