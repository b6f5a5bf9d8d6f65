//! The one who changes names: updates are made one after the other, kept, published, and only then acknowledged.
//!
//! All updates that wait are made in one go: they share the wait for the disk.

use std::{
    convert::Infallible,
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use common::{
    event::{Event, Kind},
    exit::Failure,
    journal::Journal,
    message::MessageId,
    telling::Telling,
    text::{plural, visible_path},
};
use crossbeam::{
    channel::{Receiver, Sender},
    select,
};
use domain::base::iana::Rcode;

use super::{
    Again, Counts, Settings, Source,
    handle::{Back, Transaction, of_bytes},
    published::Published,
    warning,
};
use crate::{
    dns::{
        answer,
        key::Seen,
        owner::LONGEST,
        publish::{follow, next_serial, publish},
        shown,
        transfer::sign,
        update::{Refused, Update},
        zone::Zone,
    },
    name::Place,
    space::Space,
    store::Store,
};

/// How many updates are made in one go.
const GROUP: usize = 1000;

/// Work for the registrar.
#[derive(Debug)]
pub enum Job {
    /// An update.
    #[doc(hidden)]
    Change(Box<Change>),
    /// To read the names file again.
    Again,
}

/// An update, its signature checked and taken off.
#[derive(Debug)]
pub struct Change {
    pub(super) message: Vec<u8>,
    pub(super) transaction: Option<Transaction>,
    /// When it was signed, and the signature.
    pub(super) signature: Option<(u64, Vec<u8>)>,
    pub(super) peer: SocketAddr,
    /// What identifies the answer.
    pub(super) answer: MessageId,
    pub(super) back: Back,
}

/// Who owns the names.
#[derive(Debug)]
pub(super) struct Registrar<'s> {
    space: Space,
    zone: Zone,
    store: Option<Store>,
    again: Option<Again>,
    settings: &'s Settings,
    published: &'s Published,
    /// Tells that something changed.
    changed: Sender<()>,
    seen: Seen,
    counts: &'s Counts,
    journal: &'s Journal,
    telling: Telling,
}

impl<'s> Registrar<'s> {
    pub(super) fn new(
        source: Source,
        zone: Zone,
        settings: &'s Settings,
        published: &'s Published,
        changed: Sender<()>,
        counts: &'s Counts,
        journal: &'s Journal,
    ) -> Self {
        let mut space = source.space;
        space.begin();
        space.limit(LONGEST - settings.dns.zones.names.as_slice().len());
        Self {
            space,
            zone,
            store: source.store,
            again: source.again,
            settings,
            published,
            changed,
            seen: Seen::default(),
            counts,
            journal,
            telling: Telling::new("updates were refused"),
        }
    }

    /// Works until nobody is left who could send an update, and none waits.
    pub(super) fn run(mut self, jobs: &Receiver<Job>, ended: &Receiver<Infallible>) {
        loop {
            let job = select! {
                recv(jobs) -> job => job.ok(),
                recv(ended) -> _ => jobs.try_recv().ok(),
            };
            let Some(job) = job else { break };
            let mut group = vec![job];
            group.extend(jobs.try_iter().take(GROUP - 1));
            let mut changes = Vec::with_capacity(group.len());
            for job in group {
                match job {
                    Job::Change(change) => changes.push(*change),
                    Job::Again => {
                        self.make(std::mem::take(&mut changes));
                        self.read_again();
                    }
                }
            }
            self.make(changes);
            self.telling.go_on(self.journal);
        }
        self.telling.finish(self.journal);
    }

    fn make(&mut self, changes: Vec<Change>) {
        let mut outcomes: Vec<Result<(), Refused>> = Vec::with_capacity(changes.len());
        for change in &changes {
            let mark = self.space.mark();
            let outcome = self.apply(change);
            if outcome.is_err() {
                self.space.take_back(mark);
            }
            outcomes.push(outcome);
        }
        if let Err(failure) = self.settle() {
            self.space.take_back(0);
            self.journal.record(Event::failure(&failure));
            for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_ok()) {
                *outcome = Err(Refused {
                    rcode: Rcode::SERVFAIL,
                    why: "it could not be kept".into(),
                });
            }
        }
        for (change, outcome) in changes.into_iter().zip(outcomes) {
            self.answer(change, &outcome);
        }
    }

    fn apply(&mut self, change: &Change) -> Result<(), Refused> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        if let (Some(_), Some((signed_at, signature))) = (&change.transaction, &change.signature)
            && !self.seen.is_new(*signed_at, signature, now)
        {
            let why = "the same signed message has been here before".into();
            return Err(Refused {
                rcode: Rcode::NOTAUTH,
                why,
            });
        }
        Update::parse(&change.message, &self.zone.zones)?.apply(&mut self.space, &self.zone)
    }

    /// Keeps what was changed, and shows it.
    fn settle(&mut self) -> Result<(), Failure> {
        let touched = self.space.touched();
        if touched.is_empty() {
            return Ok(());
        }
        let serial = next_serial(self.zone.serial);
        if let Some(store) = &self.store {
            store.keep(&self.space, &touched, serial)?;
        }
        let shown = follow(&mut self.zone, &self.space, &touched, &self.settings.dns);
        if let Err(refusal) = shown {
            // Every place was checked before it was taken.
            self.journal.record(Event::failure(&refusal.into()));
        }
        self.space.settle();
        self.show();
        for place in &touched {
            self.journal.record(registered(&self.space, place));
        }
        Ok(())
    }

    fn show(&self) {
        self.published.publish(self.zone.clone());
        // One notice of several changes is enough.
        let _ = self.changed.try_send(());
    }

    fn answer(&mut self, change: Change, outcome: &Result<(), Refused>) {
        let (rcode, peer) = match outcome {
            Ok(()) => (Rcode::NOERROR, change.peer),
            Err(refused) => (refused.rcode, change.peer),
        };
        if let Err(refused) = outcome {
            self.counts.add(|counts| &counts.refused, 1);
            if self.telling.one_more() {
                let text = format!(
                    "update from {peer} refused: {}: {}",
                    shown::rcode(rcode),
                    refused.why
                );
                self.journal.record(warning(text).peer(peer));
            }
        } else {
            self.counts.add(|counts| &counts.updates, 1);
        }
        let mut reply = answer::refusal(&change.message, rcode);
        if let Some(transaction) = change.transaction {
            match sign(&reply, transaction) {
                Ok(signed) => reply = signed,
                Err(why) => self
                    .journal
                    .record(warning(format!("signing an answer: {why}"))),
            }
        }
        let sent = Event::new(Kind::Send).peer(peer).message(change.answer);
        let text = format!("answer to the update: {}", shown::rcode(rcode));
        self.journal.record(of_bytes(sent.text(text), &reply));
        match change.back {
            // Lost as any datagram may be; whoever hears nothing asks again.
            Back::Udp(socket) => drop(socket.send_to(&reply, peer)),
            // The connection may be gone.
            Back::Tcp(connection) => drop(connection.try_send(reply)),
        }
    }

    fn read_again(&mut self) {
        let Some(again) = &self.again else {
            let text = match self.store {
                Some(_) => {
                    "the names stay as they are: the store has them, --names only fills a new one"
                }
                None => "the names stay as they are: there is no --names FILE to read again",
            };
            return self.journal.record(warning(text));
        };
        let read = (again.read)().and_then(|space| {
            let zone = publish(&space, next_serial(self.zone.serial), &self.settings.dns);
            zone.map(|zone| (space, zone))
                .map_err(|refusal| Failure::could_not_run(&refusal.place, refusal.why))
        });
        match read {
            Err(failure) => self
                .journal
                .record(warning(format!("the names stay as they are: {failure}"))),
            Ok((mut space, zone)) => {
                space.begin();
                space.limit(LONGEST - zone.zones.names.as_slice().len());
                let text = format!(
                    "read {} again: {}",
                    visible_path(&again.path),
                    plural(space.len() as u64, "name")
                );
                (self.space, self.zone) = (space, zone);
                self.show();
                self.journal.record(Event::new(Kind::Local).text(text));
            }
        }
    }
}

/// What a place stands for now.
fn registered(space: &Space, place: &Place) -> Event {
    let meaning = space
        .get(place)
        .and_then(|entry| space.meaning(place, entry));
    let value = meaning.map(|meaning| meaning.to_string());
    Event {
        name: Some(place.to_string()),
        value,
        ..Event::new(Kind::Register)
    }
}
