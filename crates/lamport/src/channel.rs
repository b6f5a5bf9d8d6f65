//! A reliable FIFO channel over a network that loses, doubles and overtakes: what the algorithms assume, and no network
//! gives.
//!
//! Every packet has a number; the receiver hands them on in order, drops doubles, and says how far it has come
//! (cumulative acknowledgement, as in TCP, RFC 9293 section 3.4). What is not acknowledged in time is sent again, after a
//! time that follows the round trips measured (RFC 6298) and doubles with every try. Time is told by whoever calls, as
//! the length since any fixed moment.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// How many packets may be on their way at once, and how far ahead of the next one a receiver keeps them.
pub const WINDOW: u64 = 256;

/// How many more may wait for their turn; one more and the channel is broken for good.
pub const MOST_WAITING: usize = 16_384;

/// Before a round trip was measured; the shortest and the longest time after which a packet is sent again.
const FIRST_TIMEOUT: Duration = Duration::from_millis(100);
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(10);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(1);

/// What travels: at most one packet, and how far its sender has come with those of the other side.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Frame<T> {
    /// The packet's number, from 1; 0 when there is none.
    pub number: u64,
    /// All packets up to this number have come.
    pub acknowledged: u64,
    /// The packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packet: Option<T>,
}

/// One side of a channel between two processes.
#[derive(Debug)]
pub struct Channel<T> {
    /// Sent, and not acknowledged.
    flying: VecDeque<Flying<T>>,
    /// None of them is due before that; so not each is looked at each time.
    none_due_before: Duration,
    /// Not sent yet, as the window is full.
    waiting: VecDeque<T>,
    /// The number of the next packet that is sent.
    next: u64,
    /// All packets of the other side up to this number have been handed on.
    received: u64,
    /// Those that came before their turn.
    early: BTreeMap<u64, T>,
    /// Whether the other side has not been told of the last that came.
    owes: bool,
    /// The round trip, smoothed, and how much it varies (SRTT and RTTVAR of RFC 6298).
    round_trip: Option<(Duration, Duration)>,
    /// When the other side was heard last.
    heard: Option<Duration>,
    broken: bool,
}

#[derive(Debug)]
struct Flying<T> {
    number: u64,
    packet: T,
    sent: Duration,
    due: Duration,
    tries: u32,
}

/// So much waits for the other side that the channel is broken: what is sent from now on is lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Broken;

impl<T> Default for Channel<T> {
    fn default() -> Self {
        Self {
            flying: VecDeque::new(),
            none_due_before: Duration::MAX,
            waiting: VecDeque::new(),
            next: 1,
            received: 0,
            early: BTreeMap::new(),
            owes: false,
            round_trip: None,
            heard: None,
            broken: false,
        }
    }
}

impl<T: Clone> Channel<T> {
    /// Takes a packet to send; [`Self::frames`] sends it.
    ///
    /// # Errors
    /// When the channel is broken; it is so for good.
    pub fn send(&mut self, packet: T) -> Result<(), Broken> {
        self.broken |= self.waiting.len() >= MOST_WAITING;
        if self.broken {
            return Err(Broken);
        }
        self.waiting.push_back(packet);
        Ok(())
    }

    /// Takes a frame of the other side; calls with each packet whose turn it is.
    pub fn receive(&mut self, now: Duration, frame: Frame<T>, mut hand_on: impl FnMut(T)) {
        self.heard = Some(now);
        self.acknowledge(now, frame.acknowledged);
        let Some(packet) = frame.packet else { return };
        // Also of a double: the other side may not have heard.
        self.owes = true;
        if frame.number == self.received + 1 {
            self.received += 1;
            hand_on(packet);
            while let Some(packet) = self.early.remove(&(self.received + 1)) {
                self.received += 1;
                hand_on(packet);
            }
        } else if frame.number > self.received && frame.number - self.received <= WINDOW {
            self.early.insert(frame.number, packet);
        }
    }

    fn acknowledge(&mut self, now: Duration, up_to: u64) {
        let mut measured = None;
        while let Some(first) = self.flying.front()
            && first.number <= up_to
        {
            // Of one that was sent twice nobody knows which was acknowledged (Karn's algorithm).
            measured = (first.tries == 0).then(|| now.saturating_sub(first.sent));
            self.flying.pop_front();
        }
        if let Some(measured) = measured {
            self.round_trip = Some(match self.round_trip {
                None => (measured, measured / 2),
                Some((smooth, varies)) => (
                    smooth * 7 / 8 + measured / 8,
                    varies * 3 / 4 + smooth.abs_diff(measured) / 4,
                ),
            });
        }
    }

    /// After how long a packet is sent again for the first time.
    fn timeout(&self) -> Duration {
        let timeout = match self.round_trip {
            None => FIRST_TIMEOUT,
            Some((smooth, varies)) => smooth + 4 * varies,
        };
        timeout.clamp(SHORTEST_TIMEOUT, LONGEST_TIMEOUT)
    }

    /// Calls with each frame that is to be sent now: packets that are new or due again, or else an acknowledgement that
    /// is owed.
    pub fn frames(&mut self, now: Duration, mut send: impl FnMut(Frame<T>)) {
        let timeout = self.timeout();
        let acknowledged = self.received;
        let mut owes = std::mem::take(&mut self.owes);
        let mut frame = |number, packet: Option<T>| {
            owes = false;
            send(Frame {
                number,
                acknowledged,
                packet,
            });
        };
        if self.none_due_before <= now {
            self.none_due_before = Duration::MAX;
            for flying in &mut self.flying {
                if flying.due <= now {
                    flying.tries += 1;
                    let again = timeout * (1 << flying.tries.min(10));
                    flying.due = now + again.min(LONGEST_TIMEOUT);
                    frame(flying.number, Some(flying.packet.clone()));
                }
                self.none_due_before = self.none_due_before.min(flying.due);
            }
        }
        while (self.flying.len() as u64) < WINDOW
            && let Some(packet) = self.waiting.pop_front()
        {
            let (number, due) = (self.next, now + timeout);
            self.next += 1;
            self.none_due_before = self.none_due_before.min(due);
            self.flying.push_back(Flying {
                number,
                packet: packet.clone(),
                sent: now,
                due,
                tries: 0,
            });
            frame(number, Some(packet));
        }
        if owes {
            send(Frame {
                number: 0,
                acknowledged,
                packet: None,
            });
        }
    }

    /// When [`Self::frames`] may have something to send again, if nothing else happens.
    pub fn due(&self) -> Option<Duration> {
        (!self.flying.is_empty()).then_some(self.none_due_before)
    }

    /// Whether all that was sent is acknowledged.
    pub fn is_quiet(&self) -> bool {
        self.flying.is_empty() && self.waiting.is_empty()
    }

    /// Since when the other side has said nothing while something waits for it; None when all is well.
    pub fn silent_since(&self) -> Option<Duration> {
        let first = self.flying.front()?;
        Some(self.heard.map_or(first.sent, |heard| heard.max(first.sent)))
    }

    /// Whether the other side was ever heard.
    pub fn was_heard(&self) -> bool {
        self.heard.is_some()
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Two sides, and a network between them that does everything a network does.
    fn over_a_bad_network(seed: u64, packets: u64) {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut sides = [Channel::default(), Channel::default()];
        let mut network: Vec<(Duration, usize, Frame<u64>)> = Vec::new();
        let mut handed_on = [Vec::new(), Vec::new()];
        let mut now = Duration::ZERO;
        let mut sent = 0;
        while handed_on
            .iter()
            .any(|packets_of| (packets_of.len() as u64) < packets)
            || !sides.iter().all(Channel::is_quiet)
        {
            assert!(now < Duration::from_secs(600), "it ends");
            if sent < packets {
                sent += 1;
                sides.iter_mut().for_each(|side| side.send(sent).unwrap());
            }
            for (side, channel) in sides.iter_mut().enumerate() {
                channel.frames(now, |frame| {
                    for _ in 0..random.random_range(0..3) {
                        let late = now + ms(random.random_range(0..30));
                        network.push((late, 1 - side, frame.clone()));
                    }
                });
            }
            now += ms(1);
            let due: Vec<_> = network.extract_if(.., |(due, ..)| *due <= now).collect();
            for (_, to, frame) in due {
                sides[to].receive(now, frame, |packet| handed_on[to].push(packet));
            }
        }
        for packets_of in handed_on {
            assert!(packets_of.into_iter().eq(1..=packets));
        }
    }

    #[test]
    fn each_packet_once_and_in_order_whatever_the_network_does() {
        for seed in 0..20 {
            over_a_bad_network(seed, 500);
        }
    }

    #[test]
    fn a_side_that_says_nothing_is_asked_less_and_less_often_and_known() {
        let mut channel = Channel::default();
        channel.send("hello").unwrap();
        let mut sent = Vec::new();
        for now in 0..10_000 {
            channel.frames(ms(now), |_| sent.push(now));
        }
        assert_eq!(&sent[..5], [0, 100, 300, 700, 1500]);
        assert_eq!(sent[5], 2500, "once a second in the end");
        assert_eq!(channel.silent_since(), Some(Duration::ZERO));
        assert!(!channel.was_heard() && !channel.is_quiet());
        let acknowledged = Frame {
            number: 0,
            acknowledged: 1,
            packet: None,
        };
        channel.receive(ms(10_000), acknowledged, |_| ());
        assert!(channel.silent_since().is_none() && channel.is_quiet());
    }

    #[test]
    fn what_waits_has_a_bound() {
        let mut channel = Channel::default();
        for packet in 0..MOST_WAITING {
            channel.send(packet).unwrap();
        }
        assert_eq!(channel.send(0), Err(Broken));
        channel.frames(ms(0), |_| ());
        assert_eq!(channel.send(0), Err(Broken), "a packet is missing for good");
    }

    #[test]
    fn a_frame_from_far_ahead_is_not_kept() {
        let mut channel = Channel::default();
        let frame = |number| Frame {
            number,
            acknowledged: u64::MAX,
            packet: Some(number),
        };
        for number in [0, u64::MAX, WINDOW + 1, WINDOW] {
            channel.receive(ms(0), frame(number), |_| unreachable!());
        }
        assert_eq!(channel.early.len(), 1);
    }
}
