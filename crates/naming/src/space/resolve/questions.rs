//! What is asked of a name space: values, nodes, and explanations.

use common::{exit::Failure, text::visible};
use smallvec::SmallVec;

use super::{
    super::graph::{Entry, Space, holds},
    Component, MOST_LINKS, Node, PathStack, Question, Resolver,
};
use crate::{
    name::{Path, Place, Step},
    value::Values,
};

impl Space {
    fn resolver<'a, 't>(&'a self, steps: Option<&'t mut Vec<String>>) -> Resolver<'a, 't> {
        Resolver {
            space: self,
            wildcards: true,
            stack: PathStack::new(),
            followed: SmallVec::new(),
            steps,
        }
    }

    /// Resolves a path, from `at` unless it is absolute.
    fn resolve_path<'a>(
        &'a self,
        resolver: &mut Resolver<'a, '_>,
        path: &Path,
        at: &Path,
    ) -> Result<Node<'a>, String> {
        fn components(path: &Path) -> impl ExactSizeIterator<Item = Component<'_>> {
            path.steps.iter().map(|step| match step {
                Step::Down(name) => Component::Down(name),
                Step::Up => Component::Up,
            })
        }
        if !path.absolute {
            let why = match resolver.resolve(components(at))? {
                Node::Directory(_) => None,
                Node::Leaf(_) => Some("a leaf and holds no names".to_owned()),
                Node::Delegation(delegation) => Some(delegation.to_string()),
            };
            if let Some(why) = why {
                return Err(format!("{at}, where resolution should start, is {why}"));
            }
        }
        resolver.resolve(components(path))
    }

    /// The values of a name; a relative path starts at `at`.
    ///
    /// # Errors
    /// As [`Self::flat`] and [`Self::structured`].
    pub fn look_up(&self, question: &Question, at: &Path) -> Result<&Values, Failure> {
        match question {
            Question::Flat(name) => self.flat(name),
            Question::Structured(path) => self.structured(path, at),
        }
    }

    /// The values of a flat name.
    ///
    /// # Errors
    /// `NAME: why` (exit code 1), with the nearest flat name.
    ///
    /// ```
    /// use naming::names;
    /// let space = names::built_in();
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
            None => leaf(self.resolver(None).resolve_flat(asked))
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
    /// let space = names::built_in();
    /// let ask = |path: &str, at: &str| space.structured(&path.parse().unwrap(), &at.parse().unwrap());
    /// assert_eq!(ask("region2/server3", "/").unwrap().to_string(), "192.168.2.1");
    /// assert_eq!(ask("server3", "region2").unwrap().to_string(), "192.168.2.1");
    /// assert_eq!(
    ///     ask("region1/server9", "/").unwrap_err().to_string(),
    ///     "region1/server9: region1 has no server9; it has server1, server2; did you mean server1?"
    /// );
    /// ```
    pub fn structured(&self, path: &Path, at: &Path) -> Result<&Values, Failure> {
        match self.directly(path, at) {
            Some(values) => Ok(values),
            None => leaf(self.resolve_path(&mut self.resolver(None), path, at))
                .map_err(|why| Failure::no(path, why)),
        }
    }

    /// The fast path, which resolves most names: from the root down through directories to a leaf. A path with anything
    /// else in it is left to the [`Resolver`], which costs more.
    fn directly(&self, path: &Path, at: &Path) -> Option<&Values> {
        if !path.absolute && !at.steps.is_empty() {
            return None;
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
        self.resolve_path(&mut self.resolver(None), path, at)
            .map_err(|why| Failure::no(path, why))
    }

    /// The node that a place stands for, with symbolic links followed; None when there is none.
    pub fn follow<'a>(&'a self, place: &'a Place) -> Option<Node<'a>> {
        self.resolver(None).follow(place).ok()
    }

    /// Every step of a resolution, and its result.
    pub fn explain<'a>(
        &'a self,
        question: &Question,
        at: &Path,
    ) -> (Vec<String>, Result<&'a Values, Failure>) {
        let mut steps = Vec::new();
        let found = {
            let mut resolver = self.resolver(Some(&mut steps));
            match question {
                Question::Flat(name) => {
                    resolver.explain(|_| "a flat name: one look-up in the flat names".into());
                    leaf(resolver.resolve_flat(&name.to_ascii_lowercase()))
                }
                Question::Structured(path) => {
                    resolver.explain(|_| match (path.absolute, at.steps.is_empty()) {
                        (true, _) => "a path from the root".into(),
                        (false, true) => "a relative path; resolution starts at the root".into(),
                        (false, false) => format!("a relative path; resolution starts at {at}"),
                    });
                    leaf(self.resolve_path(&mut resolver, path, at))
                }
            }
        };
        (steps, found.map_err(|why| Failure::no(question, why)))
    }

    /// The circle that the symbolic link at this place leads into, if it does.
    pub(in crate::space) fn find_circle(&self, place: &Place) -> Option<String> {
        let Some(Entry::Symlink(target)) = self.get(place) else {
            return None;
        };
        let mut resolver = self.resolver(None);
        // Through a wildcard a circle comes and goes with other names; resolution ends it.
        resolver.wildcards = false;
        let resolved = resolver.follow(target);
        (resolved.is_err() && resolver.followed.len() > MOST_LINKS).then(|| resolver.circle())
    }

    /// Why there is no name at this place.
    pub(in crate::space) fn why_missing(&self, place: &Place) -> String {
        let mut resolver = self.resolver(None);
        let resolved = match place {
            Place::Flat(name) => resolver.resolve_flat(name),
            Place::Structured(names) => resolver.resolve(names.iter().map(Component::Down)),
        };
        resolved
            .err()
            .unwrap_or_else(|| "is reached through a symbolic link".into())
    }
}

fn leaf(node: Result<Node<'_>, String>) -> Result<&Values, String> {
    match node? {
        Node::Leaf(values) => Ok(values),
        Node::Directory(directory) => Err(format!("a directory, not a leaf; {}", holds(directory))),
        Node::Delegation(delegation) => Err(format!("{delegation}, and no leaf")),
    }
}
