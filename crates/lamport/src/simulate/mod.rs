//! The command `simulate`, on [`common::process::simulation`]; minimal counterexamples; and replays.
//!
//! | module | job |
//! | --- | --- |
//! | [`settings`] | the settings, from the program's options |
//! | [`minimize`] | a minimal counterexample |
//! | [`replay`] | repeats the run that an event log describes |
//! | [`command`] | the command `simulate` |

pub mod command;
pub mod minimize;
pub mod replay;
pub mod settings;

use common::process::simulation;

use crate::bug::Bug;

/// The settings of a simulation of an algorithm.
pub type Settings = simulation::Settings<Option<Bug>>;
