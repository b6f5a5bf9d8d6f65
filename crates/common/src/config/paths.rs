//! Paths that are none of a file: on Windows, names of devices.

use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::program::Options;
use crate::{exit::Failure, sys::files::device_of, text::visible_path};

/// Refuses the names of devices among the values of arguments and variables.
///
/// # Errors
/// `PATH: why` (exit code 2).
pub(super) fn check_arguments(matches: &ArgMatches) -> Result<(), Failure> {
    for id in matches.ids() {
        if let Ok(Some(paths)) = matches.try_get_many::<PathBuf>(id.as_str()) {
            paths.map(PathBuf::as_path).try_for_each(check)?;
        }
    }
    Ok(())
}

/// The same among the values of options.
///
/// # Errors
/// `PATH: why` (exit code 2).
pub(super) fn check_options(options: &impl Options) -> Result<(), Failure> {
    options.paths().into_iter().try_for_each(check)
}

fn check(path: &Path) -> Result<(), Failure> {
    device_of(path).map_or(Ok(()), |device| Err(refusal(path, &device)))
}

fn refusal(path: &Path, device: &str) -> Failure {
    let why = format!("{device} is a device on this system and not a file; choose another name");
    Failure::could_not_run(visible_path(path), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_one_line() {
        let failure = refusal(r"C:\lab\nul.json".as_ref(), "NUL");
        assert_eq!(
            failure.to_string(),
            r"C:\lab\nul.json: NUL is a device on this system and not a file; choose another name"
        );
    }
}
