//! The commands that change names: in a names file, or at a name server.

use std::path::Path as FilePath;

use common::{
    event::{Event, Kind, Level},
    exit::{Failure, Summary},
    journal::Journal,
    shutdown::Shutdown,
    text::{plural, visible, visible_path},
};
use domain::base::iana::Rtype;

use crate::{
    client::{Client, Update, refusal},
    config::{Cli, Command},
    dns::{
        owner::{Owner, Zones},
        publish::push_values,
        update::{HARD_LINK, RENAME},
        zone::{Records, push_timed},
    },
    file,
    name::Place,
    space::{Meaning, Space, Symlink},
    value::{DEFAULT_TTL, Ttls, Values},
    zonefile,
};

/// One change, independent of where it is made.
#[derive(Clone, Debug)]
enum Change {
    Register(Place, Values, Mode),
    Unregister(Place),
    Rename(Place, Place),
    HardLink(Place, Place),
    Symlink(Place, Symlink),
}

/// What `register` does when the name exists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    New,
    Replace,
    Add,
}

impl Change {
    /// The changes that the command line asks for.
    fn of(cli: &Cli) -> Result<Vec<Self>, Failure> {
        let place = |text: &String| cli.place(text);
        Ok(match &cli.command {
            Some(Command::Register {
                place: name,
                values,
                replace,
                add,
            }) => {
                let mode = match (replace, add) {
                    (true, _) => Mode::Replace,
                    (_, true) => Mode::Add,
                    _ => Mode::New,
                };
                let wrong = |why: String| {
                    Failure::could_not_run(format!("register {}", visible(name.as_bytes())), why)
                };
                let values = Values::parse(values).map_err(wrong)?;
                let values = values.ok_or_else(|| wrong("a TTL, and no value".into()))?;
                let values = match cli.own_ttl()? {
                    Some(ttl) => values.with_ttls(Ttls::default().map(|_| Some(ttl))),
                    None => values,
                };
                vec![Self::Register(place(name)?, values, mode)]
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
            }) => {
                let (target, ttl) = (place(target)?, cli.own_ttl()?);
                vec![Self::Symlink(place(new)?, Symlink { target, ttl })]
            }
            Some(Command::Link {
                place: new, target, ..
            }) => {
                cli.options.given.refuse(
                    &["--ttl"],
                    "goes with --symbolic; a hard link has that of its leaf",
                )?;
                vec![Self::HardLink(place(new)?, place(target)?)]
            }
            _ => Vec::new(),
        })
    }

    /// The place that is changed.
    fn place(&self) -> &Place {
        match self {
            Self::Register(place, ..) | Self::Unregister(place) | Self::Rename(place, _) => place,
            Self::HardLink(place, _) | Self::Symlink(place, _) => place,
        }
    }

    /// Makes the change in a name space.
    fn make(&self, space: &mut Space) -> Result<(), Failure> {
        match self {
            Self::Register(place, values, Mode::New) => space.register(place, values.clone())?,
            Self::Register(place, values, Mode::Replace) => {
                space.set(place, Some(values.clone()))?
            }
            Self::Register(place, values, Mode::Add) => {
                let old = space.get(place).and_then(|entry| space.values(entry));
                let all = match old {
                    Some(old) => old.and(values).map_err(|why| Failure::no(place, why))?,
                    None => values.clone(),
                };
                space.set(place, Some(all))?;
            }
            Self::Unregister(place) => space.unregister(place)?,
            Self::Rename(from, to) => space.rename(from, to)?,
            Self::HardLink(new, old) => space.link(new, old)?,
            Self::Symlink(new, link) => space.link_for(new, link.target.clone(), link.ttl)?,
        }
        Ok(())
    }

    /// Whether the change makes records without a TTL of their own, so that they have that of the zone.
    fn needs_zone_ttl(&self) -> bool {
        match self {
            Self::Register(_, values, _) => {
                let mut each = values.as_slice().iter();
                each.any(|value| values.ttl_of(value).is_none())
            }
            Self::Symlink(_, link) => link.ttl.is_none(),
            Self::Unregister(_) | Self::Rename(..) | Self::HardLink(..) => false,
        }
    }

    /// The update that has a name server make the change.
    fn update(&self, zones: &Zones, zone_ttl: u32) -> Result<Update, Failure> {
        let owner = |place: &Place| {
            zones
                .owner(place)
                .map_err(|why| Failure::could_not_run(place, why))
        };
        let owner_here = owner(self.place())?;
        let update = Update::of(&zones.names);
        let timed = |rtype: Rtype, ttl, target: &Owner| {
            let mut records = Vec::new();
            push_timed(&mut records, rtype, ttl, target.as_slice());
            records
        };
        let one = |rtype: Rtype, target: &Owner| timed(rtype, None, target);
        Ok(match self {
            Self::Register(_, values, mode) => {
                let mut records = Vec::new();
                push_values(&mut records, values);
                let update = match mode {
                    Mode::New => update.when(&owner_here, false),
                    Mode::Replace => update.delete(&owner_here),
                    Mode::Add => update,
                };
                update.add(&owner_here, Records(&records), zone_ttl)
            }
            Self::Unregister(_) => update.when(&owner_here, true).delete(&owner_here),
            Self::Rename(_, to) => {
                update.add(&owner_here, Records(&one(RENAME, &owner(to)?)), zone_ttl)
            }
            Self::HardLink(_, old) => update.add(
                &owner_here,
                Records(&one(HARD_LINK, &owner(old)?)),
                zone_ttl,
            ),
            Self::Symlink(_, link) => update.when(&owner_here, false).add(
                &owner_here,
                Records(&timed(Rtype::CNAME, link.ttl, &owner(link)?)),
                zone_ttl,
            ),
        })
    }

    /// The event of the change: the name, what it stands for now, and the change in words where these two do not say it.
    fn event(&self) -> Event {
        let registered = |place: &Place, value: Option<String>| Event {
            name: Some(place.to_string()),
            value,
            ..Event::new(Kind::Register)
        };
        match self {
            Self::Register(place, values, Mode::Add) => registered(place, Some(values.to_string()))
                .text(format!("{place} is {values} as well")),
            Self::Register(place, values, _) => registered(place, Some(values.to_string())),
            Self::Unregister(place) => registered(place, None),
            Self::Rename(from, to) => {
                registered(from, None).text(format!("{from} is renamed to {to}"))
            }
            Self::HardLink(new, old) => registered(new, Some(Meaning::HardLink(old).to_string())),
            Self::Symlink(new, target) => {
                registered(new, Some(Meaning::Symlink(target).to_string()))
            }
        }
    }
}

/// `register`, `unregister`, `rename` and `link`.
///
/// # Errors
/// When it is refused (exit code 1), or cannot be made at all (exit code 2).
pub fn run(cli: &Cli, journal: &Journal, shutdown: &Shutdown) -> Result<Summary, Failure> {
    let changes = Change::of(cli)?;
    match (&cli.options.names, &cli.options.server) {
        (Some(_), Some(_)) => {
            return Err(Failure::could_not_run(
                "usage",
                "--names FILE or --server HOST:PORT, not both; see --help",
            ));
        }
        (Some(path), None) if common::files::is_standard(path) => {
            let why = "names are changed in a file; standard input cannot be changed";
            return Err(Failure::could_not_run("--names -", why));
        }
        (Some(path), None) => {
            let of_a_server = ["--zone", "--key", "--timeout"];
            cli.options
                .given
                .refuse(&of_a_server, "goes with --server")?;
            file::edit(path, |space| {
                changes.iter().try_for_each(|change| change.make(space))
            })?;
        }
        (None, Some(_)) => {
            let client = Client::new(cli, journal, shutdown)?;
            let zones = cli.zones()?;
            for change in &changes {
                let zone_ttl = match change.needs_zone_ttl() {
                    true => client.zone_ttl(&zones.names)?,
                    false => None,
                };
                let update = change.update(&zones, zone_ttl.unwrap_or(DEFAULT_TTL))?;
                let rcode = client.update(&update)?;
                if rcode != domain::base::iana::Rcode::NOERROR {
                    return Err(refusal(rcode, change.place(), client.server()));
                }
            }
        }
        (None, None) => {
            let why = "--names FILE or --server HOST:PORT is required; the built-in names cannot be changed";
            return Err(Failure::could_not_run("usage", why));
        }
    }
    for change in &changes {
        journal.record(change.event());
    }
    let count = changes.len() as u64;
    Ok(Summary::done(plural(count, "change")).count("changes", count))
}

/// `import`: converts a zone file to a names file, or prints it as one.
///
/// # Errors
/// When the zone file cannot be read, or the names file cannot be written (exit code 2).
pub fn import(cli: &Cli, zone_file: &FilePath, journal: &Journal) -> Result<Summary, Failure> {
    let skip = cli.options.skip_unsupported.unwrap_or(false);
    let (space, left_out) = zonefile::import(zone_file, &*cli.zones()?, skip)?;
    let names = space.count() as u64;
    for record in &left_out {
        journal.record(Event::error(Level::Warn, record));
    }
    let file = cli.options.names.as_ref();
    if let Some(path) = file.filter(|path| !common::files::is_standard(path)) {
        file::edit(path, |old| {
            *old = space;
            Ok(())
        })?;
        let event = Event::new(Kind::Write).text(visible_path(path));
        journal.record(event.counts([("names", names)]));
    } else {
        for line in file::write(&space).lines() {
            journal.record(Event::new(Kind::Output).text(line));
        }
    }
    let text = match left_out.len() as u64 {
        0 => plural(names, "name"),
        count => format!(
            "{}, {} left out",
            plural(names, "name"),
            plural(count, "record")
        ),
    };
    Ok(Summary::done(text)
        .count("names", names)
        .count("left_out", left_out.len() as u64))
}
