//! Durable names: a file of transactions (redb). A change is in it whole or not at all, also after a crash of the process or
//! the machine; [`Store::keep`] returns when it is on the disk.

mod signed;

use std::{collections::BTreeSet, path::Path};

use common::{exit::Failure, text::visible_path};
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};

use crate::{
    dns::tsig,
    file::{OwnedMeaning, meaning_from_json, meaning_to_json},
    name::Place,
    space::Space,
};

pub use self::signed::Signed;

/// Every place with its meaning, as a names file writes both.
const NAMES: TableDefinition<&str, &str> = TableDefinition::new("names");

/// The numbers beside the names: the format, the serial.
const FIGURES: TableDefinition<&str, u64> = TableDefinition::new("figures");

/// The version of the file's layout.
const FORMAT: u64 = 1;

/// The size of the cache, in bytes.
const CACHE: usize = 32 << 20;

/// The open file.
#[derive(Debug)]
pub struct Store {
    database: Database,
    what: String,
}

type Result<T> = std::result::Result<T, Failure>;

impl Store {
    /// Opens the file, or creates it.
    ///
    /// # Errors
    /// `FILE: why`: another process has it open, or it is not a store (exit code 2).
    pub fn open(path: &Path) -> Result<Self> {
        let what = visible_path(path);
        let opened = Database::builder().set_cache_size(CACHE).create(path);
        let database = opened.map_err(|error| {
            let why = match error {
                DatabaseError::DatabaseAlreadyOpen => "another server has it open".to_owned(),
                DatabaseError::Storage(redb::StorageError::Io(error)) => common::exit::why(&error),
                error => format!("not a store of names: {error}"),
            };
            Failure::could_not_run(&what, why)
        })?;
        let store = Self { database, what };
        store.check_format()?;
        Ok(store)
    }

    /// The failure of an operation on the file.
    fn failed(&self, error: impl Into<redb::Error>) -> Failure {
        Failure::could_not_run(&self.what, error.into())
    }

    fn check_format(&self) -> Result<()> {
        match self.figure("format")? {
            Some(FORMAT) => Ok(()),
            Some(other) => Err(Failure::could_not_run(
                &self.what,
                format!("a store of format {other}, and this program knows {FORMAT}"),
            )),
            None => {
                let writing = self
                    .database
                    .begin_write()
                    .map_err(|error| self.failed(error))?;
                let made = (|| {
                    writing.open_table(NAMES)?;
                    writing.open_table(FIGURES)?.insert("format", FORMAT)?;
                    Ok::<_, redb::Error>(())
                })();
                made.map_err(|error| self.failed(error))?;
                writing.commit().map_err(|error| self.failed(error))
            }
        }
    }

    fn figure(&self, name: &str) -> Result<Option<u64>> {
        let read = || {
            let reading = self.database.begin_read()?;
            match reading.open_table(FIGURES) {
                Ok(table) => Ok(table.get(name)?.map(|figure| figure.value())),
                Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
                Err(error) => Err(redb::Error::from(error)),
            }
        };
        read().map_err(|error| self.failed(error))
    }

    /// The serial of the zones when they were last changed; None for a new store.
    ///
    /// # Errors
    /// When it cannot be read (exit code 2).
    pub fn serial(&self) -> Result<Option<u32>> {
        Ok(self
            .figure("serial")?
            .and_then(|serial| u32::try_from(serial).ok()))
    }

    /// All names.
    ///
    /// # Errors
    /// When they cannot be read, or are not valid (exit code 2).
    pub fn load(&self) -> Result<Space> {
        let wrong = |key: &str, why: String| {
            Failure::could_not_run(
                &self.what,
                format!("{}: {why}", common::text::visible(key.as_bytes())),
            )
        };
        let mut space = Space::default();
        let mut links = Vec::new();
        let reading = self
            .database
            .begin_read()
            .map_err(|error| self.failed(error))?;
        let table = reading
            .open_table(NAMES)
            .map_err(|error| self.failed(error))?;
        for row in table.iter().map_err(|error| self.failed(error))? {
            let (key, meaning) = row.map_err(|error| self.failed(error))?;
            let place: Place = key.value().parse()?;
            match meaning_from_json(meaning.value()).map_err(|why| wrong(key.value(), why))? {
                OwnedMeaning::Values(values) => space
                    .register(&place, values)
                    .map_err(|refusal| wrong(key.value(), refusal.why))?,
                link => links.push((place, link)),
            }
        }
        // The first of several names has the values, so every hard link finds its leaf.
        for (place, link) in links {
            let linked = match link {
                OwnedMeaning::HardLink(first) => space.link(&place, &first),
                OwnedMeaning::Symlink(link) => space.link_for(&place, link.target, link.ttl),
                OwnedMeaning::Values(_) => Ok(()),
            };
            linked.map_err(|refusal| wrong(&refusal.place.to_string(), refusal.why))?;
        }
        Ok(space)
    }

    /// Stores the meanings of these places and the zones' serial in one transaction; returns when it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written; the store is unchanged then.
    pub fn keep(&self, space: &Space, touched: &BTreeSet<Place>, serial: u32) -> Result<()> {
        self.keep_signed(space, touched, serial, &[])
    }

    /// The same, with the signed updates that made the changes or were refused.
    ///
    /// # Errors
    /// As [`Self::keep`].
    pub fn keep_signed(
        &self,
        space: &Space,
        touched: &BTreeSet<Place>,
        serial: u32,
        updates: &[Signed],
    ) -> Result<()> {
        let write = || {
            let writing = self.database.begin_write()?;
            {
                let mut names = writing.open_table(NAMES)?;
                for place in touched {
                    let key = place.to_string();
                    let meaning = space
                        .get(place)
                        .and_then(|entry| space.meaning(place, entry));
                    match meaning {
                        Some(meaning) => drop(names.insert(&*key, &*meaning_to_json(meaning))?),
                        None => drop(names.remove(&*key)?),
                    }
                }
                writing
                    .open_table(FIGURES)?
                    .insert("serial", u64::from(serial))?;
            }
            if !updates.is_empty() {
                signed::keep(&writing, updates, tsig::now())?;
            }
            writing.commit()?;
            Ok::<_, redb::Error>(())
        };
        write().map_err(|error| self.failed(error))
    }

    /// The signed updates of the last minutes.
    ///
    /// # Errors
    /// When they cannot be read (exit code 2).
    pub fn signed(&self) -> Result<Vec<Signed>> {
        let read = || signed::load(&self.database.begin_read()?);
        read().map_err(|error| self.failed(error))
    }

    /// Stores a whole space in a new store.
    ///
    /// # Errors
    /// As [`Self::keep`].
    pub fn fill(&self, space: &Space, serial: u32) -> Result<()> {
        let mut places = BTreeSet::new();
        space.each(|place, _| {
            places.insert(place.clone());
        });
        self.keep(space, &places, serial)
    }
}

#[cfg(test)]
mod tests {
    use common::testing::Folder;

    use super::*;
    use crate::value::Value;

    #[test]
    fn what_was_stored_is_loaded() {
        let folder = Folder::new();
        let path = folder.path("names.redb");
        let place = |text: &str| text.parse::<Place>().unwrap();
        let mut space = Space::default();
        for name in ["region1/server1", "/region2"] {
            let value: Value = "192.168.1.2".parse().unwrap();
            space.register(&place(name), value.into()).unwrap();
        }
        {
            let store = Store::open(path.as_ref()).unwrap();
            assert_eq!(store.serial(), Ok(None));
            store.fill(&space, 7).unwrap();
            space.begin();
            space
                .link(&place("/www"), &place("region1/server1"))
                .unwrap();
            space.link(&place("a/b/c"), &place("/www")).unwrap();
            space.unregister(&place("region1/server1")).unwrap();
            space
                .rename(&place("/region2"), &place("/region5"))
                .unwrap();
            space
                .link_symbolically(&place("gate"), place("/region5"))
                .unwrap();
            let touched = space.touched();
            store.keep(&space, &touched, 8).unwrap();
            let error = Store::open(path.as_ref()).unwrap_err().to_string();
            assert!(error.ends_with("another server has it open"), "{error}");
        }
        let store = Store::open(path.as_ref()).unwrap();
        assert_eq!(
            (store.serial(), store.load().unwrap()),
            (Ok(Some(8)), space)
        );
    }

    #[test]
    fn a_file_that_is_not_a_store_is_refused() {
        let folder = Folder::new();
        let path = folder.write("names.json", "{\"server1\": \"192.168.1.2\"}");
        let error = Store::open(path.as_ref()).unwrap_err().to_string();
        assert!(error.starts_with(&path), "{error}");
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            "{\"server1\": \"192.168.1.2\"}"
        );
    }
}
