//! The event logs of any set of programs as one distributed computation: read, merged, verified, drawn.
//!
//! | module | job |
//! | --- | --- |
//! | `model` | the data: trace, processes, events, messages |
//! | [`sources`], `utf16`, [`blocks`] | files, folders, gzip, UTF-16; their lines, read by several threads |
//! | `head` | which of the formats below a log has |
//! | [`lines`] | a line of the event log, version 1 |
//! | [`layouts`], `known`, `expression`, `fields`, `maelstrom` | logs of other tools: with clocks (ShiViz, GoVector, a regular expression), in lines of JSON, Maelstrom's messages |
//! | `foreign`, `clock_text`, `wall`, `complete` | what these have in common: events, clocks, times; what is known when all are read |
//! | `block`, `log` | the data between reading and merging; the log of one process |
//! | [`merge`], `dedup`, `sequence` | the process of each event, and the order of each process |
//! | [`matching`], [`vectors`] | the send of each receive: by identity, and by the vector clocks in the logs |
//! | [`order`] | happened-before: a total order of all events, cycles, Lamport and vector timestamps |
//! | [`executions`], [`runs`] | the processes of one execution; the runs of algorithms in the logs |
//! | [`verify`], [`traffic`], [`skew`] | the properties of logs; lost, duplicate and reordered messages; wall clocks that disagree |
//! | [`findings`] | the violations and warnings, with file and line |
//! | [`computation`] | all of it together |
//! | [`words`], [`connections`] | an event in words; the time for which a connection was served |
//! | [`spans`] | critical sections and the terms of leaders, which are drawn as bars |
//! | [`cut`] | cuts, and whether they are consistent |
//! | [`lane_order`] | the order of the lanes |
//! | [`terminal`], [`svg`], [`page`], [`exports`] | the diagrams, and the files for other tools |
//! | [`command`], [`args`] | the command `trace`, and its options |

pub mod args;
mod block;
pub mod blocks;
mod clock_text;
pub mod command;
mod complete;
pub mod computation;
pub mod connections;
pub mod cut;
mod dedup;
pub mod executions;
pub mod exports;
mod expression;
mod fields;
pub mod findings;
mod foreign;
mod head;
mod known;
pub mod lane_order;
pub mod layouts;
pub mod lines;
mod log;
mod maelstrom;
pub mod matching;
pub mod merge;
mod model;
pub mod order;
pub mod page;
pub mod runs;
mod sequence;
pub mod skew;
pub mod sources;
pub mod spans;
pub mod svg;
pub mod terminal;
pub mod traffic;
mod utf16;
pub mod vectors;
pub mod verify;
mod wall;
pub mod words;

pub use model::{
    Channel, Claim, Event, EventId, LoggedVector, Message, Place, Process, Thread, Trace,
};
pub(crate) use model::{NONE, Text};
