//! What was found wrong in logs: each property with its violations, the first of many in words.

use common::event::Verdict;

use crate::property::Property;

/// What must hold of a log.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Rule {
    /// Every line is an event, and each process's are numbered without a gap.
    WellFormed,
    /// Each process has a name of its own.
    Names,
    /// What is received was sent.
    Sent,
    /// Nothing happens before what it follows from.
    Order,
    /// Logical clocks grow from cause to effect (Lamport 1978).
    Clocks,
    /// Vector clocks are those of the events that they know.
    Vectors,
    /// The clocks of the machines agree with the order of events.
    Wall,
}

impl Rule {
    /// All of them, in the order in which they are reported.
    pub const ALL: [Self; 7] = [
        Self::WellFormed,
        Self::Names,
        Self::Sent,
        Self::Order,
        Self::Clocks,
        Self::Vectors,
        Self::Wall,
    ];

    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::WellFormed => "well formed",
            Self::Names => "one name, one process",
            Self::Sent => "received was sent",
            Self::Order => "causes come first",
            Self::Clocks => "clock condition",
            Self::Vectors => "vector clocks",
            Self::Wall => "wall clocks",
        }
    }
}

/// How much is wrong.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// These logs do not decide it.
    Open,
    /// Not as it should be; no violation.
    Warn,
    /// The property is violated.
    Fail,
}

impl Severity {
    /// The verdict that it makes.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Open => Verdict::Open,
            Self::Warn => Verdict::Warn,
            Self::Fail => Verdict::Fail,
        }
    }
}

/// What was found of one property.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The worst of it.
    pub worst: Option<Severity>,
    /// How many findings there are of each severity.
    counts: [u64; 3],
    /// The first of each severity in words.
    first: [Vec<String>; 3],
    /// What there is to say of all of them.
    remark: Option<String>,
}

/// How many of many findings are put into words.
const IN_WORDS: usize = 3;

impl Found {
    /// How often, at its worst.
    pub fn count(&self) -> u64 {
        self.worst.map_or(0, |worst| self.counts[worst as usize])
    }

    /// The worst of it in words.
    pub fn words(&self) -> String {
        let Some(worst) = self.worst else {
            return String::new();
        };
        let first = &self.first[worst as usize];
        let more = self.count() - first.len() as u64;
        let mut words = first.join("; ");
        if more > 0 {
            words.push_str(&format!("; and {more} more"));
        }
        if let Some(remark) = &self.remark {
            words.push_str("; ");
            words.push_str(remark);
        }
        words
    }
}

/// What was found of every property.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    found: [Found; Property::COUNT],
}

impl Findings {
    /// A finding. The words are made only where they will be shown.
    pub fn add(&mut self, property: Property, severity: Severity, words: impl FnOnce() -> String) {
        let found = &mut self.found[property as usize];
        found.worst = found.worst.max(Some(severity));
        found.counts[severity as usize] += 1;
        let first = &mut found.first[severity as usize];
        if first.len() < IN_WORDS {
            first.push(words());
        }
    }

    /// There are more findings, by severity, than are put into words.
    pub fn add_more(&mut self, property: Property, more: [u64; 3]) {
        let found = &mut self.found[property as usize];
        for (severity, more) in [Severity::Open, Severity::Warn, Severity::Fail]
            .into_iter()
            .zip(more)
        {
            found.counts[severity as usize] += more;
            if more > 0 {
                found.worst = found.worst.max(Some(severity));
            }
        }
    }

    /// A remark on all findings.
    pub fn remark(&mut self, property: Property, words: String) {
        self.found[property as usize].remark = Some(words);
    }

    /// The findings of a property.
    pub fn of(&self, property: Property) -> &Found {
        &self.found[property as usize]
    }

    /// The worst of everything.
    pub fn worst(&self) -> Option<Severity> {
        self.found.iter().filter_map(|found| found.worst).max()
    }
}
