//! A requirement, and what a probe of one finds.

use serde::{Deserialize, Serialize};

use crate::picture::Picture;

/// What a submission has to do, small enough to be met or not.
#[derive(Clone, Copy, Debug)]
pub struct Requirement {
    /// Its name on the command line and in the results.
    pub id: &'static str,
    /// What it is worth unless a points file says otherwise.
    pub points: u32,
    /// What the submission does when it meets it: `answers a client`.
    pub sentence: &'static str,
    /// Where the handout says so.
    pub source: &'static str,
    /// A requirement without which this one cannot be met; it is not probed then.
    pub needs: Option<&'static str>,
    /// A word of the submission's command without which it cannot be probed, such as `{names}`.
    pub when: Option<&'static str>,
}

/// What came of a probe.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The requirement is met.
    Pass,
    /// It answered, and not as it has to.
    WrongAnswer,
    /// It did not answer in time.
    Timeout,
    /// It ended by an error of its own, or was ended at a limit of the sandbox.
    Crash,
    /// It never came to where it could be probed.
    NotStarted,
    /// It could not be graded, for a reason that is not the submission's.
    GraderFault,
}

impl Status {
    /// The word for it in the results.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::WrongAnswer => "wrong-answer",
            Self::Timeout => "timeout",
            Self::Crash => "crash",
            Self::NotStarted => "not-started",
            Self::GraderFault => "grader-fault",
        }
    }

    /// The words for it in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::WrongAnswer => "wrong answer",
            Self::Timeout => "timeout",
            Self::Crash => "crash",
            Self::NotStarted => "not started",
            Self::GraderFault => "could not be graded",
        }
    }
}

/// A limit of the sandbox at which a submission is ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Memory of all its processes.
    Memory,
    /// Its processes and their threads.
    Processes,
    /// What it prints.
    Output,
    /// What it writes.
    Disk,
}

/// Why a requirement is not met.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Finding {
    /// The kind of failure; never [`Status::Pass`].
    pub status: Status,
    /// What happened, in one sentence without a full stop.
    pub what: String,
    /// What was sent to the submission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Box<str>>,
    /// What came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Box<str>>,
    /// What should have come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Box<str>>,
    /// The limit at which it was ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// The last lines of its standard error, where it has something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<Box<str>>,
    /// The picture of what was sent and came back, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Box<Picture>>,
}

impl Finding {
    /// A finding of this kind; what was sent and expected may be added.
    pub fn new(status: Status, what: impl Into<String>) -> Self {
        Self {
            status,
            what: what.into(),
            sent: None,
            received: None,
            expected: None,
            limit: None,
            stderr: None,
            picture: None,
        }
    }

    /// A fault of the grader or its machine.
    pub fn grader(what: impl Into<String>) -> Self {
        Self::new(Status::GraderFault, what)
    }

    /// The same finding, with what was sent.
    #[must_use]
    pub fn sent(mut self, sent: impl Into<String>) -> Self {
        self.sent = Some(sent.into().into_boxed_str());
        self
    }

    /// The same finding, with what came back.
    #[must_use]
    pub fn received(mut self, received: impl Into<String>) -> Self {
        self.received = Some(received.into().into_boxed_str());
        self
    }

    /// The same finding, with a picture.
    #[must_use]
    pub fn picture(mut self, picture: Option<Picture>) -> Self {
        self.picture = picture.map(Box::new);
        self
    }

    /// The same finding, with what should have come back.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into().into_boxed_str());
        self
    }
}

/// How the sentence begins for a requirement that was not probed, as another one that it needs is not met.
pub const NOT_TRIED: &str = "not tried";

/// What a probe comes to.
pub type Probed = Result<(), Finding>;
