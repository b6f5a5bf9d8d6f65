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
mod kernel;
pub mod membership;
pub mod receiver;
pub mod sender;
pub mod stamp;
pub mod tally;

use std::net::{IpAddr, Ipv4Addr};

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
