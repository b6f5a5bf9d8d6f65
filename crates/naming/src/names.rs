//! The sources of names: the handout's dictionaries, which are built in, a names file, mounted files, a store; and the
//! delegations of the command line.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    path::{Path as FilePath, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use common::{
    event::{Event, Kind},
    exit::Failure,
    files,
    journal::Journal,
    text::{visible, visible_path},
};

use crate::{
    config::Options,
    delegation::Delegation,
    file,
    handout::{FLAT, STRUCTURED},
    marks::MarksFile,
    name::Place,
    server::source::{Keeper, Reload, Source},
    space::{Entry, Refusal, Space},
    store::{DurableNames, Store, newest_is_lost},
    value::Value,
};

/// The handout's two dictionaries.
pub fn built_in() -> Space {
    let mut space = Space::default();
    let mut register = |place: String, address: &str| {
        let place: Place = place.parse().expect("a name");
        let address = address.parse::<Value>().expect("an address");
        space
            .register(&place, address.into())
            .expect("each name once");
    };
    for (name, address) in FLAT {
        register(name.into(), address);
    }
    for (region, names) in STRUCTURED {
        for (name, address) in names {
            register(format!("{region}/{name}"), address);
        }
    }
    space
}

/// The names that the options name: those of `--names` or the built-in ones, those of `--mount`, and what `--delegate` says.
///
/// # Errors
/// When a file cannot be read or mounted, or a name cannot be delegated (exit code 2).
pub fn read(options: &Options) -> Result<Space, Failure> {
    let mut space = unmounted(options, file::read)?;
    delegate(options, &mut space)?;
    mount(options, space, file::read)
}

/// How a names file is read: for the first time, or again.
type ReadFile = fn(&FilePath) -> Result<Space, Failure>;

fn unmounted(options: &Options, read: ReadFile) -> Result<Space, Failure> {
    options
        .names
        .as_deref()
        .map_or_else(|| Ok(built_in()), read)
}

/// The place and the file of a `--mount`.
fn place_and_file(mount: &str) -> Result<(Place, &str), Failure> {
    let (path, from) = mount
        .split_once('=')
        .ok_or_else(|| Failure::could_not_run(what(mount), "not PATH=FILE, such as eu=eu.json"))?;
    Ok((Place::at(&path.parse()?, &[])?, from))
}

/// A `--delegate`: as it is written, the name, and its servers.
fn delegations(options: &Options) -> Result<Vec<(&str, Place, Delegation)>, Failure> {
    let mut delegations: Vec<(&str, Place, Delegation)> = Vec::new();
    for text in options.delegate.iter().flatten() {
        let wrong = |why: String| Failure::could_not_run(what_delegation(text), why);
        let (path, addresses) = text
            .split_once('=')
            .ok_or_else(|| wrong("not PATH=ADDRESS, such as region1=127.0.0.2".to_owned()))?;
        let place = path.parse().and_then(|path| Place::at(&path, &[]));
        let place = place.map_err(|failure| wrong(failure.to_string()))?;
        let delegation = Delegation::parse(addresses.split(',')).map_err(wrong)?;
        if delegations.iter().any(|(_, other, _)| *other == place) {
            return Err(wrong(format!("{place} is delegated twice")));
        }
        delegations.push((text, place, delegation));
    }
    Ok(delegations)
}

/// Delegates what `--delegate` names; returns the names that were not delegated so before. Of the built-in names a whole region
/// can be delegated; names of a file or a store are not dropped.
fn delegate(options: &Options, space: &mut Space) -> Result<BTreeSet<Place>, Failure> {
    let mut delegated = BTreeSet::new();
    for (text, place, delegation) in delegations(options)? {
        let refused = |refusal: Refusal| Failure::could_not_run(what_delegation(text), refusal);
        match space.get(&place) {
            Some(Entry::Delegation(before)) if before.addresses() == delegation.addresses() => {
                continue;
            }
            _ if options.names.is_none() && options.store.is_none() => {
                space.hand_over(&place, delegation).map_err(refused)?;
            }
            _ => space.delegate(&place, delegation).map_err(refused)?,
        }
        delegated.insert(place);
    }
    Ok(delegated)
}

/// Refuses a `--delegate` to an address of which `is_own` says that this server answers there.
///
/// # Errors
/// `--delegate PATH=ADDRESS: why` (exit code 2).
pub fn check_delegations(
    options: &Options,
    is_own: impl Fn(IpAddr) -> bool,
) -> Result<(), Failure> {
    for (text, _, delegation) in delegations(options)? {
        let mut addresses = delegation.addresses().iter();
        if let Some(own) = addresses.find(|address| is_own(**address)) {
            let why = format!("{own} is this server itself, which would refer to itself");
            return Err(Failure::could_not_run(what_delegation(text), why));
        }
    }
    Ok(())
}

fn what_delegation(text: &str) -> String {
    format!("--delegate {}", visible(text.as_bytes()))
}

fn what(mount: &str) -> String {
    format!("--mount {}", visible(mount.as_bytes()))
}

/// Mounts what `--mount` names.
fn mount(options: &Options, mut space: Space, read: ReadFile) -> Result<Space, Failure> {
    for mount in options.mount.iter().flatten() {
        let (place, from) = place_and_file(mount)?;
        let tree = read(from.as_ref())?;
        space
            .mount(&place, &tree, from)
            .map_err(|refusal| Failure::could_not_run(what(mount), refusal.why))?;
    }
    Ok(space)
}

/// How the files of the options are read again; the names of a store are read from it, and what is mounted is not in it.
fn reload(options: &Options) -> Option<Reload> {
    let mounted = options.mount.iter().flatten();
    let mounted = mounted.filter_map(|mount| place_and_file(mount).ok());
    let names = options.names.iter().filter(|_| options.store.is_none());
    let paths: Vec<PathBuf> = names
        .cloned()
        .chain(mounted.map(|(_, from)| from.into()))
        .collect();
    let options = options.clone();
    (!paths.is_empty()).then(|| Reload {
        paths,
        read: Box::new(move |store| {
            let space = match store {
                Some(store) => store.load()?,
                None => {
                    let mut space = unmounted(&options, file::read_again)?;
                    delegate(&options, &mut space)?;
                    space
                }
            };
            mount(&options, space, file::read_again)
        }),
    })
}

/// The names that the server serves: those of `--store`, which the other sources fill when it is new, or those of
/// [`read`].
///
/// # Errors
/// When a file or the store cannot be read (exit code 2).
pub fn to_serve(options: &Options, journal: &Journal) -> Result<Source, Failure> {
    let reload = reload(options);
    let Some(path) = &options.store else {
        return Ok(Source {
            space: read(options)?,
            keeper: beside(options.names.as_deref(), journal),
            reload,
            delegated: BTreeSet::new(),
        });
    };
    if files::is_standard(path) {
        let why = "a store is a file, and no standard stream";
        return Err(Failure::could_not_run("--store -", why));
    }
    let lost = newest_is_lost(path);
    let store = Store::open(path)?;
    if let Some(lost) = lost {
        let text = format!("{lost}; the server goes on with the state before that change");
        journal.record(Event::error(common::event::Level::Warn, text));
    }
    let mut space = if store.is_filled()? {
        if let Some(names) = &options.names {
            let text = format!(
                "{} holds the names; {} is not read, because it only fills a new store",
                visible_path(path),
                visible_path(names)
            );
            journal.record(Event::new(Kind::Report).text(text));
        }
        store.load()?
    } else {
        unmounted(options, file::read)?
    };
    let delegated = delegate(options, &mut space)?;
    let store = DurableNames::new(path, store);
    Ok(Source {
        space: mount(options, space, file::read)?,
        keeper: Keeper::Store(Box::new(store)),
        reload,
        delegated,
    })
}

/// The file beside the names file that keeps the serials; without one, they follow the time.
fn beside(names: Option<&FilePath>, journal: &Journal) -> Keeper {
    let Some(names) = names.filter(|path| !files::is_standard(path)) else {
        return Keeper::Clock;
    };
    MarksFile::beside(names).map_or_else(
        |failure| {
            let text = format!("{failure}; without it, the serials follow the time");
            journal.record(Event::error(common::event::Level::Warn, text));
            Keeper::Clock
        },
        Keeper::Beside,
    )
}

/// A zone serial that grows with time (RFC 1982).
pub fn serial_of_now() -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |since| since.as_secs() as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handouts_dictionaries_are_a_names_file() {
        let text = r#"{
            "server1": "192.168.1.2", "server2": "192.168.1.3",
            "region1": {"server1": "192.168.1.2", "server2": "192.168.1.3"},
            "region2": {"server3": "192.168.2.1", "server4": "192.168.2.2"}
        }"#;
        let read = |text: &str| file::parse(FilePath::new("names.json"), text.as_bytes());
        assert_eq!(read(text), Ok(built_in()));
        assert_eq!(read(&file::write(&built_in())), Ok(built_in()));
    }
}
