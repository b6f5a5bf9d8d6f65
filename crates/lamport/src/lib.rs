//! Experiment 6: Lamport's logical clocks.
//!
//! | module | job |
//! | --- | --- |
//! | [`handout`] | the handout's program: two clocks that exchange a message |
//! | [`common::process`] | the interface of an algorithm: a state machine with an outbox and a logical clock |
//! | [`vector_clock`], [`bug`] | the vector clock of causally ordered multicast; bugs to inject into an algorithm |
//! | [`algorithms`], [`workload`] | the algorithms, and the operations that their applications start |
//! | [`reliable_link`], [`engine`] | reliable FIFO channels; a process with its channels, for any driver |
//! | [`simulate`], [`faults`] | the driver in simulated time, and the faults of a network |
//! | [`check`] | the model checker: all interleavings of the same processes |
//! | [`node`], [`run`] | the driver with real sockets: one process by hand, many started and supervised |
//! | [`harness`] | nodes of anybody, in any language, under the lab's network |
//! | [`run_event`], [`fault_event`], [`verdict`] | the events of a run, its faults, and their verdict |
//! | [`trace`] | the logs of all programs of the lab, merged, verified and drawn |
//! | [`reporting`], [`view`] | the output of a run, and how it is printed |
//! | [`property`], [`happened_before`], [`words`] | the properties, the relation, and an event in words, for all of them |
//! | [`trace_flags`], [`config`], [`command`] | the options and subcommands, and the module that runs each |

pub mod algorithms;
pub mod bug;
pub mod check;
pub mod command;
pub mod config;
pub mod engine;
pub mod fault_event;
pub mod faults;
pub mod handout;
pub mod happened_before;
pub mod harness;
pub mod node;
pub mod property;
pub mod relevance;
pub mod reliable_link;
pub mod reporting;
pub mod run;
pub mod run_event;
pub mod simulate;
pub mod size;
pub mod trace;
pub mod trace_flags;
pub mod vector_clock;
pub mod verdict;
pub mod view;
pub mod words;
pub mod workload;
