//! Delegations in the naming graph: a name whose subtree other servers have (a zone cut, RFC 1034 section 4.2).
//!
//! Nothing is below a delegation here, so resolution ends at it. A subtree becomes a delegation as a whole, and only when no
//! link leads across the cut that would stop working.

use common::text::visible;

use super::{
    graph::{Entry, Refusal, Space, describe},
    resolve::Node,
};
use crate::{
    delegation::Delegation,
    name::{Name, Place},
};

/// How many links an error names.
const SHOWN: usize = 8;

/// What became of a subtree that other servers have now.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HandedOver {
    /// How many names it had.
    pub names: usize,
    /// The symbolic links from outside that lead into it; they stay, and lead to the other servers.
    pub aliases: Vec<Place>,
}

impl Space {
    /// Delegates a name that does not exist, or delegates it to other servers.
    ///
    /// # Errors
    /// When the name stands for something else, has names below it, or cannot be delegated.
    pub fn delegate(&mut self, place: &Place, delegation: Delegation) -> Result<(), Refusal> {
        self.check_cut(place)?;
        match self.get(place) {
            Some(Entry::Directory(directory)) => {
                let why = format!(
                    "{}; a delegated name has them at its own server, and none here",
                    describe(directory)
                );
                return Err(Refusal::impossible(place, why));
            }
            Some(Entry::Delegation(_)) => {}
            _ => self.must_be_new(place)?,
        }
        if let Some(service) = self.services(place).first() {
            let why = format!(
                "it has the service name {}, which its own server would have",
                visible(service.as_bytes())
            );
            return Err(Refusal::impossible(place, why));
        }
        self.put(place, Some(Entry::Delegation(Box::new(delegation))))
    }

    /// Replaces a directory with everything in it, and with its service names, by a delegation. A name that does not exist is
    /// delegated.
    ///
    /// # Errors
    /// As [`Self::delegate`]; when the name is a leaf or a link; when links lead across the cut that would no longer resolve.
    /// Nothing is changed then.
    pub fn hand_over(
        &mut self,
        place: &Place,
        delegation: Delegation,
    ) -> Result<HandedOver, Refusal> {
        self.check_cut(place)?;
        let mut inside = match self.get(place) {
            Some(Entry::Directory(_)) => self.at_and_below(place),
            _ => Vec::new(),
        };
        for service in self.services(place) {
            inside.extend(self.at_and_below(&place.service(&service)));
        }
        let mut across = self.links_across(place, &inside);
        let directories = self.links_to_directories(place);
        let aliases = self.symlinks().filter(|link| match self.get(link) {
            Some(Entry::Symlink(to)) if !link.is_below(place) => {
                to.target == *place || to.target.is_below(place)
            }
            _ => false,
        });
        let handed_over = HandedOver {
            names: inside.len(),
            aliases: aliases.cloned().collect(),
        };
        self.atomically(|space| {
            for name in &inside {
                space.unregister(name)?;
            }
            space.delegate(place, delegation)?;
            for (link, target) in directories {
                let still = matches!(space.get(&link), Some(Entry::Symlink(to))
                    if matches!(space.follow(to), Some(Node::Directory(_) | Node::Delegation(_))));
                if !still {
                    across.push(format!("{link}, an alias of the directory {target}"));
                }
            }
            across_is_refused(place, &across)
        })?;
        Ok(handed_over)
    }

    /// The delegation above a place, where there is one, and its name.
    pub fn delegation_above(&self, place: &Place) -> Option<(Place, &Delegation)> {
        let Place::Structured(names) = place else {
            return None;
        };
        let mut directory = self.root();
        for (depth, name) in names.iter().enumerate() {
            let host = name.host().unwrap_or(name);
            let is_above = depth + 1 < names.len() || name.host().is_some();
            if let (Some(Entry::Delegation(delegation)), true) = (directory.get(host), is_above) {
                let mut above = names[..=depth].to_vec();
                above[depth] = Name::new(host).ok()?;
                return Some((Place::Structured(above), delegation));
            }
            match directory.get(name) {
                Some(Entry::Directory(inner)) => directory = inner,
                _ => return None,
            }
        }
        None
    }

    /// Refuses a name that cannot be delegated, whatever it stands for.
    fn check_cut(&self, place: &Place) -> Result<(), Refusal> {
        let why = match place {
            Place::Flat(_) => "a flat name, and only a structured name is delegated",
            place if place.is_apex() => "the zone itself is not delegated",
            place if place.name().as_str() == "*" => "a wildcard is not delegated (RFC 4592)",
            place if place.name().is_service() || place.name().host().is_some() => {
                "a service name is delegated with the name that it belongs to"
            }
            _ => return Ok(()),
        };
        Err(Refusal::impossible(place, why))
    }

    /// The hard links with a name on each side of the cut, and the symbolic links that lead out of it.
    fn links_across(&self, place: &Place, inside: &[Place]) -> Vec<String> {
        let mut across = Vec::new();
        for name in inside {
            match self.get(name) {
                Some(Entry::Symlink(to)) if !to.target.is_below(place) => {
                    across.push(format!("{name}, an alias of {}", to.target));
                }
                Some(entry @ Entry::Linked(_)) => {
                    let mut others = self.hard_links(entry).iter();
                    if let Some(other) = others.find(|other| !other.is_below(place)) {
                        across.push(format!("{name}, the same leaf as {other}"));
                    }
                }
                _ => {}
            }
        }
        across
    }

    /// The symbolic links outside of a subtree that lead to directories, with their targets: names are resolved through them.
    fn links_to_directories(&self, place: &Place) -> Vec<(Place, Place)> {
        let outside = self.symlinks().filter(|link| !link.is_below(place));
        let directories = outside.filter_map(|link| match self.get(link) {
            Some(Entry::Symlink(to)) => {
                let is_directory = matches!(self.follow(to), Some(Node::Directory(_)));
                is_directory.then(|| (link.clone(), to.target.clone()))
            }
            _ => None,
        });
        directories.collect()
    }
}

fn across_is_refused(place: &Place, across: &[String]) -> Result<(), Refusal> {
    if across.is_empty() {
        return Ok(());
    }
    let mut shown = across[..across.len().min(SHOWN)].join("; ");
    if across.len() > SHOWN {
        shown.push_str(&format!("; and {} more", across.len() - SHOWN));
    }
    let why = format!("links lead across the cut, and would no longer resolve: {shown}");
    Err(Refusal::impossible(place, why))
}
