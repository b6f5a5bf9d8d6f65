//! The submissions of a class: each folder of a folder, and each file that is a whole program of the suite.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use common::{
    exit::{Failure, why},
    sys::{files::real_path, processes::quoted},
    text::{natural, visible_path},
};

use crate::{scratch::Scratch, suite::Suite};

/// The most submissions of one run.
const MOST: usize = 10_000;

/// A submission.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its name: that of its folder, or of its file without the ending.
    pub name: String,
    /// The folder in which it is run.
    pub folder: PathBuf,
    /// Words for a shell that go to where it can be run again.
    pub enter: String,
}

/// The submissions of a class.
#[derive(Debug)]
pub struct Submissions {
    /// All of them, by name.
    pub all: Vec<Found>,
    /// Files that are no program of the suite.
    pub left_out: Vec<String>,
    /// The folders of those that are files, for as long as they are graded.
    laid_out: Option<Scratch>,
}

impl Submissions {
    /// Finds the submissions in a folder. One that is a file gets a folder of its own, where it has the name that the suite
    /// gives its program.
    ///
    /// # Errors
    /// When it cannot be read, or has none, or a file may be one of several programs (exit code 2).
    pub fn find(of: &Path, suite: &Suite) -> Result<Self, Failure> {
        let failed = |why: String| {
            Failure::could_not_run(format!("--submissions {}", visible_path(of)), why)
        };
        let io_failed = |error: std::io::Error| failed(why(&error));
        let mut found = Self {
            all: Vec::new(),
            left_out: Vec::new(),
            laid_out: None,
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(of).map_err(io_failed)? {
            let path = entry.map_err(io_failed)?.path();
            let name = path.file_name().unwrap_or_default();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if path.is_dir() {
                let own = real_path(&path);
                let own = own
                    .map_err(|error| failed(format!("{}: {}", visible_path(&path), why(&error))))?;
                found.all.push(Found {
                    name: shown(name),
                    enter: format!("cd {}", quoted(&own.to_string_lossy())),
                    folder: own,
                });
            } else if path.is_file() {
                files.push(path);
            }
            if found.all.len() + files.len() > MOST {
                return Err(failed(format!("more than {MOST} submissions")));
            }
        }
        files.sort();
        for file in files {
            found.add_file(&file, suite).map_err(failed)?;
        }
        if found.all.is_empty() {
            let why =
                "no submission in it: each is a folder, or a file that is a program of the suite";
            return Err(failed(why.into()));
        }
        found.all.sort_by(|a, b| natural(&a.name, &b.name));
        found.left_out.sort();
        Ok(found)
    }

    /// The folder that no submission may see, beside that of all submissions.
    pub fn hidden(&self) -> Option<&Path> {
        self.laid_out.as_ref().map(Scratch::path)
    }

    fn add_file(&mut self, file: &Path, suite: &Suite) -> Result<(), String> {
        let name = file.file_name().unwrap_or_default();
        let program = match programs(name, suite).as_slice() {
            [] => {
                self.left_out.push(shown(name));
                return Ok(());
            }
            [one] => (*one).to_owned(),
            several => {
                let names: Vec<String> = several.iter().map(|path| visible_path(path)).collect();
                let name = shown(name);
                return Err(format!(
                    "{name} may be {}: give it a folder, or a name that ends so",
                    names.join(" or ")
                ));
            }
        };
        let stem = shown(file.file_stem().unwrap_or_default());
        let is_taken = self.all.iter().any(|found| found.name == stem);
        let own_name = if is_taken { shown(name) } else { stem };
        let mut lay_out = || {
            let scratch = match self.laid_out.take() {
                Some(scratch) => scratch,
                None => Scratch::new()?,
            };
            let folder = scratch.path().join(name);
            self.laid_out = Some(scratch);
            let to = folder.join(&program);
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::copy(file, to)?;
            real_path(&folder).and_then(|folder| Ok((folder, real_path(file)?)))
        };
        let laid_out: std::io::Result<_> = lay_out();
        let (folder, original) =
            laid_out.map_err(|error| format!("{}: {}", shown(name), why(&error)))?;
        let to = program.to_string_lossy();
        self.all.push(Found {
            name: own_name,
            folder,
            enter: format!(
                "cd \"$(mktemp -d)\" && cp {} {}",
                quoted(&original.to_string_lossy()),
                quoted(&to)
            ),
        });
        Ok(())
    }
}

/// The programs of the suite that a file may be: those that are one file with its ending; of them the ones with whose name
/// its own ends, else those that each submission has to have.
fn programs<'s>(name: &OsStr, suite: &'s Suite) -> Vec<&'s Path> {
    let ending = Path::new(name).extension();
    let of_one_file = suite
        .parts
        .iter()
        .filter_map(|part| match part.files.as_slice() {
            [file] if file.extension() == ending => Some((file.as_path(), part.optional)),
            _ => None,
        });
    let all: Vec<(&Path, bool)> = of_one_file.collect();
    let only = |is_it: &dyn Fn(&(&'s Path, bool)) -> bool| -> BTreeSet<&'s Path> {
        all.iter()
            .filter(|program| is_it(program))
            .map(|(path, _)| *path)
            .collect()
    };
    let text = name.to_string_lossy();
    let named = only(&|(path, _)| text.ends_with(&*path.to_string_lossy()));
    let required = only(&|(_, optional)| !optional);
    let found = [named, required, only(&|_| true)];
    let first = found.into_iter().find(|programs| !programs.is_empty());
    first.into_iter().flatten().collect()
}

fn shown(name: &OsStr) -> String {
    visible_path(Path::new(name))
}
