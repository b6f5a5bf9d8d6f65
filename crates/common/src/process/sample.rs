//! For tests: the location scheme of the textbook that asks everybody ("who has server7?").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Command, Meaning, Message, Outbox, Process, Refusal, Stamped, TimerKind, To, Value,
    check::relevance::Relevance,
    clock::Overflow,
    ids::{Names, ProcessId},
};

/// A process that has names, and looks up others by a broadcast.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Broadcast {
    settings: Settings,
    names: BTreeMap<String, String>,
    /// The name that it looks up.
    asks: Option<String>,
}

/// The settings of all processes.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Settings {
    /// Whether a look-up ends without a value after a time.
    pub(super) gives_up: bool,
    /// Whether processes have periodic work.
    pub(super) works: bool,
}

/// The messages.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(super) enum Payload {
    /// Who has this name?
    Ask(String),
    /// The sender has this name, with this value.
    Have(String, String),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Have(..) => "have",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Ask(name) => name.clone(),
            Self::Have(name, value) => format!("{name}={value}"),
        }
    }
}

impl Process for Broadcast {
    type Message = Payload;
    type Settings = Settings;

    fn new(_: ProcessId, _: usize, settings: &Settings) -> Self {
        Self {
            settings: *settings,
            names: BTreeMap::new(),
            asks: None,
        }
    }

    fn start(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if self.settings.works {
            out.set_timer(TimerKind::Maintain);
        }
        Ok(())
    }

    fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<Payload>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        match message.content {
            Payload::Ask(name) => {
                if let Some(value) = self.names.get(&name).cloned() {
                    out.send(To::One(from), Payload::Have(name, value))?;
                }
            }
            Payload::Have(name, value) => {
                if self.asks.take_if(|asked| *asked == name).is_some() {
                    out.clear_timer(TimerKind::Timeout);
                    out.local(Meaning::Found(name, value.into()))?;
                }
            }
        }
        Ok(())
    }

    fn timer(&mut self, kind: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        match kind {
            TimerKind::Maintain => {
                out.local(Meaning::Local("round".to_owned()))?;
                out.set_timer(TimerKind::Maintain);
            }
            TimerKind::Timeout => {
                // A timer that was not cleared shows itself.
                out.local(match self.asks.take() {
                    Some(name) => Meaning::Found(name, Value::Nothing),
                    None => Meaning::Local("nothing to wait for".to_owned()),
                })?;
            }
            TimerKind::Think | TimerKind::Work => {}
        }
        Ok(())
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        match command {
            Command::Insert(name, value) => {
                out.local(Meaning::Insert(name.clone(), value.clone().into()))?;
                self.names.insert(name, value);
            }
            Command::LookUp(_) if self.asks.is_some() => {
                return Err(Refusal::Invalid("it looks up another name".to_owned()));
            }
            Command::LookUp(name) => {
                out.send_as(
                    Meaning::LookUp(name.clone()),
                    To::All,
                    Payload::Ask(name.clone()),
                )?;
                if self.settings.gives_up {
                    out.set_timer(TimerKind::Timeout);
                }
                self.asks = Some(name);
            }
            _ => return Err(Refusal::Unknown),
        }
        Ok(())
    }

    fn idle(&self) -> bool {
        self.asks.is_none()
    }

    fn queue(&self, _: &Names) -> Vec<String> {
        self.asks
            .iter()
            .map(|name| format!("looks up {name}"))
            .collect()
    }
}

impl Relevance for Broadcast {}
