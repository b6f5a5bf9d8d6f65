//! The reference pages: each flag stands in a table there.

use std::fs;

use crate::config::{self, CommandLine, EVERYWHERE};

/// The page of what every program does alike.
const COMMON: &str = "scripting";

/// Checks that each flag of a program stands in a table of one of these pages of docs/reference, and those that every
/// program has in one of the page about scripts.
pub fn check_reference<C: CommandLine>(pages: &[&str]) {
    let rows = |page: &str| {
        let path = format!(
            "{}/../../docs/reference/{page}.md",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let rows = text.lines().filter(|line| line.starts_with('|'));
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    let (own, common) = (
        pages.iter().flat_map(|page| rows(page)).collect::<Vec<_>>(),
        rows(COMMON),
    );
    let offered = config::command::<C>();
    let mut missing = Vec::new();
    for (subcommand, taken, _) in config::commands(&offered) {
        for flag in taken {
            let is_common =
                EVERYWHERE.contains(&flag) || ["ready-file", "completions"].contains(&flag);
            let rows = if is_common { &common } else { &own };
            if !rows.iter().any(|row| names(row, flag)) {
                missing.push(format!("{subcommand} --{flag}"));
            }
        }
    }
    assert!(missing.is_empty(), "no table of {pages:?} has {missing:?}");
}

/// Whether a row of a table has this flag as code.
fn names(row: &str, flag: &str) -> bool {
    row.split(&format!("--{flag}")).skip(1).any(|rest| {
        let next = rest.chars().next();
        !next.is_some_and(|next| next.is_alphanumeric() || next == '-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_not_another_that_begins_so() {
        assert!(names("| `--max-clock TIME` | `--for` |", "for"));
        assert!(!names("| `--seeds N` | `--max-clock` |", "seed"));
        assert!(!names("| `--max-clock` |", "clock"));
    }
}
