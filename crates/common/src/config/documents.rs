//! What a program prints of its own command line: completions for a shell (`--completions`), and a manual page (`--man`).
//!
//! Both show what the help shows: flags that a subcommand refuses are in neither.

use std::ffi::OsStr;

use clap::{
    Arg, Command, Id,
    builder::{PossibleValue, PossibleValuesParser, Resettable, TypedValueParser},
    error::{ContextKind, ContextValue, ErrorKind},
};
use clap_complete::Shell;
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

use super::flag::ROOT;

/// The shells that completions are made for.
const SHELLS: [&str; 4] = ["bash", "fish", "powershell", "zsh"];

/// A flag whose value is never there: as it is read, the document is made and ends the reading, as `--help` does.
#[derive(Clone)]
struct Document {
    program: &'static str,
    /// Makes the command that the document is of.
    command: fn() -> Command,
    what: What,
    values: &'static [&'static str],
}

#[derive(Clone)]
enum What {
    Completions,
    /// Of a subcommand, or of [`ROOT`].
    Man(String),
}

/// What no value is read into.
#[derive(Clone, Debug)]
enum Never {}

impl TypedValueParser for Document {
    type Value = Never;

    fn parse_ref(
        &self,
        command: &Command,
        flag: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Never, clap::Error> {
        let values = PossibleValuesParser::new(self.values);
        let value = values.parse_ref(command, flag, value)?;
        let of = (self.command)();
        let document = match &self.what {
            What::Completions => value
                .parse()
                .map(|shell| completions_for(shell, self.program, &of)),
            What::Man(subcommand) => Ok(manual_page(self.program, &of, subcommand)),
        };
        let text =
            document.map_err(|why: String| clap::Error::raw(ErrorKind::InvalidValue, why))?;
        let mut shown = clap::Error::new(ErrorKind::DisplayVersion).with_cmd(command);
        shown.insert(ContextKind::Custom, ContextValue::String(text));
        Err(shown)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.values.iter().map(PossibleValue::new)))
    }
}

/// The document that was asked for, if that is why the command line was not read to its end.
pub(super) fn asked(error: &clap::Error) -> Option<String> {
    match error.get(ContextKind::Custom) {
        Some(ContextValue::String(text)) if error.kind() == ErrorKind::DisplayVersion => {
            Some(text.clone())
        }
        _ => None,
    }
}

/// The completions of a shell.
fn completions_for(shell: Shell, program: &str, command: &Command) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut shown(command), program, &mut text);
    let text = String::from_utf8_lossy(&text);
    // In clap_complete 4.6 bash looks in vain for the flags of a subcommand of a program with a hyphen in its name, which
    // stands there in two ways.
    let (one, other) = ("__subcmd__", "__");
    text.replace(&program.replace('-', one), &program.replace('-', other))
}

/// `--completions`, of the run without a subcommand.
pub(super) fn completions(program: &'static str, command: fn() -> Command) -> Arg {
    let document = Document {
        program,
        command,
        what: What::Completions,
        values: &SHELLS,
    };
    Arg::new("completions")
        .long("completions")
        .value_name("SHELL")
        .help("Print completions for bash, fish, powershell or zsh")
        .hide_possible_values(true)
        .value_parser(document)
}

/// `--man`, of a subcommand or of [`ROOT`]; it is not in the help.
pub(super) fn man(program: &'static str, command: fn() -> Command, subcommand: &str) -> Arg {
    let document = Document {
        program,
        command,
        what: What::Man(subcommand.to_owned()),
        values: &[""],
    };
    Arg::new("man")
        .long("man")
        .hide(true)
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("")
        .value_parser(document)
}

/// The command without what its help does not show.
fn shown(command: &Command) -> Command {
    let flags = command.get_arguments().filter(|flag| !flag.is_hide_set());
    // Without conflicts, which may be with a flag that is not shown.
    let flags = flags.map(|flag| flag.clone().conflicts_with(Resettable::<Id>::Reset));
    let mut shown = Command::new(command.get_name().to_owned())
        .subcommand_required(command.is_subcommand_required_set())
        .args(flags)
        .subcommands(command.get_subcommands().map(self::shown));
    if let Some(about) = command.get_about() {
        shown = shown.about(about.clone());
    }
    if let Some(after_help) = command.get_after_help() {
        shown = shown.after_help(after_help.clone());
    }
    if let Some(version) = command.get_version() {
        shown = shown.version(version.to_owned());
    }
    shown
}

/// The manual page of a subcommand, in roff.
fn manual_page(program: &str, command: &Command, subcommand: &str) -> String {
    let mut whole = shown(command).disable_help_subcommand(true);
    whole.build();
    let of_this = match subcommand {
        ROOT => None,
        name => whole.find_subcommand(name),
    };
    let command = of_this.unwrap_or(&whole);
    let name = command.get_display_name().unwrap_or(program);
    let title = name.to_uppercase();
    let after = command.get_after_help().map(ToString::to_string);
    let page = Man::new(command.clone().after_help(None));
    let mut text = Vec::new();
    let rendered = page
        .render(&mut text)
        .and_then(|()| sections(&after.unwrap_or_default()).to_writer(&mut text));
    // A vector takes all that is written.
    rendered.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    // Without a date, which would differ from build to build; the crate leaves out what is empty.
    let version = env!("CARGO_PKG_VERSION");
    let heading =
        format!(".TH \"{title}\" \"1\" \"\" \"{program} {version}\" \"Distributed systems lab\"");
    let lines = text.lines().map(|line| match line.starts_with(".TH ") {
        true => heading.as_str(),
        false => line.trim_end(),
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// What stands at the end of a help, as sections: lists below a heading as they are, and how else flags are given.
fn sections(after_help: &str) -> Roff {
    let mut roff = Roff::new();
    for part in after_help.trim().split("\n\n") {
        match part.split_once(":\n") {
            Some((heading, lines)) if !heading.contains('\n') => {
                roff.control("SH", [heading.to_uppercase().as_str()]);
                roff.control("nf", []);
                for line in lines.lines() {
                    roff.text([roman(line)]);
                }
                roff.control("fi", []);
            }
            _ => {
                roff.control("SH", ["ENVIRONMENT"]);
                roff.text([roman(part)]);
            }
        }
    }
    roff
}
