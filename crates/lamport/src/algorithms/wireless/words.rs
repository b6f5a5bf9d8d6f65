//! A process of a wireless network in words.

use common::process::ids::Names;

use super::{Wireless, place::listed};
use crate::algorithms::election::status;

impl Wireless {
    /// What it is, what it waits for, and its place in the tree: a line for each.
    pub(super) fn words(&self, names: &Names) -> Vec<String> {
        let neighbours = listed(&self.neighbours, names);
        let station = format!("capacity {}; neighbours: {neighbours}", self.capacity);
        let waits = self
            .election
            .as_ref()
            .map(|election| match &*election.awaited {
                [] => "takes part in an election: waits for its leader".to_owned(),
                awaited => {
                    let awaited = listed(awaited, names);
                    format!("takes part in an election: waits for {awaited}")
                }
            });
        let place = (self.term > 0).then(|| self.place.words(self.term, names));
        let status = status((self.term, self.leader), waits, &self.suspected, names);
        [station].into_iter().chain(status).chain(place).collect()
    }
}
