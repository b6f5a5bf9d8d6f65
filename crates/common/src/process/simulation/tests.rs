//! Commands, crashes, timers and large networks, with a scheme that asks everybody.

use std::time::Instant;

use super::{
    super::{
        Meaning, ids::Names, sample::Broadcast, sample::Settings as Options, workload::Workload,
    },
    *,
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A run of these commands, with the faults.
fn run_of(
    processes: usize,
    process: Options,
    commands: &[(u64, u32, Command)],
    change: impl FnOnce(&mut Settings<Options>),
) -> Run {
    let mut settings = Settings::new(processes, 7, Workload::new(1.0, 0), process);
    let command =
        |(at, to, command): &(u64, u32, Command)| (ms(*at), ProcessId(*to), command.clone());
    settings.commands = commands.iter().map(command).collect();
    change(&mut settings);
    run::<Broadcast>(&settings)
}

fn insert(name: &str, value: &str) -> Command {
    Command::Insert(name.to_owned(), value.to_owned())
}

fn look_up(name: &str) -> Command {
    Command::LookUp(name.to_owned())
}

/// The look-ups that ended: when, at which process, and with which value.
fn found(run: &Run) -> Vec<(Duration, u32, String)> {
    let names = Names::numbered(0);
    let found = run.events.iter().filter_map(|event| match &event.meaning {
        Some(Meaning::Found(_, value)) => {
            Some((event.at, event.process.0, value.text(&names).to_owned()))
        }
        _ => None,
    });
    found.collect()
}

const GIVES_UP: Options = Options {
    gives_up: true,
    works: false,
};

#[test]
fn commands_come_at_their_times_and_a_reply_clears_the_timeout() {
    let commands = [
        (1, 5, insert("server7", "10.0.0.7")),
        (10, 2, look_up("server7")),
        (10, 2, look_up("server8")),
        (10, 3, Command::Lock),
    ];
    let run = run_of(8, GIVES_UP, &commands, |settings| {
        settings.faults.delay = super::super::faults::Delay::Constant(ms(5));
    });
    assert_eq!(found(&run), [(ms(20), 2, "10.0.0.7".to_owned())]);
    assert_eq!(run.end, ms(20), "no timeout after it");
    let refused: Vec<_> = run.refusals.iter().map(|(at, to, _)| (*at, to.0)).collect();
    assert_eq!(refused, [(ms(10), 2), (ms(10), 3)]);
    assert_eq!(run.refusals[1].2, Refusal::Unknown);
}

#[test]
fn a_process_that_has_crashed_does_not_answer_until_it_recovers() {
    let commands = [
        (1, 1, insert("a", "1")),
        (100, 0, look_up("a")),
        (3_000, 0, look_up("a")),
    ];
    let run = run_of(3, GIVES_UP, &commands, |settings| {
        settings.unreliable = true;
        settings.faults.crashes.push(Crash {
            process: ProcessId(1),
            from: ms(50),
            until: ms(2_000),
        });
    });
    let values: Vec<_> = found(&run)
        .into_iter()
        .map(|(at, _, value)| (at, value))
        .collect();
    assert_eq!(
        values[0],
        (ms(1_100), String::new()),
        "the timeout of a second"
    );
    assert_eq!(values[1].1, "1");
    // Over reliable channels the question arrives after the recovery.
    let run = run_of(3, Options::default(), &commands[..2], |settings| {
        settings.faults.crashes.push(Crash {
            process: ProcessId(1),
            from: ms(50),
            until: ms(2_000),
        });
    });
    assert_eq!(found(&run).len(), 1);
    assert!(found(&run)[0].0 >= ms(2_000));
}

#[test]
fn periodic_work_goes_on_beside_other_timers_until_the_end() {
    let options = Options {
        gives_up: true,
        works: true,
    };
    let commands = [(0, 0, look_up("nobody has it"))];
    let run = run_of(2, options, &commands, |settings| {
        settings.lasting = Duration::from_secs(10);
    });
    assert_eq!(found(&run).len(), 1, "setting the one leaves the other set");
    let rounds = run
        .events
        .iter()
        .filter(|event| event.process == ProcessId(1));
    let rounds = rounds.filter(|event| event.meaning.is_some()).count();
    assert!(
        (18..=22).contains(&rounds),
        "{rounds} rounds of half a second"
    );
    assert!(run.end < Duration::from_secs(10) && !run.cut_short);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let commands = [(1, 1, insert("a", "1")), (2, 0, look_up("a"))];
    let lossy = |settings: &mut Settings<Options>| {
        settings.faults.loss = "30%".parse().unwrap();
        settings.faults.delay = "1ms..9ms".parse().unwrap();
    };
    let one = run_of(5, Options::default(), &commands, lossy);
    assert_eq!(one, run_of(5, Options::default(), &commands, lossy));
    assert_eq!(found(&one).len(), 1, "retransmissions make up for losses");
}

#[test]
fn memory_and_time_grow_with_what_is_used() {
    // With a channel for each pair of processes this would take gigabytes.
    let begun = Instant::now();
    let commands = [(1, 9_999, insert("a", "1")), (2, 0, look_up("a"))];
    let run = run_of(1 << 14, GIVES_UP, &commands, |_| ());
    assert_eq!(found(&run).len(), 1);
    // Each question is acknowledged, one with the answer, and that again.
    assert_eq!(run.frames.1, 2 * (1 << 14) - 1);
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}
