//! Experiment 4, the server: a member of a multicast group that prints the datagrams received.
//!
//! | module | job |
//! | --- | --- |
//! | [`handout`] | the handout's program: join, print, receive, print |
//! | [`config`] | the server's options |

pub mod config;
pub mod handout;
