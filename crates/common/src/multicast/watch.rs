//! Watches the interfaces of a member: warns when one vanishes, and joins the groups again when it is back.
//!
//! The kernel drops a membership with its interface and says nothing, and an interface that returns under the same name
//! is another one, with a number of its own. A thread looks once in [`EVERY`]; what receives is not held up.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, UdpSocket},
    thread::{self, JoinHandle},
    time::Duration,
};

use socket2::SockRef;

use super::{
    interface::{Interface, Presence},
    join,
};
use crate::{
    event::{Event, Kind, Level},
    exit::{Failure, why},
    journal::Journal,
    shutdown::Shutdown,
    sys::tables::{self, Groups},
};

/// How often the interfaces are looked at.
const EVERY: Duration = Duration::from_millis(250);

/// What was joined, and where.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) socket: UdpSocket,
    pub(super) groups: Vec<IpAddr>,
    pub(super) sources: Vec<Ipv4Addr>,
    pub(super) interfaces: Vec<Interface>,
    /// Whether the interfaces are known by their addresses, and not by their names.
    pub(super) by_address: bool,
}

/// The running thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    thread: Option<JoinHandle<()>>,
    stop: Shutdown,
}

impl Watch {
    /// Starts the thread, which says in the journal what it sees.
    ///
    /// # Errors
    /// When the system has no room for it (exit code 2).
    pub(super) fn start(mut joined: Joined, journal: Journal) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::could_not_run("watch the interfaces", why(&error));
        let stop = Shutdown::new().map_err(failed)?;
        let ended = stop.clone();
        let watch = move || {
            let mut absent = vec![false; joined.interfaces.len()];
            while !ended.sleep(EVERY) {
                joined.look(&mut absent, &journal);
            }
        };
        let thread = thread::Builder::new()
            .name("interfaces".into())
            .spawn(watch)
            .map_err(failed)?;
        Ok(Self {
            thread: Some(thread),
            stop,
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.request();
        if let Some(thread) = self.thread.take() {
            // A panic was printed by that thread.
            let _ = thread.join();
        }
    }
}

impl Joined {
    /// Looks at each interface once; `absent` says of which its absence was reported.
    fn look(&mut self, absent: &mut [bool], journal: &Journal) {
        // No answer is no news.
        let Ok(known) = Interface::all(self.groups[0]) else {
            return;
        };
        let table = tables::groups(self.groups[0].is_ipv4());
        for (index, absent) in absent.iter_mut().enumerate() {
            let interface = &self.interfaces[index];
            match interface.presence(&known, self.by_address) {
                Presence::Absent(_) if *absent => {}
                Presence::Absent(why) => {
                    *absent = true;
                    let text =
                        format!("{interface} {why}; the groups are joined again when it is back");
                    journal.record(Event::error(Level::Warn, text));
                }
                Presence::Present(now) if *absent || self.is_dropped(interface, now, &table) => {
                    let words = if *absent { "is back" } else { "was away" };
                    *absent = false;
                    journal.record(match self.join_again(index, now.clone()) {
                        Ok(()) => {
                            let text = format!("{now} {words}: the groups are joined again");
                            Event::new(Kind::Local).text(text)
                        }
                        // It is tried again with the next look.
                        Err(failure) => {
                            *absent = true;
                            Event::failure(&failure)
                        }
                    });
                }
                Presence::Present(_) => {}
            }
        }
    }

    /// Whether the kernel has dropped the memberships on an interface that is there.
    fn is_dropped(&self, before: &Interface, now: &Interface, table: &Option<Groups>) -> bool {
        let listed = |table: &Groups| {
            let mut groups = self.groups.iter();
            groups.all(|group| table.contain(*group, &now.name))
        };
        now.index != before.index
            || now.address != before.address
            || !table.as_ref().is_none_or(listed)
    }

    fn join_again(&mut self, index: usize, now: Interface) -> Result<(), Failure> {
        let before = std::mem::replace(&mut self.interfaces[index], now);
        let (socket, now) = (&SockRef::from(&self.socket), &self.interfaces[index]);
        let port = self.socket.local_addr().map_or(0, |address| address.port());
        for group in &self.groups {
            join::leave(socket, *group, &before);
            join::join_on(socket, *group, now, &self.sources)
                .map_err(|error| join::join_failure(now.at(*group, port), now, &error))?;
        }
        Ok(())
    }
}
