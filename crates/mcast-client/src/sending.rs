//! Sends one message to every destination: multicast, unicast or broadcast.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::SystemTime,
};

use common::{
    event::{Event, Kind, Level, Time},
    exit::{Failure, Summary},
    journal::Journal,
    message::{Carrier, MessageId, Party},
    multicast::{
        AddressingMode, Sender,
        interface::Interface,
        stamp::{Clock, StampFields, StampWriter, now_us},
    },
    rate_limit::RateLimit,
    text::plural,
};

use crate::{config::Settings, datagrams::Datagrams, destinations::Destinations};

/// The sockets that send one message: one for each group, network or receiver of unicast.
#[derive(Debug)]
pub struct Senders {
    senders: Vec<Sender>,
    /// The destination of each, for people.
    labels: Vec<String>,
    /// What the user should know of them.
    notes: Vec<String>,
    /// On how many interfaces each message is sent.
    interfaces: usize,
    mode: AddressingMode,
    /// Writes the stamps; None: the messages are not stamped.
    pub stamp_writer: Option<StampWriter>,
    /// The Lamport clock of this process; only stamped messages carry and move it.
    pub clock: Clock,
    /// Messages sent to each destination: the sequence number in a message's identity.
    pub messages: u64,
    /// Datagrams handed to the kernel.
    pub datagrams: u64,
    /// Datagrams that could not be sent.
    pub failed: u64,
    rate_limit: RateLimit,
    /// The same three counts, for the report that a signal asks for.
    so_far: Arc<[AtomicU64; 3]>,
    /// The last failure: the same failure is logged once.
    last_failure: Option<Failure>,
}

impl Senders {
    /// Opens the sockets to every destination in the settings; `port` is the group's real one.
    ///
    /// # Errors
    /// As [`Sender::new`].
    pub fn new(settings: &Settings, port: u16) -> Result<Self, Failure> {
        let Settings {
            mode,
            membership,
            reach,
            ..
        } = settings;
        let interfaces = membership.interfaces.len();
        let Destinations { all, notes } = Destinations::new(settings, port)?;
        let several = *mode == AddressingMode::Multicast && interfaces > 1;
        let label = |(to, interface): &(SocketAddr, Interface)| {
            let on = several.then(|| format!(" on {}", interface.name));
            format!("{to}{}", on.unwrap_or_default())
        };
        let labels = all.iter().map(label).collect();
        let senders = all.into_iter().map(|(to, interface)| {
            let sender = Sender::new(*mode, to, &interface, *reach)?;
            Ok(sender.known_by_address(membership.by_address))
        });
        Ok(Self {
            labels,
            notes,
            interfaces,
            senders: senders.collect::<Result<_, _>>()?,
            mode: *mode,
            stamp_writer: settings
                .stamp
                .as_deref()
                .map(StampWriter::new)
                .transpose()?,
            clock: Clock::default(),
            messages: 0,
            datagrams: 0,
            failed: 0,
            rate_limit: RateLimit::new("datagrams were sent"),
            so_far: Arc::default(),
            last_failure: None,
        })
    }

    /// Notes what the user should know of the destinations. From now on the journal can report what was sent so far.
    pub fn report_to(&self, journal: &Journal) {
        for note in &self.notes {
            journal.record(Event::error(Level::Warn, note));
        }
        let so_far = Arc::clone(&self.so_far);
        journal.report_with(move || {
            let [messages, sent, failed] =
                [0, 1, 2].map(|count: usize| so_far[count].load(Relaxed));
            let text = format!(
                "so far: {}, {} handed to the kernel, {failed} failed",
                plural(messages, "message"),
                plural(sent, "datagram")
            );
            let counts = [("messages", messages), ("sent", sent), ("failed", failed)];
            Event::new(Kind::Report).text(text).counts(counts)
        });
    }

    fn count_so_far(&self) {
        let counts = [self.messages, self.datagrams, self.failed];
        for (so_far, count) in self.so_far.iter().zip(counts) {
            so_far.store(count, Relaxed);
        }
    }

    /// Sends one message to each destination, and logs each; a destination that fails does not affect the others.
    ///
    /// # Errors
    /// When the message and its stamp do not fit into a datagram.
    pub fn send(&mut self, message: &[u8], journal: &Journal) -> Result<(), Failure> {
        self.messages += 1;
        let clock = self.clock.clone();
        let mut clock = clock.lock();
        let mut datagrams = Datagrams::new(self.stamp_writer.clone(), message, None);
        let time = Time::new(SystemTime::now());
        let (bytes, _) = datagrams.make(
            1,
            StampFields {
                number: self.messages,
                time_us: now_us(),
                clock: *clock + 1,
            },
        )?;
        *clock += 1;
        for index in 0..self.senders.len() {
            let result = self.senders[index].send(bytes);
            self.log_news(index, journal);
            match result {
                Ok(()) => {
                    self.datagrams += 1;
                    let sent = self.sent(index, time, self.messages, *clock, bytes.len(), message);
                    journal.record(sent);
                }
                Err(failure) => {
                    self.failed += 1;
                    journal.record(Event::failure(&failure).peer(self.senders[index].to));
                }
            }
        }
        self.count_so_far();
        Ok(())
    }

    /// Sends the same message up to `most` times to each destination, in as few system calls as possible, and logs as many
    /// as the rate limit allows. How many messages were sent.
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
        self.rate_limit.go_on(journal);
        let clock = self.clock.clone();
        let mut clock = clock.lock();
        let (first, before) = (self.messages + 1, *clock);
        let time = Time::new(SystemTime::now());
        let (bytes, each) = datagrams.make(
            most,
            StampFields {
                number: first,
                time_us: now_us(),
                clock: before + 1,
            },
        )?;
        // An empty message is one datagram.
        let many = bytes.len().checked_div(each).unwrap_or(1) as u64;
        *clock += many;
        drop(clock);
        self.messages += many;
        for index in 0..self.senders.len() {
            let (sent, failure) = self.senders[index].send_many(bytes, each);
            self.log_news(index, journal);
            self.datagrams += sent;
            for number in 0..sent {
                if self.rate_limit.one_more() {
                    let sent = self.sent(
                        index,
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
                self.log_failure(index, failure, journal);
            }
        }
        self.count_so_far();
        Ok(many)
    }

    /// Ends a load: logs what the destinations answered, and reports what was not logged.
    pub fn finish(&mut self, journal: &Journal) {
        self.rate_limit.finish(journal);
        for index in 0..self.senders.len() {
            if let Some(failure) = self.senders[index].answer() {
                self.failed = self.failed.max(1);
                self.log_failure(index, failure, journal);
            }
        }
    }

    fn log_news(&mut self, index: usize, journal: &Journal) {
        if let Some(news) = self.senders[index].news() {
            journal.record(Event::new(Kind::Local).text(news));
            // The next failure is another one.
            self.last_failure = None;
        }
    }

    fn log_failure(&mut self, index: usize, failure: Failure, journal: &Journal) {
        if self.last_failure.as_ref() != Some(&failure) {
            journal.record(Event::failure(&failure).peer(self.senders[index].to));
            self.last_failure = Some(failure);
        }
    }

    fn sent(
        &self,
        index: usize,
        time: Time,
        number: u64,
        clock: u64,
        bytes: usize,
        message: &[u8],
    ) -> Event {
        let sender = &self.senders[index];
        let from = match &self.stamp_writer {
            Some(stamp_writer) => Party::Name(stamp_writer.session.clone()),
            None => sender.from.into(),
        };
        let id = MessageId::new(Carrier::Udp, from, sender.to, number);
        Event {
            time,
            bytes: Some(bytes as u64),
            clock: self.stamp_writer.is_some().then_some(clock),
            ..Event::new(Kind::Send)
                .peer(sender.to)
                .message(id)
                .mode(self.mode)
                .content(message)
        }
    }

    /// The destinations, for people.
    pub fn destinations(&self) -> String {
        self.labels.join(", ")
    }

    /// What the addressing mode cost, in words: messages, datagrams and destinations.
    pub fn cost(&self) -> String {
        let senders = self.senders.len() as u64;
        let destinations = match self.mode {
            AddressingMode::Unicast => plural(senders, "receiver"),
            AddressingMode::Broadcast => plural(senders, "network"),
            AddressingMode::Multicast if self.interfaces > 1 => {
                let groups = plural(senders / self.interfaces as u64, "group");
                format!("{groups} on {} interfaces", self.interfaces)
            }
            AddressingMode::Multicast => plural(senders, "group"),
        };
        format!(
            "{}, {} handed to the kernel, {destinations}",
            plural(self.messages, "message"),
            plural(self.datagrams, "datagram"),
        )
    }

    /// The same as counts of the summary.
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
