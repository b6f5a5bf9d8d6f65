//! Experiment 5: flat and structured naming, and a name server that speaks DNS.
//!
//! | module | job |
//! | --- | --- |
//! | [`names`] | the handout's program: two dictionaries, and looking a name up in them |
//! | [`name`], [`value`] | names and what they stand for, which cannot be wrong |
//! | [`space`] | both name spaces, and what can be done to them |
//! | [`resolve`] | from a name to what it stands for, step by step |
//! | [`mod@file`], [`zonefile`], [`store`] | names in a JSON file, in a zone file, in a store of transactions |
//! | [`dns`] | the name spaces in DNS, without a socket |
//! | [`server`], [`client`] | the name server, and whoever asks it |
//! | [`ask`], [`change`], [`tree`] | what the commands do |
//! | [`config`] | what the program can be told and asked |

pub mod ask;
pub mod change;
pub mod client;
pub mod config;
pub mod dns;
pub mod file;
pub mod name;
pub mod names;
pub mod resolve;
pub mod server;
pub mod space;
pub mod store;
pub mod tree;
pub mod value;
pub mod zonefile;

use common::{
    event::{Event, Kind},
    exit::Failure,
    journal::{Lines, View, usual_view},
};

use crate::{
    config::{Cli, Command},
    name::Place,
    space::Space,
};

/// The names that the options name: of a file, or the handout's; and what is mounted.
///
/// # Errors
/// When a file cannot be read or what it has cannot be mounted (exit code 2).
pub fn read_names(cli: &Cli) -> Result<Space, Failure> {
    let space = match &cli.options.names {
        Some(path) => file::read(path)?,
        None => names::of_the_handout(),
    };
    mount(cli.options.mount.as_deref().unwrap_or_default(), space)
}

/// Mounts what `--mount` names.
///
/// # Errors
/// When a file cannot be read or what it has cannot be mounted (exit code 2).
pub fn mount(mounts: &[String], mut space: Space) -> Result<Space, Failure> {
    for mount in mounts {
        let what = || format!("--mount {}", common::text::visible(mount.as_bytes()));
        let (path, from) = mount
            .split_once('=')
            .ok_or_else(|| Failure::could_not_run(what(), "not PATH=FILE, such as eu=eu.json"))?;
        let place = Place::at(&path.parse()?, &[])?;
        let tree = file::read(from.as_ref())?;
        space
            .mount(&place, &tree, from)
            .map_err(|refusal| Failure::could_not_run(what(), refusal.why))?;
    }
    Ok(space)
}

/// What a person sees: the handout's lines, with `--short` only the values, and for a list name and value.
pub fn view(cli: &Cli) -> View {
    let short = cli.options.short.unwrap_or(false);
    let list = matches!(cli.command, Some(Command::List));
    let serves = matches!(cli.command, Some(Command::Serve));
    Box::new(move |event: &Event, lines: &mut Lines| {
        let text = event.text.as_deref().unwrap_or_default();
        match (event.kind, &event.name, &event.value) {
            // A line of a drawing, an explanation or a file.
            (Kind::Resolve, ..) if event.text.is_some() => lines.answer.push_str(text),
            (Kind::Resolve, Some(name), Some(value)) => {
                lines.answer = match (short, list) {
                    (true, _) => value.clone(),
                    (false, true) => format!("{name} {value}"),
                    (false, false) => format!(
                        "{} {}: {value}",
                        kind(name, value),
                        name.replace('/', " ").trim()
                    ),
                };
            }
            (Kind::Register, Some(name), Some(value)) => {
                lines.answer = format!("{name} is {value}")
            }
            (Kind::Register, Some(name), None) => lines.answer = format!("{name} is gone"),
            (Kind::Send, Some(name), Some(value)) if serves => {
                let peer = event
                    .peer
                    .as_ref()
                    .map_or_else(String::new, ToString::to_string);
                lines.answer = format!("{peer} asked {name}: {value}");
            }
            (Kind::Ready, ..) => lines.status = format!("listening on {text}"),
            (Kind::Local, ..) => lines.status.push_str(text),
            (Kind::Stop, ..) if serves => lines.status.push_str(text),
            _ => usual_view(event, lines),
        }
    })
}

/// What a value is to its name.
fn kind(name: &str, value: &str) -> &'static str {
    let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
    match (is_address(name), is_address(value)) {
        (_, true) => "IP address of",
        (true, false) => "name of",
        (false, false) => "value of",
    }
}
