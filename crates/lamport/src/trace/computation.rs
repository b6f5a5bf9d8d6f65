//! A distributed computation: read, ordered and checked.

use std::path::PathBuf;

use common::{
    event::{Kind, Verdict},
    exit::{Exit, Failure, Summary},
    parallel,
    process::{property::Property, verdict::check::Check},
    text::plural,
};

use super::{
    EventId, Trace, blocks,
    executions::{Executions, PairCounter, Pairs},
    layouts::Layout,
    matching::{self, Links},
    merge::merge,
    order::{self, Order, Ordered},
    skew::Skew,
    sources,
    traffic::{self, Traffic, TrafficCounter},
    vectors,
    verify::{self, CheckedCounts},
};

/// A computation that was read, ordered and checked.
#[derive(Debug)]
pub struct Computation {
    /// Its events.
    pub trace: Trace,
    /// The links: each receive with its send.
    pub links: Links,
    /// Their order.
    pub order: Order,
    /// The counts of messages.
    pub traffic: Traffic,
    /// How much was checked.
    pub checked: CheckedCounts,
    /// The execution of each process, by the number of its first process.
    pub executions: Vec<u32>,
    /// Pairs of events of different processes.
    pub pairs: Pairs,
    /// The results for the runs of algorithms in the logs, see [`runs::check`](super::runs::check).
    pub runs: Vec<Check>,
    /// What was found in folders and not read, and why.
    pub passed_over: Vec<(String, String)>,
}

impl Computation {
    /// Reads it from these files.
    ///
    /// # Errors
    /// When a file cannot be read (exit code 2).
    pub fn read(files: &[PathBuf], layout: &Layout) -> Result<Self, Failure> {
        let found = sources::find(files)?;
        let blocks = blocks::read(&found.sources, layout)?;
        let mut passed_over = found.passed_over;
        for block in blocks.iter().filter(|block| block.is_passed_over) {
            let file = &found.sources[block.file as usize].shown;
            passed_over.push((file.clone(), "not a log in a known layout".to_owned()));
        }
        let shown = found.sources.into_iter().map(|source| source.shown);
        let trace = merge(shown.collect(), blocks, layout.all_findings);
        Ok(Self {
            passed_over,
            ..Self::of(trace)
        })
    }

    /// Orders and checks the events.
    pub fn of(mut trace: Trace) -> Self {
        let mut matched = matching::by_identity(&mut trace);
        matched.links.extend(vectors::links(&mut trace));
        let links = Links::new(trace.events.len(), matched.links);
        let Ordered {
            order,
            links,
            mut left_out,
        } = order::order(&mut trace, links);
        verify::orphans(&mut trace, &matched.orphans);
        verify::addressees(&mut trace);
        // In causal order a send is still in the processor's cache when its receive is looked at.
        let with_vectors = || {
            let mut pairs = PairCounter::new(&trace);
            let mut vectors = vectors::VectorChecker::default();
            order::walk(&trace, &links, &order, |event, vector| {
                pairs.see(&trace, event, vector);
                vectors.see(&trace, &links, event, vector);
            });
            (pairs, vectors)
        };
        let with_links = || {
            let mut executions = Executions::new(&trace);
            let mut clocks = verify::Clocks::new(&trace);
            let mut skew = Skew::default();
            let mut traffic = TrafficCounter::new(&trace);
            for event in &order.sequence {
                executions.see(&trace, &links, *event);
                clocks.see(&trace, &links, *event);
                skew.see(&trace, &links, *event);
                traffic.see(&trace, &links, *event);
            }
            (executions, clocks, skew, traffic)
        };
        let ((pairs, vectors), (executions, clocks, skew, traffic)) =
            parallel::both("vectors", with_vectors, with_links);
        let executions = executions.of_processes();
        let pairs = pairs.result(&executions);
        let clocks = clocks.report(&mut trace);
        let wall = skew.report(&mut trace);
        let vectors = vectors.report(&mut trace);
        // A message that is received in a cycle is received.
        left_out.append(&mut matched.backward);
        let traffic = match left_out.is_empty() {
            true => traffic.result(&trace, &links),
            false => traffic::count(&trace, &links.with(&left_out)),
        };
        let checked = CheckedCounts {
            events: trace.events.len() as u64,
            links: links.all().len() as u64,
            sent: traffic.sent,
            received: traffic.received,
            clocks,
            vectors,
            wall,
        };
        Self {
            trace,
            links,
            order,
            traffic,
            checked,
            executions,
            pairs,
            runs: Vec::new(),
            passed_over: Vec::new(),
        }
    }

    /// The role of an event: in a log with vector clocks the links show whether a local event sends or receives.
    pub fn role(&self, event: EventId) -> Kind {
        match self.trace.events[event].kind {
            Kind::Local if !self.links.to(event).is_empty() => Kind::Receive,
            Kind::Local if self.links.from(event).len() > 0 => Kind::Send,
            kind => kind,
        }
    }

    /// The summary.
    pub fn summary(&self) -> Summary {
        let traffic = &self.traffic;
        let (trace, longest) = (&self.trace, self.order.chain.iter().max());
        let longest = u64::from(longest.copied().unwrap_or(0));
        let violated = self.violated();
        let concurrent = self.pairs.concurrent();
        let mut text = format!(
            "{}, {}; the longest chain of causes has {longest}",
            plural(trace.processes.len() as u64, "process"),
            plural(self.checked.events, "event"),
        );
        if let Some(concurrent) = concurrent {
            text += &format!(", and {concurrent}% of the pairs across processes are concurrent");
        }
        let summary = Summary::done(text)
            .count("processes", trace.processes.len() as u64)
            .count("events", self.checked.events)
            .count("sent", traffic.sent)
            .count("received", traffic.received)
            .count("inferred", traffic.inferred)
            .count("lost", traffic.lost)
            .count("duplicates", traffic.duplicates)
            .count("reordered", traffic.reordered)
            .count("unlogged", traffic.unlogged)
            .count("longest_chain", longest)
            .count("violated", violated)
            .exit(if violated > 0 { Exit::No } else { Exit::Done });
        match concurrent {
            Some(percent) => summary.count("concurrent_percent", percent),
            None => summary,
        }
    }

    /// The number of violated properties.
    fn violated(&self) -> u64 {
        let verdict = self.verdict().into_iter();
        verdict.filter(|check| check.1 == Verdict::Fail).count() as u64
    }

    /// Each property with its verdict and the finding.
    pub fn verdict(&self) -> Vec<(Property, Verdict, String)> {
        let of_logs = Property::OF_LOGS.into_iter().filter_map(|property| {
            let found = self.trace.findings.of(property);
            match found.worst {
                Some(worst) => {
                    let words = self.trace.findings.words(property);
                    Some((property, worst.verdict(), words))
                }
                None => {
                    let (verdict, held) = self.checked.held(&self.trace, property)?;
                    Some((property, verdict, held))
                }
            }
        });
        let of_runs = self.runs.iter();
        let of_runs = of_runs.map(|check| (check.property, check.verdict, check.found.clone()));
        of_logs.chain(of_runs).collect()
    }
}
