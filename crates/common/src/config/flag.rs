//! A flag: the subcommands that take it, and whether it is given.

use crate::exit::Failure;

/// The run without a subcommand, in a list of those that take a flag.
pub const ROOT: &str = "root";

/// The options that every program has: taken by every subcommand, and before it too.
pub const EVERYWHERE: [&str; 5] = ["json", "log", "name", "quiet", "config"];

/// A flag and those that take it.
#[derive(Clone, Debug)]
pub struct Flag {
    /// The name of its field.
    pub(super) id: &'static str,
    pub(super) takers: Vec<Taker>,
}

/// A subcommand that takes a flag.
#[derive(Clone, Debug)]
pub struct Taker {
    /// Its name, or [`ROOT`].
    pub subcommand: &'static str,
    /// The default that its help shows.
    pub default: Option<&'static str>,
    /// What it calls the flag's value, where this is not what all call it.
    pub value: Option<&'static str>,
    /// What it says of the flag, where this is not what all say.
    pub help: Option<&'static str>,
}

impl Flag {
    /// The flag of a field; without takers the run without a subcommand takes it.
    pub fn new(field: &'static str, mut takers: Vec<Taker>) -> Self {
        if takers.is_empty() {
            takers.push(Taker {
                subcommand: ROOT,
                default: None,
                value: None,
                help: None,
            });
        }
        let id = field.trim_start_matches("r#");
        Self { id, takers }
    }

    pub(super) fn taker(&self, subcommand: &str) -> Option<&Taker> {
        let mut takers = self.takers.iter();
        takers.find(|taker| taker.subcommand == subcommand)
    }

    /// The subcommands that take it.
    pub fn takers(&self) -> Vec<&'static str> {
        self.takers.iter().map(|taker| taker.subcommand).collect()
    }

    /// Whether this subcommand takes it.
    pub fn is_taken_by(&self, subcommand: &str) -> bool {
        self.taker(subcommand).is_some()
    }
}

/// The flags that stand on the command line. A flag that means nothing beside another one is refused; a variable or a key
/// of the lab file, which other runs share, is not.
#[derive(Clone, Debug, Default)]
pub struct Given(pub(super) Vec<&'static str>);

impl Given {
    /// Whether this flag, such as `--seed`, stands on the command line.
    pub fn has(&self, flag: &str) -> bool {
        let name = flag.trim_start_matches('-');
        self.0.iter().any(|given| given.replace('_', "-") == name)
    }

    /// Refuses each of these flags, such as `--seed`, that stands on the command line.
    ///
    /// # Errors
    /// `--flag: why` (exit code 2).
    pub fn refuse(&self, flags: &[&str], why: &str) -> Result<(), Failure> {
        match flags.iter().find(|flag| self.has(flag)) {
            Some(flag) => Err(Failure::could_not_run(flag, why)),
            None => Ok(()),
        }
    }
}
