//! What every program of the lab needs, and nothing that only one of them does.
//!
//! | module | job |
//! | --- | --- |
//! | [`app`] | the frame around a program's `main`: command line, journal, signals, exit code |
//! | [`capacity`] | what the system can still give: threads, memory, descriptors |
//! | [`config`] | flags over environment over file over default |
//! | [`event`] | the event log's types: what is written is what is read |
//! | [`message`] | what identifies a message on both sides |
//! | [`journal`] | the bounded channel and the one thread that writes log and terminal |
//! | [`exit`] | exit codes, the one line of a failure, the summary of a run |
//! | [`files`] | files that an argument names; `-` is a standard stream |
//! | [`shutdown`] | asking every thread to stop, by signal or by hand |
//! | [`sys`] | what differs between operating systems, in one room |
//! | [`json`] | reading a JSON file, with line, column and path of what is wrong |
//! | [`parallel`] | one work for many items, on several threads |
//! | [`size`] | a size of memory, as people write it |
//! | [`rate_limit`] | which messages of a load are logged one by one |
//! | [`sys`] | what differs between operating systems |
//! | [`text`] | text from outside made safe to show; "did you mean" |
//! | `endpoint`, `zone` | addresses as people write them; zones of IPv6 addresses (feature `net`) |
//! | `net` | TCP sockets and waiting that a shutdown can interrupt (feature `net`) |
//! | `multicast` | multicast groups, network interfaces, UDP senders and receivers (feature `multicast`) |
//! | `plot` | figures against the number of processes, as SVG (feature `plot`) |
//! | `process` | the interface of a distributed algorithm: processes, messages, clocks (feature `process`) |
//! | `typed` | lines from standard input, bounded and interruptible (feature `typed`) |
//! | `testing` | starting the real binaries from a test (feature `testing`) |

pub mod app;
pub mod capacity;
pub mod config;
#[cfg(feature = "net")]
pub mod endpoint;
pub mod event;
pub mod exit;
pub mod files;
pub mod journal;
pub mod json;
pub mod message;
#[cfg(feature = "multicast")]
pub mod multicast;
#[cfg(feature = "net")]
pub mod net;
pub mod parallel;
#[cfg(feature = "plot")]
pub mod plot;
#[cfg(feature = "process")]
pub mod process;
pub mod rate_limit;
pub mod shutdown;
pub mod size;
pub mod sys;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
mod threads;
#[cfg(feature = "typed")]
pub mod typed;
#[cfg(feature = "net")]
pub mod zone;
