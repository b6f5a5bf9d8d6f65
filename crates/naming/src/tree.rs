//! Both name spaces as a drawing, a line for each name.

use common::{
    event::{Event, Kind},
    text::visible,
};

use crate::{
    name::{Name, Place},
    space::{Directory, Entry, Space},
};

/// Draws both name spaces; each line is handed to `line` with the name and what it stands for.
pub fn draw(space: &Space, mut line: impl FnMut(Event)) {
    let drawn = |text: String, place: Option<&Place>, value: Option<String>| Event {
        name: place.map(ToString::to_string),
        value,
        ..Event::new(Kind::Resolve).text(text)
    };
    let mut line = |text, place: Option<&Place>, value| line(drawn(text, place, value));
    for (title, directory, place) in [
        (
            "flat names",
            space.flat_names(),
            flat as fn(&[Name]) -> Place,
        ),
        ("/", space.root(), structured),
    ] {
        line(title.into(), None, None);
        let mut named = |text, place: &Place, value| line(text, Some(place), value);
        below(space, directory, place, "", &mut Vec::new(), &mut named);
    }
}

fn flat(names: &[Name]) -> Place {
    Place::Flat(names[0].clone())
}

fn structured(names: &[Name]) -> Place {
    Place::Structured(names.to_vec())
}

type Line<'l> = &'l mut dyn FnMut(String, &Place, Option<String>);

fn below(
    space: &Space,
    directory: &Directory,
    place_of: fn(&[Name]) -> Place,
    indent: &str,
    above: &mut Vec<Name>,
    line: Line<'_>,
) {
    let names = directory.names();
    for (index, name) in names.iter().enumerate() {
        let (branch, further) = branches(index + 1 == names.len());
        above.push((*name).clone());
        let place = place_of(above);
        let drawn = format!("{indent}{branch}{name}");
        match directory.get(name) {
            Some(Entry::Directory(inner)) => {
                let from = inner.mounted().map_or_else(String::new, |from| {
                    format!("  (mounted from {})", visible(from.as_bytes()))
                });
                line(format!("{drawn}{from}"), &place, None);
                below(
                    space,
                    inner,
                    place_of,
                    &format!("{indent}{further}"),
                    above,
                    line,
                );
            }
            Some(entry) => leaf(space, entry, &place, &drawn, line),
            None => {}
        }
        above.pop();
    }
}

fn leaf(space: &Space, entry: &Entry, place: &Place, drawn: &str, line: Line<'_>) {
    let value = match entry {
        Entry::Symlink(target) => format!("-> {target}"),
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
    };
    line(format!("{drawn}  {value}"), place, Some(value));
}

fn branches(last: bool) -> (&'static str, &'static str) {
    if last {
        ("└── ", "    ")
    } else {
        ("├── ", "│   ")
    }
}
