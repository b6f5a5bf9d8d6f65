//! `delegate`: moves a subtree to a server of its own, while its names are looked up and changed.
//!
//! | step | where |
//! | --- | --- |
//! | the zone is transferred, with its hard links | from the parent's server |
//! | the names of the subtree are registered, under the same names in DNS | at the child's server |
//! | they are transferred and compared | from the child's server |
//! | the subtree is replaced by the delegation, provided that the zone still has its serial | at the parent's server |
//!
//! The last step is one update, so each look-up is answered by the parent, or referred to the child, which has every name by
//! then. When the zone has changed meanwhile, all steps are repeated, with what differs.

mod subtree;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary},
    journal::Journal,
    shutdown::Shutdown,
    text::plural,
};
use domain::base::iana::{Rcode, Rtype};

use self::subtree::{Plan, Subtree, plan};
use crate::{
    client::{Client, Update, refusal, transfer::Transferred},
    config::{Cli, Command},
    delegation::Delegation,
    dns::{
        owner::{Owner, Zones},
        shown,
        update::{DELEGATION, to_data},
        zone::{Records, push_record},
    },
    name::{FLAT, Path, Place},
    space::{Entry, HandedOver, Space},
    zonefile,
};

/// How often the steps are repeated when the zone has changed meanwhile.
const TRIES: u32 = 20;

/// How long to wait until a further server of the child is asked again whether it has the names.
const PAUSE: Duration = Duration::from_millis(50);

/// About how many bytes of records an update to the child has.
const UPDATE: usize = 16 << 10;

/// `delegate`.
///
/// # Errors
/// When the subtree cannot be moved as it is (exit code 1), or a server cannot be asked, or the names cannot be delegated at all
/// (exit code 2). The parent's names are unchanged then.
pub fn run(cli: &Cli, journal: &Journal, shutdown: &Shutdown) -> Result<Summary, Failure> {
    let Some(Command::Delegate {
        place,
        addresses,
        replace,
    }) = &cli.command
    else {
        return Ok(Summary::done(""));
    };
    let place = Place::at(&place.parse::<Path>()?, &cli.start()?)?;
    let wrong = |why: String| Failure::could_not_run(format!("delegate {place}"), why);
    let addresses = addresses.iter().map(String::as_str);
    let delegation = Delegation::parse(addresses).map_err(wrong)?;
    check(&place, &delegation)?;
    let zones = cli.zones()?;
    let child_zone = zones.owner(&place).map_err(wrong)?;
    let parent = Client::new(cli, journal, shutdown)?;
    let port = parent.server().port();
    let children = delegation.addresses().iter();
    let children = children.map(|address| {
        let server = SocketAddr::new(*address, port);
        if server == parent.server() {
            return Err(wrong(format!("{server} is the server that has the names")));
        }
        let mut child = Client::of(vec![server], parent.timeout, shutdown);
        (child.key, child.journal) = (parent.key.clone(), Some(journal));
        Ok(child)
    });
    let moving = Move {
        children: children.collect::<Result<_, _>>()?,
        child_zones: Zones::new(&child_zone.to_string())
            .map_err(|why| wrong(format!("zone {child_zone}: {why}")))?,
        parent,
        zones: &zones,
        place,
        child_zone,
        delegation,
        replace: *replace,
        registered: BTreeSet::new(),
        shutdown,
    };
    moving.run(journal)
}

/// Refuses what no server could delegate.
fn check(place: &Place, delegation: &Delegation) -> Result<(), Failure> {
    let of_flat = match place {
        Place::Structured(names) => names[0].as_str() == FLAT,
        Place::Flat(_) => true,
    };
    let possible = match of_flat {
        true => Err("it has the flat names, which are not delegated".to_owned()),
        false => Space::default()
            .delegate(place, delegation.clone())
            .map_err(|refusal| refusal.why),
    };
    possible.map_err(|why| Failure::could_not_run(format!("delegate {place}"), why))
}

/// A subtree on its way.
struct Move<'c> {
    parent: Client<'c>,
    /// The child's servers: the first one registers the names.
    children: Vec<Client<'c>>,
    zones: &'c Zones,
    child_zones: Zones,
    place: Place,
    /// The domain name of the place, and the child's zone.
    child_zone: Owner,
    delegation: Delegation,
    /// Whether names that the child has otherwise are replaced.
    replace: bool,
    /// What this run has registered at the child.
    registered: BTreeSet<Place>,
    shutdown: &'c Shutdown,
}

/// How a try ended.
enum Tried {
    Moved(HandedOver),
    Already,
    /// The zone has changed meanwhile.
    Changed,
}

impl Move<'_> {
    fn run(mut self, journal: &Journal) -> Result<Summary, Failure> {
        for _ in 0..TRIES {
            match self.attempt()? {
                Tried::Changed => {}
                Tried::Already => {
                    let text = format!("{} is {} already", self.place, self.delegation);
                    journal.record(self.event(text));
                    return Ok(Summary::done("0 names moved").count("names", 0));
                }
                Tried::Moved(moved) => {
                    for alias in &moved.aliases {
                        let text = format!("{alias} stays, and leads to the new server");
                        journal.record(Event::new(Kind::Report).text(text));
                    }
                    let names = moved.names as u64;
                    let moved = format!("{} moved", plural(names, "name"));
                    let text = format!("{} is {}: {moved}", self.place, self.delegation);
                    journal.record(self.event(text));
                    return Ok(Summary::done(moved).count("names", names));
                }
            }
        }
        let why = format!("the zone changed during each of {TRIES} tries");
        Err(self.unchanged(Failure::no(&self.place, why)))
    }

    fn event(&self, text: String) -> Event {
        Event {
            name: Some(self.place.to_string()),
            value: Some(self.delegation.to_string()),
            ..Event::new(Kind::Register).text(text)
        }
    }

    fn attempt(&mut self) -> Result<Tried, Failure> {
        let from = self.parent.transfer(&self.zones.names)?;
        match self.prepare(&from) {
            Ok(Some(handed_over)) => Ok(match self.cut(&from)? {
                true => Tried::Moved(handed_over),
                false => Tried::Changed,
            }),
            Ok(None) => Ok(Tried::Already),
            Err(failure) => Err(self.unchanged(failure)),
        }
    }

    /// Has the child, and its further servers, get the names; None when the subtree is delegated to them already.
    fn prepare(&mut self, from: &Transferred) -> Result<Option<HandedOver>, Failure> {
        let (mut space, left_out) = space(from, self.zones);
        if let Some(why) = left_out.first() {
            let what = format!("server {}", self.parent.server());
            return Err(Failure::could_not_run(what, why));
        }
        if let Some(Entry::Delegation(before)) = space.get(&self.place) {
            return match before.addresses() == self.delegation.addresses() {
                true => Ok(None),
                false => Err(Failure::no(&self.place, before)),
            };
        }
        let names = space.meanings().into_iter();
        let names = names.filter(|(place, _)| place.is_below(&self.place));
        let mut subtree = Subtree::of(names, self.zones, &self.child_zones, from.soa.ttl)?;
        // What the parent will do is tried here, so that links across the cut are found before anything is changed.
        let handed_over = space.hand_over(&self.place, self.delegation.clone())?;
        self.register(&mut subtree)?;
        self.wait_for_others()?;
        Ok(Some(handed_over))
    }

    /// Has the child register what it lacks of the subtree, and compares what it has then.
    fn register(&mut self, subtree: &mut Subtree) -> Result<(), Failure> {
        let child = &self.children[0];
        let Plan { remove, add, other } = self.plan(subtree)?;
        if let (Some(place), false) = (other.first(), self.replace) {
            let count = other.len() as u64;
            let why = format!(
                "{} has other values for {}, {place} first; --replace replaces them",
                child.server(),
                plural(count, "name")
            );
            return Err(Failure::no(&self.place, why));
        }
        if remove.is_empty() && add.is_empty() {
            return Ok(());
        }
        self.registered
            .extend(add.iter().chain(&remove).chain(&other).cloned());
        let mut update = Update::of(&self.child_zone);
        for place in remove.iter().chain(&other) {
            update = update.delete(&self.at_child(place)?);
        }
        for (owner, record) in subtree.records(&add, &self.child_zones)? {
            if update.size() > UPDATE {
                let whole = std::mem::replace(&mut update, Update::of(&self.child_zone));
                self.update_child(&whole)?;
            }
            update = update.add(&owner, Records(&record), subtree.child_ttl);
        }
        self.update_child(&update)?;
        let Plan { remove, add, other } = self.plan(subtree)?;
        let mut differing = remove.iter().chain(&add).chain(&other);
        match differing.next() {
            None => Ok(()),
            Some(place) => {
                let why = format!(
                    "{} does not have {place} as it was registered",
                    self.children[0].server()
                );
                Err(Failure::no(&self.place, why))
            }
        }
    }

    /// What differs between the subtree and the names of the child.
    fn plan(&self, subtree: &mut Subtree) -> Result<Plan, Failure> {
        let at_child = self.children[0].transfer(&self.child_zone)?;
        subtree.child_ttl = at_child.soa.ttl;
        // Names of the child that no name space can hold are its own.
        let (space, _) = space(&at_child, &self.child_zones);
        Ok(plan(subtree, &space, &self.registered))
    }

    fn at_child(&self, place: &Place) -> Result<Owner, Failure> {
        let owner = self.child_zones.owner(place);
        owner.map_err(|why| Failure::no(place, why))
    }

    fn update_child(&self, update: &Update) -> Result<(), Failure> {
        let child = &self.children[0];
        match child.update(update)? {
            Rcode::NOERROR => Ok(()),
            rcode => Err(refusal(rcode, &self.place, child.server())),
        }
    }

    /// Waits until the further servers of the child have its zone with the serial of the first one.
    fn wait_for_others(&self) -> Result<(), Failure> {
        let Some((first, others)) = self.children.split_first() else {
            return Ok(());
        };
        if others.is_empty() {
            return Ok(());
        }
        let serial = self.serial(first)?;
        for other in others {
            let until = Instant::now() + other.timeout;
            while self.serial(other)? != serial {
                if Instant::now() > until || self.shutdown.sleep(PAUSE) {
                    let why = format!(
                        "{} does not have the names that {} has",
                        other.server(),
                        first.server()
                    );
                    return Err(Failure::no(&self.place, why));
                }
            }
        }
        Ok(())
    }

    /// The SOA record of the child's zone at this server.
    fn serial(&self, server: &Client<'_>) -> Result<Vec<u8>, Failure> {
        let answer = server.ask(&self.child_zone, Rtype::SOA)?;
        let records = shown::answers(&answer.message);
        let soa = records.iter().find(|record| record.rtype() == Rtype::SOA);
        let soa = soa.ok_or_else(|| {
            let why = format!("it has no zone {}", self.child_zone);
            Failure::could_not_run(format!("server {}", server.server()), why)
        })?;
        Ok(soa.data().to_string().into_bytes())
    }

    /// Has the parent replace the subtree; false when its zone has changed.
    fn cut(&self, from: &Transferred) -> Result<bool, Failure> {
        let mut record = Vec::new();
        push_record(&mut record, DELEGATION, &to_data(&self.delegation));
        let update = Update::of(&self.zones.names)
            .when_it_has(&self.zones.names, Rtype::SOA, &from.soa.data)
            .add(&self.child_zone, Records(&record), from.soa.ttl);
        let server = self.parent.server();
        match self.parent.update(&update) {
            Ok(Rcode::NXRRSET) => Ok(false),
            Ok(Rcode::NOERROR) => match self.is_cut() {
                Ok(false) => {
                    let why = format!("{server} does not refer to the new server");
                    Err(self.unchanged(Failure::no(&self.place, why)))
                }
                // It is acknowledged.
                _ => Ok(true),
            },
            Ok(rcode) => Err(self.unchanged(refusal(rcode, &self.place, server))),
            // The answer was lost.
            Err(failure) => match self.is_cut() {
                Ok(true) => Ok(true),
                Ok(false) => Err(self.unchanged(failure)),
                Err(_) => Err(Failure {
                    why: format!("{}; it may have moved the names", failure.why),
                    ..failure
                }),
            },
        }
    }

    /// Whether the parent refers to the child, with every address.
    fn is_cut(&self) -> Result<bool, Failure> {
        let answer = self.parent.ask(&self.child_zone, Rtype::NS)?;
        Ok(
            shown::referral(&answer.message).is_some_and(|(cut, mut servers)| {
                servers.sort_unstable();
                cut == self.child_zone && servers == self.delegation.addresses()
            }),
        )
    }

    /// The failure of a step that has changed nothing at the parent.
    fn unchanged(&self, failure: Failure) -> Failure {
        let server = self.parent.server();
        Failure {
            why: format!("{}; {server} has all names as before", failure.why),
            ..failure
        }
    }
}

/// The names of a transferred zone, and what no name space can hold of it.
fn space(zone: &Transferred, zones: &Zones) -> (Space, Vec<String>) {
    let records = zone.records.iter();
    let records = records.map(|record| {
        (
            &record.owner,
            record.rtype,
            record.ttl,
            record.data.as_slice(),
        )
    });
    zonefile::of_records(records, zones, zone.soa.ttl)
}
