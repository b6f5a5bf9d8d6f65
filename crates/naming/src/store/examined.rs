//! What can be read of a store's file, also of a damaged one. The file stays as it is.
//!
//! | the file | what is read |
//! | --- | --- |
//! | passes redb's integrity check | everything |
//! | does not | the names from both ends of the table to the first that cannot be read, of the newest state, or of the one before |

use std::{collections::BTreeMap, convert::Infallible, fs::File, mem::ManuallyDrop, path::Path};

use common::{
    exit::Failure,
    sys::files::read_exact_at,
    text::{plural, visible_path},
};
use redb::{ConcurrencyMode, Database, ReadableDatabase, ReadableTable, StorageBackend};

use super::{
    file::{NAMES, Store, check_kind, failed, is_other_kind},
    guard::{cause, damaged, guarded},
    overlay::Overlay,
    rows::Names,
};
use crate::space::Space;

/// The names of a store's file.
#[derive(Debug)]
pub struct Examined {
    /// Those that can be read.
    pub space: Space,
    /// The damage, and what it leaves (exit code 1); None when the store is sound.
    pub damage: Option<Failure>,
}

/// The state of the file that a read begins with: its newest, or the one before.
#[derive(Clone, Copy)]
enum State {
    Newest,
    Before,
}

/// Where the byte of redb's header is that says which of the two states is the newest, and whether a repair is needed.
const SWITCHES: u64 = 9;
/// The bit that selects the newest state.
const NEWEST: u8 = 1;
/// The bit that asks for a repair.
const REPAIR: u8 = 2;

type Rows = BTreeMap<String, String>;

/// Reads a store's file.
///
/// # Errors
/// When it is not a store, a server has it open, or nothing of it can be read (exit code 2).
pub fn examine(path: &Path) -> Result<Examined, Failure> {
    let what = visible_path(path);
    let refused = |why: &str| Failure::could_not_run(&what, why);
    let unreadable = |error| Failure::could_not_run(&what, common::exit::why(&error));
    check_kind(path).map_err(|why| refused(&why))?;
    let file = File::open(path).map_err(unreadable)?;
    match file.try_lock_shared() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            return Err(refused("a server has it open"));
        }
        Err(std::fs::TryLockError::Error(error)) => return Err(unreadable(error)),
    }
    let examined = examine_locked(&what, &file);
    // What is damaged is not dropped, so closing the file does not unlock it.
    let _ = file.unlock();
    examined
}

fn examine_locked(what: &str, file: &File) -> Result<Examined, Failure> {
    let overlay = || {
        let file = file.try_clone();
        file.and_then(Overlay::new)
            .map_err(|error| Failure::could_not_run(what, common::exit::why(&error)))
    };
    let damage = match sound(what, overlay()?) {
        Ok(space) => {
            let mut rows = Rows::new();
            let newest = guarded(what, || rescue(what, overlay()?, State::Newest, &mut rows));
            let (newest_space, left) = names(&rows);
            if newest.is_ok() && left == 0 && newest_space == space {
                let damage = None;
                return Ok(Examined { space, damage });
            }
            // The integrity check took the state before the newest one.
            damaged(what, "its newest change is not whole")
        }
        // A file of another kind holds nothing to look for.
        Err(failure) if is_other_kind(&failure) => return Err(failure),
        Err(failure) => failure,
    };
    let why = cause(&damage).unwrap_or(&damage.why);
    let mut most = Rows::new();
    for state in [State::Newest, State::Before] {
        let mut rows = Rows::new();
        // What ends it ends with it; the rows that were read before stay.
        let _ = guarded(what, || rescue(what, overlay()?, state, &mut rows));
        if most.is_empty() {
            most = rows;
        }
    }
    let (space, left) = names(&most);
    let count = space.count() as u64;
    if count == 0 {
        let why = format!("damaged ({why}), and no name in it can be read");
        return Err(Failure::could_not_run(what, why));
    }
    let mut text = format!("damaged ({why}); {} can be read", plural(count, "name"));
    if left > 0 {
        text.push_str(&format!(", {left} cannot"));
    }
    Ok(Examined {
        space,
        damage: Some(Failure::no(what, text)),
    })
}

/// What is wrong with the newest change of a store that a crash or `kill -9` left open: it was not written whole, and so never
/// acknowledged, or it is damaged. redb takes the state before it then. None when nothing is, or when the store cannot be
/// opened at all.
pub fn newest_is_lost(path: &Path) -> Option<Failure> {
    check_kind(path).ok()?;
    let mut switches = [0];
    let file = File::open(path).ok()?;
    read_exact_at(&file, &mut switches, SWITCHES).ok()?;
    // A store that was closed has no state but its newest.
    if switches[0] & REPAIR == 0 {
        return None;
    }
    examine(path).ok()?.damage
}

/// All names of a sound store.
fn sound(what: &str, overlay: Overlay) -> Result<Space, Failure> {
    let mut builder = Database::builder();
    builder.set_check_integrity_on_open(true);
    let store = guarded(what, || {
        Store::with(what, builder.create_with_backend(overlay))
    })?;
    // The digests and the signed updates are part of it.
    store.marks()?;
    store.signed()?;
    store.load()
}

/// Reads the rows of the table of names from both ends.
fn rescue(what: &str, overlay: Overlay, state: State, rows: &mut Rows) -> Result<(), Failure> {
    let mut switches = [0];
    let unreadable = |error| Failure::could_not_run(what, common::exit::why(&error));
    overlay.read(SWITCHES, &mut switches).map_err(unreadable)?;
    switches[0] &= !REPAIR;
    if let State::Before = state {
        switches[0] ^= NEWEST;
    }
    overlay.write(SWITCHES, &switches).map_err(unreadable)?;
    // A row takes more bytes than these; more rows than that are read in a circle.
    let most = overlay.len().map_err(unreadable)? / 4;
    let mut builder = Database::builder();
    // In this mode nothing but the tree of the names has to be readable.
    builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
    let opened = builder.open_read_only_with_backend(overlay);
    // A panic within a drop, while another one unwinds, would end the process: what is damaged is not dropped.
    let database = ManuallyDrop::new(opened.map_err(|error| failed(what, error))?);
    let read = |rows: &mut Rows| -> Result<(), redb::Error> {
        let reading = ManuallyDrop::new(database.begin_read()?);
        let table = match reading.open_table(NAMES) {
            // The server was killed before it stored anything.
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(()),
            table => ManuallyDrop::new(table?),
        };
        for backwards in [false, true] {
            let mut all = ManuallyDrop::new(table.iter()?);
            let mut room = most;
            while room > 0
                && let Some(row) = match backwards {
                    false => all.next(),
                    true => all.next_back(),
                }
            {
                let Ok((key, meaning)) = row else { break };
                rows.insert(key.value().to_owned(), meaning.value().to_owned());
                room -= 1;
            }
            ManuallyDrop::into_inner(all);
        }
        ManuallyDrop::into_inner(table);
        ManuallyDrop::into_inner(reading);
        Ok(())
    };
    read(rows).map_err(|error| failed(what, error))?;
    ManuallyDrop::into_inner(database);
    Ok(())
}

/// The names of these rows, and how many of them make none.
fn names(rows: &Rows) -> (Space, usize) {
    let (mut names, mut left) = (Names::default(), 0);
    for (key, meaning) in rows {
        left += usize::from(names.add(key, meaning).is_err());
    }
    let Ok(space) = names.finish(|_| {
        left += 1;
        Ok::<_, Infallible>(())
    });
    (space, left)
}
