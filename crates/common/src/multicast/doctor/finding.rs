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

/// A word of a command, quoted where a shell would take it for more than that: an interface may have any name without
/// spaces.
pub(super) fn word(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:%@+=,".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        text.into()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// The words `KEY=VALUE` for sysctl(8), of the setting `net/FAMILY/conf/INTERFACE/SETTING`. With slashes, as the name of
/// an interface may have a dot.
pub(super) fn conf(family: &str, interface: &str, setting: &str, value: u32) -> String {
    let key = format!("net/{family}/conf/{interface}/{setting}={value}");
    if interface.contains('.') {
        word(&key)
    } else {
        word(&key.replace('/', "."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_survives_the_names_of_interfaces() {
        assert_eq!(word("eth0"), "eth0");
        assert_eq!(word("a;b"), "'a;b'");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(
            conf("ipv4", "eth0", "rp_filter", 2),
            "net.ipv4.conf.eth0.rp_filter=2"
        );
        assert_eq!(
            conf("ipv6", "eth0.7", "disable_ipv6", 0),
            "net/ipv6/conf/eth0.7/disable_ipv6=0"
        );
    }
}
