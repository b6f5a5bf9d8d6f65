//! Unicast, multicast and broadcast over UDP (IPv4: RFC 1112, RFC 919; IPv6: RFC 4291).
//!
//! | module | job |
//! | --- | --- |
//! | [`membership`] | which groups to join, where, and for how long to listen |
//! | [`receiver`] | the socket that hears all three techniques, and how each datagram came |
//! | [`sender`] | the socket that sends by one of them |
//! | [`stamp`] | the envelope that numbers and times a message |
//! | [`tally`] | what was lost, doubled and overtaken, sender by sender |
//! | [`hearing`] | what is told of the datagrams that come, and what they come to |
//! | [`doctor`] | why nothing arrives |

pub mod doctor;
mod gathering;
pub mod hearing;
pub mod membership;
pub mod receiver;
pub mod sender;
pub mod stamp;
pub mod tally;

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Instant,
};

pub use self::{
    membership::{Membership, Wanted},
    receiver::{Batch, Receiver},
    sender::{Reach, Sender},
};
pub use crate::event::Technique;

/// The handout's group.
pub const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 1, 1, 1));

/// The handout's port.
pub const PORT: u16 = 5007;

/// The most that one UDP datagram carries over IPv4, in bytes: 65,535 less the headers (RFC 768, RFC 791). Over
/// IPv6 it could be 20 more; one limit for both is easier to remember.
pub const LONGEST: usize = 65_507;

/// How many datagrams are told one by one in a second, and in one that follows a second that had more. The rest is
/// counted: to write a line for each of a million would take all the time there is.
pub const TOLD: (u32, u32) = (1_000, 100);

/// Which datagrams of a load are told one by one.
#[derive(Debug)]
pub struct Telling {
    /// When the present second began.
    second: Instant,
    /// How many may still be told.
    left: u32,
    untold: u64,
}

impl Default for Telling {
    fn default() -> Self {
        Self {
            second: Instant::now(),
            left: TOLD.0,
            untold: 0,
        }
    }
}

impl Telling {
    /// Whether one more is told; else it is counted as not told.
    pub fn one_more(&mut self) -> bool {
        let told = self.left > 0;
        if told {
            self.left -= 1;
        } else {
            self.untold += 1;
        }
        told
    }

    /// When a second is over: how many were not told in it.
    pub fn left_out(&mut self, now: Instant) -> Option<u64> {
        let seconds = now.duration_since(self.second).as_secs();
        if seconds == 0 {
            return None;
        }
        self.second = now;
        self.left = if self.untold == 0 { TOLD.0 } else { TOLD.1 };
        self.rest()
    }

    /// At the end: how many were not told since the last second was over.
    pub fn rest(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.untold)).filter(|untold| *untold > 0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn so_many_are_told_and_the_rest_is_counted() {
        let told = |telling: &mut Telling| (0..5000).filter(|_| telling.one_more()).count();
        let mut telling = Telling::default();
        let begun = telling.second;
        assert_eq!(told(&mut telling), 1000);
        let second = |second| begun + Duration::from_secs(second);
        assert_eq!(telling.left_out(second(1) - Duration::from_millis(1)), None);
        assert_eq!(telling.left_out(second(1)), Some(4000));
        assert_eq!(told(&mut telling), 100);
        assert_eq!(telling.left_out(second(2)), Some(4900));
        assert!((0..100).all(|_| telling.one_more()));
        assert_eq!(telling.left_out(second(3)), None);
        assert_eq!(told(&mut telling), 1000);
        assert_eq!((telling.rest(), telling.rest()), (Some(4000), None));
    }
}
