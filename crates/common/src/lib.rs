//! What every program of the lab needs, and nothing that only one of them does.
//!
//! | module | job |
//! | --- | --- |
//! | [`app`] | the frame around a program's `main`: command line, journal, signals, exit code |
//! | [`config`] | flags over environment over file over default |
//! | [`event`] | the event log's types: what is written is what is read |
//! | [`message`] | what identifies a message on both sides |
//! | [`journal`] | the bounded channel and the one thread that writes log and terminal |
//! | [`exit`] | exit codes, the one line of a failure, the summary of a run |
//! | [`shutdown`] | asking every thread to stop, by signal or by hand |
//! | [`json`] | reading a JSON file, with line, column and path of what is wrong |
//! | [`telling`] | which messages of a load are told one by one |
//! | [`text`] | text from outside made safe to show; "did you mean" |
//! | `net` | TCP sockets and waiting that a shutdown can interrupt (feature `net`) |
//! | `interface`, `multicast` | network interfaces; groups, UDP senders and receivers (feature `multicast`) |
//! | `typed` | lines from standard input, bounded and interruptible (feature `typed`) |
//! | `measuring` | benchmarks of code: two ways timed in turn (feature `testing`) |
//! | `testing` | starting the real binaries from a test (feature `testing`) |

pub mod app;
pub mod config;
pub mod event;
pub mod exit;
#[cfg(feature = "multicast")]
pub mod interface;
pub mod journal;
pub mod json;
#[cfg(any(test, feature = "testing"))]
pub mod measuring;
pub mod message;
#[cfg(feature = "multicast")]
pub mod multicast;
#[cfg(feature = "net")]
pub mod net;
pub mod shutdown;
pub mod telling;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
mod threads;
#[cfg(feature = "typed")]
pub mod typed;
