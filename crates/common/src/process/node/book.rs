//! Who is where, as processes hear it from one another: the rules by which a table of processes grows. Nothing is believed that
//! can be asked: a process that is said to be at another address than the known one has moved only if nobody answers there.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::super::ids::ProcessId;

/// How long the process at an address may leave questions unanswered, and how many of them, before it is taken to be there no
/// more.
const SILENCE: Duration = Duration::from_secs(1);
const QUESTIONS: u8 = 3;

/// The time between two questions to the same address.
pub(super) const ASK_AGAIN: Duration = Duration::from_millis(200);

/// How many addresses are remembered at which this process is said to be.
const MOST_OWN: usize = 16;

/// A doubt whether a process is at an address.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    since: Duration,
    /// When the last question was sent, and how many were.
    asked: Duration,
    questions: u8,
}

impl Doubt {
    /// The doubt of now; its first question is sent with it.
    fn begin(now: Duration) -> Self {
        Self {
            since: now,
            asked: now,
            questions: 1,
        }
    }

    /// Whether it is time for a further question.
    fn asks_again(&mut self, now: Duration) -> bool {
        let is_time = now.saturating_sub(self.asked) >= ASK_AGAIN;
        if is_time {
            (self.asked, self.questions) = (now, self.questions.saturating_add(1));
        }
        is_time
    }

    fn is_silent(&self, now: Duration) -> bool {
        self.questions >= QUESTIONS && now.saturating_sub(self.since) >= SILENCE
    }
}

/// What is known of another process.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// When it was heard from at its address.
    heard: Option<Duration>,
    doubt: Option<Doubt>,
}

/// An address at which this process is said to be.
#[derive(Clone, Copy, Debug)]
enum Own {
    /// It is: a question that was sent there has come here.
    Mine,
    /// It is not known whether another process with this name is there, or was.
    Doubted(Doubt),
}

/// What was heard of the addresses of processes.
#[derive(Debug)]
pub(super) struct AddressBook {
    entries: Vec<Entry>,
    own: Vec<(SocketAddr, Own)>,
    /// The addresses to be asked who is there.
    questions: Vec<SocketAddr>,
    /// Where another process answers that has this one's name.
    pub(super) taken: Option<SocketAddr>,
}

impl AddressBook {
    /// The book of a process that listens there.
    pub(super) fn new(listen: SocketAddr) -> Self {
        let own = (!listen.ip().is_unspecified()).then_some((listen, Own::Mine));
        Self {
            entries: Vec::new(),
            own: own.into_iter().collect(),
            questions: Vec::new(),
            taken: None,
        }
    }

    /// Takes the addresses that are to be asked who is there.
    pub(super) fn questions(&mut self) -> Vec<SocketAddr> {
        std::mem::take(&mut self.questions)
    }

    fn entry(&mut self, process: ProcessId) -> &mut Entry {
        let index = process.index();
        if self.entries.len() <= index {
            self.entries.resize(index + 1, Entry::default());
        }
        &mut self.entries[index]
    }

    /// A frame of the process has come from its address.
    pub(super) fn heard(&mut self, process: ProcessId, now: Duration) {
        self.entry(process).heard = Some(now);
    }

    /// The process is said to be at another address than the known one, which is asked; returns whether it has left that one.
    pub(super) fn has_left(
        &mut self,
        process: ProcessId,
        known: SocketAddr,
        now: Duration,
    ) -> bool {
        let entry = self.entry(process);
        let Some(doubt) = &mut entry.doubt else {
            entry.doubt = Some(Doubt::begin(now));
            self.questions.push(known);
            return false;
        };
        let has_answered = entry.heard.is_some_and(|heard| heard >= doubt.since);
        match (has_answered, now.saturating_sub(doubt.since) >= SILENCE) {
            (true, false) => false,
            // What it answered a while ago does not say that it is there now.
            (true, true) => {
                entry.doubt = Some(Doubt::begin(now));
                self.questions.push(known);
                false
            }
            (false, _) if doubt.is_silent(now) => {
                entry.doubt = None;
                true
            }
            (false, _) => {
                if doubt.asks_again(now) {
                    self.questions.push(known);
                }
                false
            }
        }
    }

    /// A question of this process has come to itself: it is at the address to which that was sent, and from which it comes.
    pub(super) fn is_here(&mut self, address: SocketAddr) {
        let has_room = self.own.len() < MOST_OWN;
        match self.own.iter_mut().find(|(known, _)| *known == address) {
            Some((_, own)) => *own = Own::Mine,
            None if has_room => self.own.push((address, Own::Mine)),
            None => {}
        }
    }

    /// This process is said to be there; returns whether it is, or was: false as long as it may be another one that has its name.
    pub(super) fn is_own(&mut self, address: SocketAddr, now: Duration) -> bool {
        let has_room = self.own.len() < MOST_OWN;
        match self.own.iter_mut().find(|(known, _)| *known == address) {
            Some((_, Own::Mine)) => true,
            Some((_, Own::Doubted(doubt))) => {
                let is_silent = doubt.is_silent(now);
                if !is_silent && doubt.asks_again(now) {
                    self.questions.push(address);
                }
                is_silent
            }
            None if has_room => {
                self.own.push((address, Own::Doubted(Doubt::begin(now))));
                self.questions.push(address);
                false
            }
            None => false,
        }
    }
}

/// Whether an address that one process names to another means the same to both: a host's own addresses mean another host there.
pub(super) fn is_common(address: SocketAddr, named_by: SocketAddr) -> bool {
    let ip = address.ip();
    let has_zone = match ip {
        IpAddr::V4(ip) => ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    let is_of_a_host = ip.is_loopback() && !named_by.ip().is_loopback();
    address.port() != 0 && !(ip.is_unspecified() || ip.is_multicast() || has_zone || is_of_a_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: ProcessId = ProcessId(1);

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn book() -> AddressBook {
        AddressBook::new(address("0.0.0.0:4000"))
    }

    #[test]
    fn a_process_has_moved_only_if_its_known_address_is_silent() {
        let (mut book, known) = (book(), address("192.0.2.1:4001"));
        let mut asked = 0;
        let moved = (0..2_000).step_by(50).find(|now| {
            let has_left = book.has_left(P, known, ms(*now));
            asked += book.questions().len();
            has_left
        });
        assert_eq!((moved, asked), (Some(1_000), 5), "a question each 200 ms");
        // One question that was lost is no silence.
        assert!(!book.has_left(P, known, ms(5_000)) && !book.has_left(P, known, ms(7_000)));
        // A process that answers stays, however often another one claims its name.
        for now in (10_000..20_000).step_by(50) {
            assert!(!book.has_left(P, known, ms(now)));
            if !book.questions().is_empty() {
                book.heard(P, ms(now));
            }
        }
    }

    #[test]
    fn a_process_finds_out_where_it_is_itself() {
        let mut book = book();
        let (mine, other) = (address("192.0.2.9:4000"), address("192.0.2.8:4000"));
        assert!(!book.is_own(mine, ms(0)) && !book.is_own(other, ms(0)));
        assert_eq!(book.questions(), [mine, other]);
        book.is_here(mine);
        assert!(book.is_own(mine, ms(1)) && !book.is_own(other, ms(1)));
        for now in [200, 400, 900] {
            assert!(!book.is_own(other, ms(now)));
        }
        assert!(
            book.is_own(other, ms(1_000)),
            "it was there, and is no more"
        );
        for port in 1..1_000 {
            assert!(!book.is_own(SocketAddr::new(mine.ip(), port), ms(1_000)));
        }
        assert_eq!(
            (book.own.len(), book.questions().len()),
            (MOST_OWN, MOST_OWN - 2 + 3)
        );
        assert!(AddressBook::new(mine).is_own(mine, ms(0)));
    }

    #[test]
    fn an_address_that_another_host_cannot_reach_is_not_taken() {
        let (far, near) = (address("192.0.2.1:4001"), address("127.0.0.1:4001"));
        assert!(is_common(address("192.0.2.2:1"), far) && is_common(near, near));
        for text in [
            "127.0.0.1:1",
            "192.0.2.2:0",
            "0.0.0.0:1",
            "224.0.0.1:1",
            "255.255.255.255:1",
            "[fe80::1]:1",
            "[::1]:1",
        ] {
            assert!(!is_common(address(text), far), "{text}");
        }
    }
}
