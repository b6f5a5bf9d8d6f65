//! Environment variables: the name of each flag's, and those that no flag has.

use std::ffi::OsString;

use super::program::CommandLine;
use crate::{
    exit::Failure,
    text::{closest, visible},
};

/// The variables that all programs share, without the `LAB_` before each.
const SHARED: [&str; 2] = ["CONFIG", "RUN"];

/// The variable of a flag: `PROGRAM_FLAG`, and for the file that all programs share `LAB_CONFIG`.
pub(super) fn variable<C: CommandLine>(flag: &str) -> String {
    match flag {
        "config" => "LAB_CONFIG".to_owned(),
        flag => prefix::<C>() + &upper(flag),
    }
}

fn prefix<C: CommandLine>() -> String {
    upper(C::PROGRAM) + "_"
}

fn upper(name: &str) -> String {
    name.replace('-', "_").to_uppercase()
}

/// Refuses a variable that begins as the program's do and is none of them, and one that is nearly one of all programs'. `all`
/// makes the program's variables, where they are needed.
///
/// # Errors
/// `VARIABLE: why` (exit code 2).
pub(super) fn check<C: CommandLine>(
    all: impl Fn() -> Vec<String>,
    names: impl IntoIterator<Item = OsString>,
) -> Result<(), Failure> {
    let mut known = None;
    for name in names {
        let name = name.to_string_lossy();
        let upper = name.to_uppercase();
        if let Some(rest) = upper.strip_prefix("LAB_") {
            match closest(rest, SHARED) {
                Some(near) if name != format!("LAB_{near}") => {
                    let why = format!("no such variable; did you mean LAB_{near}?");
                    return Err(Failure::could_not_run(visible(name.as_bytes()), why));
                }
                _ => {}
            }
        }
        let prefix = prefix::<C>();
        let Some(rest) = upper.strip_prefix(&prefix) else {
            continue;
        };
        let known: &Vec<String> = known.get_or_insert_with(&all);
        if !known.iter().any(|known| *known == name) {
            let flags = known.iter().filter_map(|known| known.strip_prefix(&prefix));
            let near = closest(rest, flags);
            let near = near.map(|near| format!("; did you mean {prefix}{near}?"));
            let near = near.unwrap_or_default();
            let why = format!("no flag of {} has this variable{near}", C::PROGRAM);
            return Err(Failure::could_not_run(visible(name.as_bytes()), why));
        }
    }
    Ok(())
}

/// The variables of all options of a command and its subcommands.
pub(super) fn all(command: &clap::Command) -> Vec<String> {
    let all = std::iter::once(command).chain(command.get_subcommands());
    let arguments = all.flat_map(clap::Command::get_arguments);
    let variables = arguments.filter_map(|argument| argument.get_env());
    variables
        .map(|variable| variable.to_string_lossy().into_owned())
        .collect()
}
