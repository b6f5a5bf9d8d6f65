//! A program's options: flags over environment over lab file over default.
//!
//! [`options!`](crate::options) declares each option once: it is a flag of the subcommands that take it, an environment
//! variable, and a key of the program's section in the lab's JSON file. [`command_line`] reads all three; the defaults
//! are the program's.
//!
//! | module | job |
//! | --- | --- |
//! | `program` | what a program declares: its options and its command line |
//! | `flag` | which subcommands take a flag, and which flags are given |
//! | `flags` | the command that clap parses and shows |
//! | `documents` | completions for shells, and manual pages |
//! | `lab_file` | the program's section of the lab file |
//! | `variables` | environment variables that no flag has |
//! | `values` | types of values that several programs take |

mod documents;
mod flag;
mod flags;
mod lab_file;
mod paths;
mod program;
mod values;
mod variables;

use std::ffi::OsString;

use clap::{FromArgMatches, error::ErrorKind};

pub use self::{
    flag::{EVERYWHERE, Flag, Given, ROOT, Taker},
    flags::{command, commands, refusal, says_default},
    program::{CommandLine, Options, Output, PROGRAMS},
    values::{Period, Switch, in_range},
};
use crate::{exit::Failure, text};

/// Declares a program's options; each field becomes optional, a `--flag` and a key of the lab file. The options
/// that every program has are added. The command line that they are part of flattens them as its field `options`.
///
/// After a field stand the subcommands that take it, each with its default, its value's name and its help where these differ
/// (`file = "5s" as "DURATION": "How long"`); `root` is
/// the run without a subcommand, which alone takes a field with nothing after it. After the braces stand the fields
/// that name files to be written, where `-` is standard output.
///
/// ```
/// use common::config::{Options as _, Period};
///
/// /// A program that waits
/// #[derive(clap::Parser)]
/// pub struct Cli {
///     #[command(flatten)]
///     pub options: Options,
///     #[command(subcommand)]
///     pub command: Option<Command>,
/// }
///
/// #[derive(clap::Subcommand)]
/// pub enum Command {
///     /// Wait for a file
///     File,
/// }
///
/// common::options! {
///     /// The program's options.
///     pub struct Options of Cli = "waiter" {
///         /// How long to wait
///         #[arg(value_name = "DURATION")]
///         timeout: Period => [root = "1s", file = "5s"],
///         /// How often to look whether the file exists
///         #[arg(value_name = "DURATION")]
///         every: Period => [file],
///         /// The report
///         #[arg(value_name = "FILE")]
///         report: std::path::PathBuf => [root, file: "The report of the file's size"],
///     } writes { report }
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
        pub struct $name:ident of $cli:ident = $program:literal { $(
            $(#[$meta:meta])* $field:ident: $type:ty $(=> [
                $( $subcommand:ident $(= $default:literal)? $(as $value:literal)? $(: $help:expr)? ),* $(,)?
            ])?,
        )* } $( writes { $( $written:ident ),* $(,)? } )?
    ) => {
        $(#[$struct_meta])*
        #[derive(Clone, Debug, Default, ::clap::Args, ::serde::Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            $( $(#[$meta])* #[arg(long)] pub $field: Option<$type>, )*
            /// Print the answer as JSON Lines
            #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL", help_heading = "Output")]
            pub json: Option<bool>,
            /// Append each event to this file as a line of JSON
            #[arg(long, value_name = "FILE", help_heading = "Output")]
            pub log: Option<::std::path::PathBuf>,
            /// The name of this process in the log [default: the program's]
            #[arg(long, value_name = "NAME", help_heading = "Output")]
            pub name: Option<String>,
            /// Print only the answer and errors
            #[arg(long, short, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL", help_heading = "Output")]
            pub quiet: Option<bool>,
            /// Read options from the program's section of this JSON file
            #[arg(long, value_name = "FILE")]
            #[serde(skip)]
            pub config: Option<::std::path::PathBuf>,
            /// Which of these flags stand on the command line.
            #[arg(skip)]
            #[serde(skip)]
            pub given: $crate::config::Given,
        }

        impl $crate::config::CommandLine for $cli {
            const PROGRAM: &'static str = $program;
            type Options = $name;
            fn options(&mut self) -> &mut $name {
                &mut self.options
            }
        }

        impl $crate::config::Options for $name {
            fn flags() -> ::std::vec::Vec<$crate::config::Flag> {
                ::std::vec![ $(
                    $crate::config::Flag::new(stringify!($field), ::std::vec![ $( $(
                        $crate::config::Taker {
                            subcommand: stringify!($subcommand),
                            default: <[&'static str]>::first(&[$($default)?]).copied(),
                            value: <[&'static str]>::first(&[$($value)?]).copied(),
                            help: <[&'static str]>::first(&[$($help)?]).copied(),
                        },
                    )* )? ]),
                )* ]
            }

            fn over(self, below: Self) -> Self {
                Self {
                    $( $field: self.$field.or(below.$field), )*
                    json: self.json.or(below.json),
                    log: self.log.or(below.log),
                    name: self.name.or(below.name),
                    quiet: self.quiet.or(below.quiet),
                    config: self.config.or(below.config),
                    given: self.given,
                }
            }

            fn taken_by(self, subcommand: &str) -> Self {
                let flags = <Self as $crate::config::Options>::flags();
                let mut flags = flags.iter();
                let mut is_taken = || flags.next().is_some_and(|flag| flag.is_taken_by(subcommand));
                Self {
                    $( $field: if is_taken() { self.$field } else { None }, )*
                    ..self
                }
            }

            fn given(&mut self) -> &mut $crate::config::Given {
                &mut self.given
            }

            fn config(&self) -> Option<&::std::path::Path> {
                self.config.as_deref()
            }

            fn paths(&self) -> ::std::vec::Vec<&::std::path::Path> {
                let fields: ::std::vec::Vec<&dyn ::std::any::Any> =
                    ::std::vec![$( &self.$field, )* &self.log, &self.config];
                let paths = fields
                    .into_iter()
                    .filter_map(|field| field.downcast_ref::<Option<::std::path::PathBuf>>());
                paths.flatten().map(::std::path::PathBuf::as_path).collect()
            }

            fn output(&self) -> $crate::config::Output {
                $crate::config::Output {
                    json: self.json.unwrap_or(false),
                    quiet: self.quiet.unwrap_or(false),
                    log: self.log.clone(),
                    name: self.name.clone(),
                    files: [ $( $( (stringify!($written), &self.$written), )* )? ]
                        .into_iter()
                        .filter_map(|(flag, path): (&str, &Option<::std::path::PathBuf>)| {
                            Some((::std::format!("--{}", flag.replace('_', "-")), path.clone()?))
                        })
                        .collect(),
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
    /// Completions or the manual page were asked for.
    Print(String),
    /// It cannot run so.
    Fail(Failure),
}

impl From<Failure> for Early {
    fn from(failure: Failure) -> Self {
        Self::Fail(failure)
    }
}

/// Reads arguments, environment and lab file.
///
/// # Errors
/// When help, the version, completions or the manual page was asked for, or something in one of the three is wrong.
pub fn command_line<C: CommandLine>(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<C, Early> {
    let matches = command::<C>().try_get_matches_from(arguments);
    let matches = matches.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match documents::asked(&error) {
            Some(document) => Early::Print(document),
            None => Early::Show(error),
        },
        _ => Early::Fail(refusal(&error).unwrap_or_else(|| usage(&error))),
    })?;
    let unreadable = |error: clap::Error| Early::Fail(usage(&error));
    let mut cli = C::from_arg_matches(&matches).map_err(unreadable)?;
    let (subcommand, mut options, matches) = match matches.subcommand() {
        None => (ROOT, std::mem::take(cli.options()), &matches),
        Some((subcommand, of_it)) => {
            flags::nothing_before::<C>(subcommand, &matches)?;
            let options = C::Options::from_arg_matches(of_it).map_err(unreadable)?;
            (subcommand, options, of_it)
        }
    };
    *options.given() = flags::given::<C>(matches);
    paths::check_arguments::<C::Options>(matches)?;
    let known = || variables::all(&command::<C>());
    variables::check::<C>(known, std::env::vars_os().map(|(name, _)| name))?;
    let file = match options.config() {
        Some(path) => lab_file::section::<C>(path)?,
        None => C::Options::default(),
    };
    let options = options.over(file.taken_by(subcommand));
    paths::check_options(&options)?;
    *cli.options() = options;
    Ok(cli)
}

/// The one line of what clap says over several.
fn usage(error: &clap::Error) -> Failure {
    let rendered = error.render().to_string();
    let mut parts = Vec::new();
    for line in rendered.lines().map(str::trim) {
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
