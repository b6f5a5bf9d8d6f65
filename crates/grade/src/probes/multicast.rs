//! The programs of experiment 4: a receiver that joins a group, and a sender.
//!
//! In the sandbox no other program is a member of any group, so that a datagram comes to a submission that has joined and to
//! no other.

mod group;
mod receiver;
mod sender;

pub use self::{receiver::ReceiverRole, sender::SenderRole};
