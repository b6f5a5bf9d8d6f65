//! `naming run`: real processes of each location scheme, over a bad network, with moves, crashes and pauses.

use std::thread;

use common::{
    event::{Kind, Verdict},
    testing::{Finished, Folder, run, start},
};

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

/// All schemes.
const SCHEMES: [&str; 7] = [
    "broadcast",
    "forwarding",
    "forwarding-shortened",
    "home",
    "hierarchical",
    "chord",
    "chord-iterative",
];

/// A run of four processes of the scheme.
fn run_of(scheme: &str, arguments: &[&str]) -> Finished {
    let common = ["--json", "--processes", "4", "--names", "16"];
    let ring = match scheme.starts_with("chord") {
        true => &["--stabilize", "300ms"][..],
        false => &[],
    };
    run(
        NAMING,
        &[&["run", scheme], &common[..], ring, arguments].concat(),
    )
}

/// Does it for each scheme, for all at the same time: they wait most of it.
fn with_each(of_scheme: impl Fn(&str) + Sync) {
    thread::scope(|scope| {
        for scheme in SCHEMES {
            let of_scheme = &of_scheme;
            scope.spawn(move || of_scheme(scheme));
        }
    });
}

/// Each check with its verdict and what was found.
fn checks(finished: &Finished) -> Vec<(String, Verdict, String)> {
    let events = finished.events().into_iter();
    let checks = events.filter(|event| event.kind == Kind::Check);
    let check = checks.map(|event| {
        let found = event.text.unwrap();
        (
            event.check.unwrap().into_owned(),
            event.verdict.unwrap(),
            found,
        )
    });
    check.collect()
}

/// The verdict on right look-ups, their end, and names that are lost.
fn verdicts(finished: &Finished) -> [Verdict; 3] {
    let checks = checks(finished);
    let names: Vec<_> = checks.iter().map(|(name, ..)| name.as_str()).collect();
    let of_all = ["look-ups right", "every look-up ends", "nothing lost"];
    assert_eq!(names[..3], of_all, "{finished:?}");
    [checks[0].1, checks[1].1, checks[2].1]
}

/// They wait long for an answer: the machine may be busy, and what it delays is no fault of theirs.
const PATIENT: [&str; 2] = ["--timeout", "2s"];

#[test]
fn every_look_up_finds_what_moves_all_the_time_over_a_bad_network() {
    with_each(|scheme| {
        let network = ["--loss", "10%", "--duplicate", "10%", "--reorder", "10%"];
        let moves = ["--for", "500ms", "--moves", "40", "--seed", "7"];
        let finished = run_of(scheme, &[&PATIENT[..], &network, &moves].concat());
        assert_eq!(
            verdicts(&finished),
            [Verdict::Ok; 3],
            "{scheme}: {finished:?}"
        );
        assert_eq!(finished.code, Some(0));
        let counts = finished.last_event().counts;
        assert!(counts["moves"] > 0 && counts["names"] == 16, "{counts:?}");
    });
}

#[test]
fn a_process_that_is_killed_takes_with_it_what_its_scheme_says() {
    with_each(|scheme| {
        let finished = run_of(scheme, &["--for", "400ms", "--crash", "p2@200ms"]);
        let [right, ends, lost] = verdicts(&finished);
        assert_eq!(
            (right, ends),
            (Verdict::Ok, Verdict::Ok),
            "{scheme}: {finished:?}"
        );
        let crashed = finished.last_event().counts["crashed"];
        assert_eq!((finished.code, crashed), (Some(0), 1));
        let (_, _, found) = checks(&finished).swap_remove(2);
        if scheme.starts_with("chord") {
            assert_eq!(found, "16 names found in the end");
            return;
        }
        assert_eq!(lost, Verdict::Open, "{scheme}: {found}");
        assert!(
            found.contains(" of 16 names found in the end; server")
                && found.ends_with(": p2 crashed"),
            "{scheme}: {found}"
        );
    });
}

#[test]
fn a_process_that_is_stopped_for_a_while_loses_nothing() {
    with_each(|scheme| {
        let pause = ["--for", "500ms", "--crash", "p2@100ms..300ms"];
        let finished = run_of(scheme, &[&PATIENT[..], &pause].concat());
        assert_eq!(
            verdicts(&finished),
            [Verdict::Ok; 3],
            "{scheme}: {finished:?}"
        );
        assert_eq!(finished.code, Some(0));
    });
}

#[test]
fn a_partition_excuses_what_needs_both_sides() {
    let cut = ["--for", "400ms", "--partition", "p1/*@100ms..300ms"];
    let finished = run_of("home", &[&PATIENT[..], &cut].concat());
    assert_eq!(verdicts(&finished), [Verdict::Ok; 3], "{finished:?}");
    // One without an end: in the end p1 and the others do not find one another's.
    let cut = ["--for", "200ms", "--partition", "p1/*@100ms"];
    let finished = run_of("broadcast", &cut);
    let (_, verdict, found) = checks(&finished).swap_remove(2);
    assert_eq!(verdict, Verdict::Open, "{finished:?}");
    assert!(found.contains(" was partitioned from "), "{found}");
    assert_eq!(finished.code, Some(0));
}

#[test]
fn one_process_has_all_names_itself() {
    for scheme in ["broadcast", "home", "forwarding", "hierarchical", "chord"] {
        let finished = run(
            NAMING,
            &[
                "run",
                scheme,
                "--json",
                "--processes",
                "1",
                "--for",
                "100ms",
                "--names",
                "3",
            ],
        );
        assert_eq!(
            verdicts(&finished),
            [Verdict::Ok; 3],
            "{scheme}: {finished:?}"
        );
    }
}

#[test]
fn each_process_has_a_log_that_names_its_scheme() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let finished = run_of("home", &["--for", "100ms", "--logs", &logs, "--kill", "1"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let mut whole = 0;
    for number in 1..=4 {
        let log = std::fs::read_to_string(format!("{logs}/p{number}.jsonl")).unwrap();
        assert!(log.contains(r#""algorithm":"home""#));
        whole += usize::from(log.contains(r#""event":"stop""#));
    }
    assert_eq!(whole, 3);
}

#[test]
fn a_signal_ends_the_look_ups_and_they_are_checked() {
    let mut run = start(
        NAMING,
        &["run", "broadcast", "--processes", "2", "--for", "1m"],
    );
    run.err_line_with("2 processes of broadcast over UDP, 32 names");
    let finished = run.interrupt();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished.out.contains("32 names found in the end"),
        "{finished:?}"
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    for (arguments, why) in [
        (
            &["home", "--processes", "0"][..],
            "--processes: 0 is not in 1 to 64",
        ),
        (
            &["home", "--processes", "65"],
            "--processes: 65 is not in 1 to 64",
        ),
        (&["home", "--kill", "5"], "--kill: 5 is not in 0 to 4"),
        (
            &["home", "--moves", "1001"],
            "--moves: 1001 is not in 0 to 1000",
        ),
        (
            &["home", "--crash", "p9@1s"],
            "--crash p9@1s: no process is called 'p9'",
        ),
        (
            &["home", "--partition", "p1"],
            "--partition p1: not A,B/C or",
        ),
        (
            &["home", "--successors", "2"],
            "--successors: is of chord alone",
        ),
        (
            &["chord", "--successors", "0"],
            "--successors: 0 is not in 1 to 16",
        ),
        (&["telephone"], "invalid value 'telephone'"),
    ] {
        let finished = run(NAMING, &[&["run"], arguments].concat());
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.err.contains(why), "{}", finished.err);
    }
}
