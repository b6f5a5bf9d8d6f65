//! What a scheme promises: which faults excuse a look-up that finds nothing. Each scheme says what a process takes with it when it
//! fails.

use std::{collections::BTreeSet, time::Duration};

use common::process::{
    faults::{Crash, Faults, Partition},
    ids::{Names, ProcessId},
};

use super::look_ups::FoundBy;
use crate::location::{
    circle,
    domains::Domains,
    entities::home,
    schemes::{Group, LocationScheme},
};

/// The promise of a scheme with a group of processes.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    scheme: LocationScheme,
    group: Group,
}

/// A look-up: who looks for what, when; and all places where the entity has been, the last one last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) asker: ProcessId,
    pub(super) name: &'a str,
    pub(super) places: &'a [ProcessId],
    pub(super) from: Duration,
    pub(super) until: Duration,
    /// Whether the entity was on its way meanwhile, from the place before the last.
    pub(super) is_moving: bool,
}

/// The faults of a run, in the time of its events.
#[derive(Clone, Debug, Default)]
pub struct RunFaults {
    /// The processes that crash; with an end, those that are paused.
    pub crashes: Vec<Crash>,
    /// The cuts of the network.
    pub partitions: Vec<Partition>,
    /// How long after the end of a pause or a partition look-ups may still suffer from it: messages are sent again, and a ring
    /// takes a node in again.
    pub recovery: Duration,
    /// At this time all that was stored had reached those that are to have copies of it.
    pub copied: Duration,
}

impl RunFaults {
    /// The faults of a simulated run.
    pub fn of(faults: &Faults, recovery: Duration) -> Self {
        Self {
            crashes: faults.crashes.clone(),
            partitions: faults.partitions.clone(),
            recovery,
            copied: Duration::ZERO,
        }
    }

    /// The crashes and pauses that overlap with this time.
    fn crashes(&self, from: Duration, until: Duration) -> impl Iterator<Item = &Crash> {
        self.crashes.iter().filter(move |crash| {
            crash.from <= until && from <= crash.until.saturating_add(self.recovery)
        })
    }

    /// The cuts that overlap with this time.
    fn partitions(&self, from: Duration, until: Duration) -> impl Iterator<Item = &Partition> {
        self.partitions.iter().filter(move |partition| {
            partition.from <= until && from <= partition.until.saturating_add(self.recovery)
        })
    }

    /// Whether the process fails soon after it has stored something: then those may not have it that are to have copies.
    pub(super) fn ends_soon(&self, process: ProcessId, at: Duration) -> bool {
        let mut crashes = self.crashes.iter();
        crashes.any(|crash| {
            crash.process == process
                && self.copied < at
                && crash.from <= at.saturating_add(self.recovery)
                && at <= crash.until
        })
    }
}

/// `p4 crashed`, or `p4 was paused`.
fn words(crash: &Crash, names: &Names) -> String {
    let how = match crash.until {
        Duration::MAX => "crashed",
        _ => "was paused",
    };
    format!("{} {how}", names.of(crash.process))
}

fn words_of_cut(partition: &Partition, names: &Names) -> String {
    let (from, to) = (names.of(partition.cut.from), names.of(partition.cut.to));
    format!("{from} was partitioned from {to}")
}

impl Promise {
    /// The promise of the scheme.
    pub fn new(scheme: LocationScheme, group: Group) -> Self {
        Self { scheme, group }
    }

    /// What a look-up finds an entity by.
    pub fn found_by(&self) -> FoundBy {
        match self.scheme {
            LocationScheme::Broadcast
            | LocationScheme::Forwarding
            | LocationScheme::ForwardingShortened => FoundBy::Entity,
            LocationScheme::Home | LocationScheme::Hierarchical => FoundBy::Directory,
            LocationScheme::Chord | LocationScheme::ChordIterative => FoundBy::Record,
        }
    }

    /// The processes without which the look-up finds nothing; None: those of a ring, which stand in for one another.
    fn needs(&self, asked: &Asked<'_>) -> Option<BTreeSet<ProcessId>> {
        let ends = if asked.is_moving { 2 } else { 1 };
        let here = asked.places.iter().rev().take(ends).copied();
        let mut needs: BTreeSet<ProcessId> = here.chain([asked.asker]).collect();
        let processes = self.group.processes;
        match self.scheme {
            LocationScheme::Broadcast => {}
            LocationScheme::Home => {
                needs.insert(home(asked.name, processes));
            }
            // The chain may go through each place where the entity has been.
            LocationScheme::Forwarding | LocationScheme::ForwardingShortened => {
                needs.insert(home(asked.name, processes));
                needs.extend(asked.places);
            }
            LocationScheme::Hierarchical => {
                let domains = Domains::new(processes, self.group.fanout);
                needs.extend(asked.places);
                let ends: Vec<_> = needs.iter().copied().collect();
                for level in 1..=domains.root() {
                    let hosts = ends.iter();
                    let hosts = hosts.map(|end| domains.host(level, domains.domain(level, *end)));
                    needs.extend(hosts);
                }
            }
            LocationScheme::Chord | LocationScheme::ChordIterative => return None,
        }
        Some(needs)
    }

    /// Which fault excuses that the look-up finds nothing; None when the promise holds.
    pub(super) fn excuse(
        &self,
        asked: &Asked<'_>,
        faults: &RunFaults,
        names: &Names,
    ) -> Option<String> {
        let (from, until) = (asked.from, asked.until);
        let mut crashes = faults.crashes(from, until);
        let mut partitions = faults.partitions(from, until);
        let Some(needs) = self.needs(asked) else {
            let own = crashes.find(|crash| crash.process == asked.asker);
            let own = own.map(|crash| words(crash, names));
            let partition = partitions.next();
            let cut = partition.map(|partition| words_of_cut(partition, names));
            return own
                .or(cut)
                .or_else(|| self.neighbours(faults, from, until, names));
        };
        let crash = crashes.find(|crash| needs.contains(&crash.process));
        let crash = crash.map(|crash| words(crash, names));
        crash.or_else(|| {
            let ends =
                |cut: &Partition| needs.contains(&cut.cut.from) && needs.contains(&cut.cut.to);
            let partition = partitions.find(|partition| ends(partition));
            partition.map(|partition| words_of_cut(partition, names))
        })
    }

    /// As many neighbours of a ring as its successor lists have, of which none was up.
    fn neighbours(
        &self,
        faults: &RunFaults,
        from: Duration,
        until: Duration,
        names: &Names,
    ) -> Option<String> {
        let down: BTreeSet<_> = faults
            .crashes(from, until)
            .map(|crash| crash.process)
            .collect();
        let processes = self.group.processes;
        let length = self.group.successors.min(processes);
        let all = ProcessId::all(processes);
        let mut ring: Vec<_> = all
            .map(|process| (circle::hash(names.of(process)), process))
            .collect();
        ring.sort_unstable();
        let row = |first: usize| (first..first + length).map(|at| ring[at % processes].1);
        let first = (0..processes).find(|first| row(*first).all(|one| down.contains(&one)))?;
        let failed: Vec<_> = row(first).map(|process| names.of(process)).collect();
        Some(match &failed[..] {
            [one] => format!("{one} failed, and a record is at one node"),
            failed => format!("the neighbours {} failed at once", failed.join(", ")),
        })
    }

    /// Which fault excuses that the look-up finds an old place; None when the promise holds: a node of a ring that was not there for
    /// a while answers from its old records until it has the new ones.
    pub(super) fn excuse_old(
        &self,
        asked: &Asked<'_>,
        faults: &RunFaults,
        names: &Names,
    ) -> Option<String> {
        if self.found_by() != FoundBy::Record {
            return None;
        }
        let mut crashes = faults.crashes(asked.from, asked.until);
        let pause = crashes.find(|crash| crash.until < Duration::MAX);
        let pause = pause.map(|crash| words(crash, names));
        pause.or_else(|| {
            let cut = faults.partitions(asked.from, asked.until).next();
            cut.map(|partition| words_of_cut(partition, names))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: usize = 16;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn crash(process: u32, from: u64, until: Option<u64>) -> Crash {
        Crash {
            process: ProcessId(process),
            from: at(from),
            until: until.map_or(Duration::MAX, at),
        }
    }

    fn excuse(scheme: LocationScheme, crashes: &[Crash], places: &[ProcessId]) -> Option<String> {
        let faults = RunFaults {
            crashes: crashes.to_vec(),
            recovery: at(1),
            ..RunFaults::default()
        };
        let asked = Asked {
            asker: ProcessId(0),
            name: "server1",
            places,
            from: at(10),
            until: at(11),
            is_moving: false,
        };
        let promise = Promise::new(scheme, Group::of(NODES));
        promise.excuse(&asked, &faults, &Names::numbered(NODES))
    }

    #[test]
    fn a_process_takes_with_it_what_its_scheme_says() {
        use LocationScheme::{Broadcast, Chord, Forwarding, Hierarchical, Home};
        let home = home("server1", NODES);
        let (way, here) = (ProcessId((home.0 + 1) % 16), ProcessId((home.0 + 2) % 16));
        let places = [home, way, here];
        for (scheme, takes) in [
            (Broadcast, [false, false, true]),
            (Home, [true, false, true]),
            (Forwarding, [true, true, true]),
            (Hierarchical, [true, true, true]),
            (Chord, [false, false, false]),
        ] {
            let excused = places.map(|process| {
                let why = excuse(scheme, &[crash(process.0, 5, None)], &places);
                let words = format!("{process} crashed");
                assert!(why.as_ref().is_none_or(|why| *why == words), "{why:?}");
                why.is_some()
            });
            assert_eq!(excused, takes, "{scheme}");
        }
        // The root's host, too, which neither the asker nor the entity is.
        let domains = Domains::new(NODES, 4);
        let root = domains.host(domains.root(), 0).0;
        assert!(excuse(Hierarchical, &[crash(root, 5, None)], &[ProcessId(1)]).is_some());
    }

    #[test]
    fn a_fault_excuses_what_it_overlaps_with() {
        let here = [ProcessId(3)];
        let of = |from, until| excuse(LocationScheme::Broadcast, &[crash(3, from, until)], &here);
        assert_eq!(of(12, None), None, "it was up until then");
        assert_eq!(of(5, Some(8)), None, "it was up again");
        let paused = Some("p4 was paused".to_owned());
        assert_eq!((of(5, Some(9)), of(11, Some(20))), (paused.clone(), paused));
    }

    #[test]
    fn a_ring_loses_nothing_as_long_as_fewer_neighbours_fail_than_a_list_has() {
        let all = ProcessId::all(NODES);
        let mut ring: Vec<_> = all
            .map(|process| (circle::hash(&process.to_string()), process))
            .collect();
        ring.sort_unstable();
        let crashes = |places: &[usize]| -> Vec<Crash> {
            let places = places.iter();
            places
                .map(|place| crash(ring[*place].1.0, 5, None))
                .collect()
        };
        let of = |places: &[usize]| excuse(LocationScheme::Chord, &crashes(places), &[]);
        let asker = ring.iter().position(|(_, process)| process.0 == 0).unwrap();
        let place = |after: usize| (asker + after) % NODES;
        assert_eq!(of(&[1, 2, 3].map(place)), None);
        assert_eq!(of(&[1, 2, 3, 5].map(place)), None);
        assert!(of(&[1, 2, 3, 4].map(place)).is_some());
    }
}
