//! Unicast, multicast and broadcast over UDP (IPv4: RFC 1112, RFC 919; IPv6: RFC 4291).
//!
//! | module | job |
//! | --- | --- |
//! | [`options`] | the membership's flags, declared once for both programs |
//! | [`membership`] | which groups to join, on which interfaces, and when to end |
//! | [`interface`] | the machine's network interfaces and their addresses |
//! | [`receiver`] | the receive loop of both programs: join, receive until the run ends |
//! | [`group_socket`] | the socket that receives by all three addressing modes |
//! | `destination` | what a datagram's destination address says |
//! | [`receive_stats`] | logs and counts the datagrams received |
//! | [`view`] | what people see of the events |
//! | [`sender`] | the socket that sends by one addressing mode |
//! | `sending_socket` | how that socket is opened, and why nothing can be sent |
//! | [`stamp`] | the sequence header: numbers and times a message |
//! | [`tally`] | what became of one sender's messages: lost, duplicates, reordered, delay |
//! | [`sessions`] | the table of all senders |
//! | `watch` | warns when an interface vanishes, and joins again when it is back |
//! | [`doctor`] | checks why nothing arrives |

mod batching;
mod destination;
pub mod doctor;
pub mod group_socket;
pub mod interface;
mod join;
pub mod membership;
pub mod options;
pub mod receive_stats;
pub mod receiver;
pub mod sender;
mod sending_socket;
pub mod sessions;
pub mod stamp;
pub mod tally;
pub mod view;
mod watch;

pub use self::{
    group_socket::{Batch, GroupSocket},
    membership::{GROUP, Membership, MembershipArgs, PORT},
    receive_stats::ReceiveStats,
    receiver::Receiver,
    sender::{LONGEST, Reach, Sender},
};
pub use crate::event::AddressingMode;
