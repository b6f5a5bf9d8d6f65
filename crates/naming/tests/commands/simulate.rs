//! `naming simulate`: what it prints, logs and refuses.

use std::fs;

use common::testing::Folder;

use super::{SCHEMES, checks, naming};

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (one, other) = (Folder::new(), Folder::new());
    let simulate = |folder: &Folder, seed: u32| {
        let logs = folder.path("logs");
        let finished = naming(&format!(
            "simulate forwarding-shortened --names 1 --moves 4 --loss 10% --reorder 10% --seed {seed} --show all --logs {logs}"
        ));
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let logs = (1..=5).map(|process| {
            let log = folder.path(&format!("logs/p{process}.jsonl"));
            fs::read_to_string(log).unwrap()
        });
        (finished.out.clone(), logs.collect::<String>())
    };
    let first = simulate(&one, 6);
    assert_eq!(first, simulate(&other, 6));
    assert_ne!(first, simulate(&other, 8));
    let (printed, logged) = first;
    for words in [
        "looks up server",
        "moves server",
        "sends shorten",
        "finds server",
    ] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    assert!(logged.contains(r#""algorithm":"forwarding-shortened""#));
}

#[test]
fn every_scheme_is_right_over_a_bad_network() {
    for scheme in SCHEMES {
        let finished = naming(&format!(
            "simulate {scheme} --processes 8 --lookups 40 --moves 8 --seeds 10 --json \
             --loss 10% --duplicate 10% --reorder 10% --partition p1>p2@2s..3s"
        ));
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let checks = checks(&finished);
        assert!(checks.len() >= 4, "{checks:?}");
    }
}

#[test]
fn a_ring_heals_after_a_crash() {
    let finished = naming(
        "simulate chord --processes 8 --names 8 --lookups 60 --moves 0 --crash p3@3s --seeds 5 --json",
    );
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (arguments, why) in [
        ("home --processes 0", "--processes: 0 is not in 1 to 100"),
        ("home --rules published", "--rules: is of a ring alone"),
        ("home --crash p9@1s", "--crash p9@1s: "),
        (
            "home --seeds 2 --logs run",
            "only with one seed, and --seeds gives several",
        ),
        ("nowhere", "invalid value 'nowhere'"),
    ] {
        let finished = naming(&format!("simulate {arguments}"));
        assert_eq!(finished.code, Some(2), "{arguments}: {finished:?}");
        assert!(finished.err.contains(why), "{arguments}: {}", finished.err);
    }
}
