//! `naming check`: the faults that each scheme tolerates, and how Chord's published rules break a ring.

use std::fs;

use common::testing::Folder;

use super::{SCHEMES, checks, naming, violated};

#[test]
fn every_scheme_has_its_properties_in_every_interleaving() {
    for scheme in SCHEMES {
        let finished = naming(&format!("check {scheme} --count 1 --json"));
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let expected = ["look-ups right", "every look-up ends"];
        let expected = expected.map(|property| (property.to_owned(), "ok"));
        assert_eq!(checks(&finished), expected, "{scheme}");
    }
}

/// The table "Which faults each scheme tolerates" of the reference: three processes look up a name that does not move.
#[test]
fn the_faults_of_the_table_violate_what_it_says() {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/location.md"
    );
    let page = fs::read_to_string(page).unwrap();
    let (_, table) = page.split_once("| violated with |").unwrap();
    let mut rows = table.lines();
    let cells = |row: &str| -> Vec<String> {
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().replace('`', "")).collect()
    };
    let faults = cells(rows.next().unwrap());
    let rows = rows.skip(1).take_while(|row| row.starts_with('|'));
    let rows: Vec<_> = rows.map(cells).collect();
    assert_eq!(rows.len(), SCHEMES.len());
    for row in rows {
        let (scheme, cells) = row.split_first().unwrap();
        for (fault, expected) in faults.iter().zip(cells) {
            let finished = naming(&format!(
                "check {scheme} --count 1 --moves 0 {fault} --json"
            ));
            assert!(matches!(finished.code, Some(0 | 1)), "{finished:?}");
            let found = match &violated(&finished)[..] {
                [] => "nothing".to_owned(),
                violated => violated.join("; "),
            };
            assert_eq!(found, *expected, "{scheme} {fault}");
        }
    }
}

/// The published rules: who joins knows one node, and that crashes.
#[test]
fn the_published_rules_break_the_ring() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let finished = naming(&format!("check chord --rules published --logs {logs}"));
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let verdict = "FAIL  one ring               p4 has no live successor\n";
    assert!(finished.out.starts_with(verdict), "{}", finished.out);
    let path: Vec<_> = finished.out.lines().skip(1).collect();
    assert_eq!(path[0], "shortest counterexample to \"one ring\", 6 steps:");
    let crash = path.iter().position(|line| line.ends_with(" crashes"));
    let joins = path.iter().position(|line| line.ends_with(" joins"));
    assert!(crash < joins && crash.is_some(), "{path:#?}");
    let log = fs::read_to_string(folder.path("logs/one-ring.jsonl")).unwrap();
    assert!(log.contains(r#""algorithm":"chord""#));
}

#[test]
fn the_corrected_rules_keep_it() {
    let finished = naming("check chord --json");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(checks(&finished), [("one ring".to_owned(), "ok")]);
    // As many crashes as a list is long are too many.
    let finished = naming("check chord --may-crash 2 --json");
    assert_eq!(violated(&finished), ["one ring"]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (arguments, why) in [
        ("home --count 0", "--count: 0 is not in 1 to 10"),
        ("home --rounds 1", "--rounds: is of a ring alone"),
        ("chord --joins 0 --rounds 0", "nothing is checked"),
        ("chord --moves 1", "without look-ups nobody asks"),
        ("home --processes 8 --count 2", "are more than 16"),
        ("home --states 100", "--states 100: there are more"),
    ] {
        let finished = naming(&format!("check {arguments}"));
        assert_eq!(finished.code, Some(2), "{arguments}: {finished:?}");
        assert!(finished.err.contains(why), "{arguments}: {}", finished.err);
    }
}
