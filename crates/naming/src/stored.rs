//! `naming store`: what is in a server's store, also when it is damaged.

use std::{fs, path::Path};

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary},
    files,
    journal::Journal,
    text::{plural, visible_path},
};

use crate::{
    config::{Cli, StoreAction},
    dns::publish,
    file,
    names::serial_of_now,
    space::Space,
    store::{Examined, examine},
    value::DEFAULT_TTL,
    zonefile,
};

/// Checks a store, or exports its names.
///
/// # Errors
/// When nothing of it can be read, or the names cannot be written (exit code 2). A damaged store of which something can be read
/// is one line behind what is exported, and exit code 1.
pub fn run(
    cli: &Cli,
    action: StoreAction,
    store: &Path,
    output: Option<&Path>,
    journal: &Journal,
) -> Result<Summary, Failure> {
    if files::is_standard(store) {
        let why = "a store is a file, and no standard stream";
        return Err(Failure::could_not_run("store -", why));
    }
    if let Some(output) = output {
        let why = match action {
            StoreAction::Check => Some("store check writes nothing"),
            StoreAction::Export if is_same(store, output) => Some("it is the store itself"),
            StoreAction::Export => None,
        };
        if let Some(why) = why {
            return Err(Failure::could_not_run(visible_path(output), why));
        }
    }
    let Examined { space, damage } = examine(store)?;
    let names = space.count() as u64;
    match action {
        StoreAction::Check if damage.is_none() => {
            let text = format!("{}: sound, {}", visible_path(store), plural(names, "name"));
            journal.record(Event::new(Kind::Output).text(text));
        }
        StoreAction::Check => {}
        StoreAction::Export => {
            let text = exported(cli, &space)?;
            match output.filter(|path| !files::is_standard(path)) {
                Some(path) => {
                    files::write("store export", path, |file| file.write_all(text.as_bytes()))?;
                    let event = Event::new(Kind::Write).text(visible_path(path));
                    journal.record(event.counts([("names", names)]));
                }
                None => {
                    for line in text.lines() {
                        journal.record(Event::new(Kind::Output).text(line));
                    }
                }
            }
        }
    }
    let done = Summary::done(plural(names, "name")).count("names", names);
    Ok(match damage {
        None => done,
        Some(damage) => {
            journal.record(Event::failure(&damage));
            done.exit(damage.exit)
        }
    })
}

/// Whether two paths lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// The names as a names file, or as a zone file.
fn exported(cli: &Cli, space: &Space) -> Result<String, Failure> {
    if !cli.options.zone_file.unwrap_or(false) {
        return Ok(file::write(space));
    }
    let settings = publish::Settings {
        zones: cli.zones()?,
        ttl: DEFAULT_TTL,
        address: Some([127, 0, 0, 1].into()),
    };
    let mut text = String::new();
    zonefile::export(space, serial_of_now(), &settings, |line| {
        text.push_str(&line);
        text.push('\n');
    })?;
    Ok(text)
}
