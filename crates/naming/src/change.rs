//! What the commands that change names do: to a names file, or to a name server.

use std::path::Path as FilePath;

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary},
    journal::Journal,
    shutdown::Shutdown,
    text::{plural, visible, visible_path},
};
use domain::base::iana::Rtype;

use crate::{
    ask::client,
    client::{Update, refusal},
    config::{Cli, Command},
    dns::{
        owner::Owner,
        publish::push_value,
        update::{HARD_LINK, RENAME},
        zone::{Records, push_record},
    },
    file,
    name::Place,
    space::{Meaning, Space},
    value::{Value, Values},
    zonefile,
};

/// One change, wherever it is made.
#[derive(Clone, Debug)]
enum Change {
    Register(Place, Values, How),
    Unregister(Place),
    Rename(Place, Place),
    HardLink(Place, Place),
    Symlink(Place, Place),
}

/// What registering does when the name is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum How {
    New,
    Replace,
    Add,
}

impl Change {
    fn of(cli: &Cli) -> Result<Vec<Self>, Failure> {
        let place = |text: &String| cli.place(text);
        Ok(match &cli.command {
            Some(Command::Register {
                place: name,
                values,
                replace,
                add,
            }) => {
                let how = match (replace, add) {
                    (true, _) => How::Replace,
                    (_, true) => How::Add,
                    _ => How::New,
                };
                let wrong = |why: String| {
                    Failure::could_not_run(format!("register {}", visible(name.as_bytes())), why)
                };
                let values: Result<Vec<Value>, String> =
                    values.iter().map(|value| value.parse()).collect();
                let values = Values::new(values.map_err(wrong)?).map_err(wrong)?;
                vec![Self::Register(
                    place(name)?,
                    values.expect("at least one"),
                    how,
                )]
            }
            Some(Command::Unregister { places }) => places
                .iter()
                .map(|name| place(name).map(Self::Unregister))
                .collect::<Result<_, _>>()?,
            Some(Command::Rename { from, to }) => vec![Self::Rename(place(from)?, place(to)?)],
            Some(Command::Link {
                place: new,
                target,
                symbolic: true,
            }) => vec![Self::Symlink(place(new)?, place(target)?)],
            Some(Command::Link {
                place: new, target, ..
            }) => vec![Self::HardLink(place(new)?, place(target)?)],
            _ => Vec::new(),
        })
    }

    /// The place that it is about.
    fn place(&self) -> &Place {
        match self {
            Self::Register(place, ..) | Self::Unregister(place) | Self::Rename(place, _) => place,
            Self::HardLink(place, _) | Self::Symlink(place, _) => place,
        }
    }

    fn make(&self, space: &mut Space) -> Result<(), Failure> {
        match self {
            Self::Register(place, values, How::New) => space.register(place, values.clone())?,
            Self::Register(place, values, How::Replace) => {
                space.set(place, Some(values.clone()))?
            }
            Self::Register(place, values, How::Add) => {
                let old = space.get(place).and_then(|entry| space.values(entry));
                let all = [
                    old.map(Values::as_slice).unwrap_or_default(),
                    values.as_slice(),
                ]
                .concat();
                let all = Values::new(all).map_err(|why| Failure::no(place, why))?;
                space.set(place, all)?;
            }
            Self::Unregister(place) => space.unregister(place)?,
            Self::Rename(from, to) => space.rename(from, to)?,
            Self::HardLink(new, old) => space.link(new, old)?,
            Self::Symlink(new, target) => space.link_symbolically(new, target.clone())?,
        }
        Ok(())
    }

    fn update(&self, cli: &Cli) -> Result<Update, Failure> {
        let zones = cli.zones()?;
        let owner = |place: &Place| {
            zones
                .owner(place)
                .map_err(|why| Failure::could_not_run(place, why))
        };
        let this = owner(self.place())?;
        let update = Update::of(&zones.names);
        let one = |rtype: Rtype, target: &Owner| {
            let mut records = Vec::new();
            push_record(&mut records, rtype, target.as_slice());
            records
        };
        Ok(match self {
            Self::Register(_, values, how) => {
                let mut records = Vec::new();
                values
                    .as_slice()
                    .iter()
                    .for_each(|value| push_value(&mut records, value));
                let update = match how {
                    How::New => update.when(&this, false),
                    How::Replace => update.delete(&this),
                    How::Add => update,
                };
                update.add(&this, Records(&records))
            }
            Self::Unregister(_) => update.when(&this, true).delete(&this),
            Self::Rename(_, to) => update.add(&this, Records(&one(RENAME, &owner(to)?))),
            Self::HardLink(_, old) => update.add(&this, Records(&one(HARD_LINK, &owner(old)?))),
            Self::Symlink(_, target) => update
                .when(&this, false)
                .add(&this, Records(&one(Rtype::CNAME, &owner(target)?))),
        })
    }

    /// What came of it, for people and programs.
    fn made(&self) -> Event {
        let registered = |place: &Place, value: Option<String>| Event {
            name: Some(place.to_string()),
            value,
            ..Event::new(Kind::Register)
        };
        match self {
            Self::Register(place, values, How::Add) => {
                registered(place, Some(format!("{values} as well")))
            }
            Self::Register(place, values, _) => registered(place, Some(values.to_string())),
            Self::Unregister(place) => registered(place, None),
            Self::Rename(from, to) => registered(from, Some(format!("{to} now"))),
            Self::HardLink(new, old) => registered(new, Some(Meaning::HardLink(old).to_string())),
            Self::Symlink(new, target) => {
                registered(new, Some(Meaning::Symlink(target).to_string()))
            }
        }
    }
}

/// Makes the change that the command line asks for.
///
/// # Errors
/// When it is refused (exit code 1), or cannot be made at all (exit code 2).
pub fn make(cli: &Cli, journal: &Journal, shutdown: &Shutdown) -> Result<Summary, Failure> {
    let changes = Change::of(cli)?;
    match (&cli.options.names, &cli.options.server) {
        (Some(_), Some(_)) => {
            return Err(Failure::could_not_run(
                "usage",
                "--names FILE or --server HOST:PORT, not both; see --help",
            ));
        }
        (Some(path), None) => file::edit(path, |space| {
            changes.iter().try_for_each(|change| change.make(space))
        })?,
        (None, Some(_)) => {
            let client = client(cli, journal, shutdown)?;
            for change in &changes {
                let rcode = client.update(&change.update(cli)?)?;
                if rcode != domain::base::iana::Rcode::NOERROR {
                    return Err(refusal(rcode, change.place(), client.server));
                }
            }
        }
        (None, None) => {
            let why = "say where: --names FILE or --server HOST:PORT; the handout's names are built in and stay as they are";
            return Err(Failure::could_not_run("usage", why));
        }
    }
    for change in &changes {
        journal.record(change.made());
    }
    let count = changes.len() as u64;
    Ok(Summary::done(plural(count, "change")).count("changes", count))
}

/// Reads a zone file into a names file, or onto standard output.
///
/// # Errors
/// When it cannot be read, or the names file not be written (exit code 2).
pub fn import(cli: &Cli, zone_file: &FilePath, journal: &Journal) -> Result<Summary, Failure> {
    let space = zonefile::import(zone_file, &*cli.zones()?)?;
    let names = space.len() as u64;
    if let Some(path) = &cli.options.names {
        file::edit(path, |old| {
            *old = space;
            Ok(())
        })?;
        let text = format!(
            "{} from {} in {}",
            plural(names, "name"),
            visible_path(zone_file),
            visible_path(path)
        );
        journal.record(Event::new(Kind::Local).text(text));
    } else {
        for line in file::write(&space).lines() {
            journal.record(Event::new(Kind::Resolve).text(line));
        }
    }
    Ok(Summary::done(plural(names, "name")).count("names", names))
}
