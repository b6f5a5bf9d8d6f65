//! Every export, read back, is the same partial order.

use std::collections::BTreeMap;

use common::testing::Folder;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;
use serde_json::Value;

use super::{dot, mermaid, perfetto, shiviz};
use crate::trace::{computation::Computation, findings::Severity, layouts::Layout, order};

/// An event: its process, and its number there, from 1.
type At = (usize, usize);

/// A partial order: the number of events of each process, and the links.
struct Read {
    events: Vec<usize>,
    links: Vec<(At, At)>,
}

impl Read {
    /// The vector timestamp of each event: the transitive closure of what was read, computed step by step until nothing
    /// changes.
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
            self.links.iter().for_each(|(from, to)| merge(*from, *to));
            if before == vectors {
                return vectors;
            }
        }
    }
}

/// The vector timestamps of the computation.
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

/// A run of processes that send to one another and to all; messages are lost, duplicated and reordered.
fn random(seed: u64, folder: &Folder) -> Computation {
    let mut random = Pcg32::seed_from_u64(seed);
    let count = random.random_range(1..6);
    let mut logs: Vec<Vec<String>> = vec![Vec::new(); count];
    let mut numbers = vec![0_u64; count];
    let mut in_flight: Vec<(usize, usize, String)> = Vec::new();
    for time in 0..random.random_range(1..60_u64) {
        let process = random.random_range(0..count);
        // The clocks are coarse, and sometimes set back.
        let (seq, second) = (logs[process].len(), time / 3 * 7 % 50);
        let mut event = format!(
            r#"{{"v":1,"run":"r","node":"p {process}<","thread":"t{}","seq":{seq},"time":"2026-11-24T00:00:{second:02}Z","level":"info""#,
            time % 2
        );
        let arriving = in_flight.iter().position(|(_, to, _)| *to == process);
        match random.random_range(0..4) {
            0 => event.push_str(r#","event":"local","text":"a\"b\\ ; # --> <i>""#),
            1 if arriving.is_some() => {
                let index = arriving.unwrap();
                let (_, _, id) = in_flight[index].clone();
                event.push_str(&format!(
                    r#","event":"receive","peer":"x","message":"{id}""#
                ));
                if random.random_range(0..5) > 0 {
                    in_flight.remove(index);
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
                        let at = random.random_range(0..=in_flight.len());
                        in_flight.insert(at, (process, other, id.clone()));
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

/// Compares an export of each of many random runs with the run.
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
            links: links.map(|link| (at(link.from), at(link.to))).collect(),
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
fn shiviz_is_read_back_by_our_reader() {
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
        let mut links = Vec::new();
        for line in graph.lines().map(str::trim) {
            let first = line.split(' ').next().unwrap().to_owned();
            if line.starts_with("subgraph") {
                events.push(0);
            } else if line.contains(" -> ") {
                let to = line.split(' ').nth(2).unwrap();
                links.push((named[&first], named[to]));
            } else if first.starts_with('e') && line.contains("[label=") {
                *events.last_mut().unwrap() += 1;
                named.insert(first, (events.len() - 1, *events.last().unwrap()));
            }
        }
        // The order within a process is also given by edges.
        Read { events, links }.vectors()
    });
}

#[test]
fn mermaid_is_the_same_order() {
    check(|computation, _, _| {
        let events = computation.order.sequence.len();
        let diagram = mermaid::text(computation, 0..events);
        let mut events = Vec::new();
        let mut numbers: BTreeMap<String, At> = BTreeMap::new();
        let mut links = Vec::new();
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
                    links.extend(bracketed(rest).iter().map(|number| (numbers[number], at)));
                }
                at
            } else if let Some((_, to)) = head.split_once("-->>") {
                let at = another(to);
                let sent = bracketed(text.trim_start_matches("inferred "));
                links.push((numbers[&sent[0]], at));
                at
            } else {
                let (from, to) = head.split_once("->>").unwrap();
                let pair = (another(from), another(to));
                links.push(pair);
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
        Read { events, links }.vectors()
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
        let links = phase("s").map(|start| {
            let end = phase("f").find(|end| end["id"] == start["id"]).unwrap();
            (at(start), at(end))
        });
        let links = links.collect();
        let events = times.iter().map(Vec::len).collect();
        Read { events, links }.vectors()
    });
}
