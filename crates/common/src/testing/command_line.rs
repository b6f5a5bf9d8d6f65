//! A program's command line: its help, its flags, what it refuses.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    path::Path,
};

use super::{files::snapshot, program::run, words::banned_word};
use crate::{
    config::{self, CommandLine, EVERYWHERE, Early, ROOT},
    exit::Exit,
};

/// Checks a program's flags with clap's own assertions, and the help of the program and of each subcommand against the
/// recorded text at `path`.
pub fn check_command_line<C: CommandLine>(program: &str, path: &str) {
    let offered = config::command::<C>();
    offered.clone().debug_assert();
    check_defaults(&offered);
    let mut all = String::new();
    for (subcommand, _, _) in config::commands(&offered) {
        let words = [subcommand, "--help"];
        let words = &words[usize::from(subcommand == ROOT)..];
        let finished = run(program, words);
        assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
        for line in finished.out.lines() {
            assert!(line.chars().count() <= 125, "{subcommand}: {line}");
        }
        all.push_str(&format!(
            "$ {} {}\n{}\n",
            C::PROGRAM,
            words.join(" "),
            finished.out
        ));
    }
    snapshot(path, &all);
}

/// Checks that the help of every flag says its default, or that the flag is required.
fn check_defaults(command: &clap::Command) {
    let subcommands = command.get_subcommands();
    for command in [command].into_iter().chain(subcommands) {
        let shown = command.get_arguments().filter(|flag| !flag.is_hide_set());
        for flag in shown.filter(|flag| flag.get_long().is_some()) {
            let help = flag.get_help().map(ToString::to_string);
            assert!(
                help.as_deref().is_some_and(config::says_default),
                "{} --{}: {help:?} says no default",
                command.get_name(),
                flag.get_id()
            );
        }
    }
}

/// Checks that the program refuses each of these command lines with exit code 2 and one line, which begins with the
/// program's name and what stands beside the command line.
pub fn check_refusals(path: &str, refused: &[(&[&str], &str)]) {
    let program = Path::new(path)
        .file_name()
        .and_then(OsStr::to_str)
        .expect("a program");
    for (arguments, what) in refused {
        let finished = run(path, arguments);
        assert_eq!(
            (finished.code, finished.out.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        let line = format!("{program}: {what}");
        assert!(finished.err.starts_with(&line), "{line}\n{}", finished.err);
        assert_eq!(finished.err.lines().count(), 1, "{}", finished.err);
    }
}

/// Checks every flag of the program with every subcommand, and with the run without one: it is taken where the
/// program's table lists it, and refused elsewhere with the names of those that take it. In the help of each stand its
/// own flags alone, within two screens. Returns how many pairs there are.
pub fn check_every_flag<C: CommandLine>() -> usize {
    let offered = config::command::<C>();
    let commands = config::commands(&offered);
    for (name, _, _) in &commands {
        check_help::<C>(name);
    }
    let all: BTreeSet<&str> = commands
        .iter()
        .flat_map(|(_, taken, refused)| taken.iter().chain(refused).copied())
        .collect();
    let mut pairs = 0;
    for (name, taken, _) in &commands {
        for flag in &all {
            pairs += 1;
            let why = refusal::<C>(&[name, &format!("--{flag}")]);
            if EVERYWHERE.contains(flag) {
                let before = refusal::<C>(&[&format!("--{flag}"), name]);
                assert_eq!((&why, before), (&None, None), "{name} --{flag}");
                continue;
            }
            let is_taken = taken.contains(flag);
            assert_eq!(why.is_none(), is_taken, "{name} --{flag}: {why:?}");
            let Some(why) = why else { continue };
            let takers = commands.iter().filter(|(_, taken, _)| taken.contains(flag));
            for (taker, _, _) in takers {
                let named = match *taker {
                    ROOT => why.contains("without a subcommand"),
                    taker => why.split([' ', ',']).any(|word| word == taker),
                };
                assert!(named, "{name} --{flag}: {why} does not name {taker}");
            }
        }
    }
    pairs
}

/// Why a flag of this command line is not taken, if that is what is wrong with it.
fn refusal<C: CommandLine>(words: &[&str]) -> Option<String> {
    let flag = words.iter().find(|word| word.starts_with("--"));
    let flag = flag.expect("a flag");
    let words = words.iter().filter(|word| **word != ROOT);
    let arguments = [&C::PROGRAM].into_iter().chain(words).map(OsString::from);
    match config::command_line::<C>(arguments) {
        Err(Early::Fail(failure)) if failure.what == *flag => {
            assert_eq!(failure.exit, Exit::CouldNotRun);
            Some(failure.why)
        }
        Err(Early::Fail(failure)) => {
            // It wants a value, or something else.
            assert!(!failure.why.contains("unexpected"), "{failure}");
            None
        }
        _ => None,
    }
}

/// Checks that the subcommand's help shows the flags that it takes, and no others, within two screens.
fn check_help<C: CommandLine>(subcommand: &str) {
    let name = Some(subcommand).filter(|name| *name != ROOT);
    let words = [Some(C::PROGRAM), name, Some("--help")];
    let arguments = words.into_iter().flatten().map(OsString::from);
    let Err(Early::Show(help)) = config::command_line::<C>(arguments) else {
        panic!("{subcommand} has no help");
    };
    let help = help.to_string();
    let lines = help.lines().count();
    assert!(
        lines <= 80,
        "{lines} lines are more than two screens:\n{help}"
    );
    assert!(help.contains("Example"), "no example:\n{help}");
    assert_eq!(banned_word(&help), None, "{help}");
    let shown = help.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = line
            .split_once(", ")
            .filter(|(short, _)| short.len() == 2)
            .map_or(line, |(_, long)| long);
        let flag = line.strip_prefix("--")?;
        flag.split(|letter: char| !(letter.is_alphanumeric() || letter == '-'))
            .next()
    });
    let shown: BTreeSet<&str> = shown
        .filter(|flag| !["help", "version"].contains(flag))
        .collect();
    let offered = config::command::<C>();
    let commands = config::commands(&offered);
    let (_, taken, _) = commands
        .iter()
        .find(|(name, _, _)| *name == subcommand)
        .expect("a subcommand");
    let taken: BTreeSet<&str> = taken.iter().copied().chain(EVERYWHERE).collect();
    assert_eq!(shown, taken, "{help}");
}
