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
    line(drawn("flat names".into(), None, None));
    level(
        space,
        space.flat_names(),
        "",
        &mut |name| Place::Flat(name.clone()),
        &mut |text, place, value| line(drawn(text, Some(place), value)),
    );
    line(drawn("/".into(), None, None));
    let mut above = Vec::new();
    below(
        space,
        space.root(),
        "",
        &mut above,
        &mut |text, place, value| line(drawn(text, Some(place), value)),
    );
}

type Line<'l> = &'l mut dyn FnMut(String, &Place, Option<String>);

fn below(
    space: &Space,
    directory: &Directory,
    indent: &str,
    above: &mut Vec<Name>,
    line: Line<'_>,
) {
    let names = directory.names();
    for (index, name) in names.iter().enumerate() {
        let (branch, further) = branches(index + 1 == names.len());
        above.push((*name).clone());
        let place = Place::Structured(above.clone());
        match directory.get(name) {
            Some(Entry::Directory(inner)) => {
                let from = inner.mounted().map_or_else(String::new, |from| {
                    format!("  (mounted from {})", visible(from.as_bytes()))
                });
                line(format!("{indent}{branch}{name}{from}"), &place, None);
                below(space, inner, &format!("{indent}{further}"), above, line);
            }
            Some(entry) => leaf(
                space,
                entry,
                &place,
                &format!("{indent}{branch}{name}"),
                line,
            ),
            None => {}
        }
        above.pop();
    }
}

fn level(
    space: &Space,
    directory: &Directory,
    indent: &str,
    place: &mut dyn FnMut(&Name) -> Place,
    line: Line<'_>,
) {
    let names = directory.names();
    for (index, name) in names.iter().enumerate() {
        let (branch, _) = branches(index + 1 == names.len());
        if let Some(entry) = directory.get(name) {
            leaf(
                space,
                entry,
                &place(name),
                &format!("{indent}{branch}{name}"),
                line,
            );
        }
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
