//! The file of a store: its tables, and the transactions that change them.

use std::{collections::BTreeSet, path::Path};

use common::{
    exit::Failure,
    text::{visible, visible_path},
};
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition, TableError,
};

use super::{
    guard::{damaged, guarded},
    rows::Names,
    signed::{self, Signed},
};
use crate::{
    dns::{
        mark::{Content, KeptMarks, Mark, Marks},
        owner::Zones,
        tsig,
    },
    file::meaning_to_json,
    name::Place,
    space::Space,
};

/// Every place with its meaning, as a names file writes both.
pub(super) const NAMES: TableDefinition<&str, &str> = TableDefinition::new("names");

/// The numbers beside the names: the format, the serial of the zone of the names.
const FIGURES: TableDefinition<&str, u64> = TableDefinition::new("figures");

/// The serial of each zone and the digest of its content, as they were published last.
const MARKS: TableDefinition<&str, (u32, &[u8])> = TableDefinition::new("marks");

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

/// The failure of an operation on the file.
pub(super) fn failed(what: &str, error: impl Into<redb::Error>) -> Failure {
    match error.into() {
        redb::Error::DatabaseAlreadyOpen => {
            Failure::could_not_run(what, "another server has it open")
        }
        redb::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Failure::could_not_run(what, format!("{OTHER_KIND}: {error}"))
        }
        redb::Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            damaged(what, "its end is missing")
        }
        redb::Error::Io(error) => Failure::could_not_run(what, common::exit::why(&error)),
        redb::Error::UpgradeRequired(version) => Failure::could_not_run(
            what,
            format!("in format {version} of redb, which is too old"),
        ),
        redb::Error::Corrupted(why) => damaged(what, why),
        error => damaged(what, error),
    }
}

const OTHER_KIND: &str = "not a store of names";

/// Whether a failure is that of a file of another kind.
pub(super) fn is_other_kind(failure: &Failure) -> bool {
    failure.why.starts_with(OTHER_KIND)
}

/// Checks that a file, if it exists, can be a store: a regular one, and not empty. An empty one had a store once, or is about
/// to get one from another process.
pub(super) fn check_kind(path: &Path) -> std::result::Result<(), String> {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(format!("{OTHER_KIND}: not a regular file")),
        Ok(found) if found.len() == 0 => Err(format!("{OTHER_KIND}: empty")),
        _ => Ok(()),
    }
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder
        .set_cache_size(CACHE)
        .set_check_integrity_on_open(true);
    builder
}

impl Store {
    /// Opens the file, or creates it. Its integrity is checked.
    ///
    /// # Errors
    /// `FILE: why`: another process has it open, it is not a store, or it is damaged (exit code 2).
    pub fn open(path: &Path) -> Result<Self> {
        let what = visible_path(path);
        check_kind(path).map_err(|why| {
            let remedy = match path.is_file() {
                true => "; remove it, and a new one is made",
                false => "",
            };
            Failure::could_not_run(&what, why + remedy)
        })?;
        guarded(&what, || Self::with(&what, builder().create(path)))
    }

    /// Opens a file that exists.
    pub(super) fn reopen(path: &Path) -> Result<Self> {
        let what = visible_path(path);
        guarded(&what, || Self::with(&what, builder().open(path)))
    }

    pub(super) fn with(
        what: &str,
        opened: std::result::Result<Database, DatabaseError>,
    ) -> Result<Self> {
        let store = Self {
            database: opened.map_err(|error| failed(what, error))?,
            what: what.into(),
        };
        store.check_format()?;
        Ok(store)
    }

    /// Makes an operation on the file.
    fn with_file<T>(
        &self,
        operation: impl FnOnce(&Database) -> std::result::Result<T, redb::Error>,
    ) -> Result<T> {
        guarded(&self.what, || {
            operation(&self.database).map_err(|error| failed(&self.what, error))
        })
    }

    fn check_format(&self) -> Result<()> {
        match self.figure("format")? {
            Some(FORMAT) => Ok(()),
            Some(other) => Err(Failure::could_not_run(
                &self.what,
                format!("a store of format {other}, and this program knows {FORMAT}"),
            )),
            None if self.has_tables()? => Err(Failure::could_not_run(
                &self.what,
                format!("{OTHER_KIND}: a redb file of another program"),
            )),
            None => self.with_file(|database| {
                let writing = database.begin_write()?;
                writing.open_table(NAMES)?;
                writing.open_table(FIGURES)?.insert("format", FORMAT)?;
                Ok(writing.commit()?)
            }),
        }
    }

    fn has_tables(&self) -> Result<bool> {
        self.with_file(|database| Ok(database.begin_read()?.list_tables()?.next().is_some()))
    }

    fn figure(&self, name: &str) -> Result<Option<u64>> {
        self.with_file(|database| {
            let reading = database.begin_read()?;
            match reading.open_table(FIGURES) {
                Ok(table) => Ok(table.get(name)?.map(|figure| figure.value())),
                Err(TableError::TableDoesNotExist(_)) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Whether names were stored in it: a new store has none.
    ///
    /// # Errors
    /// When it cannot be read (exit code 2).
    pub fn is_filled(&self) -> Result<bool> {
        Ok(self.figure("serial")?.is_some())
    }

    /// The serial and the content of each zone when it was published last; none in a new store.
    ///
    /// # Errors
    /// When they cannot be read (exit code 2).
    pub fn marks(&self) -> Result<KeptMarks> {
        let rows = self.with_file(|database| {
            let reading = database.begin_read()?;
            let mut rows = Vec::new();
            match reading.open_table(MARKS) {
                Ok(table) => {
                    for row in table.iter()? {
                        let (zone, mark) = row?;
                        let (serial, content) = mark.value();
                        let content = Content::from_bytes(content).unwrap_or_default();
                        rows.push((zone.value().to_owned(), Mark { serial, content }));
                    }
                }
                Err(TableError::TableDoesNotExist(_)) => {}
                Err(error) => return Err(error.into()),
            }
            Ok(rows)
        })?;
        let rows = rows.into_iter().map(|(zone, mark)| {
            let owner = zone.parse();
            owner
                .map(|zone| (zone, mark))
                .map_err(|_| self.wrong(&zone, "not the name of a zone"))
        });
        rows.collect()
    }

    fn wrong(&self, key: &str, why: impl std::fmt::Display) -> Failure {
        let key = visible(key.as_bytes());
        Failure::could_not_run(&self.what, format!("{key}: {why}"))
    }

    /// Every row: a place and its meaning as text.
    fn rows(&self, mut visit: impl FnMut(&str, &str) -> Result<()>) -> Result<()> {
        let mut refused = None;
        self.with_file(|database| {
            let reading = database.begin_read()?;
            for row in reading.open_table(NAMES)?.iter()? {
                let (key, meaning) = row?;
                if let Err(failure) = visit(key.value(), meaning.value()) {
                    refused = Some(failure);
                    break;
                }
            }
            Ok(())
        })?;
        refused.map_or(Ok(()), Err)
    }

    /// All names.
    ///
    /// # Errors
    /// When they cannot be read, or are not valid (exit code 2).
    pub fn load(&self) -> Result<Space> {
        let mut names = Names::default();
        self.rows(|key, meaning| {
            let added = names.add(key, meaning);
            added.map_err(|why| self.wrong(key, why))
        })?;
        names.finish(|refusal| Err(self.wrong(&refusal.place.to_string(), refusal.why)))
    }

    /// The places whose meanings here are others than in `space`, which may have mounted names beside them.
    pub(super) fn differing(&self, space: &Space) -> Result<BTreeSet<Place>> {
        let mut differing = BTreeSet::new();
        let mut stored = BTreeSet::new();
        self.rows(|key, stored_meaning| {
            let place: Place = key
                .parse()
                .map_err(|failure: Failure| self.wrong(key, failure.why))?;
            let meaning = space
                .get(&place)
                .and_then(|entry| space.meaning(&place, entry));
            if meaning.map(meaning_to_json).as_deref() != Some(stored_meaning) {
                differing.insert(place.clone());
            }
            stored.insert(place);
            Ok(())
        })?;
        let own = space.own_places();
        differing.extend(own.difference(&stored).cloned());
        Ok(differing)
    }

    /// The signed updates of the last minutes.
    ///
    /// # Errors
    /// When they cannot be read (exit code 2).
    pub fn signed(&self) -> Result<Vec<Signed>> {
        self.with_file(|database| signed::load(&database.begin_read()?))
    }

    /// Stores the meanings of these places, the marks of the zones, and the signed updates that made the changes or were
    /// refused, in one transaction; returns when it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written. The store is unchanged then, or has the whole transaction.
    pub fn keep(
        &self,
        space: &Space,
        touched: &BTreeSet<Place>,
        zones: &Zones,
        marks: &Marks,
        updates: &[Signed],
    ) -> Result<()> {
        self.with_file(|database| {
            let writing = database.begin_write()?;
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
                let mut table = writing.open_table(MARKS)?;
                for (zone, mark) in zones.all().into_iter().zip(marks) {
                    let value = (mark.serial, mark.content.to_bytes());
                    table.insert(&*zone.to_string(), (value.0, &value.1[..]))?;
                }
                writing
                    .open_table(FIGURES)?
                    .insert("serial", u64::from(marks[0].serial))?;
            }
            if !updates.is_empty() {
                signed::keep(&writing, updates, tsig::now())?;
            }
            Ok(writing.commit()?)
        })
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
        let zones = Zones::new("lab.").unwrap();
        let mut marks = Marks::default();
        marks[0].content = Content::from_bytes(&[7; 16]).unwrap();
        for name in ["region1/server1", "/region2"] {
            let value: Value = "192.168.1.2".parse().unwrap();
            space.register(&place(name), value.into()).unwrap();
        }
        {
            let store = Store::open(path.as_ref()).unwrap();
            assert_eq!(store.is_filled(), Ok(false));
            space.begin();
            store
                .keep(&space, &space.own_places(), &zones, &marks, &[])
                .unwrap();
            assert_eq!(store.is_filled(), Ok(true));
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
            marks[1].serial = 8;
            store.keep(&space, &touched, &zones, &marks, &[]).unwrap();
            let error = Store::open(path.as_ref()).unwrap_err().to_string();
            assert!(error.ends_with("another server has it open"), "{error}");
        }
        let store = Store::open(path.as_ref()).unwrap();
        let kept: Vec<_> = zones.all().into_iter().cloned().zip(marks).collect();
        assert_eq!(store.marks(), Ok(kept.into_iter().collect()));
        assert_eq!(store.differing(&space), Ok(BTreeSet::new()));
        assert_eq!(store.load().unwrap(), space);
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
