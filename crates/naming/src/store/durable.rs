//! A store that outlives a failure that passes, such as a full disk.
//!
//! After a failed write, redb refuses everything. So the file is closed, and opened again for a later change: its integrity
//! is checked, its names are compared with those that were acknowledged, and what differs is written anew.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use common::exit::Failure;

use super::{file::Store, signed::Signed};
use crate::{
    dns::{
        mark::{KeptMarks, Marks},
        owner::Zones,
    },
    name::Place,
    space::Space,
};

/// The least time between two tries to open the file again: a try reads all of it.
const RETRY: Duration = Duration::from_millis(500);

/// The store of a server.
#[derive(Debug)]
pub struct DurableNames {
    path: PathBuf,
    state: State,
    /// Places that a failed write has left in an unknown state.
    unsettled: BTreeSet<Place>,
}

#[derive(Debug)]
enum State {
    Open(Store),
    Failed(Failure, Instant),
}

impl DurableNames {
    /// Takes over an open store.
    pub fn new(path: &Path, store: Store) -> Self {
        Self {
            path: path.into(),
            state: State::Open(store),
            unsettled: BTreeSet::new(),
        }
    }

    /// The store, to read from.
    ///
    /// # Errors
    /// The failure after which it is not open.
    pub fn store(&self) -> Result<&Store, Failure> {
        match &self.state {
            State::Open(store) => Ok(store),
            State::Failed(failure, _) => Err(failure.clone()),
        }
    }

    /// The marks that it keeps.
    ///
    /// # Errors
    /// As [`Store::marks`].
    pub fn marks(&self) -> Result<KeptMarks, Failure> {
        self.store()?.marks()
    }

    /// Whether names were stored in it.
    ///
    /// # Errors
    /// As [`Store::is_filled`].
    pub fn is_filled(&self) -> Result<bool, Failure> {
        self.store()?.is_filled()
    }

    /// As [`Store::keep`]. After a failure the file is opened again, and brought up to date with `space`.
    ///
    /// # Errors
    /// When it cannot be written, or still not opened; a later call tries again.
    pub fn keep(
        &mut self,
        space: &Space,
        touched: &BTreeSet<Place>,
        zones: &Zones,
        marks: &Marks,
        updates: &[Signed],
    ) -> Result<(), Failure> {
        let opened = self.reopen(space, touched);
        let kept = opened.and_then(|(unsettled, store)| {
            if unsettled.is_empty() {
                return store.keep(space, touched, zones, marks, updates);
            }
            let all = unsettled.union(touched).cloned().collect();
            store.keep(space, &all, zones, marks, updates)
        });
        match kept {
            Ok(()) => self.unsettled.clear(),
            Err(failure) => {
                if let State::Open(_) = self.state {
                    self.unsettled.extend(touched.iter().cloned());
                    self.state = State::Failed(failure.clone(), Instant::now());
                }
                return Err(failure);
            }
        }
        Ok(())
    }

    /// The open store, and what has to be written anew.
    fn reopen(
        &mut self,
        space: &Space,
        touched: &BTreeSet<Place>,
    ) -> Result<(&BTreeSet<Place>, &Store), Failure> {
        if let State::Failed(failure, at) = &mut self.state {
            if at.elapsed() < RETRY {
                return Err(failure.clone());
            }
            let opened = Store::reopen(&self.path).and_then(|store| {
                let differing = store.differing(space)?;
                Ok((store, differing))
            });
            match opened {
                Ok((store, differing)) => {
                    // What is to be changed now differs in any case.
                    let differing = differing.into_iter();
                    self.unsettled
                        .extend(differing.filter(|place| !touched.contains(place)));
                    self.state = State::Open(store);
                }
                Err(why) => {
                    (*failure, *at) = (why.clone(), Instant::now());
                    return Err(why);
                }
            }
        }
        Ok((&self.unsettled, self.store()?))
    }
}
