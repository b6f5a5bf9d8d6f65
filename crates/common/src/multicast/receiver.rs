//! The receive loop of both programs: join the groups, and receive until the run ends.
//!
//! ```no_run
//! # use common::{exit::Failure, journal::Journal, shutdown::Shutdown};
//! # use common::multicast::{Membership, Receiver, ReceiveStats};
//! # fn run(membership: &Membership, journal: &Journal, shutdown: &Shutdown) -> Result<(), Failure> {
//! let mut receiver = Receiver::join(membership)?;
//! let mut stats = ReceiveStats::new(&receiver, journal);
//! while let Some(batch) = receiver.receive(shutdown)? {
//!     stats.record(&batch);
//! }
//! # Ok(()) }
//! ```

use std::{net::SocketAddr, time::Instant};

use super::{
    group_socket::{Batch, GroupSocket},
    membership::Membership,
};
use crate::{
    event::{Event, Kind},
    exit::{Failure, why},
    journal::Journal,
    shutdown::Shutdown,
};

/// A member of the groups for the length of one run, which ends after `--count` datagrams, after the time `--for`, or at
/// a shutdown.
#[derive(Debug)]
pub struct Receiver {
    socket: GroupSocket,
    /// When the run ends; None: no limit.
    until: Option<Instant>,
    /// After how many datagrams it ends; None: no limit.
    count: Option<u64>,
    received: u64,
    interrupted: bool,
    /// Whether the port was left to the system.
    port_was_free: bool,
}

impl Receiver {
    /// Joins the groups; the time of `--for` begins.
    ///
    /// # Errors
    /// As [`GroupSocket::join`].
    pub fn join(membership: &Membership) -> Result<Self, Failure> {
        Ok(Self {
            socket: GroupSocket::join(membership)?,
            until: membership.end_after.map(|time| Instant::now() + time),
            count: membership.count,
            received: 0,
            interrupted: false,
            port_was_free: membership.port == 0,
        })
    }

    /// Receives the next datagrams; None when the run ends. After a shutdown request, the datagrams that the kernel
    /// already holds are still received.
    ///
    /// # Errors
    /// `receive: why` (exit code 2), as recvmsg(2).
    pub fn receive(&mut self, shutdown: &Shutdown) -> Result<Option<Batch<'_>>, Failure> {
        if self.missing() != Some(0) {
            let remaining = self.missing().unwrap_or(u64::MAX);
            let batch = self
                .socket
                .receive(self.until, shutdown)
                .map_err(|error| Failure::could_not_run("receive", why(&error)))?;
            if let Some(batch) = batch {
                let batch = batch.first(remaining);
                self.received += batch.len();
                return Ok(Some(batch));
            }
        }
        self.interrupted = shutdown.requested();
        Ok(None)
    }

    /// The event that the program has joined and receives, for the log and the terminal.
    pub fn ready(&self) -> Event {
        Event::new(Kind::Ready)
            .peer(self.group())
            .text(self.socket.to_string())
    }

    /// Announces with this event, made of [`Self::ready`], that the program receives. From now on the interfaces are
    /// watched: the journal says when one vanishes, and the groups are joined again when it is back.
    ///
    /// # Errors
    /// As [`Journal::ready`], and when no thread can be started (exit code 2).
    pub fn announce(&mut self, ready: Event, journal: &Journal) -> Result<(), Failure> {
        self.socket.watch(journal)?;
        let groups: Vec<_> = self.socket.groups().collect();
        journal.ready(ready, &groups, self.port_was_free)
    }

    /// The first group and the real port.
    pub fn group(&self) -> SocketAddr {
        self.socket.group
    }

    /// The socket that joined.
    pub fn socket(&self) -> &GroupSocket {
        &self.socket
    }

    /// How often the kernel dropped what arrived, as [`GroupSocket::dropped`], to the end of the run.
    pub fn count_dropped(&mut self) -> Option<u64> {
        self.socket.count_dropped();
        self.socket.dropped
    }

    /// The number of datagrams that `--count` requests.
    pub fn count(&self) -> Option<u64> {
        self.count
    }

    /// How many of them were not received yet; None without `--count`.
    pub fn missing(&self) -> Option<u64> {
        self.count.map(|count| count.saturating_sub(self.received))
    }

    /// Whether a shutdown request ended the run.
    pub fn interrupted(&self) -> bool {
        self.interrupted
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::{
        super::{
            interface::Interface,
            membership::{GROUP, MembershipArgs},
            sender::{Reach, Sender},
        },
        *,
    };
    use crate::event::AddressingMode;

    fn receiver(count: u64) -> Receiver {
        let membership = Membership::new(MembershipArgs {
            port: Some(0),
            count: Some(count),
            ..MembershipArgs::default()
        });
        Receiver::join(&membership.unwrap()).unwrap()
    }

    fn sender(receiver: &Receiver) -> Sender {
        let loopback = &Interface::find(None, GROUP).unwrap()[0];
        let to = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), receiver.group().port());
        Sender::new(AddressingMode::Unicast, to, loopback, Reach::default()).unwrap()
    }

    #[test]
    fn a_run_ends_after_n_datagrams_in_the_middle_of_a_piece() {
        let shutdown = Shutdown::new().unwrap();
        let mut receiver = receiver(13);
        // Two pieces of 10: the kernel hands over each as one.
        for _ in 0..2 {
            let (sent, failure) = sender(&receiver).send_many(&[b'x'; 70], 7);
            assert_eq!((sent, failure), (10, None));
        }
        let mut received = 0;
        while let Some(batch) = receiver.receive(&shutdown).unwrap() {
            assert_eq!(batch.datagrams().count() as u64, batch.len());
            received += batch.len();
        }
        assert_eq!((received, receiver.missing()), (13, Some(0)));
        assert!(!receiver.interrupted());
    }

    #[test]
    fn a_shutdown_ends_a_run_after_what_the_kernel_holds() {
        let shutdown = Shutdown::new().unwrap();
        let mut receiver = receiver(13);
        sender(&receiver).send(b"").unwrap();
        shutdown.request();
        assert_eq!(receiver.receive(&shutdown).unwrap().unwrap().len(), 1);
        assert!(receiver.receive(&shutdown).unwrap().is_none());
        assert_eq!(
            (receiver.missing(), receiver.interrupted()),
            (Some(12), true)
        );
    }
}
