//! One message to every destination: multicast, unicast or broadcast.

use std::{net::SocketAddr, time::SystemTime};

use common::{
    event::{Event, Kind, Time},
    exit::{Failure, Summary},
    interface::Interface,
    journal::Journal,
    message::{Carrier, MessageId, Party},
    multicast::{
        Sender, Technique,
        stamp::{Clock, Stamper, now_us},
    },
    telling::Telling,
    text::plural,
};

use crate::{
    config::Settings,
    datagrams::{Datagrams, Figures},
};

/// The sockets that one message goes out on: one for each group, network or receiver of unicast.
#[derive(Debug)]
pub struct Senders {
    senders: Vec<Sender>,
    /// Where each sends to, for people.
    labels: Vec<String>,
    /// How many networks each message goes out on.
    interfaces: usize,
    technique: Technique,
    /// Who stamps the messages, if anybody does.
    pub stamper: Option<Stamper>,
    /// This process's Lamport clock; only stamped messages carry and move it.
    pub clock: Clock,
    /// How many messages were sent to each: the number in a message's identity.
    pub messages: u64,
    /// Datagrams handed to the kernel.
    pub datagrams: u64,
    /// Datagrams that could not be sent.
    pub failed: u64,
    telling: Telling,
    /// What went wrong last: the same again is not told again.
    last_failure: Option<Failure>,
}

impl Senders {
    /// Sockets to every destination that the settings name; `port` is the group's real one.
    ///
    /// # Errors
    /// As [`Sender::new`].
    pub fn new(settings: &Settings, port: u16) -> Result<Self, Failure> {
        let Settings {
            technique,
            membership,
            reach,
            ..
        } = settings;
        let places = &membership.interfaces;
        let mut destinations: Vec<_> = settings
            .to
            .iter()
            .map(|to| (to.at(port), &places[0]))
            .collect();
        if destinations.is_empty() {
            for interface in places {
                if *technique == Technique::Broadcast {
                    destinations.push((
                        SocketAddr::new(interface.broadcast_address().into(), port),
                        interface,
                    ));
                    continue;
                }
                for group in &membership.groups {
                    destinations.push((interface.at(*group, port), interface));
                }
            }
        }
        if destinations.iter().any(|(to, _)| to.port() == 0) {
            let why =
                "0 is nobody's port; it stands for a free one, which only a receiver can take";
            return Err(Failure::could_not_run("send to port 0", why));
        }
        let interfaces = places.len();
        let everywhere = *technique == Technique::Multicast && interfaces > 1;
        let label = |(to, interface): &(SocketAddr, &Interface)| {
            let on = everywhere.then(|| format!(" on {}", interface.name));
            format!("{to}{}", on.unwrap_or_default())
        };
        let labels = destinations.iter().map(label).collect();
        let senders = destinations
            .into_iter()
            .map(|(to, interface)| Sender::new(*technique, to, interface, *reach));
        Ok(Self {
            labels,
            interfaces,
            senders: senders.collect::<Result<_, _>>()?,
            technique: *technique,
            stamper: settings.stamp.as_deref().map(Stamper::new).transpose()?,
            clock: Clock::default(),
            messages: 0,
            datagrams: 0,
            failed: 0,
            telling: Telling::new("datagrams went out"),
            last_failure: None,
        })
    }

    /// Sends one message to each destination, and tells of each; one that fails does not keep the others from it.
    ///
    /// # Errors
    /// When the message and its stamp do not fit into a datagram.
    pub fn send(&mut self, message: &[u8], journal: &Journal) -> Result<(), Failure> {
        self.messages += 1;
        let clock = self.clock.clone();
        let mut clock = clock.lock();
        let mut datagrams = Datagrams::new(self.stamper.clone(), message, None);
        let time = Time::new(SystemTime::now());
        let (bytes, _) = datagrams.make(
            1,
            Figures {
                number: self.messages,
                time_us: now_us(),
                clock: *clock + 1,
            },
        )?;
        *clock += 1;
        for place in 0..self.senders.len() {
            match self.senders[place].send(bytes) {
                Ok(()) => {
                    self.datagrams += 1;
                    let sent = self.sent(place, time, self.messages, *clock, bytes.len(), message);
                    journal.record(sent);
                }
                Err(failure) => {
                    self.failed += 1;
                    journal.record(Event::failure(&failure).peer(self.senders[place].to));
                }
            }
        }
        Ok(())
    }

    /// Sends the same message at most so many times to each destination, in as few system calls as there can be, and
    /// tells of as many as can be told; how many messages that were.
    ///
    /// # Errors
    /// When the message and its stamp do not fit into a datagram.
    pub fn send_many(
        &mut self,
        datagrams: &mut Datagrams,
        message: &[u8],
        most: usize,
        journal: &Journal,
    ) -> Result<u64, Failure> {
        self.telling.go_on(journal);
        let clock = self.clock.clone();
        let mut clock = clock.lock();
        let (first, before) = (self.messages + 1, *clock);
        let time = Time::new(SystemTime::now());
        let (bytes, each) = datagrams.make(
            most,
            Figures {
                number: first,
                time_us: now_us(),
                clock: before + 1,
            },
        )?;
        // One empty message is one datagram.
        let many = bytes.len().checked_div(each).unwrap_or(1) as u64;
        *clock += many;
        drop(clock);
        self.messages += many;
        for place in 0..self.senders.len() {
            let (sent, failure) = self.senders[place].send_many(bytes, each);
            self.datagrams += sent;
            for number in 0..sent {
                if self.telling.one_more() {
                    let sent = self.sent(
                        place,
                        time,
                        first + number,
                        before + 1 + number,
                        each,
                        message,
                    );
                    journal.record(sent);
                }
            }
            if let Some(failure) = failure {
                self.failed += many - sent;
                self.tell_failure(place, failure, journal);
            }
        }
        Ok(many)
    }

    /// The end of a load: what the other machines have answered, and what was not told.
    pub fn finish(&mut self, journal: &Journal) {
        self.telling.finish(journal);
        for place in 0..self.senders.len() {
            if let Some(failure) = self.senders[place].answer() {
                self.failed = self.failed.max(1);
                self.tell_failure(place, failure, journal);
            }
        }
    }

    fn tell_failure(&mut self, place: usize, failure: Failure, journal: &Journal) {
        if self.last_failure.as_ref() != Some(&failure) {
            journal.record(Event::failure(&failure).peer(self.senders[place].to));
            self.last_failure = Some(failure);
        }
    }

    fn sent(
        &self,
        place: usize,
        time: Time,
        number: u64,
        clock: u64,
        bytes: usize,
        message: &[u8],
    ) -> Event {
        let sender = &self.senders[place];
        let from = match &self.stamper {
            Some(stamper) => Party::Name(stamper.session.clone()),
            None => sender.from.into(),
        };
        let id = MessageId {
            over: Carrier::Udp,
            from,
            to: sender.to.into(),
            number,
        };
        Event {
            time,
            bytes: Some(bytes as u64),
            clock: self.stamper.is_some().then_some(clock),
            ..Event::new(Kind::Send)
                .peer(sender.to)
                .message(id)
                .technique(self.technique)
                .content(message)
        }
    }

    /// Where the messages go, for people.
    pub fn destinations(&self) -> String {
        self.labels.join(", ")
    }

    /// What the technique cost: messages, datagrams, and to how many destinations.
    pub fn cost(&self) -> String {
        let all = self.senders.len() as u64;
        let destinations = match self.technique {
            Technique::Unicast => plural(all, "receiver"),
            Technique::Broadcast => plural(all, "network"),
            Technique::Multicast if self.interfaces > 1 => {
                let groups = plural(all / self.interfaces as u64, "group");
                format!("{groups} on {} interfaces", self.interfaces)
            }
            Technique::Multicast => plural(all, "group"),
        };
        format!(
            "{}, {} handed to the kernel, {destinations}",
            plural(self.messages, "message"),
            plural(self.datagrams, "datagram"),
        )
    }

    /// The same for machines.
    pub fn count(&self, summary: Summary) -> Summary {
        summary
            .count("messages", self.messages)
            .count("sent", self.datagrams)
            .count("failed", self.failed)
            .count("destinations", self.senders.len() as u64)
            .count(
                "calls",
                self.senders.iter().map(|sender| sender.calls).sum(),
            )
    }
}
