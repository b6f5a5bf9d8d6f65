//! The results, version 1: `docs/reference/results-v1.schema.json` is their schema.

use serde::{Deserialize, Serialize};

use crate::{
    requirement::{Limit, NOT_TRIED, Status},
    sandbox::Isolation,
};

/// The version of the results that this module writes.
pub const VERSION: u32 = 1;

/// What came of grading one submission or many.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Results {
    /// The format's version, 1.
    pub version: u32,
    /// What the grader's random choices began with.
    pub seed: u64,
    /// How long an answer might take, in milliseconds.
    pub timeout_ms: u64,
    /// How often each requirement was probed.
    pub repeat: u32,
    /// How submissions were kept apart.
    pub isolation: Isolation,
    /// Points of all submissions.
    pub points: u32,
    /// Points that all submissions could have.
    pub of: u32,
    /// The submissions, by name.
    pub submissions: Vec<Submission>,
}

/// One submission.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Submission {
    /// The name of its folder or file.
    pub name: String,
    /// Its points.
    pub points: u32,
    /// The points that it could have.
    pub of: u32,
    /// The programs in it that were graded.
    pub parts: Vec<Part>,
}

/// One program of a submission.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Part {
    /// What it is: `threads-server`.
    pub part: String,
    /// The command that starts it.
    pub command: String,
    /// Its points.
    pub points: u32,
    /// The points that it could have.
    pub of: u32,
    /// Each requirement.
    pub requirements: Vec<Graded>,
}

/// One requirement of a submission.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Graded {
    /// Its identity.
    pub id: String,
    /// What the submission does when it meets it.
    pub sentence: String,
    /// Where the handout says so.
    pub source: String,
    /// What came of it.
    pub status: Status,
    /// Points for it.
    pub points: u32,
    /// The points that it is worth.
    pub of: u32,
    /// How many of its probes passed.
    pub passed: u32,
    /// How many probes there were.
    pub runs: u32,
    /// How long the probes took, in milliseconds.
    pub elapsed_ms: u64,
    /// Whether its details are kept from the student.
    pub hidden: bool,
    /// What happened, where it is not met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// What was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<String>,
    /// What came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<String>,
    /// What should have come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The last line of its standard error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<String>,
    /// The limit at which it was ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// The file of its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// A command that probes this requirement again.
    pub reproduce: String,
}

impl Graded {
    /// Whether it was probed; it is not where one that it needs is not met.
    pub fn was_tried(&self) -> bool {
        !self
            .what
            .as_ref()
            .is_some_and(|what| what.starts_with(NOT_TRIED))
    }
}

impl Part {
    /// The part with these requirements.
    pub fn new(part: &str, command: &str, requirements: Vec<Graded>) -> Self {
        Self {
            part: part.to_owned(),
            command: command.to_owned(),
            points: requirements.iter().map(|graded| graded.points).sum(),
            of: requirements.iter().map(|graded| graded.of).sum(),
            requirements,
        }
    }
}

impl Submission {
    /// The submission with these parts.
    pub fn new(name: &str, parts: Vec<Part>) -> Self {
        Self {
            name: name.to_owned(),
            points: parts.iter().map(|part| part.points).sum(),
            of: parts.iter().map(|part| part.of).sum(),
            parts,
        }
    }

    /// Each requirement of each part.
    pub fn graded(&self) -> impl Iterator<Item = (&Part, &Graded)> {
        let parts = self.parts.iter();
        parts.flat_map(|part| part.requirements.iter().map(move |graded| (part, graded)))
    }
}
