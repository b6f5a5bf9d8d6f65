//! Paths that are none of a file: on Windows, names of devices.

use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::{flag::EVERYWHERE, program::Options};
use crate::{exit::Failure, sys::files::device_of, text::visible_path};

/// Refuses the names of devices among the values of arguments and variables.
///
/// # Errors
/// `--flag PATH: why`, `PATH: why` for an argument that is no flag of the options (exit code 2).
pub(super) fn check_arguments<O: Options>(matches: &ArgMatches) -> Result<(), Failure> {
    let flags = O::flags();
    let names: Vec<&str> = flags.iter().map(|flag| flag.id).chain(EVERYWHERE).collect();
    for id in matches.ids() {
        let flag = named(id.as_str(), &names);
        if let Ok(Some(paths)) = matches.try_get_many::<PathBuf>(id.as_str()) {
            paths.into_iter().try_for_each(|path| check(&flag, path))?;
        }
    }
    Ok(())
}

/// The same among the values of options.
///
/// # Errors
/// `PATH: why` (exit code 2).
pub(super) fn check_options(options: &impl Options) -> Result<(), Failure> {
    let mut paths = options.paths().into_iter();
    paths.try_for_each(|path| check("", path))
}

/// `--log ` before a path, when the argument is one of these flags.
fn named(id: &str, flags: &[&str]) -> String {
    match flags.contains(&id) {
        true => format!("--{} ", id.replace('_', "-")),
        false => String::new(),
    }
}

fn check(flag: &str, path: &Path) -> Result<(), Failure> {
    device_of(path).map_or(Ok(()), |device| Err(refusal(flag, path, &device)))
}

fn refusal(flag: &str, path: &Path, device: &str) -> Failure {
    let why = format!("{device} is a device on this system and not a file; choose another name");
    Failure::could_not_run(format!("{flag}{}", visible_path(path)), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_one_line() {
        let flag = named("log", &EVERYWHERE);
        let failure = refusal(&flag, r"C:\lab\nul.json".as_ref(), "NUL");
        assert_eq!(
            failure.to_string(),
            r"--log C:\lab\nul.json: NUL is a device on this system and not a file; choose another name"
        );
        assert_eq!(named("ready_file", &["ready_file"]), "--ready-file ");
        assert_eq!(named("file", &EVERYWHERE), "");
    }
}
