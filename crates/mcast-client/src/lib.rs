//! Experiment 4, the client: a member of a multicast group that prints the messages received and sends each line typed.
//!
//! | module | job |
//! | --- | --- |
//! | [`handout`] | the handout's program: join, receive, print |
//! | [`typist`] | the thread beside it that sends each line typed |
//! | [`load`] | sends a load without a person at the keyboard |
//! | [`schedule`] | the load: its messages, and when each is due |
//! | [`destinations`] | where a message is sent to |
//! | [`sending`] | sends one message to every destination: multicast, unicast or broadcast |
//! | [`datagrams`] | makes many stamped datagrams of one length in one buffer |
//! | [`config`] | the client's options and settings |

pub mod config;
pub mod datagrams;
pub mod destinations;
pub mod handout;
pub mod load;
pub mod schedule;
pub mod sending;
pub mod typist;
