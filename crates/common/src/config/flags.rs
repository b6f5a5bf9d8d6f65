//! The command that clap parses and shows: each subcommand with the flags that it takes.
//!
//! Every subcommand knows every flag of the program: those that it takes, and, hidden, the others, which it refuses with
//! the names of those that take them.

use std::{convert::Infallible, ffi::OsStr};

use clap::{
    Arg, ArgAction, ArgMatches, Command,
    builder::TypedValueParser,
    error::{ContextKind, ContextValue, ErrorKind},
    parser::ValueSource,
};

use super::{
    documents,
    flag::{EVERYWHERE, Flag, Given, ROOT},
    program::{CommandLine, Options as _},
    variables::variable,
};
use crate::{exit::Failure, sys::Feature};

/// The flags that stand on the command line.
pub(super) fn given<C: CommandLine>(matches: &ArgMatches) -> Given {
    let flags = C::Options::flags().into_iter().map(|flag| flag.id);
    let given = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
    Given(flags.filter(given).collect())
}

/// The command as it is offered: each subcommand with its own flags, and every option also as an environment variable.
///
/// # Panics
/// When the table names a subcommand that the program does not have: an error in the program, which the test of every
/// command line finds.
pub fn command<C: CommandLine>() -> Command {
    let whole = C::command();
    let flags = C::Options::flags();
    let subcommands: Vec<String> = whole
        .get_subcommands()
        .map(|subcommand| subcommand.get_name().to_owned())
        .collect();
    for taker in flags.iter().flat_map(|flag| &flag.takers) {
        let name = taker.subcommand;
        assert!(
            name == ROOT || subcommands.iter().any(|subcommand| subcommand == name),
            "{name} is no subcommand"
        );
    }
    let options: Vec<Arg> = whole.get_arguments().cloned().collect();
    let completions = with_default(documents::completions(C::PROGRAM, command::<C>));
    let mut own: Vec<(String, Arg)> = whole
        .get_subcommands()
        .flat_map(|subcommand| {
            let own = subcommand.get_arguments();
            let own = own.filter(|own| own.get_long().is_some() && !own.is_hide_set());
            own.map(|own| (subcommand.get_name().to_owned(), own.clone()))
        })
        .collect();
    own.push((ROOT.to_owned(), completions.clone()));
    let is_global = !subcommands.is_empty();
    let offered = |option: &Arg, name: &str| {
        let id = option.get_id().as_str();
        match flags.iter().find(|flag| flag.id == id) {
            Some(flag) => offered::<C>(flag, option.clone(), name),
            None => with_default(with_variable::<C>(option.clone())).global(is_global),
        }
    };
    // What one subcommand declares for itself the others refuse.
    let refused = |command: &Command| {
        let name = command.get_name();
        let strange = own.iter().filter(|(_, flag)| {
            let mut known = command.get_arguments();
            !known.any(|known| known.get_long() == flag.get_long())
        });
        let takers: Vec<Arg> = strange
            .map(|(_, flag)| {
                let long = flag.get_long().unwrap_or_default();
                let with_it = own.iter().filter(|(_, own)| own.get_long() == Some(long));
                let takers: Vec<&str> = with_it.map(|(taker, _)| taker.as_str()).collect();
                let name = if name == C::PROGRAM { ROOT } else { name };
                refusing::<C>(flag, format!("refused-{long}"), name, &takers)
            })
            .collect();
        takers
    };
    let command = whole
        .mut_args(|option| offered(&option, ROOT))
        .arg(completions.clone());
    let of_root = refused(&command);
    let command = command
        .version(env!("CARGO_PKG_VERSION"))
        .mut_subcommands(|subcommand| {
            let name = subcommand.get_name().to_owned();
            let own: Vec<Arg> = subcommand.get_arguments().cloned().collect();
            let refused = refused(&subcommand);
            let taken = options.iter().filter(|option| !is_everywhere(option));
            let taken: Vec<Arg> = taken.map(|option| offered(option, &name)).collect();
            with_footer::<C>(subcommand, &own)
                .mut_args(with_default)
                .args(taken)
                .args(refused)
                .arg(documents::man(C::PROGRAM, self::command::<C>, &name))
        });
    with_footer::<C>(command, &[completions])
        .args(of_root)
        .arg(documents::man(C::PROGRAM, self::command::<C>, ROOT))
}

/// Each subcommand of a command, and the run without one as [`ROOT`], with the names of its flags: those that it takes,
/// and those that it refuses. What all of them take stands with the run without a subcommand.
pub fn commands(command: &Command) -> Vec<(&str, Vec<&str>, Vec<&str>)> {
    let root = [(ROOT, command)];
    let subcommands = command.get_subcommands();
    let all = root
        .into_iter()
        .chain(subcommands.map(|command| (command.get_name(), command)));
    all.map(|(name, command)| {
        let longs = |refused: bool| {
            let arguments = command.get_arguments();
            let of_this_kind = move |argument: &&Arg| {
                is_refused(argument) == refused && argument.is_hide_set() == refused
            };
            let arguments = arguments.filter(of_this_kind);
            arguments.filter_map(Arg::get_long).collect()
        };
        (name, longs(false), longs(true))
    })
    .collect()
}

fn is_everywhere(option: &Arg) -> bool {
    EVERYWHERE.contains(&option.get_id().as_str())
}

fn with_variable<C: CommandLine>(option: Arg) -> Arg {
    match option.get_long().map(variable::<C>) {
        Some(variable) => option.env(variable).hide_env(true),
        None => option,
    }
}

/// The option as the subcommand takes it, or refuses it.
fn offered<C: CommandLine>(flag: &Flag, option: Arg, subcommand: &str) -> Arg {
    if let Some(why) = option.get_long().and_then(Feature::missing_for) {
        return refusal_of(&option, flag.id.to_owned(), why.to_owned());
    }
    let Some(taker) = flag.taker(subcommand) else {
        return refusing::<C>(&option, flag.id.to_owned(), subcommand, &flag.takers());
    };
    let option = match taker.value {
        Some(value) => option.value_name(value),
        None => option,
    };
    let general = option.get_help().map(ToString::to_string);
    let mut help = taker
        .help
        .map(str::to_owned)
        .or(general)
        .unwrap_or_default();
    if let Some(default) = taker.default {
        help.push_str(&format!(" [default: {default}]"));
    }
    with_default(with_variable::<C>(option).help(help))
}

/// The flag with its default in its help. One that says none has none: it is off, or nothing is given.
pub(super) fn with_default(option: Arg) -> Arg {
    let help = option.get_help().map(ToString::to_string);
    let help = help.unwrap_or_default();
    if option.get_long().is_none() || option.is_hide_set() || says_default(&help) {
        return option;
    }
    let is_switch = !option.get_action().takes_values()
        || option
            .get_num_args()
            .is_some_and(|range| range.min_values() == 0);
    let default = if is_switch { "false" } else { "none" };
    option.help(format!("{help} [default: {default}]"))
}

/// Whether the help of a flag says its default, or that the flag is required.
pub fn says_default(help: &str) -> bool {
    help.contains("[default: ") || help.ends_with("[required]")
}

/// An argument of the same name that no value suits.
fn refusing<C: CommandLine>(option: &Arg, id: String, subcommand: &str, takers: &[&str]) -> Arg {
    refusal_of(option, id, why_not::<C>(subcommand, takers))
}

/// An argument of the same name that is refused for this reason.
fn refusal_of(option: &Arg, id: String, why: String) -> Arg {
    let long = option.get_long().unwrap_or_default().to_owned();
    let mut refusing = Arg::new(id)
        .long(long.clone())
        .hide(true)
        .action(ArgAction::Append)
        .num_args(0..=1)
        .default_missing_value("")
        .require_equals(option.is_require_equals_set())
        .value_parser(Refusal { long, why });
    if let Some(short) = option.get_short() {
        refusing = refusing.short(short);
    }
    refusing
}

fn is_refused(argument: &Arg) -> bool {
    let type_id = argument.get_value_parser().type_id();
    type_id == std::any::TypeId::of::<Infallible>()
}

/// Why a flag is refused.
#[derive(Clone, Debug)]
struct Refusal {
    long: String,
    why: String,
}

impl TypedValueParser for Refusal {
    type Value = Infallible;

    fn parse_ref(
        &self,
        command: &Command,
        _: Option<&Arg>,
        _: &OsStr,
    ) -> Result<Infallible, clap::Error> {
        let mut error = clap::Error::new(ErrorKind::UnknownArgument).with_cmd(command);
        let flag = ContextValue::String(format!("--{}", self.long));
        error.insert(ContextKind::InvalidArg, flag);
        error.insert(ContextKind::Custom, ContextValue::String(self.why.clone()));
        Err(error)
    }
}

/// The failure, if the error is that a subcommand does not take a flag.
pub fn refusal(error: &clap::Error) -> Option<Failure> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    };
    let (flag, why) = (text(ContextKind::InvalidArg)?, text(ContextKind::Custom)?);
    Some(Failure::could_not_run(flag, why))
}

/// Refuses flags of the run without a subcommand that stand before a subcommand.
///
/// # Errors
/// `--flag: why` (exit code 2).
pub(super) fn nothing_before<C: CommandLine>(
    subcommand: &str,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let flags = C::Options::flags();
    let given = flags.iter().find(|flag| {
        flag.is_taken_by(ROOT) && matches.value_source(flag.id) == Some(ValueSource::CommandLine)
    });
    let Some(given) = given else { return Ok(()) };
    let why = match given.is_taken_by(subcommand) {
        true => why_not::<C>(ROOT, &[subcommand]),
        false => why_not::<C>(subcommand, &given.takers()),
    };
    let flag = given.id.replace('_', "-");
    Err(Failure::could_not_run(format!("--{flag}"), why))
}

/// Why a flag is refused here: the subcommands that take it.
fn why_not<C: CommandLine>(subcommand: &str, takers: &[&str]) -> String {
    let name = |taker: &&str| match *taker {
        ROOT => format!("{} without a subcommand", C::PROGRAM),
        taker => taker.to_owned(),
    };
    let named: Vec<String> = takers.iter().map(name).collect();
    match (subcommand, takers) {
        (ROOT, [_]) => format!("goes after the subcommand that takes it: {}", named[0]),
        (ROOT, _) => {
            let named = listed(&named, "or");
            format!("goes after a subcommand that takes it: {named}")
        }
        (_, takers) => {
            let named = listed(&named, "and");
            let verb = if takers.len() == 1 { "does" } else { "do" };
            format!("{subcommand} does not take it; {named} {verb}")
        }
    }
}

/// `a, b and c`.
fn listed(words: &[String], conjunction: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {conjunction} {last}", first.join(", ")),
    }
}

/// Examples, and how else the options can be given; one line for all of them keeps the help narrow.
fn with_footer<C: CommandLine>(command: Command, own: &[Arg]) -> Command {
    let examples = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let own = own.iter().filter(|own| !own.is_hide_set());
    let own = own.filter_map(|own| own.get_long().map(|long| format!("--{long}")));
    let own: Vec<String> = own.collect();
    let every = match own.as_slice() {
        [] => "Every flag".to_owned(),
        own => format!("Every flag but {}", listed(own, "and")),
    };
    let sources = format!(
        "{every} is also a variable ({} for --name, LAB_CONFIG for --config) and a key of the file's section \"{}\"; \
         flags go before variables, and both before the file.",
        variable::<C>("name"),
        C::PROGRAM
    );
    let footer = format!("{examples}\n\n{}", filled(&sources, 110));
    command.after_help(footer)
}

/// The same words in lines of at most `width` characters.
fn filled(text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            lines.push('\n');
            column = 0;
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}
