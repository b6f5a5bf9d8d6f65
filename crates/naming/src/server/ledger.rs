//! The serials of the zones: which is next, and where the last is kept.
//!
//! | names from | the last serial is kept |
//! | --- | --- |
//! | a store | in the store, with the names |
//! | a names file | in a file beside it ([`crate::marks`]) |
//! | neither | nowhere: a serial is the time in milliseconds, and moves no faster than time does |

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use common::{exit::Failure, journal::Journal, text::visible};

use super::{events::warning, source::Keeper};
use crate::{
    dns::{
        difference::{Differences, next_serial},
        mark::{Content, KeptMarks, Mark, Marks},
        owner::Zones,
        publish::next_serials,
        zone::Zone,
    },
    name::Place,
    space::Space,
    store::{Signed, Store},
};

/// How far a serial may be ahead of the time to be waited for, in milliseconds: more means that a clock was set back.
const AHEAD: u32 = 50;

/// The serials, and where they are kept.
#[derive(Debug)]
pub(super) struct Ledger<'s> {
    marks: Marks,
    keeper: Keeper,
    journal: &'s Journal,
    /// The error that was logged last, while it lasts.
    failing: Option<String>,
}

impl<'s> Ledger<'s> {
    /// Compares zones with the marks that are kept, and gives each its serial. A new store is filled with the names, and a filled
    /// one keeps those of `new`.
    ///
    /// # Errors
    /// When the marks of a store cannot be read or written (exit code 2).
    pub(super) fn open(
        mut keeper: Keeper,
        space: &Space,
        zone: &Zone,
        new: BTreeSet<Place>,
        journal: &'s Journal,
    ) -> Result<Self, Failure> {
        let mut ledger = Self {
            marks: Marks::default(),
            keeper: Keeper::Clock,
            journal,
            failing: None,
        };
        let kept = match &keeper {
            Keeper::Store(store) => store.marks()?,
            Keeper::Beside(file) => file.read().unwrap_or_else(|failure| {
                journal.record(warning(&failure));
                KeptMarks::new()
            }),
            Keeper::Clock => KeptMarks::new(),
        };
        let now = serial_of_clock();
        let contents = match keeper {
            Keeper::Clock => Default::default(),
            _ => Content::of(zone),
        };
        let zones = zone.zones.all();
        ledger.marks = std::array::from_fn(|index| match kept.get(zones[index]) {
            Some(mark) => mark.now(contents[index]),
            None => Mark {
                serial: now,
                content: contents[index],
            },
        });
        let same = |index: usize| kept.get(zones[index]) == Some(&ledger.marks[index]);
        if !(0..zones.len()).all(same) || !new.is_empty() {
            match &mut keeper {
                Keeper::Store(store) => {
                    let new = match store.is_filled()? {
                        true => new,
                        false => space.own_places(),
                    };
                    store.keep(space, &new, &zone.zones, &ledger.marks, &[])?;
                }
                Keeper::Beside(file) => {
                    let written = file.write(&zone.zones, &ledger.marks);
                    if let Err(failure) = written.and_then(|()| file.sync()) {
                        journal.record(warning(format!(
                            "{failure}; without it, the serials follow the time"
                        )));
                        keeper = Keeper::Clock;
                    }
                }
                Keeper::Clock => {}
            }
        }
        ledger.keeper = keeper;
        Ok(ledger)
    }

    /// The serials of the zones.
    pub(super) fn serials(&self) -> [u32; 3] {
        self.marks.map(|mark| mark.serial)
    }

    /// The store of the names, if there is one.
    ///
    /// # Errors
    /// The failure after which it is not open.
    pub(super) fn store(&self) -> Result<Option<&Store>, Failure> {
        match &self.keeper {
            Keeper::Store(store) => store.store().map(Some),
            _ => Ok(None),
        }
    }

    /// Whether the names are in a store.
    pub(super) fn has_store(&self) -> bool {
        matches!(self.keeper, Keeper::Store(_))
    }

    /// Keeps the names of a change, and the serials after it; returns the serials.
    ///
    /// # Errors
    /// When the store cannot be written; the names in it, and the serials, are those before the change then.
    pub(super) fn keep(
        &mut self,
        space: &Space,
        touched: &BTreeSet<Place>,
        zone: &Zone,
        differences: &Differences,
        updates: &[Signed],
    ) -> Result<[u32; 3], Failure> {
        let before = self.serials();
        let mut serials = next_serials(before, differences);
        if let Keeper::Clock = self.keeper {
            for (serial, before) in serials.iter_mut().zip(before) {
                if *serial != before {
                    *serial = after_waiting(before);
                }
            }
        }
        let marks = std::array::from_fn(|index| Mark {
            serial: serials[index],
            content: match self.keeper {
                Keeper::Clock => Content::default(),
                _ => self.marks[index]
                    .content
                    .followed(zone.ttl, &differences[index]),
            },
        });
        let kept = self.write(space, touched, &zone.zones, &marks, updates);
        self.report(kept.as_ref().err());
        match (&self.keeper, kept) {
            (Keeper::Store(_), Err(failure)) => Err(failure),
            _ => {
                self.marks = marks;
                Ok(serials)
            }
        }
    }

    fn write(
        &mut self,
        space: &Space,
        touched: &BTreeSet<Place>,
        zones: &Zones,
        marks: &Marks,
        updates: &[Signed],
    ) -> Result<(), Failure> {
        match &mut self.keeper {
            Keeper::Store(store) => store.keep(space, touched, zones, marks, updates),
            Keeper::Beside(file) if self.marks != *marks => file.write(zones, marks),
            _ => Ok(()),
        }
    }

    /// Logs when writing begins to fail, and when it no longer does.
    fn report(&mut self, failure: Option<&Failure>) {
        let text = failure.map(ToString::to_string);
        match (&text, &self.failing) {
            (Some(text), failing) if failing.as_ref() != Some(text) => {
                self.journal.record(warning(text));
            }
            (None, Some(failing)) => {
                let what = failing.split(": ").next().unwrap_or_default();
                let text = format!("{} is written again", visible(what.as_bytes()));
                let event = common::event::Event::new(common::event::Kind::Local);
                self.journal.record(event.text(text));
            }
            _ => {}
        }
        self.failing = text;
    }
}

/// The serial after this one where none is kept: the time, for which it waits where it has to.
fn after_waiting(before: u32) -> u32 {
    let next = next_serial(before);
    loop {
        let now = serial_of_clock();
        match next.wrapping_sub(now) {
            ahead @ 1..=AHEAD => thread::sleep(Duration::from_millis(ahead.into())),
            // The clock was set back.
            0..=0x8000_0000 => return next,
            _ => return now,
        }
    }
}

/// The serial of this moment: the milliseconds since 1970, modulo 2³².
pub(super) fn serial_of_clock() -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |since| since.as_millis() as u32).max(1)
}
