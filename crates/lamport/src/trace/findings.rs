//! What was found wrong: each rule with what breaks it, the first of many in words.

use std::fmt;

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
    /// All of them, as they are told.
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
pub enum Weight {
    /// It cannot be judged from these logs.
    Open,
    /// Not as it should be, and no fault of the log.
    Warn,
    /// The rule is broken.
    Wrong,
}

impl Weight {
    /// The word for it in a verdict.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Warn => "warn",
            Self::Wrong => "FAIL",
        }
    }
}

/// What was found of one rule.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The worst of it.
    pub worst: Option<Weight>,
    /// How much there is of each weight.
    counts: [u64; 3],
    /// The first of each weight in words.
    first: [Vec<String>; 3],
    /// What there is to say of all of it.
    remark: Option<String>,
}

/// What is told of many that are alike.
const TOLD: usize = 3;

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

/// What was found of every rule.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    found: [Found; Rule::ALL.len()],
}

impl Findings {
    /// Something is not as the rule says. The words are made only when they will be told.
    pub fn add(&mut self, rule: Rule, weight: Weight, words: impl FnOnce() -> String) {
        let found = &mut self.found[rule as usize];
        found.worst = found.worst.max(Some(weight));
        found.counts[weight as usize] += 1;
        let first = &mut found.first[weight as usize];
        if first.len() < TOLD {
            first.push(words());
        }
    }

    /// There is more of what the rule forbids, of each weight so much, than is told.
    pub fn add_more(&mut self, rule: Rule, more: [u64; 3]) {
        let found = &mut self.found[rule as usize];
        for (weight, more) in [Weight::Open, Weight::Warn, Weight::Wrong]
            .into_iter()
            .zip(more)
        {
            found.counts[weight as usize] += more;
            if more > 0 {
                found.worst = found.worst.max(Some(weight));
            }
        }
    }

    /// Something is to be said of all that was found.
    pub fn remark(&mut self, rule: Rule, words: String) {
        self.found[rule as usize].remark = Some(words);
    }

    /// What was found of a rule.
    pub fn of(&self, rule: Rule) -> &Found {
        &self.found[rule as usize]
    }

    /// The worst of everything.
    pub fn worst(&self) -> Option<Weight> {
        self.found.iter().filter_map(|found| found.worst).max()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}
