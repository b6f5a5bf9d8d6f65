//! From whom a frame is, and which processes it names: what the table has, and where it grows.

use std::{net::SocketAddr, time::Duration};

use super::{
    super::ids::ProcessId,
    book::is_common,
    peers::Peers,
    wire::{Named, Rejected},
};
use crate::{net::canonical, text::check_name};

/// What a frame says of its sender and its receiver.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) session: u32,
    pub(super) knows: u32,
}

/// From whom a frame is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Origin {
    /// From another process.
    Peer(ProcessId),
    /// From a process that is to be told who is here, and this process's session. With that it shows that it is where its frames
    /// come from, before it is taken into the table.
    Stranger,
    /// From this process itself.
    Own,
}

impl Peers {
    /// From whom a frame is that came from this address.
    pub(super) fn origin(
        &mut self,
        ends: Ends<'_>,
        source: SocketAddr,
        now: Duration,
    ) -> Result<Origin, Rejected> {
        let (from, asks) = (ends.from, ends.to.is_empty());
        let names = &self.table.names;
        let me = names.of(self.table.me);
        if ends.to != me && !asks {
            return Err(Rejected::WrongReceiver(ends.to.to_owned()));
        }
        let known = names.process(from).filter(|known| *known != self.table.me);
        let Some(book) = &mut self.book else {
            let known = known.ok_or_else(|| Rejected::UnknownSender(from.to_owned()))?;
            return Ok(if asks {
                Origin::Stranger
            } else {
                Origin::Peer(known)
            });
        };
        let proves = ends.knows == self.session;
        if from == me {
            if ends.session == self.session {
                book.is_here(source);
                return Ok(Origin::Own);
            }
            // The other one learns that its name is taken, as this one does by its answer.
            if asks {
                return Ok(Origin::Stranger);
            }
            if proves {
                book.taken.get_or_insert(source);
            }
            return Err(Rejected::SameName(from.to_owned()));
        }
        let Some(known) = known else {
            return match proves && !asks {
                true => self.learn(from, source).map(Origin::Peer),
                false => Ok(Origin::Stranger),
            };
        };
        let address = self.table.addresses[known.index()];
        let is_same = self.sessions[known.index()] == ends.session;
        if address == Some(source) || is_same && ends.session != 0 {
            book.heard(known, now);
            return Ok(match asks {
                true => Origin::Stranger,
                false => Origin::Peer(known),
            });
        }
        let has_left = address.is_none_or(|address| book.has_left(known, address, now));
        match (proves && !asks, has_left) {
            (false, _) => Ok(Origin::Stranger),
            (true, false) => Err(Rejected::OtherAddress(from.to_owned())),
            (true, true) => {
                self.table.addresses[known.index()] = Some(source);
                Ok(Origin::Peer(known))
            }
        }
    }

    /// The processes that a frame of `from` names, by their numbers there. One that cannot be taken into the table is nobody; why
    /// is returned for the first such.
    pub(super) fn named(
        &mut self,
        (from, source): (ProcessId, SocketAddr),
        list: &[Named<'_>],
        now: Duration,
    ) -> (Vec<ProcessId>, Option<Rejected>) {
        let mut rejected = None;
        let processes = list.iter().map(|named| {
            let at = named.at.map(canonical);
            let process = self.process(from, source, &named.name, at, now);
            process.unwrap_or_else(|why| {
                rejected.get_or_insert(why);
                ProcessId::NOBODY
            })
        });
        (processes.collect(), rejected)
    }

    fn process(
        &mut self,
        from: ProcessId,
        source: SocketAddr,
        name: &str,
        at: Option<SocketAddr>,
        now: Duration,
    ) -> Result<ProcessId, Rejected> {
        let known = self.table.names.process(name);
        let Some(book) = &mut self.book else {
            return known.ok_or_else(|| Rejected::UnknownProcess(name.to_owned()));
        };
        let Some(at) = at.filter(|_| known != Some(from)) else {
            return known.ok_or(Rejected::NoProcess);
        };
        let is_common = is_common(at, source);
        match known {
            Some(me) if me == self.table.me => Ok(match is_common && book.is_own(at, now) {
                true => me,
                false => ProcessId::NOBODY,
            }),
            Some(known) => {
                let address = &mut self.table.addresses[known.index()];
                let moves = is_common && address.is_some_and(|address| address != at);
                if moves && address.is_some_and(|address| book.has_left(known, address, now)) {
                    *address = Some(at);
                }
                Ok(known)
            }
            None if is_common => self.learn(name, at),
            None => Err(Rejected::NotCommon(name.to_owned(), at)),
        }
    }

    /// Takes a process into the table.
    fn learn(&mut self, name: &str, at: SocketAddr) -> Result<ProcessId, Rejected> {
        if check_name(name).is_err() {
            return Err(Rejected::InvalidName(name.to_owned()));
        }
        if self.table.names.count() >= self.table.capacity() {
            return Err(Rejected::TableFull(name.to_owned()));
        }
        self.table.addresses.push(Some(at));
        self.sessions.push(0);
        Ok(self.table.names.add(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::peers::{Growth, PeerTable},
        *,
    };

    const P1: ProcessId = ProcessId(0);

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// p1, whose table holds four.
    fn peers() -> Peers {
        let growth = Growth {
            listen: address("192.0.2.1:4001"),
            most: 4,
        };
        Peers::new(true, PeerTable::growing("p1", growth))
    }

    fn ends<'a>(from: &'a str, knows: u32) -> Ends<'a> {
        Ends {
            from,
            to: "p1",
            session: 7,
            knows,
        }
    }

    fn named(list: &[(&'static str, &str)]) -> Vec<Named<'static>> {
        let named = |(name, at): &(&'static str, &str)| Named {
            name: (*name).into(),
            at: at.parse().ok(),
        };
        list.iter().map(named).collect()
    }

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn a_stranger_is_taken_in_once_it_knows_this_session() {
        let mut peers = peers();
        let session = peers.session;
        let far = address("192.0.2.2:4002");
        for knows in [0, session.wrapping_add(1)] {
            assert_eq!(
                peers.origin(ends("p2", knows), far, NOW),
                Ok(Origin::Stranger)
            );
        }
        assert_eq!(peers.table.names.count(), 1, "anybody can send that");
        let asks = Ends {
            to: "",
            ..ends("p2", session)
        };
        assert_eq!(peers.origin(asks, far, NOW), Ok(Origin::Stranger));
        let p2 = Origin::Peer(ProcessId(1));
        assert_eq!(peers.origin(ends("p2", session), far, NOW), Ok(p2));
        assert_eq!(peers.origin(ends("p2", 0), far, NOW), Ok(p2), "it is known");
        assert_eq!(peers.address_of(ProcessId(1)), Some(far));
        let odd = peers.origin(ends("p 3", session), far, NOW);
        assert_eq!(odd, Err(Rejected::InvalidName("p 3".to_owned())));
        let other = Ends {
            to: "p9",
            ..ends("p2", session)
        };
        let other = peers.origin(other, far, NOW);
        assert_eq!(other, Err(Rejected::WrongReceiver("p9".to_owned())));
    }

    #[test]
    fn what_a_frame_names_is_taken_in_as_far_as_there_is_room() {
        let mut peers = peers();
        let (session, far) = (peers.session, address("192.0.2.2:4002"));
        peers.origin(ends("p2", session), far, NOW).unwrap();
        let p2 = ProcessId(1);
        let list = named(&[
            ("p2", ""),
            ("p1", "192.0.2.1:4001"),
            ("p9", "192.0.2.9:4009"),
        ]);
        let (processes, rejected) = peers.named((p2, far), &list, NOW);
        assert_eq!((processes, rejected), (vec![p2, P1, ProcessId(2)], None));
        let nobody = ProcessId::NOBODY;
        for (name, at, why) in [
            (
                "p5",
                "127.0.0.1:1",
                "'p5' at 127.0.0.1:1, where only its sender reaches it",
            ),
            ("p5", "", "a process that it does not name"),
            ("p\n", "192.0.2.5:1", r"'p\n' is no name of a process"),
        ] {
            let (processes, rejected) = peers.named((p2, far), &named(&[(name, at)]), NOW);
            assert_eq!(processes, [nobody]);
            let rejected = rejected.unwrap().to_string();
            assert!(rejected.ends_with(why), "{rejected}");
        }
        let names: [&'static str; 20] = std::array::from_fn(|number| -> &'static str {
            ["p10", "p11", "p12", "p13", "p14"][number % 5]
        });
        let list: Vec<_> = names.iter().map(|name| (*name, "192.0.2.9:1")).collect();
        let (processes, rejected) = peers.named((p2, far), &named(&list), NOW);
        assert_eq!(processes[..2], [ProcessId(3), nobody]);
        assert_eq!(rejected, Some(Rejected::TableFull("p11".to_owned())));
        assert_eq!(peers.table.names.count(), 4);
        let late = peers.origin(ends("p11", session), far, NOW);
        assert_eq!(late, Err(Rejected::TableFull("p11".to_owned())));
    }

    #[test]
    fn a_name_belongs_to_who_answers_at_its_address() {
        let mut peers = peers();
        let session = peers.session;
        let (first, second) = (address("192.0.2.2:4002"), address("192.0.2.3:4002"));
        let p2 = Origin::Peer(ProcessId(1));
        assert_eq!(peers.origin(ends("p2", session), first, NOW), Ok(p2));
        peers.status(ProcessId(1), 7, session);
        assert_eq!(
            peers.origin(ends("p2", session), second, NOW),
            Ok(p2),
            "the session is that of the process: it has two addresses"
        );
        let claim = Ends {
            session: 8,
            ..ends("p2", session)
        };
        let mut moved = None;
        for now in (0..3_000).step_by(100) {
            let at = Duration::from_millis(now);
            let origin = peers.origin(claim, second, at);
            let questions = peers.book.as_mut().unwrap().questions();
            assert!(questions.iter().all(|asked| *asked == first));
            if now < 1_000 && !questions.is_empty() {
                // The first one answers.
                peers.origin(ends("p2", session), first, at).unwrap();
            }
            if origin == Ok(p2) {
                moved = Some(now);
                break;
            }
            assert_eq!(origin, Err(Rejected::OtherAddress("p2".to_owned())));
        }
        assert!(
            moved.is_some_and(|at| (1_900..2_500).contains(&at)),
            "{moved:?}"
        );
        assert_eq!(peers.address_of(ProcessId(1)), Some(second));
    }

    #[test]
    fn a_second_process_of_this_name_is_noticed() {
        let mut peers = peers();
        let session = peers.session;
        let other = address("192.0.2.2:4002");
        let same = Err(Rejected::SameName("p1".to_owned()));
        assert_eq!(peers.origin(ends("p1", 0), other, NOW), same);
        assert_eq!(
            peers.book.as_ref().unwrap().taken,
            None,
            "anybody can send that"
        );
        assert_eq!(peers.origin(ends("p1", session), other, NOW), same);
        assert_eq!(peers.book.as_ref().unwrap().taken, Some(other));
        let own = Ends {
            session,
            to: "",
            ..ends("p1", 0)
        };
        assert_eq!(
            peers.origin(own, address("192.0.2.4:4001"), NOW),
            Ok(Origin::Own)
        );
        peers.origin(ends("p2", session), other, NOW).unwrap();
        let list = named(&[("p1", "192.0.2.4:4001"), ("p1", "192.0.2.5:4001")]);
        let (processes, rejected) = peers.named((ProcessId(1), other), &list, NOW);
        assert_eq!((processes, rejected), (vec![P1, ProcessId::NOBODY], None));
    }
}
