//! The shapes of events.

use std::io::{self, Write};

use common::event::Kind;

use super::{
    labels::{self, Labels},
    plan::{MANY, Plan},
    xml::escaped,
};
use crate::trace::{
    EventId,
    computation::Computation,
    order::LogicalTime,
    words::{Fields, shortened, words},
};

/// More events than this have no names: nobody could read them.
const LABELLED: usize = 120;

/// The shape of an event.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mark {
    Send,
    Receive,
    Local,
    Lifecycle,
    Error,
}

impl Mark {
    pub(super) fn of(role: Kind) -> Self {
        match role {
            Kind::Send => Self::Send,
            Kind::Receive => Self::Receive,
            Kind::Error => Self::Error,
            Kind::Local | Kind::Resolve | Kind::Register => Self::Local,
            // Events of connections and of the program's lifecycle.
            _ => Self::Lifecycle,
        }
    }

    pub(super) fn write(self, out: &mut dyn Write, x: f64, y: f64) -> io::Result<()> {
        match self {
            Self::Send => write!(
                out,
                r#"<path class="send" d="M{:.1} {:.1} l10 5 l-10 5z"/>"#,
                x - 4.0,
                y - 5.0
            ),
            Self::Receive => write!(
                out,
                r#"<circle class="receive" cx="{x:.1}" cy="{y:.1}" r="4.4"/>"#
            ),
            Self::Local => write!(
                out,
                r#"<rect class="local" x="{:.1}" y="{:.1}" width="8" height="8"/>"#,
                x - 4.0,
                y - 4.0
            ),
            Self::Lifecycle => write!(
                out,
                r#"<rect class="begin" x="{:.1}" y="{:.1}" width="5" height="9"/>"#,
                x - 2.5,
                y - 4.5
            ),
            Self::Error => write!(
                out,
                r#"<path class="error" d="M{:.1} {:.1} l8 8 m0 -8 l-8 8"/>"#,
                x - 4.0,
                y - 4.0
            ),
        }
    }
}

/// The event in words, with its number and its logical time.
pub(super) fn title(computation: &Computation, id: EventId) -> String {
    let name = &computation.trace.process_of(id).name;
    let title = format!("{name} {}", words(&computation.trace, id));
    let time = match computation.order.shown_time(&computation.trace, id) {
        None => String::new(),
        Some(LogicalTime::Carried(time)) => format!(", Lamport time {time}"),
        Some(LogicalTime::Computed(time)) => format!(", computed Lamport time {time}"),
    };
    let number = computation.order.rank[id];
    format!("event {number}{time}: {}", shortened(&title, 200))
}

impl Plan<'_> {
    pub(super) fn marks(&self, out: &mut dyn Write) -> io::Result<()> {
        // The bar of the critical section begins at the entry. A stop has the Lamport time of the event before, which is above it.
        let shown = self.events().iter().filter(|id| !self.is_entry(**id));
        let (below, above): (Vec<EventId>, Vec<EventId>) =
            shown.partition(|id| self.mark(**id) == Mark::Lifecycle);
        for id in below.iter().chain(&above) {
            let Some(y) = self.y(*id) else { continue };
            let title = title(self.picture.computation, *id);
            write!(out, "<g>")?;
            self.mark(*id).write(out, self.x(*id), y)?;
            writeln!(out, "<title>{}</title></g>", escaped(&title))?;
        }
        Ok(())
    }

    /// Places what a local event is to a look-up, where there is room: above its mark, or below it.
    pub(super) fn look_ups(&self, labels: &mut Labels) {
        if self.events().len() > LABELLED || self.lanes.len() > MANY {
            return;
        }
        for id in self.events() {
            let Some(y) = self.y(*id).filter(|_| self.mark(*id) == Mark::Local) else {
                continue;
            };
            let fields = Fields::of(&self.picture.computation.trace, *id);
            let get = |name| fields.get(name).unwrap_or_default();
            let name = match (get("meaning"), get("value")) {
                ("look-up", _) => "looks up".to_owned(),
                ("found", "") => "finds nothing".to_owned(),
                ("found", value) => format!("finds {value}"),
                ("insert", _) => "inserts".to_owned(),
                ("store", value) => format!("stores {value}"),
                ("delete", _) => "deletes".to_owned(),
                ("join", _) => "joins".to_owned(),
                _ => continue,
            };
            let name = shortened(&name, 22);
            let (x, width) = (self.x(*id), labels::width(&name));
            let sides = [x - width / 2.0, x - 4.0, x - width + 4.0];
            let above = sides.map(|x| (x, y - 8.0));
            let below = sides.map(|x| (x, y + 17.0));
            labels.place(&name, above.into_iter().chain(below));
        }
    }

    pub(super) fn mark(&self, id: EventId) -> Mark {
        Mark::of(self.picture.computation.role(id))
    }
}
