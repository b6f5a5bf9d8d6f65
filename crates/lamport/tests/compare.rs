//! The real program: what the algorithms of a kind need, compared.

use std::fs;

use common::{
    event::Kind,
    testing::{Finished, Folder, run},
};

fn lamport(arguments: &str) -> Finished {
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    run(env!("CARGO_BIN_EXE_lamport"), &arguments)
}

#[test]
fn the_messages_of_an_entry_are_printed_for_each_number_of_processes() {
    let finished = lamport("compare mutex --processes 3..5");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let rows: Vec<Vec<_>> = finished
        .out
        .lines()
        .skip(2)
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), 10, "{}", finished.out);
    assert_eq!(rows[0], ["3", "mutex", "6", "6", "6", "6"]);
    assert_eq!(rows[6], ["5", "ricart-agrawala", "8", "8", "8", "8"]);
    assert_eq!(rows[7], ["5", "central", "3", "3", "3", "3"]);
    assert_eq!(rows[8][3..], ["1", "1", "∞"]);
    let again = lamport("compare mutex --processes 3..5");
    assert_eq!(finished.out, again.out, "the same settings, the same bytes");
}

#[test]
fn the_figures_are_events_and_a_picture() {
    let folder = Folder::new();
    let picture = folder.path("messages.svg");
    let finished = lamport(&format!(
        "compare mutex --processes 7 --json --plot {picture}"
    ));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let events = finished.events();
    let maekawa = events
        .iter()
        .find(|event| event.kind == Kind::Report && event.name.as_deref() == Some("maekawa"))
        .unwrap();
    // The lines of a plane of seven processes have three.
    assert_eq!(maekawa.counts["processes"], 7);
    assert_eq!(maekawa.counts["first_milli"], 6000);
    assert_eq!(maekawa.counts["worst_milli"], 10_000);
    let svg = fs::read_to_string(picture).unwrap();
    assert!(
        svg.starts_with("<svg") && svg.contains("token-ring"),
        "{svg}"
    );
}

#[test]
fn the_messages_of_an_election_are_measured_beside_what_is_published() {
    let folder = Folder::new();
    let picture = folder.path("messages.svg");
    let finished = lamport(&format!(
        "compare election --processes 3..5 --plot {picture}"
    ));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let rows: Vec<Vec<_>> = finished
        .out
        .lines()
        .skip(2)
        .map(|line| line.split_whitespace().collect())
        .collect();
    let [best, worst] = [2, 4];
    assert_eq!(rows[3][..2], ["5", "bully"], "{}", finished.out);
    assert_eq!((rows[3][best], rows[3][worst]), ("3", "15"));
    assert_eq!(rows[3][5..], ["3", "–", "15"]);
    assert_eq!((rows[4][best], rows[4][worst]), ("14", "20"));
    assert_eq!(rows[4][5..], ["14", "16.42", "20"]);
    let svg = fs::read_to_string(picture).unwrap();
    assert!(svg.contains("average") && svg.contains("bully"), "{svg}");

    let events = lamport("compare election --processes 5 --json").events();
    let of = |name: &str| {
        let is_row = |event: &&common::event::Event| event.name.as_deref() == Some(name);
        events.iter().find(is_row).unwrap().counts.clone()
    };
    let (bully, ring) = (of("bully"), of("ring"));
    assert_eq!((bully["first_milli"], bully["third_milli"]), (3000, 15_000));
    assert!(!bully.contains_key("average_milli"));
    assert_eq!(ring["average_milli"], 16_417);
    assert!(ring["second_milli"].abs_diff(16_417) < 400, "{ring:?}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    for (arguments, why) in [
        (
            "compare mutex --processes 1",
            "--processes: 1 is not in 2 to 100",
        ),
        (
            "compare mutex --processes 3..1000",
            "--processes: 1000 is not in 2 to 100",
        ),
        ("compare mutex --processes 9..3", "ends before it begins"),
        ("compare mutex --processes many", "no number, nor a range"),
        (
            "compare mutex --plot /nowhere/x.svg",
            "--plot /nowhere/x.svg: ",
        ),
        (
            "simulate mutex --processes 3..5",
            "--processes 3..5: a range",
        ),
        ("run mutex --processes 3..5", "--processes 3..5: a range"),
    ] {
        let finished = lamport(arguments);
        assert_eq!(finished.code, Some(2), "{arguments}: {finished:?}");
        assert!(finished.err.contains(why), "{arguments}: {}", finished.err);
    }
}
