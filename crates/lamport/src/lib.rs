//! Experiment 6: Lamport's logical clocks.
//!
//! | module | job |
//! | --- | --- |
//! | [`handout`] | the handout's program: two clocks that exchange a message |
//! | [`common::process`] | what an algorithm is made of; its engine, simulation, verdict and model checker |
//! | [`vector_clock`], [`bug`] | the vector clock of causally ordered multicast; bugs to inject into an algorithm |
//! | [`algorithms`] | the algorithms |
//! | [`simulate`] | runs in simulated time, minimal counterexamples, replays |
//! | [`check`] | the model checker: all interleavings of the same processes |
//! | [`compare`] | how many messages the algorithms of a kind need |
//! | [`node`], [`run`] | the driver with real sockets: one process by hand, many started and supervised |
//! | [`harness`] | nodes of anybody, in any language, under the lab's network |
//! | [`verdict`] | the verdict on a run of an algorithm |
//! | [`trace`] | the logs of all programs of the lab, merged, verified and drawn |
//! | [`reporting`], [`view`] | the output of a run, and how it is printed |
//! | [`trace_flags`], [`config`], [`command`] | the options and subcommands, and the module that runs each |

pub mod algorithms;
pub mod bug;
pub mod check;
pub mod clock_plot;
pub mod command;
pub mod compare;
pub mod config;
pub mod handout;
pub mod harness;
pub mod node;
pub mod reporting;
pub mod run;
pub mod simulate;
pub mod trace;
pub mod trace_flags;
pub mod vector_clock;
pub mod verdict;
pub mod view;
