//! A node in any language, of which the lab runs several: `lamport run WORKLOAD --node COMMAND` says what is wrong with it.

use std::{io::Read, process::Stdio, thread};

use clap::ValueEnum as _;
use common::{
    event::{Event, Kind, Record, Verdict},
    exit::why,
    process::property::Property,
    sys::processes,
};
use lamport::harness::workload::{NodeWorkload, Subject as Workload};

mod station;

use self::station::Station;
use super::Role;
use crate::{
    bench::Bench,
    own::lamport,
    picture::{self, Form},
    requirement::{Finding, Probed, Requirement, Status},
    scratch::Scratch,
};

/// The nodes and the load of most probes.
const USUAL: [&str; 4] = ["--processes", "3", "--for", "1500ms"];

/// Five nodes, of which the leader is killed when nobody asks for an election any more.
const FIVE: [&str; 6] = ["--processes", "5", "--for", "500ms", "--settle", "6s"];

/// A network on which little arrives.
const LITTLE: [&str; 8] = [
    "--loss",
    "60%",
    "--duplicate",
    "10%",
    "--reorder",
    "10%",
    "--crash",
    "n5@600ms",
];

/// Transactions that follow each other, and take long.
const SLOW: [&str; 10] = [
    "--processes",
    "3",
    "--for",
    "1s",
    "--rate",
    "1000",
    "--delay",
    "50ms",
    "--settle",
    "600ms",
];

/// The coordinator does not reach the last participant any more, and is killed when all that it has sent has arrived. At one of
/// two moments so far apart there is a transaction on which that participant has voted, and whose decision it has not.
const CUT: [[&str; 4]; 2] = [
    ["--partition", "n1>n3@250ms", "--crash", "n1@550ms"],
    ["--partition", "n1>n3@350ms", "--crash", "n1@650ms"],
];

/// Much is in transit, and nothing is lost.
const CROSSING: [&str; 6] = ["--rate", "300", "--delay", "0ms..40ms", "--processes", "4"];

/// Messages to the first node need much longer than those from it, or those from it.
const ASYMMETRIC: [[&str; 2]; 2] = [
    ["--slow", "n2,n3>n1:40ms@0s"],
    ["--slow", "n1>n2,n3:40ms@0s"],
];

/// Whether a requirement is one of nodes of this workload.
pub fn is_about(id: &str, workload: &str) -> bool {
    let workload = Workload::from_str(workload, false);
    let Ok(workload) = workload.map(Workload::workload) else {
        return false;
    };
    match id {
        "leader" | "leader-losses" => {
            [NodeWorkload::Election, NodeWorkload::Wireless].contains(&workload)
        }
        "hops" => workload == NodeWorkload::Wireless,
        "participant" | "coordinator" | "termination" => workload == NodeWorkload::Commit,
        "transit" => workload == NodeWorkload::Snapshot,
        "asymmetric" | "ahead" => [NodeWorkload::Time, NodeWorkload::Berkeley].contains(&workload),
        "outlier" => workload == NodeWorkload::Berkeley,
        _ => true,
    }
}

/// The longest output that is read of a run, in bytes.
const LONGEST: u64 = 16 << 20;

/// The nodes, being probed: each probe starts them anew.
#[derive(Debug)]
pub struct NodeRole<'a>(&'a Bench<'a>);

impl<'a> NodeRole<'a> {
    /// Nodes that were not started yet.
    pub fn new(bench: &'a Bench<'a>) -> Self {
        Self(bench)
    }

    /// Whether nodes reach their neighbours only.
    fn is_wireless(&self) -> bool {
        self.0.workload() == NodeWorkload::Wireless.word()
    }

    /// The best of five nodes is killed when nobody asks for an election any more.
    fn kill_best(&self, faults: &[&str]) -> Probed {
        let station = Station::connected(5, self.0.seed());
        let crash = format!("n{}@600ms", station.best());
        let kill = [faults, &["--crash", &crash]].concat();
        self.run_in(&station, &FIVE, &kill)
    }

    /// Runs nodes in this wireless network.
    fn run_in(&self, station: &Station, flags: &[&str], faults: &[&str]) -> Probed {
        let network = [
            "--links",
            &station.links,
            "--capacities",
            &station.capacities,
        ];
        self.run_with(&[flags, &network].concat(), faults, &[])
    }

    /// The flags of a probe, and those by which a hard-coded answer, or the own clock, is wrong.
    fn surroundings(&self, flags: &[&str], faults: &[&str], nodes: usize) -> Vec<String> {
        let given = |flag: &str| flags.contains(&flag) || faults.contains(&flag);
        let seed = self.0.seed();
        if self.is_wireless() && !given("--links") {
            let station = Station::connected(nodes, seed);
            vec![
                "--links".to_owned(),
                station.links,
                "--capacities".to_owned(),
                station.capacities,
            ]
        } else if self.0.workload() == NodeWorkload::Time.word() && !given("--clock-offset") {
            let offset = |node: usize, by: u64| {
                let sign = if (seed + node as u64).is_multiple_of(2) {
                    ""
                } else {
                    "-"
                };
                ["--clock-offset".to_owned(), format!("n{node}={sign}{by}s")]
            };
            (2..=nodes)
                .flat_map(|node| offset(node, 1 + (seed / 2 + node as u64) % 7))
                .collect()
        } else {
            Vec::new()
        }
    }

    /// Runs three nodes over a network with these faults.
    fn run(&self, faults: &[&str]) -> Probed {
        self.run_with(&USUAL, faults, &[])
    }

    /// Runs nodes with these flags and faults; what these properties say is not asked.
    fn run_with(&self, flags: &[&str], faults: &[&str], unasked: &[Property]) -> Probed {
        let workload = self.0.workload();
        let seed = self.0.seed().to_string();
        let node = self.0.inner_command()?;
        let mut words = vec!["run", workload, "--node", &node, "--json", "--quiet"];
        words.extend(["--seed", &seed]);
        let mut counts = flags.windows(2).filter(|pair| pair[0] == "--processes");
        let nodes = counts.next().map_or("3", |pair| pair[1]);
        let around = self.surroundings(flags, faults, nodes.parse().unwrap_or(3));
        words.extend(flags.iter().chain(faults));
        words.extend(around.iter().map(String::as_str));
        let failed = |error: &std::io::Error| Finding::grader(format!("run nodes: {}", why(error)));
        let logs = self.0.draws().then(Scratch::new).transpose();
        let logs = logs.map_err(|error| failed(&error))?;
        let folder = logs.as_ref().map(|logs| logs.path().to_string_lossy());
        if let Some(folder) = &folder {
            words.extend(["--logs", folder]);
        }
        let asked = match faults {
            [] => format!("{workload}: {nodes} nodes, no faults"),
            faults => format!("{workload}: {nodes} nodes, {}", faults.join(" ")),
        };
        let mut command = lamport(self.0.grader());
        command.args(words).stdin(Stdio::null());
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.map_err(|error| failed(&error))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        // Standard error is read beside it, so that nobody waits.
        let complaints = thread::spawn(move || stderr.map(all).unwrap_or_default());
        let printed = stdout.map(all).unwrap_or_default();
        let status = child.wait().map_err(|error| failed(&error))?;
        let complaints = complaints.join().unwrap_or_default();
        let events = printed
            .lines()
            .filter_map(|line| Some(Record::parse(line).ok()?.event));
        let checks: Vec<Event> = events.filter(|event| event.kind == Kind::Check).collect();
        let is_asked = |check: &&Event| {
            let name = check.check.as_deref();
            unasked.iter().all(|property| Some(property.name()) != name)
        };
        let fails = |check: &&Event| check.verdict == Some(Verdict::Fail);
        let is_excused = checks
            .iter()
            .any(|check| fails(&check) && !is_asked(&check));
        // What a run says nothing about is not shown; a store may leave open what became of an operation.
        let is_open = |check: &&Event| {
            let is_store = check.check.as_deref() == Some(Property::Linearizable.name());
            check.verdict == Some(Verdict::Open) && !is_store
        };
        let mut unshown = checks.iter().filter(is_open).filter(is_asked);
        let mut broken = checks.iter().filter(fails).filter(is_asked);
        let picture = || picture::draw(self.0.grader(), logs.as_ref()?.path(), Form::Html);
        match (broken.next(), status.code()) {
            (Some(check), _) => Err(finding(check).sent(asked).picture(picture())),
            (None, Some(1)) if is_excused => Ok(()),
            (None, Some(0)) => match unshown.next() {
                Some(check) => Err(finding(check).sent(asked).picture(picture())),
                None => Ok(()),
            },
            (None, Some(1)) => {
                let mut open = checks
                    .iter()
                    .filter(|check| check.verdict == Some(Verdict::Open));
                let what = open.next().map_or("the run says no", |check| text(check));
                Err(Finding::new(Status::Timeout, what)
                    .sent(asked)
                    .picture(picture()))
            }
            _ => {
                let last = complaints.lines().last().unwrap_or("the run has failed");
                let words = common::text::visible(last.as_bytes());
                Err(match last.strip_prefix("lamport: start n") {
                    Some(_) => Finding::new(Status::NotStarted, words),
                    None => Finding::grader(words),
                })
            }
        }
    }
}

fn text(check: &Event) -> &str {
    check.text.as_deref().unwrap_or_default()
}

/// A property that is violated: its name is what was expected.
fn finding(check: &Event) -> Finding {
    let text = text(check);
    let status = match text {
        text if is_no_command(text) => Status::NotStarted,
        text if text.contains("ended with exit code") || text.contains("signal") => Status::Crash,
        text if text.contains(" within ") => Status::Timeout,
        _ => Status::WrongAnswer,
    };
    let name = check.check.as_deref().unwrap_or_default();
    Finding::new(status, text).expected(format!("the property \"{name}\""))
}

/// Whether a node's command interpreter could not run it: `n1: ended with exit code 127 before it wrote a line`.
fn is_no_command(text: &str) -> bool {
    let mut codes = text.split("exit code ").skip(1).map(|after| {
        let digits = after.split(|letter: char| !letter.is_ascii_digit());
        digits.into_iter().next()?.parse().ok()
    });
    codes.any(|code| code.is_some_and(processes::is_no_command))
}

fn all(stream: impl Read) -> String {
    let mut bytes = Vec::new();
    // What was read before an error is what there is.
    let _ = stream.take(LONGEST).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Role for NodeRole<'_> {
    const REQUIREMENTS: &'static [Requirement] = &[
        Requirement {
            id: "calm",
            points: 3,
            sentence: "keeps its properties on a network without faults",
            source: "docs/reference/nodes.md: the workload",
            needs: None,
            when: None,
        },
        Requirement {
            id: "delays",
            points: 2,
            sentence: "keeps them when messages are late and out of order",
            source: "docs/reference/nodes.md: between nodes nothing is certain",
            needs: Some("calm"),
            when: None,
        },
        Requirement {
            id: "losses",
            points: 2,
            sentence: "keeps them when messages are lost and duplicated",
            source: "docs/reference/nodes.md: between nodes nothing is certain",
            needs: Some("calm"),
            when: None,
        },
        Requirement {
            id: "partition",
            points: 2,
            sentence: "keeps them when a node cannot reach the others for a while",
            source: "docs/reference/nodes.md: between nodes nothing is certain",
            needs: Some("calm"),
            when: None,
        },
        Requirement {
            id: "leader",
            points: 2,
            sentence: "agrees on a new leader, of a new term, when the leader is killed",
            source: "docs/reference/nodes.md: election",
            needs: Some("calm"),
            when: None,
        },
        Requirement {
            id: "leader-losses",
            points: 2,
            sentence: "does so when most messages are lost",
            source: "docs/reference/nodes.md: between nodes nothing is certain",
            needs: Some("leader"),
            when: None,
        },
        Requirement {
            id: "hops",
            points: 2,
            sentence: "elects the best of a network in which it is many hops away",
            source: "docs/reference/nodes.md: wireless",
            needs: Some("calm"),
            when: None,
        },
        Requirement {
            id: "transit",
            points: 2,
            sentence: "takes consistent snapshots while much money is in transit",
            source: "docs/reference/nodes.md: snapshots",
            needs: Some("calm"),
            when: None,
        },
        Requirement {
            id: "asymmetric",
            points: 2,
            sentence: "is wrong by half of the round trip at most when one direction is slow",
            source: "docs/reference/nodes.md: clocks",
            needs: Some("calm"),
            when: None,
        },
        Requirement {
            id: "ahead",
            points: 2,
            sentence: "does not set a clock back that is ahead",
            source: "docs/reference/nodes.md: clocks",
            needs: Some("calm"),
            when: None,
        },
        Requirement {
            id: "outlier",
            points: 2,
            sentence: "leaves a clock out that is far from most others",
            source: "docs/reference/nodes.md: clocks",
            needs: Some("calm"),
            when: None,
        },
        Requirement {
            id: "participant",
            points: 2,
            sentence: "decides without a participant that is killed",
            source: "docs/reference/nodes.md: commit",
            needs: Some("losses"),
            when: None,
        },
        Requirement {
            id: "coordinator",
            points: 2,
            sentence: "decides alike, or waits, when the coordinator is killed",
            source: "docs/reference/nodes.md: commit",
            needs: Some("calm"),
            when: None,
        },
        Requirement {
            id: "termination",
            points: 2,
            sentence: "decides without the coordinator when a participant knows the decision",
            source: "docs/reference/nodes.md: commit",
            needs: Some("coordinator"),
            when: None,
        },
    ];

    fn probe(&mut self, id: &str) -> Probed {
        match id {
            "calm" => self.run(&[]),
            "delays" => self.run(&["--delay", "exp:10ms", "--reorder", "10%"]),
            "losses" => self.run(&["--loss", "10%", "--duplicate", "10%"]),
            "leader" if self.is_wireless() => self.kill_best(&[]),
            "leader-losses" if self.is_wireless() => {
                self.kill_best(&["--loss", "30%"])?;
                self.kill_best(&["--loss", "30%"])
            }
            "hops" => {
                let row = Station::row(6, self.0.seed());
                self.run_in(&row, &["--processes", "6", "--for", "500ms"], &[])
            }
            "transit" => self.run_with(&CROSSING, &["--for", "1s"], &[]),
            "asymmetric" => ASYMMETRIC.iter().try_for_each(|slow| self.run(slow)),
            "ahead" => self.run(&["--clock-offset", "n2=2s", "--clock-offset", "n1,n3=0s"]),
            "outlier" => {
                let far = ["--clock-offset", "n3=-1h", "--clock-offset", "n1,n2,n4=0s"];
                self.run_with(&["--processes", "4", "--for", "1500ms"], &far, &[])
            }
            "leader" => self.run(&["--crash", "n3@600ms"]),
            "leader-losses" => {
                // What is sent once may be lucky; not twice.
                self.run_with(&FIVE, &LITTLE, &[])?;
                self.run_with(&FIVE, &LITTLE, &[])
            }
            "participant" => {
                let bad = ["--loss", "10%", "--duplicate", "10%", "--reorder", "10%"];
                self.run(&[&bad[..], &["--crash", "n3@600ms"]].concat())
            }
            "coordinator" => {
                let mut all = CUT.iter();
                all.try_for_each(|cut| self.run_with(&SLOW, cut, &[Property::Decided]))
            }
            "termination" => {
                let mut all = CUT.iter();
                all.try_for_each(|cut| self.run_with(&SLOW, cut, &[]))
            }
            "partition" => self.run(&["--partition", "n1/*@300ms..800ms"]),
            _ => Err(Finding::grader(format!("there is no probe of {id}"))),
        }
    }
}
