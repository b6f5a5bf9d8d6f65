//! One message to every destination: multicast, unicast or broadcast.

use std::net::SocketAddr;

use common::{
    event::{Event, Kind},
    exit::Failure,
    journal::Journal,
    message::{Carrier, MessageId},
    multicast::{Sender, Technique},
};

use crate::config::Settings;

/// The sockets that one message goes out on: one for a group or a network, one for each receiver of unicast.
#[derive(Debug)]
pub struct Senders {
    senders: Vec<Sender>,
    /// How many messages each has sent: the number in a message's identity.
    sent: u64,
    /// Datagrams handed to the kernel.
    pub datagrams: u64,
    /// Datagrams that could not be sent.
    pub failed: u64,
}

impl Senders {
    /// Sockets to every destination that the settings name; `port` is the group's real one.
    ///
    /// # Errors
    /// As [`Sender::new`].
    pub fn new(settings: &Settings, port: u16) -> Result<Self, Failure> {
        let (technique, interface) = (settings.technique, &settings.membership.interface);
        let mut destinations: Vec<_> = settings.to.iter().map(|to| to.at(port)).collect();
        if destinations.is_empty() {
            let mut to = settings.membership.group;
            to.set_port(port);
            if technique == Technique::Broadcast {
                to.set_ip(interface.broadcast_address());
            }
            destinations.push(to);
        }
        if destinations.iter().any(|to| to.port() == 0) {
            let why =
                "0 is nobody's port; it stands for a free one, which only a receiver can take";
            return Err(Failure::could_not_run("send to port 0", why));
        }
        let senders = destinations
            .into_iter()
            .map(|to| Sender::new(technique, to, interface));
        Ok(Self {
            senders: senders.collect::<Result<_, _>>()?,
            sent: 0,
            datagrams: 0,
            failed: 0,
        })
    }

    /// Sends one message to each destination, and tells of each; one that fails does not keep the others from it.
    pub fn send(&mut self, message: &[u8], journal: &Journal) {
        self.sent += 1;
        for sender in &self.senders {
            let to = SocketAddr::from(sender.to);
            let id = MessageId::new(Carrier::Udp, sender.from, to, self.sent);
            let sent = Event::new(Kind::Send).peer(to).message(id).content(message);
            match sender.send(message) {
                Ok(()) => {
                    self.datagrams += 1;
                    journal.record(sent);
                }
                Err(failure) => {
                    self.failed += 1;
                    journal.record(Event::failure(&failure).peer(to));
                }
            }
        }
    }

    /// Where the messages go, for people.
    pub fn destinations(&self) -> String {
        self.senders
            .iter()
            .map(|sender| sender.to.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    }
}
