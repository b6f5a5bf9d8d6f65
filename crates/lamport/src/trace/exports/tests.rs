//! What is written for another tool and read back is the same partial order.

use std::collections::BTreeMap;

use common::testing::Folder;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;
use serde_json::Value;

use super::{dot, mermaid, perfetto, shiviz};
use crate::trace::{computation::Computation, findings::Severity, layouts::Layout, order};

/// An event: its process, and the how many-th there, from 1.
type At = (usize, usize);

/// A partial order: how many events each process has, and which follow from which.
struct Read {
    events: Vec<usize>,
    follows: Vec<(At, At)>,
}

impl Read {
    /// How many events of each process every event knows, by nothing but what was read: the closure, step by step until
    /// nothing changes.
    fn vectors(&self) -> BTreeMap<At, Vec<usize>> {
        let mut vectors = BTreeMap::new();
        for (process, count) in self.events.iter().enumerate() {
            for index in 1..=*count {
                let mut own = vec![0; self.events.len()];
                own[process] = index;
                vectors.insert((process, index), own);
            }
        }
        loop {
            let before = vectors.clone();
            let mut merge = |from: At, to: At| {
                let known = vectors[&from].clone();
                for (mine, theirs) in vectors.get_mut(&to).unwrap().iter_mut().zip(known) {
                    *mine = (*mine).max(theirs);
                }
            };
            for (process, count) in self.events.iter().enumerate() {
                (1..*count).for_each(|index| merge((process, index), (process, index + 1)));
            }
            self.follows.iter().for_each(|(from, to)| merge(*from, *to));
            if before == vectors {
                return vectors;
            }
        }
    }
}

/// The same of the computation itself, by its timestamps.
fn vectors(computation: &Computation) -> BTreeMap<At, Vec<usize>> {
    let mut vectors = BTreeMap::new();
    let trace = &computation.trace;
    order::walk(
        trace,
        &computation.links,
        &computation.order,
        |event, vector| {
            let process = trace.events[event].process as usize;
            let mut whole: Vec<usize> = vector.iter().map(|known| *known as usize).collect();
            whole.resize(trace.processes.len(), 0);
            vectors.insert((process, trace.own_entry(event) as usize), whole);
        },
    );
    vectors
}

/// A run of some processes that send to one another and to all; messages are lost, doubled and overtake.
fn random(seed: u64, folder: &Folder) -> Computation {
    let mut random = Pcg32::seed_from_u64(seed);
    let count = random.random_range(1..6);
    let mut logs: Vec<Vec<String>> = vec![Vec::new(); count];
    let mut numbers = vec![0_u64; count];
    let mut under_way: Vec<(usize, usize, String)> = Vec::new();
    for time in 0..random.random_range(1..60_u64) {
        let process = random.random_range(0..count);
        // Clocks that are coarse, and now and then are set back.
        let (seq, second) = (logs[process].len(), time / 3 * 7 % 50);
        let mut event = format!(
            r#"{{"v":1,"run":"r","node":"p {process}<","thread":"t{}","seq":{seq},"time":"2026-11-24T00:00:{second:02}Z","level":"info""#,
            time % 2
        );
        let arrives = under_way.iter().position(|(_, to, _)| *to == process);
        match random.random_range(0..4) {
            0 => event.push_str(r#","event":"local","text":"a\"b\\ ; # --> <i>""#),
            1 if arrives.is_some() => {
                let index = arrives.unwrap();
                let (_, _, id) = under_way[index].clone();
                event.push_str(&format!(
                    r#","event":"receive","peer":"x","message":"{id}""#
                ));
                if random.random_range(0..5) > 0 {
                    under_way.remove(index);
                }
            }
            kind => {
                numbers[process] += 1;
                let to = random.random_range(0..count);
                let target = if kind == 2 {
                    "*".to_owned()
                } else {
                    format!("q{to}")
                };
                let id = format!("udp:q{process}>{target}#{}", numbers[process]);
                event.push_str(&format!(r#","event":"send","peer":"y","message":"{id}""#));
                for other in 0..count {
                    if other != process
                        && (kind == 2 || other == to)
                        && random.random_range(0..6) > 0
                    {
                        let at = random.random_range(0..=under_way.len());
                        under_way.insert(at, (process, other, id.clone()));
                    }
                }
            }
        }
        event.push('}');
        logs[process].push(event);
    }
    let paths: Vec<_> = logs
        .iter()
        .enumerate()
        .filter(|(_, log)| !log.is_empty())
        .map(|(process, log)| {
            folder
                .write(&format!("{seed}-{process}.jsonl"), log.join("\n") + "\n")
                .into()
        })
        .collect();
    Computation::read(&paths, &Layout::default()).unwrap()
}

fn written(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Many random runs, each with what an export of it says.
fn check(read: impl Fn(&Computation, &Folder, u64) -> BTreeMap<At, Vec<usize>>) {
    let folder = Folder::new();
    let mut receives = 0;
    for seed in 0..150 {
        let computation = random(seed, &folder);
        assert!(
            computation.trace.findings.worst() <= Some(Severity::Warn),
            "{:?}",
            computation.trace.findings
        );
        receives += computation.traffic.received;
        assert_eq!(
            read(&computation, &folder, seed),
            vectors(&computation),
            "seed {seed}"
        );
    }
    assert!(receives > 500, "{receives}");
}

#[test]
fn timestamps_are_the_closure_of_the_links() {
    check(|computation, _, _| {
        let trace = &computation.trace;
        let at = |event: usize| {
            (
                trace.events[event].process as usize,
                trace.own_entry(event) as usize,
            )
        };
        let links = computation.links.all().iter();
        let read = Read {
            events: trace.processes.iter().map(|it| it.events.len()).collect(),
            follows: links.map(|link| (at(link.from), at(link.to))).collect(),
        };
        let vectors = read.vectors();
        for (event, lamport) in computation.order.chain.iter().enumerate() {
            // The longest chain: one more than that of any event that is known.
            let known = |other: &usize| {
                let (process, index) = at(*other);
                *other != event && vectors[&at(event)][process] >= index
            };
            let longest = (0..trace.events.len()).filter(known);
            let longest = longest.map(|other| computation.order.chain[other]).max();
            assert_eq!(*lamport, longest.unwrap_or(0) + 1);
        }
        vectors
    });
}

#[test]
fn shiviz_is_read_back_by_our_own_reader() {
    check(|computation, folder, seed| {
        let log = written(|out| shiviz::write(computation, out));
        let path = folder.write(&format!("{seed}.log"), log);
        let again = Computation::read(&[path.into()], &Layout::default()).unwrap();
        assert!(
            again.trace.findings.worst().is_none(),
            "{:?}",
            again.trace.findings
        );
        vectors(&again)
    });
}

#[test]
fn dot_is_the_same_order() {
    check(|computation, _, _| {
        let graph = written(|out| dot::write(computation, out));
        let mut events = Vec::new();
        let mut named: BTreeMap<String, At> = BTreeMap::new();
        let mut follows = Vec::new();
        for line in graph.lines().map(str::trim) {
            let first = line.split(' ').next().unwrap().to_owned();
            if line.starts_with("subgraph") {
                events.push(0);
            } else if line.contains(" -> ") {
                let to = line.split(' ').nth(2).unwrap();
                follows.push((named[&first], named[to]));
            } else if first.starts_with('e') && line.contains("[label=") {
                *events.last_mut().unwrap() += 1;
                named.insert(first, (events.len() - 1, *events.last().unwrap()));
            }
        }
        // The order within a process is said by edges too; it is the same.
        Read { events, follows }.vectors()
    });
}

#[test]
fn mermaid_is_the_same_order() {
    check(|computation, _, _| {
        let diagram = written(|out| mermaid::write(computation, out));
        let mut events = Vec::new();
        let mut numbers: BTreeMap<String, At> = BTreeMap::new();
        let mut follows = Vec::new();
        for line in diagram.lines().skip(1).map(str::trim) {
            if line.starts_with("participant") {
                events.push(0);
                continue;
            }
            let mut another = |process: &str| {
                let process: usize = process.trim_start_matches('P').parse().unwrap();
                events[process] += 1;
                (process, events[process])
            };
            let (head, text) = line.split_once(": ").unwrap();
            let bracketed = |words: &str| {
                let inside =
                    |word: &str| Some(word.strip_prefix('[')?.strip_suffix(']')?.to_owned());
                words.split(' ').map_while(inside).collect::<Vec<_>>()
            };
            let at = if let Some(process) = head.strip_prefix("Note over ") {
                let at = another(process);
                if let Some(rest) = text.strip_prefix("after ") {
                    follows.extend(bracketed(rest).iter().map(|number| (numbers[number], at)));
                }
                at
            } else if let Some((_, to)) = head.split_once("-->>") {
                let at = another(to);
                let sent = bracketed(text.trim_start_matches("inferred "));
                follows.push((numbers[&sent[0]], at));
                at
            } else {
                let (from, to) = head.split_once("->>").unwrap();
                let pair = (another(from), another(to));
                follows.push(pair);
                continue;
            };
            if let Some(number) = text
                .rsplit(' ')
                .next()
                .and_then(|word| word.strip_prefix('['))
            {
                numbers.insert(number.trim_end_matches(']').to_owned(), at);
            }
        }
        Read { events, follows }.vectors()
    });
}

#[test]
fn perfetto_is_the_same_order() {
    check(|computation, _, _| {
        let json: Value =
            serde_json::from_str(&written(|out| perfetto::write(computation, out))).unwrap();
        let all = json["traceEvents"].as_array().unwrap();
        let phase = |wanted: &'static str| all.iter().filter(move |event| event["ph"] == wanted);
        let nanos = |event: &Value| (event["ts"].as_f64().unwrap() * 1000.0).round() as u64;
        let process = |event: &Value| event["pid"].as_u64().unwrap() as usize - 1;
        let count = phase("M")
            .filter(|event| event["name"] == "process_name")
            .count();
        let mut times = vec![Vec::new(); count];
        for slice in phase("X") {
            times[process(slice)].push(nanos(slice));
        }
        times.iter_mut().for_each(|times| times.sort_unstable());
        let at = |event: &Value| {
            let process = process(event);
            (
                process,
                times[process].binary_search(&nanos(event)).unwrap() + 1,
            )
        };
        let follows = phase("s").map(|start| {
            let end = phase("f").find(|end| end["id"] == start["id"]).unwrap();
            (at(start), at(end))
        });
        let follows = follows.collect();
        let events = times.iter().map(Vec::len).collect();
        Read { events, follows }.vectors()
    });
}
