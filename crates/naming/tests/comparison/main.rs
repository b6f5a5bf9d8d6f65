//! Iterative and recursive name resolution agree with Debian's `unbound` over generated name spaces: trees of zones on several
//! servers (Knot and NSD), with aliases across zones, wildcards, DNAME records, missing names and empty non-terminals.
//!
//! The test starts itself again in a network namespace, where port 53 of every loopback address is free. `scripts/test-long.sh`
//! compares a thousand name spaces; `NAMING_COMPARISON=SPACES:SEED` sets how many.

#![allow(clippy::print_stdout)]

mod asking;
mod generate;
mod ours;
#[path = "../differential/random.rs"]
mod random;
mod servers;

use std::{collections::BTreeMap, time::Instant};

use common::testing;

use asking::Iterative;
use generate::{NameSpace, name_space};
use random::Random;
use servers::Servers;

/// How many name spaces share their servers.
const BATCH: usize = 50;

/// Compares so many name spaces of Knot and NSD, and of our own servers.
fn compare(spaces: usize, own: u8, seed: u64) {
    for program in ["knotd", "nsd", "unbound"] {
        if !testing::have_program(program) {
            return;
        }
    }
    let test = std::env::current_exe().unwrap();
    let variables = [
        ("TEST", test.to_str().unwrap()),
        ("SPACES", &spaces.to_string()),
        ("OWN", &own.to_string()),
        ("SEED", &seed.to_string()),
    ];
    let script = "exec \"$TEST\" --exact inside --ignored --nocapture --test-threads=1";
    let Some(finished) = testing::in_namespace(script, &variables) else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{}\n{}", finished.out, finished.err);
    let line = finished.out.lines().find(|line| line.contains(" agree"));
    println!("{}", line.unwrap_or_else(|| panic!("{finished:?}")));
}

#[test]
fn resolvers_agree() {
    compare(20, 8, 7);
}

#[test]
#[ignore = "takes minutes"]
fn resolvers_agree_on_a_thousand_name_spaces() {
    let given = std::env::var("NAMING_COMPARISON").unwrap_or_else(|_| "1000:24".into());
    let (spaces, seed) = given.split_once(':').expect("SPACES:SEED");
    compare(spaces.parse().unwrap(), 40, seed.parse().unwrap());
}

/// What runs in the namespace.
#[test]
#[ignore = "runs in a network namespace, by the tests above"]
fn inside() {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse::<u64>().ok())
    };
    let (Some(spaces), Some(seed)) = (number("SPACES"), number("SEED")) else {
        return;
    };
    let begun = Instant::now();
    let (mut questions, mut zones, mut wrong) = (0, 0, Vec::new());
    let mut kinds = BTreeMap::<String, usize>::new();
    let all: Vec<usize> = (0..spaces as usize).collect();
    for batch in all.chunks(BATCH) {
        let made = batch.iter().map(|index| {
            let mut random = Random(seed.wrapping_mul(1_000_003) + *index as u64);
            name_space(*index, &mut random)
        });
        let made: Vec<NameSpace> = made.collect();
        let servers = Servers::start(&made);
        for space in &made {
            zones += space.zones.len();
            let mut iterative = Iterative::new("127.0.0.1:53".parse().unwrap());
            for (name, rtype) in &space.questions {
                questions += 1;
                let theirs = servers.unbound.ask(name, *rtype);
                let ours = servers.recursive.ask(name, *rtype);
                let walked = iterative.ask(name, *rtype);
                *kinds.entry(theirs.kind()).or_default() += 1;
                if theirs != ours || theirs != walked {
                    wrong.push(format!(
                        "{name} {rtype}\n  unbound   {theirs}\n  recursive {ours}\n  iterative {walked}\n{}",
                        space.zone_files()
                    ));
                }
            }
        }
        servers.stop();
    }
    if let Some(own) = number("OWN") {
        let (more, differ) = ours::compare(own as u8, seed);
        questions += more;
        wrong.extend(differ);
        println!("{more} answers about {own} name spaces of our own servers");
    }
    let took = begun.elapsed();
    assert!(
        wrong.is_empty(),
        "{} of {questions} answers differ, the first:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(3)].join("\n")
    );
    // Nothing that is to be compared is missing.
    for kind in [
        "NOERROR",
        "NOERROR by alias",
        "NOERROR without records",
        "NXDOMAIN",
        "NXDOMAIN by alias",
    ] {
        assert!(kinds.contains_key(kind), "no {kind} in {kinds:?}");
    }
    println!("{kinds:?}");
    println!(
        "{questions} answers about {zones} zones of {spaces} name spaces agree, in {took:.1?}"
    );
}
