//! Both name spaces as a drawing, a line for each name.

use common::text::visible;

use crate::{
    name::{Name, Place},
    space::{Directory, Entry, Space},
};

/// Draws both name spaces, line by line.
pub fn draw(space: &Space, mut line: impl FnMut(String)) {
    for (title, directory, place) in [
        (
            "flat names",
            space.flat_names(),
            flat as fn(&[Name]) -> Place,
        ),
        ("/", space.root(), structured),
    ] {
        line(title.into());
        below(space, directory, place, "", &mut Vec::new(), &mut line);
    }
}

fn flat(names: &[Name]) -> Place {
    Place::Flat(names[0].clone())
}

fn structured(names: &[Name]) -> Place {
    Place::Structured(names.to_vec())
}

/// Draws what is below a directory.
fn below(
    space: &Space,
    directory: &Directory,
    place_of: fn(&[Name]) -> Place,
    indent: &str,
    above: &mut Vec<Name>,
    line: &mut dyn FnMut(String),
) {
    let names = directory.names();
    for (index, name) in names.iter().enumerate() {
        let (branch, indentation) = branches(index + 1 == names.len());
        above.push((*name).clone());
        let place = place_of(above);
        let drawn = format!("{indent}{branch}{name}");
        match directory.get(name) {
            Some(Entry::Directory(inner)) => {
                let from = inner.mounted().map_or_else(String::new, |from| {
                    format!("  (mounted from {})", visible(from.as_bytes()))
                });
                line(format!("{drawn}{from}"));
                below(
                    space,
                    inner,
                    place_of,
                    &format!("{indent}{indentation}"),
                    above,
                    line,
                );
            }
            Some(entry) => line(format!("{drawn}  {}", meaning(space, entry, &place))),
            None => {}
        }
        above.pop();
    }
}

/// What a name stands for, and the other names of its leaf.
fn meaning(space: &Space, entry: &Entry, place: &Place) -> String {
    match entry {
        Entry::Symlink(target) => format!("-> {target}"),
        Entry::Delegation(delegation) => delegation.to_string(),
        entry => {
            let values = space
                .values(entry)
                .map(ToString::to_string)
                .unwrap_or_default();
            let others: Vec<_> = space
                .hard_links(entry)
                .iter()
                .filter(|other| *other != place)
                .map(ToString::to_string)
                .collect();
            match others.is_empty() {
                true => values,
                false => format!("{values}  (also {})", others.join(", ")),
            }
        }
    }
}

/// The branch of a name, and the indentation of what is below it.
fn branches(last: bool) -> (&'static str, &'static str) {
    if last {
        ("└── ", "    ")
    } else {
        ("├── ", "│   ")
    }
}
