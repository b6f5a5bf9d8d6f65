//! The registrar, the only thread that changes names: it makes updates one after the other, stores them, publishes the
//! zones, and only then acknowledges the updates.
//!
//! The updates that wait are committed as a group (group commit): they share one write to the disk.

use std::{collections::BTreeSet, convert::Infallible};

use common::{
    event::{Event, Kind},
    exit::Failure,
    journal::Journal,
    rate_limit::RateLimit,
    text::{plural, visible_path},
};
use crossbeam::{
    channel::{Receiver, Sender},
    select,
};
use domain::base::iana::Rcode;

use super::{
    context::{Counts, Settings},
    events::{registered, warning, with_length},
    job::{Job, ReplyTo, UpdateJob, WithHardLinks},
    ledger::Ledger,
    snapshot::ZoneSnapshot,
    source::Reload,
};
use crate::{
    dns::{
        difference::{Differences, between},
        history::Change,
        owner::LONGEST,
        publish::{follow, number, publish},
        replay::{ReplayCache, Seen},
        reply,
        request::Request,
        shown, tsig,
        update::{Refused, Update},
        zone::Zone,
    },
    space::Space,
    store::Signed,
};

/// How many updates a group has at most.
const GROUP: usize = 1000;

/// What becomes of an update.
enum Outcome {
    New(Result<(), Refused>),
    /// It was made or refused before, and is only answered again.
    Again,
    /// Its message was sent by another client before, or is too old.
    Replay,
}

/// The names, the zones that were made of them, and where both come from.
#[derive(Debug)]
pub(super) struct NamesOf<'s> {
    pub(super) space: Space,
    pub(super) zone: Zone,
    pub(super) ledger: Ledger<'s>,
    pub(super) reload: Option<Reload>,
}

/// The owner of the names.
#[derive(Debug)]
pub(super) struct Registrar<'s> {
    space: Space,
    zone: Zone,
    ledger: Ledger<'s>,
    reload: Option<Reload>,
    settings: &'s Settings,
    snapshot: &'s ZoneSnapshot,
    /// Signals a change to the thread that notifies the secondaries.
    changed: Sender<()>,
    replay_cache: ReplayCache,
    counts: &'s Counts,
    journal: &'s Journal,
    log_limit: RateLimit,
}

impl<'s> Registrar<'s> {
    pub(super) fn new(
        names: NamesOf<'s>,
        settings: &'s Settings,
        snapshot: &'s ZoneSnapshot,
        changed: Sender<()>,
        counts: &'s Counts,
        journal: &'s Journal,
    ) -> Result<Self, Failure> {
        let NamesOf {
            mut space,
            zone,
            ledger,
            reload,
        } = names;
        let replay_cache = match ledger.store()? {
            Some(store) => ReplayCache::restored(store.signed()?, tsig::now()),
            None => ReplayCache::default(),
        };
        space.begin();
        space.limit(LONGEST - settings.dns.zones.names.as_slice().len());
        Ok(Self {
            space,
            zone,
            ledger,
            reload,
            settings,
            snapshot,
            changed,
            replay_cache,
            counts,
            journal,
            log_limit: RateLimit::new("updates were refused"),
        })
    }

    /// Runs until no thread is left that could send an update, and no job waits.
    pub(super) fn run(mut self, jobs: &Receiver<Job>, ended: &Receiver<Infallible>) {
        loop {
            let job = select! {
                recv(jobs) -> job => job.ok(),
                recv(ended) -> _ => jobs.try_recv().ok(),
            };
            let Some(job) = job else { break };
            let mut group = vec![job];
            group.extend(jobs.try_iter().take(GROUP - 1));
            let mut updates = Vec::with_capacity(group.len());
            for job in group {
                match job {
                    Job::Update(update) => {
                        if !updates.is_empty() && self.depends_on_serial(&update) {
                            self.make(std::mem::take(&mut updates));
                        }
                        updates.push(*update);
                    }
                    Job::Reload => {
                        self.make(std::mem::take(&mut updates));
                        self.reload();
                    }
                    Job::HardLinks(to) => {
                        self.make(std::mem::take(&mut updates));
                        // The connection may be closed.
                        let _ = to.try_send(self.with_hard_links());
                    }
                }
            }
            self.make(updates);
            self.log_limit.go_on(self.journal);
        }
        self.log_limit.finish(self.journal);
    }

    fn with_hard_links(&self) -> WithHardLinks {
        let zones = &self.zone.zones;
        let pairs = self.space.hard_linked().flat_map(|names| {
            let (first, others) = names.split_first().expect("at least two names");
            others.iter().map(move |other| (other, first))
        });
        // What is published has a name in DNS.
        let owners = pairs
            .filter_map(|(name, first)| Some((zones.owner(name).ok()?, zones.owner(first).ok()?)));
        WithHardLinks {
            zone: self.zone.clone(),
            links: owners.collect(),
        }
    }

    /// Makes a group of updates, each whole or not at all, and answers them.
    fn make(&mut self, updates: Vec<UpdateJob>) {
        let now = tsig::now();
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(updates.len());
        for update in &updates {
            let savepoint = self.space.savepoint();
            let outcome = match self.seen(update, now) {
                Seen::New => self.apply(update),
                Seen::Before(_) => {
                    outcomes.push(Outcome::Again);
                    continue;
                }
                Seen::Replay => {
                    outcomes.push(Outcome::Replay);
                    continue;
                }
            };
            if outcome.is_err() {
                self.space.rollback(savepoint);
            }
            outcomes.push(Outcome::New(outcome));
        }
        let signed = signed(&updates, &outcomes, now);
        if let Err(refused) = self.commit(&signed) {
            self.space.rollback(0);
            for outcome in &mut outcomes {
                if let Outcome::New(outcome @ Ok(())) = outcome {
                    *outcome = Err(refused.clone());
                }
            }
        }
        for (update, outcome) in updates.into_iter().zip(outcomes) {
            self.answer(update, outcome, now);
        }
    }

    /// What is known of an update; one without a signature is always new.
    fn seen(&mut self, update: &UpdateJob, now: u64) -> Seen {
        update.signed.as_ref().map_or(Seen::New, |(_, identity)| {
            self.replay_cache.seen(identity, update.peer, now)
        })
    }

    /// Whether an update has the serial of the zone as a prerequisite, which follows from the updates before it.
    fn depends_on_serial(&self, update: &UpdateJob) -> bool {
        let prerequisites = update
            .message
            .get(6..8)
            .is_some_and(|count| count != [0, 0]);
        prerequisites
            && Update::parse(&update.message, &self.zone.zones)
                .is_ok_and(|update| update.depends_on_serial())
    }

    fn apply(&mut self, update: &UpdateJob) -> Result<(), Refused> {
        Update::parse(&update.message, &self.zone.zones)?.apply(&mut self.space, &self.zone)
    }

    /// Stores the changes of the group, and publishes the zones when they differ from those before.
    ///
    /// # Errors
    /// The answer to the updates; the zones are unchanged then.
    fn commit(&mut self, signed: &[Signed]) -> Result<(), Refused> {
        let failed = |_| Refused {
            rcode: Rcode::SERVFAIL,
            why: "it could not be stored".into(),
        };
        let touched = self.space.touched();
        if touched.is_empty() {
            // What was refused must not be made when its message is replayed after a restart.
            if self.ledger.has_store() && !signed.is_empty() {
                let nothing = Differences::default();
                let (space, zone) = (&self.space, &self.zone);
                let kept = self.ledger.keep(space, &touched, zone, &nothing, signed);
                kept.map_err(failed)?;
            }
            return Ok(());
        }
        // It is not refused: every place was checked before its change was made.
        let before = follow(&mut self.zone, &self.space, &touched, &self.settings.dns);
        let before = before.map_err(|refusal| Refused {
            rcode: Rcode::REFUSED,
            why: refusal.to_string(),
        })?;
        let differences = before.differences(&self.zone);
        let (space, zone) = (&self.space, &self.zone);
        match self
            .ledger
            .keep(space, &touched, zone, &differences, signed)
        {
            Ok(serials) => self.publish(serials, differences),
            Err(failure) => {
                before.restore(&mut self.zone);
                return Err(failed(failure));
            }
        }
        self.space.commit();
        for place in &touched {
            self.journal.record(registered(&self.space, place));
        }
        Ok(())
    }

    /// Publishes the zones with these serials, unless these are the ones they have.
    fn publish(&mut self, serials: [u32; 3], differences: Differences) {
        if serials == self.zone.serials {
            return;
        }
        for (index, difference) in differences.into_iter().enumerate() {
            let (from, to) = (self.zone.serials[index], serials[index]);
            if from != to {
                self.zone.histories[index].push(Change {
                    from,
                    to,
                    difference,
                });
            }
        }
        number(&mut self.zone, &self.space, serials, &self.settings.dns);
        self.snapshot.publish(self.zone.clone());
        // One signal is enough for several changes.
        let _ = self.changed.try_send(());
    }

    fn answer(&mut self, update: UpdateJob, outcome: Outcome, now: u64) {
        let (peer, mut signed) = (update.peer, update.signed);
        let mut refused = |why: &str, rcode| {
            self.counts.add(|counts| &counts.refused, 1);
            if self.log_limit.one_more() {
                let rcode = shown::rcode(rcode);
                let text = format!("update from {peer} refused: {rcode}: {why}");
                self.journal.record(warning(text).peer(peer));
            }
        };
        let identity = signed.as_ref().map(|(_, identity)| identity);
        let (rcode, answered_at) = match outcome {
            Outcome::New(outcome) => {
                let rcode = match outcome {
                    Ok(()) => {
                        self.counts.add(|counts| &counts.updates, 1);
                        Rcode::NOERROR
                    }
                    Err(no) => {
                        refused(&no.why, no.rcode);
                        no.rcode
                    }
                };
                if let Some(identity) = identity {
                    let answered = (rcode.to_int(), now);
                    self.replay_cache.answered(identity, answered);
                }
                (rcode, now)
            }
            // The client did not get the first answer.
            Outcome::Again => match identity.and_then(|known| self.replay_cache.answer(known)) {
                Some((code, answered_at)) => (Rcode::masked_from_int(code), answered_at),
                None => return,
            },
            Outcome::Replay => {
                let why = "a replay: the same signed message was received before";
                refused(why, Rcode::NOTAUTH);
                (Rcode::NOTAUTH, now)
            }
        };
        if let Some((signer, _)) = &mut signed {
            signer.at(answered_at);
        }
        let Some(request) = Request::read(&update.message, update.reply_to.transport()) else {
            return;
        };
        let (mut reply, signer) = (Vec::new(), signed.as_mut().map(|(signer, _)| signer));
        reply::code(&request, rcode, signer, &mut reply);
        let sent = Event::new(Kind::Send).peer(peer).message(update.answer);
        let text = format!("answer to the update: {}", shown::rcode(rcode));
        self.journal.record(with_length(sent.text(text), &reply));
        match update.reply_to {
            // It may be lost, as any datagram; the client sends the update again.
            ReplyTo::Udp { port, from, to } => drop(port.send(from, &reply, &to)),
            // The connection may be closed.
            ReplyTo::Tcp(connection) => drop(connection.try_send(reply)),
        }
    }

    /// Reads the names file and what is mounted again. When that fails, the names stay as they are.
    fn reload(&mut self) {
        let Some(reload) = &self.reload else {
            let text = match self.ledger.has_store() {
                true => {
                    "the names are unchanged: the store holds them, and --names only fills a new one"
                }
                false => "the names are unchanged: there is no --names FILE to read again",
            };
            return self.journal.record(warning(text));
        };
        let read = self.ledger.store().and_then(|store| (reload.read)(store));
        let read = read.and_then(|space| {
            let zone = publish(&space, 0, &self.settings.dns)
                .map_err(|refusal| Failure::could_not_run(&refusal.place, refusal.why))?;
            let (nothing, differences) = (BTreeSet::new(), between(&self.zone, &zone));
            let serials = self
                .ledger
                .keep(&space, &nothing, &zone, &differences, &[])?;
            Ok((space, zone, serials, differences))
        });
        match read {
            Err(failure) => self
                .journal
                .record(warning(format!("the names are unchanged: {failure}"))),
            Ok((mut space, mut zone, serials, differences)) => {
                space.begin();
                space.limit(LONGEST - zone.zones.names.as_slice().len());
                let text = format!(
                    "read {} again: {}",
                    reload
                        .paths
                        .iter()
                        .map(|path| visible_path(path))
                        .collect::<Vec<_>>()
                        .join(", "),
                    plural(space.count() as u64, "name")
                );
                zone.histories = self.zone.histories.clone();
                // The serials of the zones before, so that only a difference is published.
                number(&mut zone, &space, self.zone.serials, &self.settings.dns);
                (self.space, self.zone) = (space, zone);
                self.publish(serials, differences);
                self.journal.record(Event::new(Kind::Local).text(text));
            }
        }
    }
}

/// The new signed updates of a group, with their answers.
fn signed(updates: &[UpdateJob], outcomes: &[Outcome], now: u64) -> Vec<Signed> {
    let all = updates.iter().zip(outcomes);
    let new = all.filter_map(|(update, outcome)| match (&update.signed, outcome) {
        (Some((_, identity)), Outcome::New(outcome)) => {
            let rcode = outcome.as_ref().err().map_or(Rcode::NOERROR, |no| no.rcode);
            Some((identity.clone(), update.peer, (rcode.to_int(), now)))
        }
        _ => None,
    });
    new.collect()
}
