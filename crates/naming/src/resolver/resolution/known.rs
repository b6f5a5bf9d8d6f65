//! What a resolution takes from the cache: an answer, an alias, or the closest zone.

use std::time::Duration;

use domain::base::iana::{Rcode, Rtype};

use super::{
    super::{
        cache::{Cache, Delegation, Found},
        goal::{Goal, Known},
        interface::{Answer, Outcome, World},
        note::Note,
        servers::Servers,
    },
    Resolution, Step,
};
use crate::dns::owner::Owner;

impl Resolution {
    /// What the cache alone answers, without a query.
    pub fn cached(name: &Owner, rtype: Rtype, cache: &mut Cache, now: Duration) -> Option<Answer> {
        let mut goal = Goal::new(name.clone(), rtype);
        loop {
            match goal.known(cache, now) {
                Known::Nothing => return None,
                Known::Alias(alias) => goal.follow(alias).ok()?,
                Known::MadeAlias(dname) => {
                    goal.follow(dname).ok()?;
                    return Some(goal.answer(Rcode::NOERROR, Vec::new(), None));
                }
                Known::LongAlias(dname) => return Some(goal.too_long(dname)),
                Known::End(rcode, sets, soa) => return Some(goal.answer(rcode, sets, soa)),
            }
        }
    }

    /// What the cache says about the goal.
    pub(super) fn ask_cache(&mut self, world: &mut World<'_>) -> Option<Step> {
        let known = self.goal().known(world.cache, world.now);
        let (name, rtype) = (self.goal().name.clone(), self.goal().rtype);
        let note = |found| Note::Known { name, rtype, found };
        let goal = self.goal();
        let ended = match known {
            Known::Nothing => return None,
            Known::Alias(alias) => {
                let followed = goal.follow(alias.clone());
                self.note(note(Ok(alias)));
                return Some(match followed {
                    Ok(()) => Step::Again,
                    Err(no_end) => Step::End(Outcome::Failed(self.circle(no_end))),
                });
            }
            Known::MadeAlias(dname) => {
                let followed = goal.follow(dname.clone());
                let ended = goal.clone();
                self.note(note(Ok(dname)));
                if let Err(no_end) = followed {
                    return Some(Step::End(Outcome::Failed(self.circle(no_end))));
                }
                ended.answer(Rcode::NOERROR, Vec::new(), None)
            }
            Known::LongAlias(dname) => {
                let ended = goal.clone().too_long(dname.clone());
                self.note(note(Ok(dname)));
                ended
            }
            Known::End(rcode, sets, soa) => {
                let found = match (sets.first(), &soa) {
                    (Some(set), _) => Some(Ok(set.clone())),
                    (None, Some(soa)) => Some(Err((rcode, soa.clone()))),
                    (None, None) => None,
                };
                let ended = goal.clone().answer(rcode, sets, soa);
                if let Some(found) = found {
                    self.note(note(found));
                }
                ended
            }
        };
        Some(Step::End(Outcome::Answer(ended)))
    }

    /// Chooses the closest zone to the name whose servers are known.
    pub(super) fn closest(&mut self, world: &mut World<'_>) {
        let name = self.goal().zone_of();
        match world.cache.delegation(&name, world.now) {
            Some((delegation, left)) => {
                self.ask_servers_of(delegation, true, world);
                self.note_closest(name, Some(left));
            }
            None => {
                self.goal().servers = Some(Servers::root(self.roots.addresses()));
                self.note_closest(name, None);
            }
        }
    }

    fn note_closest(&mut self, name: Owner, left: Option<u32>) {
        let Some(servers) = self.servers() else {
            return;
        };
        let note = Note::Closest {
            name,
            zone: servers.zone.clone(),
            servers: servers.words(),
            left,
        };
        self.note(note);
    }

    pub(super) fn ask_servers_of(
        &mut self,
        delegation: Delegation,
        cached: bool,
        world: &mut World<'_>,
    ) {
        let now = world.now;
        let cache = &mut *world.cache;
        let known = |name: &Owner, rtype| match cache.get(name, rtype, now) {
            Some(Found::Records(set)) => set.addresses().collect(),
            _ => Vec::new(),
        };
        let servers = Servers::of(delegation, self.roots.port(), cached, known);
        self.goal().servers = Some(servers);
    }
}
