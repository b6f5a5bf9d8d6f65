//! The model checker: explores every interleaving of processes, and finds shortest counterexamples.
//!
//! | module | job |
//! | --- | --- |
//! | [`model`], [`search`] | what is checked; the parallel search of its states |
//! | [`system`] | the model of processes and their network, with bounds, commands and a fault budget |
//! | [`time`] | time, which passes in ticks where processes read hardware clocks |
//! | `detection` | failure detectors, which are perfect, or wrong at first |
//! | [`monitor`] | the properties, as part of each state |
//! | [`packed`] | the states of a system in few bytes |
//! | [`relevance`], [`reduction`] | which states and steps of a system need no visit |
//! | [`liveness`] | liveness under weak fairness, in cycles too |
//! | [`path_event`] | a counterexample as events |
//! | [`args`], [`command`], [`report`] | a check as a command: its options, its progress, its output |

pub mod args;
pub mod command;
mod detection;
pub mod liveness;
pub mod model;
pub mod monitor;
pub mod packed;
pub mod path_event;
pub mod reduction;
pub mod relevance;
pub mod report;
pub mod search;
pub mod system;
#[cfg(all(test, feature = "simulation"))]
mod tests;
pub mod time;
