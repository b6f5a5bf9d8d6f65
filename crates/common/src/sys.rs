//! The one room for what differs between operating systems: a file a topic, and below it a file a system, behind one
//! small interface. It uses nothing else of this crate but `text`.
//!
//! | topic | what it is |
//! | --- | --- |
//! | `clock` | the processor's time, and a clock that processes share (feature `clock`) |
//! | [`errors`] | errors of the system in words |
//! | [`features`] | what a system lacks, and why: flags that are refused there |
//! | [`files`] | what a file is whatever its name, reads and writes at a position, names that are none of a file |
//! | [`limits`] | what the system can still give: tasks, mappings, memory, descriptors |
//! | `loopback` | what a load from this machine to itself has: ports, and addresses to connect from (feature `net`) |
//! | [`signals`] | requests to stop, to report, to open the log again |
//! | [`terminal`] | the standard streams, consoles and terminals |
//! | [`types`] | the plain types of the topics |
//! | [`wake_up`] | what wakes every thread that waits |
//! | `batches` | many datagrams with one call, and the address that each was sent to (feature `batches`) |
//! | `replacing` | locks, owners and modes of files that are changed (feature `replacing`) |
//! | `processes` | processes that a program starts: groups, pauses, ends (feature `processes`) |
//! | `process_table` | all processes of the machine (feature `process-table`) |
//! | `sandbox` | what keeps a program apart (feature `sandbox`) |
//! | `socket_table` | all sockets of the machine (feature `socket-table`) |
//! | `sockets` | waiting for a socket, and what connect, accept and read differ in (feature `net`) |
//! | `listener` | a TCP listener that several threads share, and one of them closes (feature `net`) |
//! | `readiness` | one thread that waits for any number of sockets (feature `readiness`) |
//! | `hand_over` | a process that takes over an accepted connection (feature `hand-over`) |
//! | `pipes` | the standard streams of a child, and lines that are typed (feature `typed`) |
//! | `interfaces` | the machine's network interfaces (feature `net`) |
//! | `datagrams` | UDP sockets that join groups: how a port is shared, how a datagram came, what an error means (feature `multicast`) |
//! | `tables` | the kernel's tables of sockets and groups, and its settings (feature `multicast`) |
//! | `commands` | the commands of the system's administrator (feature `multicast`) |

#[cfg(feature = "batches")]
pub mod batches;
#[cfg(feature = "clock")]
pub mod clock;
#[cfg(feature = "multicast")]
pub mod commands;
#[cfg(feature = "multicast")]
pub mod datagrams;
pub mod errors;
pub mod features;
pub mod files;
#[cfg(feature = "hand-over")]
pub mod hand_over;
#[cfg(feature = "net")]
pub mod interfaces;
pub mod limits;
#[cfg(feature = "net")]
pub mod listener;
#[cfg(feature = "net")]
pub mod loopback;
#[cfg(feature = "typed")]
pub mod pipes;
#[cfg(feature = "process-table")]
pub mod process_table;
#[cfg(feature = "processes")]
pub mod processes;
#[cfg(any(feature = "multicast", feature = "processes"))]
mod quoting;
#[cfg(feature = "readiness")]
pub mod readiness;
#[cfg(feature = "replacing")]
pub mod replacing;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod signals;
#[cfg(feature = "socket-table")]
pub mod socket_table;
#[cfg(feature = "net")]
pub mod sockets;
#[cfg(feature = "multicast")]
pub mod tables;
pub mod terminal;
pub mod types;
pub mod wake_up;

pub use self::features::Feature;
