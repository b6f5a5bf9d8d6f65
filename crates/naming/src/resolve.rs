//! Resolution: from a name to the node that it stands for, step by step; a pure function over the [`Space`].
//!
//! A flat name is looked up once. A path is looked up component by component, each in the directory that the one before
//! led to; where to begin is the closure mechanism (van Steen & Tanenbaum, chapter "Naming"). A symbolic link is replaced
//! by what it stands for, wherever on the way it stands.

use common::{
    exit::Failure,
    text::{did_you_mean, visible},
};
use smallvec::SmallVec;

use crate::{
    name::{Name, Path, Place, Shown, Step},
    space::{Directory, Entry, Space, holds},
    value::Values,
};

/// How many symbolic links are followed before resolution is taken for endless, as in most systems.
pub const MOST_LINKS: usize = 40;

/// Where resolution ended well.
#[derive(Clone, Copy, Debug)]
pub enum Node<'a> {
    /// At a leaf.
    Leaf(&'a Values),
    /// At a directory.
    Directory(&'a Directory),
}

/// What is asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Question {
    /// A flat name.
    Flat(String),
    /// A structured name.
    Structured(Path),
}

impl std::fmt::Display for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flat(name) => f.write_str(&visible(name.as_bytes())),
            Self::Structured(path) => path.fmt(f),
        }
    }
}

/// The directories from the root to the present one, with their names; the root itself is not in it.
type Way<'a> = SmallVec<[(&'a Name, &'a Directory); 8]>;

/// One resolution.
struct Walk<'a, 'told> {
    space: &'a Space,
    way: Way<'a>,
    /// What the symbolic links stood for that were followed.
    followed: SmallVec<[&'a Place; 4]>,
    /// Where every step is told, if somebody wants to know.
    told: Option<&'told mut Vec<String>>,
}

/// One step, of a path or of what a symbolic link stands for.
enum Go<'p> {
    Down(&'p Name),
    Up,
}

impl<'a> Walk<'a, '_> {
    fn here(&self) -> &'a Directory {
        self.way
            .last()
            .map_or(self.space.root(), |(_, directory)| directory)
    }

    fn names(&self) -> Vec<Name> {
        self.way.iter().map(|(name, _)| (*name).clone()).collect()
    }

    fn tell(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.told.is_some() {
            let line = line(self);
            if let Some(told) = &mut self.told {
                told.push(line);
            }
        }
    }

    /// Takes these steps from the present directory.
    fn go<'p>(&mut self, steps: impl ExactSizeIterator<Item = Go<'p>>) -> Result<Node<'a>, String> {
        let mut left = steps.len();
        for step in steps {
            left -= 1;
            let name = match step {
                Go::Down(name) => name,
                Go::Up => {
                    self.way.pop();
                    self.tell(|walk| format!("..: back to {}", Shown(&walk.names())));
                    continue;
                }
            };
            let here = self.here();
            let Some((name, entry)) = here.get_with_name(name) else {
                return Err(self.missing(name));
            };
            if let Entry::Directory(inner) = entry {
                self.tell(|walk| {
                    let from = inner.mounted().map_or_else(String::new, |from| {
                        format!(", mounted from {}", visible(from.as_bytes()))
                    });
                    format!("{} has {name}: a directory{from}", Shown(&walk.names()))
                });
                self.way.push((name, inner));
                continue;
            }
            let node = if let Entry::Symlink(target) = entry {
                self.tell(|walk| {
                    format!(
                        "{} has {name}: a symbolic link to {target}",
                        Shown(&walk.names())
                    )
                });
                self.follow(target)?
            } else {
                let values = self
                    .space
                    .values(entry)
                    .expect("what is no directory and no link is a leaf");
                self.tell(|walk| {
                    let links: Vec<_> = walk
                        .space
                        .hard_links(entry)
                        .iter()
                        .map(ToString::to_string)
                        .collect();
                    let links = if links.is_empty() {
                        String::new()
                    } else {
                        format!(", one node with the names {}", links.join(" and "))
                    };
                    format!("{} has {name}: a leaf{links}", Shown(&walk.names()))
                });
                Node::Leaf(values)
            };
            match node {
                Node::Leaf(_) if left > 0 => {
                    let mut names = self.names();
                    let shown = match entry {
                        Entry::Symlink(target) => target.to_string(),
                        _ => {
                            names.push(name.clone());
                            Shown(&names).to_string()
                        }
                    };
                    return Err(format!("{shown} is a leaf and holds no names"));
                }
                Node::Leaf(_) => return Ok(node),
                Node::Directory(_) => {}
            }
        }
        Ok(Node::Directory(self.here()))
    }

    /// Goes to what a symbolic link stands for.
    fn follow(&mut self, target: &'a Place) -> Result<Node<'a>, String> {
        self.followed.push(target);
        if self.followed.len() > MOST_LINKS {
            return Err(self.endless());
        }
        match target {
            Place::Flat(name) => self.flat(name),
            Place::Structured(names) => {
                self.way.clear();
                self.go(names.iter().map(Go::Down))
            }
        }
    }

    fn flat(&mut self, asked: &str) -> Result<Node<'a>, String> {
        let space = self.space;
        match space.flat_names().get(asked) {
            Some(Entry::Symlink(target)) => {
                self.tell(|_| format!("the flat names have {asked}: a symbolic link to {target}"));
                self.follow(target)
            }
            Some(entry) => {
                self.tell(|_| format!("the flat names have {asked}: a leaf"));
                space
                    .values(entry)
                    .map(Node::Leaf)
                    .ok_or_else(|| "a directory".into())
            }
            None => Err(self.no_flat_name(asked)),
        }
    }

    fn no_flat_name(&self, asked: &str) -> String {
        let (space, shown) = (self.space, visible(asked.as_bytes()));
        match space
            .root()
            .get(asked.split('/').next().unwrap_or_default())
        {
            Some(_) if asked.contains('/') => {
                format!("not a flat name; did you mean naming structured {shown}?")
            }
            Some(Entry::Directory(directory)) => {
                format!(
                    "a directory of the structured names, not a flat name; {}",
                    holds(directory)
                )
            }
            _ => {
                let near = did_you_mean(
                    asked,
                    space.flat_names().names().into_iter().map(Name::as_str),
                );
                format!("no such name{near}")
            }
        }
    }

    /// Why a name is not in the present directory.
    fn missing(&self, name: &Name) -> String {
        let here = self.here();
        if self.way.is_empty() && self.space.flat_names().get(name).is_some() {
            return format!("{name} is a flat name; did you mean naming flat {name}?");
        }
        let near = did_you_mean(name, here.names().into_iter().map(Name::as_str));
        let from = if self.way.is_empty() {
            "the root".to_owned()
        } else {
            Shown(&self.names()).to_string()
        };
        format!("{from} has no {name}; {}{near}", holds(here))
    }

    fn endless(&self) -> String {
        let (last, before) = self.followed.split_last().expect("some were followed");
        let round = before
            .iter()
            .rposition(|place| place == last)
            .map_or(&self.followed[..], |at| &self.followed[at..]);
        let round: Vec<_> = round.iter().map(std::string::ToString::to_string).collect();
        format!(
            "symbolic links that lead round in a circle: {}",
            round.join(" -> ")
        )
    }
}

impl Space {
    fn walk<'a, 'told>(&'a self, told: Option<&'told mut Vec<String>>) -> Walk<'a, 'told> {
        Walk {
            space: self,
            way: Way::new(),
            followed: SmallVec::new(),
            told,
        }
    }

    /// Goes along a path, from `at` unless it begins at the root.
    fn go<'a>(
        &'a self,
        walk: &mut Walk<'a, '_>,
        path: &Path,
        at: &Path,
    ) -> Result<Node<'a>, String> {
        fn steps(path: &Path) -> impl ExactSizeIterator<Item = Go<'_>> {
            path.steps.iter().map(|step| match step {
                Step::Down(name) => Go::Down(name),
                Step::Up => Go::Up,
            })
        }
        if !path.absolute
            && let Node::Leaf(_) = walk.go(steps(at))?
        {
            return Err(format!(
                "{at}, where resolution should start, is a leaf and holds no names"
            ));
        }
        walk.go(steps(path))
    }

    /// The values of a flat name.
    ///
    /// # Errors
    /// `NAME: why` (exit code 1), with the nearest flat name.
    ///
    /// ```
    /// use naming::names;
    /// let space = names::of_the_handout();
    /// assert_eq!(space.flat("server1").unwrap().to_string(), "192.168.1.2");
    /// assert_eq!(space.flat("server9").unwrap_err().to_string(), "server9: no such name; did you mean server1?");
    /// ```
    pub fn flat(&self, name: &str) -> Result<&Values, Failure> {
        let lower;
        let asked = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            lower = name.to_ascii_lowercase();
            &lower
        } else {
            name
        };
        match self
            .flat_names()
            .get(asked)
            .and_then(|entry| self.values(entry))
        {
            Some(values) => Ok(values),
            None => leaf(self.walk(None).flat(asked))
                .map_err(|why| Failure::no(visible(name.as_bytes()), why)),
        }
    }

    /// The values of a structured name; a relative path starts at `at`.
    ///
    /// # Errors
    /// `PATH: why` (exit code 1): how far resolution got, what there is, and the nearest name.
    ///
    /// ```
    /// use naming::{name::Path, names};
    /// let space = names::of_the_handout();
    /// let ask = |path: &str, at: &str| space.structured(&path.parse().unwrap(), &at.parse().unwrap());
    /// assert_eq!(ask("region2/server3", "/").unwrap().to_string(), "192.168.2.1");
    /// assert_eq!(ask("server3", "region2").unwrap().to_string(), "192.168.2.1");
    /// assert_eq!(
    ///     ask("region1/server9", "/").unwrap_err().to_string(),
    ///     "region1/server9: region1 has no server9; it has server1, server2; did you mean server1?"
    /// );
    /// ```
    pub fn structured(&self, path: &Path, at: &Path) -> Result<&Values, Failure> {
        match self.straight(path, at) {
            Some(values) => Ok(values),
            None => {
                leaf(self.go(&mut self.walk(None), path, at)).map_err(|why| Failure::no(path, why))
            }
        }
    }

    /// The way that most paths lead: from the root down through directories to a leaf. Whatever else there is on the way
    /// is left to the walk, which costs more.
    fn straight(&self, path: &Path, at: &Path) -> Option<&Values> {
        if !path.absolute && !at.steps.is_empty() {
            return None;
        }
        if let Some(values) = self.indexed(path.joined()) {
            return Some(values);
        }
        let (Step::Down(last), above) = path.steps.split_last()? else {
            return None;
        };
        let mut directory = self.root();
        for step in above {
            let Step::Down(name) = step else { return None };
            let Entry::Directory(inner) = directory.get(name)? else {
                return None;
            };
            directory = inner;
        }
        match directory.get(last)? {
            Entry::Leaf(values) => Some(values),
            _ => None,
        }
    }

    /// The node that a path leads to.
    ///
    /// # Errors
    /// As [`Self::structured`].
    pub fn node(&self, path: &Path, at: &Path) -> Result<Node<'_>, Failure> {
        self.go(&mut self.walk(None), path, at)
            .map_err(|why| Failure::no(path, why))
    }

    /// What a place stands for, when a symbolic link that stands there is followed to its end; None when it leads
    /// nowhere.
    pub fn follow<'a>(&'a self, place: &'a Place) -> Option<Node<'a>> {
        self.walk(None).follow(place).ok()
    }

    /// Every step of a resolution, and what it came to.
    pub fn explain<'a>(
        &'a self,
        question: &Question,
        at: &Path,
    ) -> (Vec<String>, Result<&'a Values, Failure>) {
        let mut told = Vec::new();
        let found = {
            let mut walk = self.walk(Some(&mut told));
            match question {
                Question::Flat(name) => {
                    walk.tell(|_| "a flat name: one look into the flat names".into());
                    leaf(walk.flat(&name.to_ascii_lowercase()))
                }
                Question::Structured(path) => {
                    walk.tell(|_| match (path.absolute, at.steps.is_empty()) {
                        (true, _) => "a path from the root".into(),
                        (false, true) => "a relative path; resolution starts at the root".into(),
                        (false, false) => format!("a relative path; resolution starts at {at}"),
                    });
                    leaf(self.go(&mut walk, path, at))
                }
            }
        };
        (told, found.map_err(|why| Failure::no(question, why)))
    }

    /// Why resolving the symbolic link that stands here never ends, if it does not.
    pub(crate) fn find_loop(&self, place: &Place) -> Option<String> {
        let Some(Entry::Symlink(target)) = self.get(place) else {
            return None;
        };
        let mut walk = self.walk(None);
        let ended = walk.follow(target);
        (ended.is_err() && walk.followed.len() > MOST_LINKS).then(|| walk.endless())
    }

    /// Why there is no name at this place.
    pub(crate) fn why_missing(&self, place: &Place) -> String {
        let mut walk = self.walk(None);
        let ended = match place {
            Place::Flat(name) => walk.flat(name),
            Place::Structured(names) => walk.go(names.iter().map(Go::Down)),
        };
        ended
            .err()
            .unwrap_or_else(|| "stands behind a symbolic link".into())
    }
}

fn leaf(node: Result<Node<'_>, String>) -> Result<&Values, String> {
    match node? {
        Node::Leaf(values) => Ok(values),
        Node::Directory(directory) => Err(format!("a directory, not a leaf; {}", holds(directory))),
    }
}
