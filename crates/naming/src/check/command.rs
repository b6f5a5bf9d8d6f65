//! The command `check`.

use common::{
    exit::{Failure, Summary},
    journal::Journal,
    process::{
        check::{command::Check, search::search},
        report,
    },
    shutdown::Shutdown,
};

use super::{Settings, model::broken_ring};
use crate::location::{chord::Chord, schemes::with_scheme};

/// Runs the command; exit code 1 when a property is violated. `shows_progress` is whether somebody sees standard output.
///
/// # Errors
/// When the search could not visit all states and found no violation, or a log cannot be written (exit code 2).
pub fn run(
    settings: &Settings,
    journal: &Journal,
    shutdown: &Shutdown,
    shows_progress: bool,
) -> Result<Summary, Failure> {
    if let Some(folder) = &settings.logs {
        // Before the search, which may take long.
        report::folder(folder)?;
    }
    let check = Check {
        subject: settings,
        logs: settings.logs.as_deref(),
        shows_progress,
        journal,
        shutdown,
    };
    if settings.scheme.is_ring() {
        let model = settings.model::<Chord>(settings.ring(), Some(broken_ring));
        return check.run(&model, &|progress, stop| {
            search(&model, settings.limits, progress, stop).into()
        });
    }
    with_scheme!(settings.scheme, &settings.group, P, process => {
        let model = settings.model::<P>(process, None);
        check.run(&model, &|progress, stop| {
            search(&model, settings.limits, progress, stop).into()
        })
    })
}
