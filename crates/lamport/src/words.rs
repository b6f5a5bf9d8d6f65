//! An event in words: the same sentence in every terminal, verdict and picture.

use common::{
    event::{Event, Kind},
    text::visible,
};

/// What there is to say of an event; a text is empty where there is nothing.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What kind of event it is.
    pub kind: Kind,
    /// The other side; of a send none where it is for all processes.
    pub peer: &'a str,
    /// The message's text, or what there is to say.
    pub text: &'a str,
    /// What kind of message it is.
    pub message_type: &'a str,
    /// What it means to the algorithm.
    pub meaning: &'a str,
    /// The timestamp `TIME,PROCESS` of the request or multicast that it is about.
    pub timestamp: &'a str,
    /// The name that was resolved.
    pub name: &'a str,
    /// What the name stands for.
    pub value: &'a str,
    /// What was checked.
    pub check: &'a str,
    /// What the check found.
    pub verdict: &'a str,
    /// What is not as it should be about a received message.
    pub anomaly: &'a str,
}

/// The words for an event of the log.
pub fn of(event: &Event) -> String {
    let peer = event.peer.as_ref().map(ToString::to_string);
    Facts {
        kind: event.kind,
        peer: peer.as_deref().unwrap_or_default(),
        text: event.text.as_deref().unwrap_or_default(),
        message_type: event.message_type.as_deref().unwrap_or_default(),
        meaning: event.meaning.as_deref().unwrap_or_default(),
        timestamp: event.timestamp.as_deref().unwrap_or_default(),
        name: event.name.as_deref().unwrap_or_default(),
        value: event.value.as_deref().unwrap_or_default(),
        check: event.check.as_deref().unwrap_or_default(),
        verdict: event.verdict.map_or("", |verdict| verdict.word()),
        anomaly: event.anomaly.map_or("", |anomaly| anomaly.words()),
    }
    .words()
}

/// A verb and its object, if there is one.
fn with(verb: &str, object: &str) -> String {
    match object {
        "" => verb.trim_end_matches(':').to_owned(),
        object => format!("{verb} {object}"),
    }
}

fn quoted(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!(" '{}'", visible(text.as_bytes())),
    }
}

impl Facts<'_> {
    /// What the process does, as the end of a sentence that begins with its name.
    pub fn words(&self) -> String {
        let text = self.text;
        match self.kind {
            Kind::Start => with("starts:", text),
            Kind::Ready if text.is_empty() => with("is ready:", self.peer),
            Kind::Ready => with("is ready:", text),
            Kind::Connect => with("connects to", self.peer),
            Kind::Accept => with("accepts", self.peer),
            Kind::Send | Kind::Receive => match self.step() {
                None => self.communication(),
                Some(step) => format!("{step}: {}", self.communication()),
            },
            Kind::Close => with("closes the connection to", self.peer),
            Kind::Resolve => with("resolves", &format!("{}: {}", self.name, self.value)),
            Kind::Register if self.value.is_empty() => with("unregisters", self.name),
            Kind::Register => format!("registers {}: {}", self.name, self.value),
            Kind::Check => with("checks", &format!("{}: {}", self.check, self.verdict)),
            Kind::Write => with("writes", text),
            Kind::Output | Kind::Report | Kind::Fault => text.to_owned(),
            Kind::Error => with("fails:", text),
            // A summary begins with the word itself.
            Kind::Stop => with("stops:", text.strip_prefix("stopped: ").unwrap_or(text)),
            Kind::Local => match self.step() {
                Some(step) => step,
                None if text.is_empty() => with("local event", self.what().trim_start()),
                None => text.to_owned(),
            },
        }
    }

    /// What a step of an algorithm is.
    fn step(&self) -> Option<String> {
        let (time, process) = self.timestamp.split_once(',').unwrap_or_default();
        let by = match time {
            "" => String::new(),
            time => format!(", by its request of {time}"),
        };
        Some(match self.meaning {
            "request" => "asks for the critical section".to_owned(),
            "enter" => format!("enters the critical section{by}"),
            "exit" => "exits the critical section".to_owned(),
            "deliver" => format!(
                "delivers {process}'s multicast of {time}{}",
                quoted(self.text)
            ),
            "local" => format!("local event{}", quoted(self.text)),
            _ => return None,
        })
    }

    /// What is sent or received, and to or from whom.
    fn communication(&self) -> String {
        let what = match self.what() {
            what if what.is_empty() => "a message".to_owned(),
            what => what,
        };
        match (self.kind, self.peer) {
            (Kind::Send, "") => format!("sends {what} to all"),
            (Kind::Send, peer) => format!("sends {what} to {peer}"),
            (_, peer) => {
                let from = with(&format!("receives {what} from"), peer);
                match self.anomaly {
                    "" => from,
                    anomaly => format!("{from}, {anomaly}"),
                }
            }
        }
    }

    fn what(&self) -> String {
        let name = [self.message_type, self.name]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or_default();
        match (self.text, name, self.value) {
            ("", name, "") => name.to_owned(),
            ("", "", value) => value.to_owned(),
            ("", name, value) => format!("{name}: {value}"),
            (text, name, _) => format!("{name}{}", quoted(text)).trim_start().to_owned(),
        }
    }
}
