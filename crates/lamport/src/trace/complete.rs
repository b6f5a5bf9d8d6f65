//! What the logs of other tools leave open until all are read: whose entry of a clock is at which position, and the numbers of events
//! with Lamport's clocks.

use std::collections::BTreeMap;

use common::text::natural;
use hashbrown::{HashMap, HashSet};

use super::{
    block::{Block, LATER},
    findings::Severity,
    foreign::{is_entry, wrong_entry},
};

/// Completes the blocks, which are in the order of the files and their lines.
pub(super) fn complete(blocks: &mut [Block]) {
    if blocks.iter().any(|block| block.arrays) {
        name_arrays(blocks);
    }
    number_events(blocks);
}

/// The greatest number of hosts whose positions are looked for.
const MOST_HOSTS: usize = 1024;

/// Names the entries of clocks that are arrays, in each execution separately.
fn name_arrays(blocks: &mut [Block]) {
    let mut executions: BTreeMap<String, Hosts> = BTreeMap::new();
    for block in blocks.iter().filter(|block| block.arrays) {
        for (event, clock) in block.events.iter().zip(block.clocks.iter().flatten()) {
            if event.number != LATER {
                continue;
            }
            let (run, host) = &block.writers[block.threads[event.thread as usize].0 as usize];
            let hosts = executions.entry(run.clone()).or_default();
            hosts.length = hosts.length.max(clock.len());
            let entries = hosts.entries.entry(host.clone()).or_default();
            entries.push(clock.iter().map(|(_, entry)| *entry).collect());
        }
    }
    let names: HashMap<String, Option<Vec<String>>> = executions
        .into_iter()
        .map(|(run, hosts)| (run, hosts.names()))
        .collect();
    for block in blocks.iter_mut().filter(|block| block.arrays) {
        let writers: Vec<_> = block
            .threads
            .iter()
            .map(|thread| thread.0 as usize)
            .collect();
        let mut problems = Vec::new();
        let mut kept = Vec::new();
        let mut clocks = block.clocks.take().unwrap_or_default();
        for (event, clock) in block.events.iter_mut().zip(&mut clocks) {
            if event.number != LATER {
                kept.push(true);
                continue;
            }
            let (run, host) = &block.writers[writers[event.thread as usize]];
            let Some(names) = &names[run] else {
                let words = "the clocks are arrays, and the logs do not show which entry is whose: \
                             each host must have one that differs in all its events";
                problems.push((event.line, words.to_owned()));
                kept.push(false);
                continue;
            };
            for ((name, _), known) in clock.iter_mut().zip(names) {
                name.clone_from(known);
            }
            let own = clock.iter().find(|(name, _)| name == host);
            event.number = own.map_or(0, |(_, own)| *own);
            kept.push(is_entry(event.number));
            if !is_entry(event.number) {
                problems.push((event.line, wrong_entry(host, event.number)));
            }
            clock.sort_unstable();
        }
        let mut keep = kept.iter();
        clocks.retain(|_| *keep.next().unwrap_or(&true));
        let mut keep = kept.iter();
        block.events.retain(|_| *keep.next().unwrap_or(&true));
        block.clocks = Some(clocks);
        for (line, words) in problems {
            block.problem(Severity::Fail, line, || words);
        }
    }
}

/// The clocks of an execution that are arrays, by host.
#[derive(Default)]
struct Hosts {
    entries: BTreeMap<String, Vec<Vec<u64>>>,
    /// The longest array.
    length: usize,
}

impl Hosts {
    /// The host of each position; None if it is not known.
    ///
    /// The own entry of a host differs in all its events, and is not 0. Where several positions do so, the names decide:
    /// their numbers, counted from 1 or from 0 (`p1` or `node-0`), or else their order.
    fn names(&self) -> Option<Vec<String>> {
        let mut hosts: Vec<&String> = self.entries.keys().collect();
        hosts.sort_by(|a, b| natural(a, b));
        if hosts.len() > MOST_HOSTS {
            return None;
        }
        let numbers: Option<Vec<usize>> = hosts.iter().map(|host| trailing_number(host)).collect();
        let numbers = numbers.unwrap_or_default();
        let from_one = numbers.iter().filter_map(|number| number.checked_sub(1));
        let from_one: Vec<usize> = from_one.collect();
        let in_order = match hosts.len() == self.length {
            true => (0..hosts.len()).collect(),
            false => Vec::new(),
        };
        let assumed = [(from_one, Some(1)), (numbers, Some(0)), (in_order, None)];
        let fitting = assumed
            .into_iter()
            .find(|(places, _)| self.fits(&hosts, places));
        let (places, first) = match fitting {
            Some(fitting) => fitting,
            None => (self.by_entries(&hosts)?, None),
        };
        let mut names: Vec<Option<String>> = vec![None; self.length];
        for (host, place) in hosts.iter().zip(places) {
            names[place] = Some((*host).clone());
        }
        let prefix = hosts[0].trim_end_matches(|letter: char| letter.is_ascii_digit());
        let missing = |place: usize| match first {
            Some(first) => format!("{prefix}{}", place + first),
            None => format!("entry {place}"),
        };
        let names = names.into_iter().enumerate();
        Some(
            names
                .map(|(place, name)| name.unwrap_or_else(|| missing(place)))
                .collect(),
        )
    }

    /// Whether each host can have the entry at its place.
    fn fits(&self, hosts: &[&String], places: &[usize]) -> bool {
        let different: HashSet<usize> = places.iter().copied().collect();
        different.len() == hosts.len()
            && hosts
                .iter()
                .zip(places)
                .all(|(host, place)| self.can_be_own(host, *place))
    }

    /// Whether the entry at a place differs in all events of a host, and is not 0.
    fn can_be_own(&self, host: &str, place: usize) -> bool {
        // A log may be read twice.
        let entries: HashSet<&Vec<u64>> = self.entries[host].iter().collect();
        let own = entries
            .iter()
            .map(|clock| clock.get(place).copied().unwrap_or(0));
        let different: HashSet<u64> = own.filter(|own| *own > 0).collect();
        place < self.length && different.len() == entries.len()
    }

    /// A place for each host by the entries alone: an assignment of hosts to places by augmenting paths.
    fn by_entries(&self, hosts: &[&String]) -> Option<Vec<usize>> {
        let possible: Vec<Vec<usize>> = hosts
            .iter()
            .map(|host| {
                (0..self.length)
                    .filter(|place| self.can_be_own(host, *place))
                    .collect()
            })
            .collect();
        let mut host_at: Vec<Option<usize>> = vec![None; self.length];
        for host in 0..hosts.len() {
            let mut seen = vec![false; self.length];
            // The hosts on the path, each with the index of its next possible place.
            let mut path = vec![(host, 0)];
            loop {
                let (host, next) = path.last_mut()?;
                let Some(place) = possible[*host].get(*next).copied() else {
                    path.pop();
                    continue;
                };
                *next += 1;
                if std::mem::replace(&mut seen[place], true) {
                    continue;
                }
                match host_at[place] {
                    Some(other) => path.push((other, 0)),
                    None => break,
                }
            }
            for (host, next) in path {
                host_at[possible[host][next - 1]] = Some(host);
            }
        }
        let mut places = vec![0; hosts.len()];
        for (place, host) in host_at.iter().enumerate() {
            if let Some(host) = host {
                places[*host] = place;
            }
        }
        Some(places)
    }
}

/// The number at the end of a name: `node-12`, `3`.
fn trailing_number(name: &str) -> Option<usize> {
    let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
    name[name.len() - digits..].parse().ok()
}

/// The events of a host in one file.
struct Part {
    /// The text and the clock of the first event.
    first: (String, Option<u64>),
    /// The blocks and indices of its events.
    events: Vec<(usize, usize)>,
}

/// Numbers the events of each host with Lamport's clocks, in the order of the lines. Several files of a host are in the order of their first
/// clocks, as the parts of a log that is rotated; a copy has the numbers of the first.
fn number_events(blocks: &mut [Block]) {
    let mut hosts: BTreeMap<(String, String), BTreeMap<u32, Part>> = BTreeMap::new();
    for (number, block) in blocks.iter().enumerate().filter(|(_, block)| block.later) {
        for (index, event) in block.events.iter().enumerate() {
            if event.number != LATER {
                continue;
            }
            let writer = block.threads[event.thread as usize].0;
            let (run, host) = &block.writers[writer as usize];
            let files = hosts.entry((run.clone(), host.clone())).or_default();
            let part = files.entry(block.file).or_insert_with(|| {
                let text = &block.text[event.start as usize..(event.start + event.length) as usize];
                Part {
                    first: (text.to_owned(), event.clock),
                    events: Vec::new(),
                }
            });
            part.events.push((number, index));
        }
    }
    for files in hosts.into_values() {
        let mut files: Vec<Part> = files.into_values().collect();
        files.sort_by_key(|part| part.first.1);
        let mut next = 0;
        let mut begins: HashMap<(String, Option<u64>), u64> = HashMap::new();
        for part in files {
            let start = *begins.entry(part.first).or_insert(next);
            for (number, (block, index)) in (start..).zip(&part.events) {
                blocks[*block].events[*index].number = number;
            }
            next = next.max(start + part.events.len() as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(hosts: &[(&str, &[&[u64]])]) -> Option<Vec<String>> {
        let entries: BTreeMap<_, _> = hosts
            .iter()
            .map(|(host, clocks)| {
                let clocks = clocks.iter().map(|clock| clock.to_vec());
                ((*host).to_owned(), clocks.collect())
            })
            .collect();
        let length = hosts
            .iter()
            .flat_map(|(_, clocks)| clocks.iter().map(|clock| clock.len()));
        let length = length.max().unwrap();
        Hosts { entries, length }.names()
    }

    #[test]
    fn whose_entry_is_where() {
        let from = |names: &[&str]| {
            Some(
                names
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        // By numbers from 1 and from 0, also where a host has no log.
        assert_eq!(
            names(&[("p1", &[&[1, 0]]), ("p2", &[&[1, 1]])]),
            from(&["p1", "p2"])
        );
        assert_eq!(
            names(&[("0", &[&[1, 0]]), ("1", &[&[1, 1]])]),
            from(&["0", "1"])
        );
        assert_eq!(
            names(&[("p1", &[&[1, 0, 0]]), ("p3", &[&[1, 4, 1], &[1, 4, 2]])]),
            from(&["p1", "p2", "p3"])
        );
        // By name.
        assert_eq!(
            names(&[("bob", &[&[1, 1]]), ("alice", &[&[1, 0]])]),
            from(&["alice", "bob"])
        );
        // By the entries alone.
        assert_eq!(
            names(&[("alice", &[&[0, 1]]), ("bob", &[&[1, 1], &[2, 1]])]),
            from(&["bob", "alice"])
        );
        assert_eq!(
            names(&[
                ("a", &[&[1, 1, 0], &[1, 2, 0]]),
                ("b", &[&[1, 1, 0], &[2, 2, 0]]),
                ("c", &[&[2, 2, 1]])
            ]),
            from(&["b", "a", "c"])
        );
        assert_eq!(
            names(&[("a", &[&[1, 0], &[1, 5]]), ("b", &[&[1, 1]])]),
            None
        );
        assert_eq!(names(&[("a", &[&[1]]), ("b", &[&[1]])]), None);
    }
}
