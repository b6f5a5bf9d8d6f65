//! A load: what is sent without a person at the keyboard, and when each message of it is due.

use std::time::Duration;

use common::multicast::sender::piece;

/// Without `--burst`, the messages that are due within this time are sent at once, in seconds.
const BURST: f64 = 0.001;

/// What to send before the client ends.
#[derive(Clone, Debug)]
pub struct Load {
    /// The messages, sent in turn; empty: filler.
    pub messages: Vec<Vec<u8>>,
    /// The length of each datagram.
    pub size: Option<usize>,
    /// The number of messages in all; None: until the time is over.
    pub total: Option<u64>,
    /// The load ends after this time.
    pub end_after: Option<Duration>,
    /// Messages a second; None: as fast as the kernel takes them.
    pub rate: Option<f64>,
    /// How many are sent at once.
    pub burst: Option<u64>,
    /// Whether the kernel may take many datagrams in one piece.
    pub offload: bool,
}

impl Load {
    /// Whether it is only a message or two, without a rate or a time.
    pub fn is_brief(&self) -> bool {
        self.size.is_none()
            && self.rate.is_none()
            && self.end_after.unwrap_or(Duration::ZERO).is_zero()
            && self.total == Some(self.messages.len() as u64)
    }

    /// How many messages are sent at once.
    pub fn burst(&self) -> u64 {
        let default = match self.rate {
            Some(rate) => (rate * BURST) as u64,
            None => self.piece(),
        };
        self.burst.unwrap_or(default).max(1)
    }

    /// How many datagrams are made and stamped at once: as many as the kernel takes in one piece.
    pub fn piece(&self) -> u64 {
        if self.offload {
            piece(self.size.unwrap_or(1)) as u64
        } else {
            1
        }
    }

    /// How long after the beginning the message is due that follows `before` others.
    pub fn due(&self, before: u64) -> Duration {
        self.rate.map_or(Duration::ZERO, |rate| {
            Duration::try_from_secs_f64(before as f64 / rate).unwrap_or(Duration::MAX)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(rate: Option<f64>, burst: Option<u64>) -> Load {
        Load {
            messages: Vec::new(),
            size: Some(64),
            total: None,
            end_after: None,
            rate,
            burst,
            offload: true,
        }
    }

    #[test]
    fn each_message_is_due_at_its_rate() {
        assert_eq!(load(None, None).due(1_000_000), Duration::ZERO);
        assert_eq!(
            load(Some(1000.0), None).due(500),
            Duration::from_millis(500)
        );
        assert_eq!(load(Some(0.5), None).due(3), Duration::from_secs(6));
    }

    #[test]
    fn a_burst_is_a_millisecond_and_a_piece_what_the_kernel_takes() {
        let burst = |rate, burst| load(rate, burst).burst();
        assert_eq!(
            [
                burst(None, None),
                burst(Some(10.0), None),
                burst(Some(200_000.0), None),
                burst(Some(10.0), Some(5))
            ],
            [64, 1, 200, 5]
        );
        let piece = |size| {
            Load {
                size,
                ..load(None, None)
            }
            .piece()
        };
        assert_eq!(
            [None, Some(64), Some(1400), Some(65_507)].map(piece),
            [64, 64, 46, 1]
        );
    }
}
