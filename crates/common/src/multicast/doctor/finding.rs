//! What one check found, and the remedy: a command or flags that can be pasted where there are any, else words.

use crate::{
    event::{Event, Verdict},
    exit::Failure,
};

/// What one check found.
#[derive(Debug)]
pub(super) struct Finding {
    check: &'static str,
    pub(super) verdict: Verdict,
    what: String,
    /// A command for the shell, flags for the program, or words.
    pub(super) remedy: String,
}

impl Finding {
    pub(super) fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, what, "")
    }

    pub(super) fn new(
        check: &'static str,
        verdict: Verdict,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            check,
            verdict,
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    pub(super) fn failure(
        check: &'static str,
        failure: &Failure,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(check, Verdict::Fail, failure.to_string(), remedy)
    }

    pub(super) fn event(&self) -> Event {
        let mut text = self.what.clone();
        if !self.remedy.is_empty() {
            text += &format!("; remedy: {}", self.remedy);
        }
        Event::check(self.check, self.verdict, text)
    }
}
