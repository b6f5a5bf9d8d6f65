//! A distributed computation: read, ordered and judged.

use std::path::PathBuf;

use common::{
    event::Kind,
    exit::{Exit, Failure, Summary},
    text::plural,
};

use super::{
    EventId, Trace, blocks,
    findings::{Rule, Weight},
    layouts::Layout,
    matching::{self, Links},
    merge::merge,
    order::{self, Order},
    skew, sources,
    traffic::{self, Traffic},
    vectors,
    verify::{self, LookedAt},
};

/// A computation that was read, ordered and judged.
#[derive(Debug)]
pub struct Computation {
    /// Its events.
    pub trace: Trace,
    /// What follows from what in another process.
    pub links: Links,
    /// Their order.
    pub order: Order,
    /// What became of the messages.
    pub traffic: Traffic,
    /// What was looked at.
    pub looked_at: LookedAt,
    /// Of how many pairs of events one could have caused the other.
    pub ordered_pairs: u64,
}

impl Computation {
    /// Reads it from these files.
    ///
    /// # Errors
    /// When a file cannot be read (exit code 2).
    pub fn read(files: &[PathBuf], layout: &Layout) -> Result<Self, Failure> {
        let found = sources::find(files)?;
        let blocks = blocks::read(&found, layout)?;
        let shown = found.into_iter().map(|source| source.shown).collect();
        Ok(Self::of(merge(shown, blocks)))
    }

    /// Orders and judges the events.
    pub fn of(mut trace: Trace) -> Self {
        let mut matched = matching::by_identity(&mut trace);
        matched.links.extend(vectors::links(&mut trace));
        let links = Links::new(trace.events.len(), matched.links);
        let (order, links) = order::order(&mut trace, links);
        verify::orphans(&mut trace, &matched.orphans);
        verify::addressees(&mut trace);
        let clocks = verify::clocks(&mut trace, &links, &order);
        let wall = skew::check(&mut trace, &links);
        let mut ordered_pairs = 0;
        let mut judge = vectors::Judge::default();
        order::walk(&trace, &links, &order, |event, vector| {
            ordered_pairs += vector.iter().map(|known| u64::from(*known)).sum::<u64>() - 1;
            judge.see(&trace, event, vector);
        });
        let vectors = judge.tell(&mut trace);
        let traffic = traffic::count(&trace, &links);
        let looked_at = LookedAt {
            events: trace.events.len() as u64,
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
            looked_at,
            ordered_pairs,
        }
    }

    /// What an event is to the others. Logs of vector clocks say only what follows from what.
    pub fn role(&self, event: EventId) -> Kind {
        match self.trace.events[event].kind {
            Kind::Local if !self.links.to(event).is_empty() => Kind::Receive,
            Kind::Local if self.links.from(event).len() > 0 => Kind::Send,
            kind => kind,
        }
    }

    /// How much of all pairs of events could have happened the other way round, in percent.
    fn concurrent(&self) -> u64 {
        let events = self.looked_at.events;
        let pairs = events * events.saturating_sub(1) / 2;
        let concurrent = pairs.saturating_sub(self.ordered_pairs);
        (concurrent * 100).checked_div(pairs).unwrap_or(0)
    }

    /// What it comes to.
    pub fn summary(&self) -> Summary {
        let traffic = &self.traffic;
        let (trace, longest) = (&self.trace, self.order.lamport.iter().max());
        let longest = u64::from(longest.copied().unwrap_or(0));
        let wrong = trace.findings.worst() == Some(Weight::Wrong);
        let text = format!(
            "{}, {}; the longest chain of causes has {longest}, and {}% of all pairs are concurrent",
            plural(trace.processes.len() as u64, "process"),
            plural(self.looked_at.events, "event"),
            self.concurrent(),
        );
        Summary::done(text)
            .count("processes", trace.processes.len() as u64)
            .count("events", self.looked_at.events)
            .count("sent", traffic.sent)
            .count("received", traffic.received)
            .count("inferred", traffic.inferred)
            .count("lost", traffic.lost)
            .count("doubled", traffic.doubled)
            .count("overtaken", traffic.overtaken)
            .count("unheard", traffic.unheard)
            .count("longest_chain", longest)
            .count("concurrent_percent", self.concurrent())
            .count("broken", broken(trace))
            .exit(if wrong { Exit::No } else { Exit::Done })
    }

    /// Each rule with its verdict: the word, and why.
    pub fn verdict(&self) -> Vec<(Rule, &'static str, String)> {
        let rules = Rule::ALL.into_iter();
        let judged = rules.filter_map(|rule| {
            let found = self.trace.findings.of(rule);
            match found.worst {
                Some(worst) => Some((rule, worst.word(), found.words())),
                None => Some((rule, "ok", self.looked_at.words(&self.trace, rule)?)),
            }
        });
        judged.collect()
    }
}

/// How many rules are broken.
fn broken(trace: &Trace) -> u64 {
    let worst = |rule: &Rule| trace.findings.of(*rule).worst == Some(Weight::Wrong);
    Rule::ALL.iter().filter(|rule| worst(rule)).count() as u64
}
