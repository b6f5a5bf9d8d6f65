//! What a program is told: flags over environment over file over default.
//!
//! [`options!`](crate::options) declares a program's options once: every field is a flag, an environment variable
//! and a key of the program's section in the lab's JSON file. [`command_line`] reads all three; defaults are the
//! program's own.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use clap::{CommandFactory, FromArgMatches, ValueEnum, error::ErrorKind};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor},
};

use crate::{exit::Failure, json, text};

/// The sections that a lab file may have: one for each program.
pub const PROGRAMS: [&str; 6] = [
    "thread-server",
    "thread-client",
    "mcast-server",
    "mcast-client",
    "naming",
    "lamport",
];

/// The longest lab file that is read, in bytes.
const LONGEST_FILE: u64 = 1 << 20;

/// Where a program's output goes: the same options in every program.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// JSON Lines on standard output.
    pub json: bool,
    /// Only the answer and errors on the terminal.
    pub quiet: bool,
    /// The event log.
    pub log: Option<PathBuf>,
    /// This process's name in the log; the program's name when not given.
    pub name: Option<String>,
}

/// A program's options, made by [`options!`](crate::options).
pub trait Options: DeserializeOwned + Default {
    /// These options; where one is not given, the one of `below`.
    #[must_use]
    fn over(self, below: Self) -> Self;
    /// The lab file.
    fn config(&self) -> Option<&Path>;
    /// The options that every program has.
    fn output(&self) -> Output;
}

/// A program's whole command line.
pub trait CommandLine: CommandFactory + FromArgMatches {
    /// The program's name: its section in the lab file and the beginning of its environment variables.
    const PROGRAM: &'static str;
    /// Its options.
    type Options: Options;
    /// The options within the command line.
    fn options(&mut self) -> &mut Self::Options;
}

/// Declares a program's options; each field becomes optional, a `--flag` and a key of the lab file. The options
/// that every program has are added. The command line that they are part of flattens them as its field `options`.
///
/// ```
/// use common::config::{Options as _, Period};
///
/// /// A program that waits
/// #[derive(clap::Parser)]
/// pub struct Cli {
///     #[command(flatten)]
///     pub options: Options,
/// }
///
/// common::options! {
///     /// What the program can be told.
///     pub struct Options of Cli = "waiter" {
///         /// How long to wait.
///         #[arg(value_name = "DURATION")]
///         timeout: Period,
///     }
/// }
/// let flags = Options { timeout: Some("2s".parse().unwrap()), ..Options::default() };
/// let file = Options { timeout: Some("5s".parse().unwrap()), quiet: Some(true), ..Options::default() };
/// let both = flags.over(file);
/// assert_eq!(both.timeout.unwrap().to_string(), "2s");
/// assert!(both.output().quiet);
/// ```
#[macro_export]
macro_rules! options {
    (
        $(#[$struct_meta:meta])*
        pub struct $name:ident of $cli:ident = $program:literal { $( $(#[$meta:meta])* $field:ident: $type:ty, )* }
    ) => {
        $(#[$struct_meta])*
        #[derive(Clone, Debug, Default, ::clap::Args, ::serde::Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            $( $(#[$meta])* #[arg(long)] pub $field: Option<$type>, )*
            /// Print the answer as JSON Lines
            #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL", help_heading = "Output")]
            pub json: Option<bool>,
            /// Append every event to this file as a line of JSON
            #[arg(long, value_name = "FILE", help_heading = "Output")]
            pub log: Option<::std::path::PathBuf>,
            /// The name of this process in the log [default: the program's]
            #[arg(long, value_name = "NAME", help_heading = "Output")]
            pub name: Option<String>,
            /// Print only the answer and errors
            #[arg(long, short, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL", help_heading = "Output")]
            pub quiet: Option<bool>,
            /// Read what is not said here from the program's section of this JSON file
            #[arg(long, value_name = "FILE")]
            #[serde(skip)]
            pub config: Option<::std::path::PathBuf>,
        }

        impl $crate::config::CommandLine for $cli {
            const PROGRAM: &'static str = $program;
            type Options = $name;
            fn options(&mut self) -> &mut $name {
                &mut self.options
            }
        }

        impl $crate::config::Options for $name {
            fn over(self, below: Self) -> Self {
                Self {
                    $( $field: self.$field.or(below.$field), )*
                    json: self.json.or(below.json),
                    log: self.log.or(below.log),
                    name: self.name.or(below.name),
                    quiet: self.quiet.or(below.quiet),
                    config: self.config.or(below.config),
                }
            }

            fn config(&self) -> Option<&::std::path::Path> {
                self.config.as_deref()
            }

            fn output(&self) -> $crate::config::Output {
                $crate::config::Output {
                    json: self.json.unwrap_or(false),
                    quiet: self.quiet.unwrap_or(false),
                    log: self.log.clone(),
                    name: self.name.clone(),
                }
            }
        }
    };
}

/// Why a command line leads to no run.
#[derive(Debug)]
pub enum Early {
    /// Help or the version was asked for.
    Show(clap::Error),
    /// It cannot run as told.
    Fail(Failure),
}

impl From<Failure> for Early {
    fn from(failure: Failure) -> Self {
        Self::Fail(failure)
    }
}

/// The command as it is offered: every flag also has an environment variable, `PROGRAM_FLAG` (`LAB_CONFIG` for the
/// file that all programs share); one line for all of them keeps the help narrow.
pub fn command<C: CommandLine>() -> clap::Command {
    let command = C::command();
    let global = command.has_subcommands();
    let variable = |flag: &str| {
        format!("{}-{flag}", C::PROGRAM)
            .replace('-', "_")
            .to_uppercase()
    };
    let examples = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let also = format!(
        "{examples}\n\nEvery flag is also a variable ({} for --name, LAB_CONFIG for --config) and a key of the file's\n\
         section \"{}\"; flags go before variables, and both before the file.",
        variable("name"),
        C::PROGRAM
    );
    command
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(also)
        .mut_args(|argument| match argument.get_long() {
            None | Some("help" | "version") => argument,
            Some("config") => argument.env("LAB_CONFIG").hide_env(true).global(global),
            Some(flag) => {
                let variable = variable(flag);
                argument.env(variable).hide_env(true).global(global)
            }
        })
}

/// Reads arguments, environment and lab file.
///
/// # Errors
/// When help or the version was asked for, or something in one of the three is wrong.
pub fn command_line<C: CommandLine>(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<C, Early> {
    let told = command::<C>()
        .try_get_matches_from(arguments)
        .and_then(|matches| C::from_arg_matches(&matches));
    let mut told = told.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Early::Show(error),
        _ => Early::Fail(usage(&error)),
    })?;
    let options = std::mem::take(told.options());
    let file = match options.config() {
        Some(path) => section::<C>(path)?,
        None => C::Options::default(),
    };
    *told.options() = options.over(file);
    Ok(told)
}

/// The one line of what clap says over several.
fn usage(error: &clap::Error) -> Failure {
    let said = error.render().to_string();
    let mut parts = Vec::new();
    for line in said.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        let line = line
            .trim_start_matches("error: ")
            .trim_start_matches("tip: ");
        if !line.is_empty() {
            parts.push(line);
        }
    }
    let why = text::visible(parts.join("; ").replace(":; ", ": ").as_bytes());
    Failure::could_not_run("usage", format!("{why}; see --help"))
}

/// The program's section of the lab file; no section is an empty one.
fn section<C: CommandLine>(path: &Path) -> Result<C::Options, Failure> {
    struct Sections<O> {
        program: &'static str,
        options: O,
    }

    impl<'de, O: Options> DeserializeSeed<'de> for Sections<O> {
        type Value = O;
        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<O, D::Error> {
            deserializer.deserialize_map(self)
        }
    }

    impl<'de, O: Options> Visitor<'de> for Sections<O> {
        type Value = O;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object with a section for each program")
        }
        fn visit_map<M: MapAccess<'de>>(mut self, mut sections: M) -> Result<O, M::Error> {
            let mut seen = Vec::new();
            while let Some(program) = sections.next_key::<String>()? {
                if !PROGRAMS.contains(&program.as_str()) {
                    let near = text::did_you_mean(&program, PROGRAMS);
                    return Err(M::Error::custom(format!(
                        "no program is called {program}{near}"
                    )));
                }
                if seen.contains(&program) {
                    return Err(M::Error::custom(format!("a second section {program}")));
                }
                if program == self.program {
                    self.options = sections.next_value()?;
                } else {
                    sections.next_value::<IgnoredAny>()?;
                }
                seen.push(program);
            }
            Ok(self.options)
        }
    }

    let content = json::read_file(path, LONGEST_FILE)?;
    json::parse(path, &content, || Sections {
        program: C::PROGRAM,
        options: C::Options::default(),
    })
}

/// Refuses a value out of its range; the line names the flag, the value and the range.
///
/// # Errors
/// `--flag: VALUE is not in FROM to TO` (exit code 2).
pub fn in_range<T: PartialOrd + fmt::Display>(
    flag: &str,
    value: T,
    from: T,
    to: T,
) -> Result<T, Failure> {
    if from <= value && value <= to {
        return Ok(value);
    }
    Err(Failure::could_not_run(
        flag,
        format!("{value} is not in {from} to {to}"),
    ))
}

/// A length of time as it is written on a command line: `250ms`, `2s`, `1m30s`.
///
/// ```
/// use common::config::Period;
/// let period: Period = "250ms".parse().unwrap();
/// assert_eq!((period.0.as_millis(), period.to_string()), (250, "250ms".to_owned()));
/// assert!("250".parse::<Period>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Period(pub Duration);

impl Period {
    /// The shortest length of time that a wait may be given.
    pub const SHORTEST: Self = Self(Duration::from_millis(1));
    /// The longest: a day.
    pub const LONGEST: Self = Self(Duration::from_secs(24 * 60 * 60));

    /// Refuses a wait of no time at all, or of more than a day.
    ///
    /// # Errors
    /// As [`in_range`].
    pub fn as_wait(self, flag: &str) -> Result<Duration, Failure> {
        in_range(flag, self, Self::SHORTEST, Self::LONGEST).map(|period| period.0)
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text).map(Self).map_err(|_| {
            format!(
                "'{}' is no length of time, such as 250ms or 2s",
                text::visible(text.as_bytes())
            )
        })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}

/// On or off.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

impl Switch {
    /// Whether it is on where that is the default.
    pub fn on_by_default(given: Option<Self>) -> bool {
        given != Some(Self::Off)
    }
}
