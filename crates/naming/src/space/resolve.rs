//! Name resolution: from a name to the node that it stands for, step by step; a pure function over the [`Space`].
//!
//! A flat name takes one look-up. A path is resolved component by component, each in the directory that the one before
//! led to; where resolution starts is the **closure mechanism** (van Steen & Tanenbaum, chapter "Naming"). A symbolic link
//! on the path is replaced by the name that it stands for.

mod questions;

use common::text::{did_you_mean, visible};
use smallvec::SmallVec;

use super::graph::{Directory, Entry, Space, holds};
use crate::{
    delegation::Delegation,
    name::{Name, Path, Place, Shown},
    value::Values,
};

/// How many symbolic links one resolution follows at most; more count as a circle, as in most systems.
pub const MOST_LINKS: usize = 40;

/// The node at which resolution ended.
#[derive(Clone, Copy, Debug)]
pub enum Node<'a> {
    /// A leaf.
    Leaf(&'a Values),
    /// A directory.
    Directory(&'a Directory),
    /// A subtree that other servers have.
    Delegation(&'a Delegation),
}

/// A name to resolve.
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

/// The directories from the root to the current one, with their names; the root itself is not on the stack.
type PathStack<'a> = SmallVec<[(&'a Name, &'a Directory); 8]>;

/// One resolution.
struct Resolver<'a, 't> {
    space: &'a Space,
    stack: PathStack<'a>,
    /// The targets of the symbolic links that were followed.
    followed: SmallVec<[&'a Place; 4]>,
    /// Whether wildcards stand for names that do not exist.
    wildcards: bool,
    /// Every step in words, when the caller asks for an explanation.
    steps: Option<&'t mut Vec<String>>,
}

/// One component of a path, or of the target of a symbolic link.
enum Component<'p> {
    Down(&'p Name),
    Up,
}

impl<'a> Resolver<'a, '_> {
    fn current(&self) -> &'a Directory {
        self.stack
            .last()
            .map_or(self.space.root(), |(_, directory)| directory)
    }

    /// The names from the root to the current directory.
    fn names(&self) -> Vec<Name> {
        self.stack.iter().map(|(name, _)| (*name).clone()).collect()
    }

    /// Records a step, when the caller asks for an explanation.
    fn explain(&mut self, step: impl FnOnce(&Self) -> String) {
        if self.steps.is_some() {
            let step = step(self);
            if let Some(steps) = &mut self.steps {
                steps.push(step);
            }
        }
    }

    /// Resolves these components from the current directory.
    fn resolve<'p>(
        &mut self,
        components: impl ExactSizeIterator<Item = Component<'p>>,
    ) -> Result<Node<'a>, String> {
        let components: SmallVec<[Component<'p>; 8]> = components.collect();
        let mut rest = components.as_slice();
        while let Some((component, after)) = rest.split_first() {
            let name = match component {
                Component::Down(name) => *name,
                Component::Up => {
                    self.stack.pop();
                    self.explain(|resolver| format!("..: back to {}", Shown(&resolver.names())));
                    rest = after;
                    continue;
                }
            };
            let Some((used, (name, entry))) = self.find(rest) else {
                return Err(self.why_missing(name));
            };
            rest = &rest[used..];
            let remaining = rest.len();
            if let Entry::Directory(inner) = entry {
                self.explain(|resolver| {
                    let from = inner.mounted().map_or_else(String::new, |from| {
                        format!(", mounted from {}", visible(from.as_bytes()))
                    });
                    format!("{} has {name}: a directory{from}", Shown(&resolver.names()))
                });
                self.stack.push((name, inner));
                continue;
            }
            if let (Entry::Delegation(_), [Component::Up, after @ ..]) = (entry, rest) {
                rest = after;
                continue;
            }
            let node = if let Entry::Delegation(delegation) = entry {
                self.explain(|resolver| {
                    format!("{} has {name}: {delegation}", Shown(&resolver.names()))
                });
                Node::Delegation(delegation)
            } else if let Entry::Symlink(target) = entry {
                self.explain(|resolver| {
                    format!(
                        "{} has {name}: a symbolic link to {target}",
                        Shown(&resolver.names())
                    )
                });
                self.follow(target)?
            } else {
                let values = self
                    .space
                    .values(entry)
                    .expect("what is no directory and no link is a leaf");
                self.explain(|resolver| {
                    let links: Vec<_> = resolver
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
                    format!("{} has {name}: a leaf{links}", Shown(&resolver.names()))
                });
                Node::Leaf(values)
            };
            match node {
                Node::Directory(_) if remaining > 0 && name.as_str() == "*" => {
                    return Err("a wildcard stands for leaves and holds no names".into());
                }
                Node::Leaf(_) | Node::Delegation(_) if remaining > 0 => {
                    let mut names = self.names();
                    let shown = match entry {
                        Entry::Symlink(target) => target.to_string(),
                        _ => {
                            names.push(name.clone());
                            Shown(&names).to_string()
                        }
                    };
                    return Err(match node {
                        Node::Delegation(delegation) => {
                            format!("{shown} is {delegation}, where the names below it are")
                        }
                        _ => format!("{shown} is a leaf and holds no names"),
                    });
                }
                Node::Leaf(_) | Node::Delegation(_) => return Ok(node),
                Node::Directory(_) => {}
            }
        }
        Ok(Node::Directory(self.current()))
    }

    /// Resolves the target of a symbolic link.
    fn follow(&mut self, target: &'a Place) -> Result<Node<'a>, String> {
        self.followed.push(target);
        if self.followed.len() > MOST_LINKS {
            return Err(self.circle());
        }
        match target {
            Place::Flat(name) => self.resolve_flat(name),
            Place::Structured(names) => {
                self.stack.clear();
                if names.iter().all(|name| name.host().is_none()) {
                    return self.resolve(names.iter().map(Component::Down));
                }
                // Service names can also be names in a directory of service names, and stand for a wildcard there.
                let labels = names.iter().flat_map(Name::labels);
                let labels: Vec<_> = labels.filter_map(|label| Name::new(label).ok()).collect();
                self.resolve(labels.iter().map(Component::Down))
            }
        }
    }

    /// The entry for the first of these components, and how many of them it uses: a name with its service names is one
    /// entry, and a wildcard stands for all that is left.
    fn find(&self, components: &[Component<'_>]) -> Option<(usize, (&'a Name, &'a Entry))> {
        let Some(Component::Down(name)) = components.first() else {
            return None;
        };
        let current = self.current();
        let services = components[1..]
            .iter()
            .map_while(|component| match component {
                Component::Down(name) if name.is_service() => Some(*name),
                _ => None,
            });
        let services: SmallVec<[&Name; 4]> = services.collect();
        let joined = |host: &str, names: &[&Name]| {
            names
                .iter()
                .fold(host.to_owned(), |joined, name| format!("{joined}/{name}"))
        };
        for count in (1..=services.len()).rev() {
            if let Some(found) = current.get_with_name(&joined(name, &services[..count])) {
                return Some((count + 1, found));
            }
        }
        // The service names of the current directory are beside it.
        if name.is_service()
            && let Some(((host, _), above)) = self.stack.split_last()
        {
            let above = above.last().map_or(self.space.root(), |(_, above)| above);
            let host = format!("{host}/{name}");
            for count in (0..=services.len()).rev() {
                if let Some(found) = above.get_with_name(&joined(&host, &services[..count])) {
                    return Some((count + 1, found));
                }
            }
            let below = |other: &Name| {
                let behind = other.strip_prefix(host.as_str());
                behind.is_some_and(|behind| behind.starts_with('/'))
            };
            // It only has service names itself: it exists, and no wildcard stands for it.
            if above.entries.keys().any(below) {
                return None;
            }
        }
        if let Some(found) = current.get_with_name(name) {
            return Some((1, found));
        }
        let goes_up = components
            .iter()
            .any(|component| matches!(component, Component::Up));
        let (wildcard, entry) = current
            .get_with_name("*")
            .filter(|_| self.wildcards && !goes_up)?;
        // A name that only has service names exists, as in DNS.
        let host = name.host().unwrap_or(name);
        let exists = |other: &&Name| other.host().unwrap_or(other) == host;
        let stands_for_names = !matches!(entry, Entry::Directory(_));
        (stands_for_names && !current.entries.keys().any(|other| exists(&other)))
            .then_some((components.len(), (wildcard, entry)))
    }

    fn resolve_flat(&mut self, asked: &str) -> Result<Node<'a>, String> {
        let space = self.space;
        let names = space.flat_names();
        let name = Name::with_services(asked);
        let asked = name.as_ref().map_or(asked, Name::as_str);
        let (host, _) = asked.split_once('/').unwrap_or((asked, ""));
        let exists = |name: &Name| name.host().unwrap_or(name) == host;
        let found = names.get(asked).or_else(|| {
            // Without a flat name, the domain of the flat names is one more name that the root does not have.
            let of_root = space.root().get("*").filter(|_| names.is_empty());
            let wildcard = names.get("*").or(of_root).filter(|_| self.wildcards)?;
            (!matches!(wildcard, Entry::Directory(_)) && !names.entries.keys().any(exists))
                .then_some(wildcard)
        });
        match found {
            Some(Entry::Symlink(target)) => {
                self.explain(|_| {
                    format!("the flat names have {asked}: a symbolic link to {target}")
                });
                self.follow(target)
            }
            Some(entry) => {
                self.explain(|_| format!("the flat names have {asked}: a leaf"));
                space
                    .values(entry)
                    .map(Node::Leaf)
                    .ok_or_else(|| "a directory".into())
            }
            None => Err(self.why_no_flat_name(asked)),
        }
    }

    fn why_no_flat_name(&self, asked: &str) -> String {
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

    /// Why a name is not in the current directory.
    fn why_missing(&self, name: &Name) -> String {
        let directory = self.current();
        if self.stack.is_empty() && self.space.flat_names().get(name).is_some() {
            return format!("{name} is a flat name; did you mean naming flat {name}?");
        }
        let near = did_you_mean(name, directory.names().into_iter().map(Name::as_str));
        let from = if self.stack.is_empty() {
            "the root".to_owned()
        } else {
            Shown(&self.names()).to_string()
        };
        format!("{from} has no {name}; {}{near}", holds(directory))
    }

    /// The symbolic links that form a circle.
    fn circle(&self) -> String {
        let (last, before) = self
            .followed
            .split_last()
            .expect("at least one was followed");
        let circle = before
            .iter()
            .rposition(|place| place == last)
            .map_or(&self.followed[..], |at| &self.followed[at..]);
        let circle: Vec<_> = circle.iter().map(ToString::to_string).collect();
        format!("symbolic links in a circle: {}", circle.join(" -> "))
    }
}
