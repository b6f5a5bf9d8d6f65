//! The findings in logs: for each property the violations and warnings, of which the first ones are kept in words.

use std::array;

use common::{event::Verdict, process::property::Property};

/// The severity of a finding.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// The logs do not decide whether the property holds.
    Open,
    /// A warning: no violation.
    Warn,
    /// The property is violated.
    Fail,
}

impl Severity {
    /// The verdict on the property.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Open => Verdict::Open,
            Self::Warn => Verdict::Warn,
            Self::Fail => Verdict::Fail,
        }
    }
}

/// The findings about one property.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The highest severity.
    pub worst: Option<Severity>,
    /// The number of findings of each severity.
    counts: [u64; 3],
    /// The first findings of each severity, in words.
    first: [Vec<String>; 3],
    /// A remark about all of them.
    remark: Option<String>,
}

/// How many findings of a severity are kept in words.
const IN_WORDS: usize = 3;

/// How many of them where all are listed.
const ALL_IN_WORDS: usize = 1 << 20;

impl Found {
    /// The number of findings of the highest severity.
    pub fn count(&self) -> u64 {
        self.worst.map_or(0, |worst| self.counts[worst as usize])
    }

    /// The findings of the highest severity in words; all of them where all are listed.
    fn words(&self, all: bool) -> String {
        let Some(worst) = self.worst else {
            return String::new();
        };
        let least = if all { 0 } else { worst as usize };
        let mut listed: Vec<String> = Vec::new();
        for severity in (least..=worst as usize).rev() {
            let first = &self.first[severity];
            listed.extend_from_slice(first);
            let more = self.counts[severity] - first.len() as u64;
            if more > 0 {
                listed.push(format!("and {more} more"));
            }
        }
        let mut words = listed.join("; ");
        if let Some(remark) = &self.remark {
            words.push_str("; ");
            words.push_str(remark);
        }
        words
    }
}

/// The findings about all properties.
#[derive(Clone, Debug)]
pub struct Findings {
    found: [Found; Property::COUNT],
    all: bool,
}

impl Default for Findings {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Findings {
    /// Findings of which all are listed, or the first ones.
    pub fn new(all: bool) -> Self {
        Self {
            found: array::from_fn(|_| Found::default()),
            all,
        }
    }

    /// Whether all of them are listed.
    pub fn lists_all(&self) -> bool {
        self.all
    }

    /// The findings of a property in words.
    pub fn words(&self, property: Property) -> String {
        self.of(property).words(self.all)
    }

    /// Adds a finding. Its words are built only if they are kept.
    pub fn add(&mut self, property: Property, severity: Severity, words: impl FnOnce() -> String) {
        let most = self.most_in_words();
        let found = &mut self.found[property as usize];
        found.worst = found.worst.max(Some(severity));
        found.counts[severity as usize] += 1;
        let first = &mut found.first[severity as usize];
        if first.len() < most {
            first.push(words());
        }
    }

    /// Adds the findings of another part of the logs.
    pub fn append(&mut self, others: Self) {
        let most = self.most_in_words();
        for (found, other) in self.found.iter_mut().zip(others.found) {
            found.worst = found.worst.max(other.worst);
            for (count, other) in found.counts.iter_mut().zip(other.counts) {
                *count += other;
            }
            for (first, other) in found.first.iter_mut().zip(other.first) {
                let room = most.saturating_sub(first.len());
                first.extend(other.into_iter().take(room));
            }
            found.remark = found.remark.take().or(other.remark);
        }
    }

    fn most_in_words(&self) -> usize {
        if self.all { ALL_IN_WORDS } else { IN_WORDS }
    }

    /// Adds findings without words, by severity.
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

    /// Adds a remark about all findings of a property.
    pub fn remark(&mut self, property: Property, words: String) {
        self.found[property as usize].remark = Some(words);
    }

    /// The findings of a property.
    pub fn of(&self, property: Property) -> &Found {
        &self.found[property as usize]
    }

    /// The highest severity of all findings.
    pub fn worst(&self) -> Option<Severity> {
        self.found.iter().filter_map(|found| found.worst).max()
    }
}
