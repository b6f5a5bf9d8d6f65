//! Where the reduction of the state space is sound.

use common::process::{check::system::FaultBudget, reliable_link::ChannelOrder};

use super::{Settings, Subject};
use crate::{algorithms::Algorithm, bug::Bug};

/// Why the reduction is not sound for these settings, if it is not.
pub fn why_not(settings: &Settings) -> Option<&'static str> {
    match settings.subject {
        Subject::Module { .. } => Some("the counts of the module are published"),
        // In a token ring no process compares times, and no step is taken alone.
        Subject::Processes { budget, .. }
            if budget != FaultBudget::default() && settings.algorithm != Algorithm::TokenRing =>
        {
            Some("a fault can come before any step, and they share a budget")
        }
        Subject::Processes { .. } if settings.algorithm.elects() => {
            Some("states of elections are without times anyway")
        }
        Subject::Processes { .. } if settings.algorithm.reads_clock() => {
            Some("physical time makes a difference")
        }
        Subject::Processes { .. } if settings.algorithm.is_timeless() => {
            Some("states of snapshots are without times anyway")
        }
        Subject::Processes { .. } if settings.order == ChannelOrder::Unordered => {
            Some("only in FIFO channels do steps commute")
        }
        Subject::Processes { .. } => match settings.bug {
            Some(Bug::NoTieBreak) => Some("with the bug equal times make a difference"),
            Some(Bug::NoAdvance) => Some("with the bug clocks do not order events"),
            _ => None,
        },
    }
}
