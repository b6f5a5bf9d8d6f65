//! `naming compare`: what it prints, draws and refuses.

use std::fs;

use common::testing::{Folder, run};
use serde_json::Value;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

/// The rows of a comparison with these arguments.
fn rows(arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["compare", "--json"], arguments].concat();
    let finished = run(NAMING, &arguments);
    assert_eq!(finished.code, Some(0), "{}", finished.err);
    let lines = finished
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let rows = lines.filter(|line: &Value| line["event"] == "report");
    rows.collect()
}

fn row<'a>(rows: &'a [Value], scheme: &str, nodes: u64) -> &'a Value {
    let mut rows = rows.iter();
    let row = rows.find(|row| row["name"] == scheme && row["counts"]["nodes"] == nodes);
    &row.unwrap()["counts"]
}

/// A mean, which is printed in thousandths.
fn mean(row: &Value, figure: &str) -> f64 {
    row[format!("{figure}_mean_milli")].as_f64().unwrap() / 1e3
}

#[test]
fn figures_are_those_of_the_textbook() {
    let rows = rows(&["--nodes", "64..256", "--names", "2000", "--lookups", "5000"]);
    assert_eq!(rows.len(), 3 * 11);
    for nodes in [64, 128, 256] {
        let row = |scheme| row(&rows, scheme, nodes);
        // N - 1 requests and an answer, but for the few who have it.
        let broadcast = mean(row("broadcast"), "messages");
        assert!(
            broadcast > nodes as f64 * 0.97 && broadcast <= nodes as f64,
            "{broadcast}"
        );
        assert_eq!(row("broadcast")["move_messages_mean_milli"], 0);
        let home = mean(row("home"), "messages");
        assert!((1.9..3.0).contains(&home), "{home}");
        let (long, short) = (row("forwarding"), row("forwarding-shortened"));
        assert!(
            mean(short, "hops") < mean(long, "hops") / 2.0,
            "{short} {long}"
        );
        // By halves of halves.
        let chord = mean(row("chord"), "path");
        let expected = (nodes as f64).log2() / 2.0;
        assert!((chord / expected - 1.0).abs() < 0.05, "{chord} for {nodes}");
        let (one, other) = (row("chord"), row("chord-iterative"));
        assert_eq!(one["hops_mean_milli"], other["hops_mean_milli"]);
        assert!(mean(other, "messages") > mean(one, "messages"));
        assert_eq!(one["lost_busiest_millionths"], 0, "records have copies");
        // As many messages; but servers are near one another, and an asker is not.
        let (iterative, recursive) = (row("iterative"), row("recursive"));
        let ratio = mean(iterative, "messages") / mean(recursive, "messages");
        assert!((0.97..1.03).contains(&ratio), "{ratio}");
        let delay = |row: &Value| row["delay_mean_us"].as_u64().unwrap();
        assert!(delay(recursive) < delay(iterative));
        // A server's cache serves all askers.
        let (own, shared) = (row("iterative-cached"), row("recursive-cached"));
        assert!(mean(shared, "messages") < mean(own, "messages"));
        assert!(mean(own, "messages") < mean(iterative, "messages"));
        assert_eq!(iterative["stale_millionths"], 0);
        // The root is one node.
        assert!(
            row("hierarchical")["lost_busiest_millionths"]
                .as_u64()
                .unwrap()
                > 150_000
        );
        assert_eq!(row("broadcast")["lost_busiest_millionths"], 0);
    }
}

#[test]
fn the_same_seed_prints_the_same_bytes() {
    let compare = |seed| {
        let arguments = ["--nodes", "16..32", "--names", "200", "--lookups", "500"];
        let arguments = [&["compare", "--seed", seed], &arguments[..]].concat();
        let finished = run(NAMING, &arguments);
        assert_eq!(finished.code, Some(0), "{}", finished.err);
        finished.out
    };
    let one = compare("7");
    assert_eq!(one.lines().count(), 2 + 2 * 11, "{one}");
    assert_eq!(one, compare("7"));
    assert_ne!(one, compare("8"));
}

#[test]
fn one_node_and_no_moves_have_their_rows_too() {
    let rows = rows(&[
        "--nodes",
        "1..2",
        "--names",
        "5",
        "--lookups",
        "50",
        "--moves",
        "0",
    ]);
    assert_eq!(rows.len(), 2 * 11);
    for scheme in ["broadcast", "chord", "hierarchical", "recursive-cached"] {
        let row = row(&rows, scheme, 1);
        assert_eq!(mean(row, "messages"), 0.0);
        assert_eq!(row["move_messages_mean_milli"], Value::Null);
    }
}

#[test]
fn a_picture_has_a_line_for_each_scheme() {
    let folder = Folder::new();
    let svg = &folder.path("hops.svg");
    let arguments = [
        "--nodes",
        "4..16",
        "--names",
        "20",
        "--lookups",
        "50",
        "--plot",
        svg,
    ];
    rows(&arguments);
    let picture = fs::read_to_string(svg).unwrap();
    for scheme in ["broadcast", "chord-iterative", "recursive-cached", "nodes"] {
        assert!(picture.contains(scheme), "{scheme}");
    }
    assert!(picture.matches("<polyline").count() >= 2 * 11);
}

#[test]
fn numbers_that_make_no_sense_are_refused() {
    for (arguments, why) in [
        (
            ["--nodes", "0"],
            "naming: --nodes: 0 is not in 1 to 1048576\n",
        ),
        (
            ["--nodes", "1099511627776"],
            "naming: --nodes: 1099511627776 is not in 1 to 1048576\n",
        ),
        (
            ["--nodes", "2^40"],
            "naming: --nodes: 1099511627776 is not in 1 to 1048576\n",
        ),
        (
            ["--nodes", "16..2^40"],
            "naming: --nodes: 1099511627776 is not in 1 to 1048576\n",
        ),
        (["--nodes", "9..8"], "'9..8' ends before it begins"),
        (
            ["--nodes", "many"],
            "'many' is no number, nor a range, such as 16..16384",
        ),
        (
            ["--names", "0"],
            "naming: --names: 0 is not in 1 to 10000000\n",
        ),
        (
            ["--names", "lab.json"],
            "naming: --names lab.json: not a number of names, such as 100000\n",
        ),
        (
            ["--lookups", "0"],
            "naming: --lookups: 0 is not in 1 to 10000000\n",
        ),
        (["--scheme", "gossip"], "gossip"),
    ] {
        let finished = run(NAMING, &["compare", arguments[0], arguments[1]]);
        assert_eq!(finished.code, Some(2), "{arguments:?}");
        assert!(
            finished.err.contains(why),
            "{arguments:?}: {}",
            finished.err
        );
        assert_eq!(finished.out, "");
    }
}
