//! A reliable channel, over a network that loses, duplicates and reorders frames: FIFO, as most algorithms assume, or unordered.
//!
//! Every packet has a sequence number. The receiver delivers packets in order (of an unordered channel as they arrive), discards
//! duplicates, and acknowledges
//! cumulatively (as TCP does, RFC 9293 section 3.4). The sender retransmits an unacknowledged packet after a timeout that
//! follows the measured round-trip times (RFC 6298) and doubles with every retransmission. The caller passes the time, as
//! the duration since any fixed moment.

use std::{collections::VecDeque, time::Duration};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How many packets may be in flight, and how far ahead of the next packet a receiver buffers them.
pub const WINDOW: u64 = 256;

/// How many packets may wait for the window; one more breaks the channel for good.
pub const MOST_WAITING: usize = 16_384;

/// The retransmission timeout before a round trip was measured; its minimum and its maximum.
const FIRST_TIMEOUT: Duration = Duration::from_millis(100);
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(10);
/// How long it waits at most until it sends a packet again.
pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(1);

/// In which order a reliable channel delivers the messages of its sender, each once.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    /// In the order of sending.
    #[default]
    Fifo,
    /// As they arrive, in any order.
    Unordered,
}

impl ChannelOrder {
    /// The word for it, as on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Unordered => "unordered",
        }
    }
}

/// The unit on the network: at most one packet, and a cumulative acknowledgement.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Frame<T> {
    /// The packet's sequence number in its channel, from 1; 0 in a frame without a packet.
    pub sequence: u64,
    /// The sender of the frame has received all packets up to this sequence number.
    pub acknowledged: u64,
    /// The packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packet: Option<T>,
}

/// One side of a channel between two processes.
#[derive(Debug)]
pub struct ReliableLink<T> {
    /// Packets that are sent and not acknowledged.
    in_flight: VecDeque<InFlight<T>>,
    /// No packet in flight is due before this time; saves looking at each of them.
    none_due_before: Duration,
    /// Packets that are not sent, because the window is full.
    waiting: VecDeque<T>,
    /// The sequence number of the next packet.
    next: u64,
    /// All packets of the other side up to this sequence number are delivered.
    received: u64,
    order: ChannelOrder,
    /// Packets that arrived out of order, by sequence number; nothing is kept of one that was delivered. They are few, at most a window,
    /// and the next one is the first.
    early: VecDeque<(u64, Option<T>)>,
    /// Whether a packet has arrived since the last acknowledgement.
    owes: bool,
    /// The smoothed round-trip time and its variation (SRTT and RTTVAR of RFC 6298).
    round_trip: Option<(Duration, Duration)>,
    /// When the last frame of the other side arrived.
    heard: Option<Duration>,
    broken: bool,
}

#[derive(Debug)]
struct InFlight<T> {
    sequence: u64,
    packet: T,
    sent: Duration,
    due: Duration,
    retransmissions: u32,
}

/// Too many packets wait for the other side: the channel is broken, and later packets are lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LinkBroken;

impl<T> Default for ReliableLink<T> {
    fn default() -> Self {
        Self {
            in_flight: VecDeque::new(),
            none_due_before: Duration::MAX,
            waiting: VecDeque::new(),
            next: 1,
            received: 0,
            order: ChannelOrder::Fifo,
            early: VecDeque::new(),
            owes: false,
            round_trip: None,
            heard: None,
            broken: false,
        }
    }
}

impl<T> ReliableLink<T> {
    /// A channel that delivers in this order.
    pub fn new(order: ChannelOrder) -> Self {
        Self {
            order,
            ..Self::default()
        }
    }
}

impl<T: Clone> ReliableLink<T> {
    /// Queues a packet; [`Self::frames`] sends it.
    ///
    /// # Errors
    /// When the channel is broken, which is permanent.
    pub fn send(&mut self, packet: T) -> Result<(), LinkBroken> {
        self.broken |= self.waiting.len() >= MOST_WAITING;
        if self.broken {
            return Err(LinkBroken);
        }
        self.waiting.push_back(packet);
        Ok(())
    }

    /// Receives a frame of the other side; calls `deliver` with each packet that is next in order, or new.
    pub fn receive(&mut self, now: Duration, frame: Frame<T>, mut deliver: impl FnMut(T)) {
        self.heard = Some(now);
        self.acknowledge(now, frame.acknowledged);
        let Some(packet) = frame.packet else { return };
        // Also after a duplicate: the first acknowledgement may be lost.
        self.owes = true;
        if frame.sequence == self.received + 1 {
            self.received += 1;
            deliver(packet);
            while self
                .early
                .front()
                .is_some_and(|first| first.0 == self.received + 1)
            {
                self.received += 1;
                let first = self.early.pop_front();
                first
                    .and_then(|first| first.1)
                    .into_iter()
                    .for_each(&mut deliver);
            }
        } else if frame.sequence > self.received && frame.sequence - self.received <= WINDOW {
            let known = |(sequence, _): &(u64, Option<T>)| *sequence;
            let Err(place) = self.early.binary_search_by_key(&frame.sequence, known) else {
                return;
            };
            match self.order {
                ChannelOrder::Fifo => self.early.insert(place, (frame.sequence, Some(packet))),
                ChannelOrder::Unordered => {
                    self.early.insert(place, (frame.sequence, None));
                    deliver(packet);
                }
            }
        }
    }

    fn acknowledge(&mut self, now: Duration, up_to: u64) {
        let mut measured = None;
        while let Some(first) = self.in_flight.front()
            && first.sequence <= up_to
        {
            // An acknowledgement of a retransmitted packet is ambiguous (Karn's algorithm).
            measured = (first.retransmissions == 0).then(|| now.saturating_sub(first.sent));
            self.in_flight.pop_front();
        }
        if let Some(measured) = measured {
            self.round_trip = Some(match self.round_trip {
                None => (measured, measured / 2),
                Some((smoothed, variation)) => (
                    smoothed * 7 / 8 + measured / 8,
                    variation * 3 / 4 + smoothed.abs_diff(measured) / 4,
                ),
            });
        }
    }

    /// The timeout of the first retransmission.
    fn timeout(&self) -> Duration {
        let timeout = match self.round_trip {
            None => FIRST_TIMEOUT,
            Some((smoothed, variation)) => smoothed + 4 * variation,
        };
        timeout.clamp(SHORTEST_TIMEOUT, LONGEST_TIMEOUT)
    }

    /// Calls `send` with each frame to send now: new packets, retransmissions, or an acknowledgement that no packet carries.
    pub fn frames(&mut self, now: Duration, mut send: impl FnMut(Frame<T>)) {
        let timeout = self.timeout();
        let acknowledged = self.received;
        let mut owes = std::mem::take(&mut self.owes);
        let mut frame = |sequence, packet: Option<T>| {
            owes = false;
            send(Frame {
                sequence,
                acknowledged,
                packet,
            });
        };
        if self.none_due_before <= now {
            self.none_due_before = Duration::MAX;
            for in_flight in &mut self.in_flight {
                if in_flight.due <= now {
                    in_flight.retransmissions += 1;
                    let backoff = timeout * (1 << in_flight.retransmissions.min(10));
                    in_flight.due = now + backoff.min(LONGEST_TIMEOUT);
                    frame(in_flight.sequence, Some(in_flight.packet.clone()));
                }
                self.none_due_before = self.none_due_before.min(in_flight.due);
            }
        }
        while (self.in_flight.len() as u64) < WINDOW
            && let Some(packet) = self.waiting.pop_front()
        {
            let (sequence, due) = (self.next, now + timeout);
            self.next += 1;
            self.none_due_before = self.none_due_before.min(due);
            self.in_flight.push_back(InFlight {
                sequence,
                packet: packet.clone(),
                sent: now,
                due,
                retransmissions: 0,
            });
            frame(sequence, Some(packet));
        }
        if owes {
            send(Frame {
                sequence: 0,
                acknowledged,
                packet: None,
            });
        }
    }

    /// When [`Self::frames`] may have a retransmission, without further input.
    pub fn due(&self) -> Option<Duration> {
        (!self.in_flight.is_empty()).then_some(self.none_due_before)
    }

    /// Whether all packets are acknowledged.
    pub fn is_quiet(&self) -> bool {
        self.in_flight.is_empty() && self.waiting.is_empty()
    }

    /// Since when packets wait for an acknowledgement and no frame has arrived; None when no packet waits.
    pub fn unanswered_since(&self) -> Option<Duration> {
        let first = self.in_flight.front()?;
        Some(self.heard.map_or(first.sent, |heard| heard.max(first.sent)))
    }

    /// Whether a frame of the other side has ever arrived.
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

    /// Two sides, and a network between them that loses, duplicates and reorders.
    fn over_a_bad_network(order: ChannelOrder, seed: u64, packets: u64) -> [Vec<u64>; 2] {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut sides = [ReliableLink::new(order), ReliableLink::new(order)];
        let mut network: Vec<(Duration, usize, Frame<u64>)> = Vec::new();
        let mut delivered = [Vec::new(), Vec::new()];
        let mut now = Duration::ZERO;
        let mut sent = 0;
        while delivered
            .iter()
            .any(|packets_of| (packets_of.len() as u64) < packets)
            || !sides.iter().all(ReliableLink::is_quiet)
        {
            assert!(now < Duration::from_secs(600), "the exchange ends");
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
                sides[to].receive(now, frame, |packet| delivered[to].push(packet));
            }
        }
        delivered
    }

    #[test]
    fn each_packet_once_and_in_order_whatever_the_network_does() {
        for seed in 0..20 {
            for packets in over_a_bad_network(ChannelOrder::Fifo, seed, 500) {
                assert!(packets.into_iter().eq(1..=500));
            }
        }
    }

    #[test]
    fn an_unordered_channel_delivers_each_packet_once_as_it_arrives() {
        for seed in 0..20 {
            for mut packets in over_a_bad_network(ChannelOrder::Unordered, seed, 500) {
                assert!(!packets.is_sorted(), "some arrive out of order");
                packets.sort_unstable();
                assert!(packets.into_iter().eq(1..=500));
            }
        }
    }

    #[test]
    fn retransmissions_back_off_and_an_unanswered_side_is_noticed() {
        let mut channel = ReliableLink::default();
        channel.send("hello").unwrap();
        let mut sent = Vec::new();
        for now in 0..10_000 {
            channel.frames(ms(now), |_| sent.push(now));
        }
        assert_eq!(&sent[..5], [0, 100, 300, 700, 1500]);
        assert_eq!(sent[5], 2500, "at most once a second");
        assert_eq!(channel.unanswered_since(), Some(Duration::ZERO));
        assert!(!channel.was_heard() && !channel.is_quiet());
        let acknowledged = Frame {
            sequence: 0,
            acknowledged: 1,
            packet: None,
        };
        channel.receive(ms(10_000), acknowledged, |_| ());
        assert!(channel.unanswered_since().is_none() && channel.is_quiet());
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut channel = ReliableLink::default();
        for packet in 0..MOST_WAITING {
            channel.send(packet).unwrap();
        }
        assert_eq!(channel.send(0), Err(LinkBroken));
        channel.frames(ms(0), |_| ());
        assert_eq!(
            channel.send(0),
            Err(LinkBroken),
            "a packet is lost for good"
        );
    }

    #[test]
    fn a_packet_beyond_the_window_is_not_buffered() {
        let mut channel = ReliableLink::default();
        let frame = |sequence| Frame {
            sequence,
            acknowledged: u64::MAX,
            packet: Some(sequence),
        };
        for sequence in [0, u64::MAX, WINDOW + 1, WINDOW] {
            channel.receive(ms(0), frame(sequence), |_| unreachable!());
        }
        assert_eq!(channel.early.len(), 1);
    }
}
