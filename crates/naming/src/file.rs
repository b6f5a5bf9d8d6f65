//! Names in a JSON file of the handout's shape: strings are values, objects are directories, to any depth.
//!
//! `{"server1": "192.168.1.2", "region1": {"server1": ["192.168.1.2", "2001:db8::2"]}}`. At the top level a string is the
//! value of a flat name; a structured name in the root is written with a slash (`"/www"`). Beside addresses a string can be
//! `text:…`, `symlink:NAME` for a symbolic link, `link:NAME` for a hard link, or `delegate:ADDRESS` for a server that has the
//! subtree. A file with an error is refused whole.

mod reading;
mod replacing;

use std::path::Path as FilePath;

use common::{
    exit::{Failure, why},
    files, json,
    sys::replacing::open_to_change,
    text::visible_path,
};
use serde::de::DeserializeSeed;

use self::reading::{EntrySeed, Found, HARD_LINK, Link, Names, ReadState, RootSeed, SYMLINK};
use self::replacing::Changing;
use crate::{
    delegation::Delegation,
    name::{Name, Place},
    space::{Meaning, Space, Symlink},
    value::{TTL, Values},
};

/// The longest file that is read, in bytes; a million names take about 40 MB.
pub const LONGEST_FILE: u64 = 256 << 20;

/// Reads a names file.
///
/// # Errors
/// `FILE:LINE:COLUMN: PATH: why`: not JSON, not an address, a duplicate name, one that is empty, too long, or has a `/`
/// or a control character in it, a hard link to no leaf, symbolic links in a circle (exit code 2).
pub fn read(path: &FilePath) -> Result<Space, Failure> {
    if files::is_standard(path) {
        return parse(path, &json::read_file(path, LONGEST_FILE)?);
    }
    let failed = |why: String| Failure::could_not_run(visible_path(path), why);
    let text =
        replacing::read_unchanging(path, LONGEST_FILE).map_err(|error| failed(why(&error)))?;
    if text.len() as u64 > LONGEST_FILE {
        return Err(failed(format!("longer than {LONGEST_FILE} bytes")));
    }
    // Some editors leave a byte order mark.
    parse(path, text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text))
}

/// Reads the text of a names file; `path` is its name in errors.
///
/// # Errors
/// As [`read`].
pub fn parse(path: &FilePath, text: &[u8]) -> Result<Space, Failure> {
    let read =
        |complaint: Option<(usize, &str)>| json::parse(path, text, || RootSeed { complaint });
    let Names {
        flat,
        root,
        links,
        services,
    } = read(None)?;
    let mut space = Space::of(flat, root);
    for (place, values) in services {
        space
            .register(&place, values)
            .map_err(|refusal| Failure::could_not_run(visible_path(path), refusal))?;
    }
    // The error of a link names its line: the text is read once more, up to the link.
    let complain = |index: usize, why: &str| match read(Some((index, why))) {
        Err(failure) => failure,
        Ok(_) => Failure::could_not_run(visible_path(path), why),
    };
    let (mut hard, mut symbolic) = (Vec::new(), Vec::new());
    for (index, (place, link)) in links.into_iter().enumerate() {
        match link {
            Link::Hard(target) => hard.push((index, place, target)),
            Link::Symbolic(target) => symbolic.push((index, place, target)),
            Link::Delegation(delegation) => space
                .delegate(&place, delegation)
                .map_err(|refusal| complain(index, &refusal.why))?,
        }
    }
    // A hard link may name another one that comes later in the file.
    while !hard.is_empty() {
        let before = hard.len();
        let mut refused = None;
        hard.retain(|(index, place, target)| match space.link(place, target) {
            Ok(()) => false,
            Err(refusal) => {
                refused.get_or_insert((*index, refusal));
                true
            }
        });
        if let (true, Some((index, refusal))) = (hard.len() == before, refused) {
            return Err(complain(index, &refusal.to_string()));
        }
    }
    for (index, place, link) in symbolic {
        space
            .link_for(&place, link.target, link.ttl)
            .map_err(|refusal| complain(index, &refusal.why))?;
    }
    Ok(space)
}

/// Reads a names file once more, without a wait: only a regular file has its names again.
///
/// # Errors
/// As [`read`], and when it is standard input or no regular file (exit code 2).
pub fn read_again(path: &FilePath) -> Result<Space, Failure> {
    let refused = |why: &str| Err(Failure::could_not_run(visible_path(path), why));
    if files::is_standard(path) {
        return refused("standard input cannot be read again");
    }
    match open_to_change(path).and_then(|file| file.metadata()) {
        Ok(found) if found.is_file() => read(path),
        Ok(_) => refused("not a regular file, which alone can be read again"),
        Err(error) => refused(&why(&error)),
    }
}

/// Changes a names file: it is read, changed and replaced under a lock, so that a reader sees the old names or the new ones. A
/// file that does not exist is created. The file keeps its owner, its mode and its hard links.
///
/// # Errors
/// When the file cannot be read or written (exit code 2), or the change is refused (exit code 1); it is unchanged then.
pub fn edit(
    path: &FilePath,
    change: impl FnOnce(&mut Space) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let changing = Changing::begin(path)?;
    let mut space = match changing.content(LONGEST_FILE)? {
        None => Space::default(),
        Some(text) => match parse(path, &text) {
            Ok(space) => {
                changing.remove_left();
                space
            }
            // A process was killed while it overwrote the file; what it meant to write is beside it.
            Err(failure) => changing
                .left()
                .find_map(|text| parse(path, &text).ok())
                .ok_or(failure)?,
        },
    };
    change(&mut space)?;
    changing.write(write(&space).as_bytes())
}

/// The meaning of a place as a names file has it: a string, or a list of strings.
pub fn meaning_to_json(meaning: Meaning<'_>) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let list = |texts: &[String]| {
        let quoted: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
        format!("[{}]", quoted.join(", "))
    };
    let one_or_list = |texts: &[String]| match texts {
        [text] => quoted(text),
        texts => list(texts),
    };
    match meaning {
        Meaning::HardLink(place) => quoted(&format!("{HARD_LINK}{place}")),
        Meaning::Symlink(link) => match link.ttl {
            None => quoted(&format!("{SYMLINK}{link}")),
            Some(ttl) => list(&[format!("{SYMLINK}{link}"), format!("{TTL}{ttl}")]),
        },
        Meaning::Values(values) => one_or_list(&values.texts()),
        Meaning::Delegation(delegation) => one_or_list(&delegation.texts()),
    }
}

/// The text of a names file with these names.
pub fn write(space: &Space) -> String {
    let mut out = String::from("{");
    let mut open: Vec<Name> = Vec::new();
    let mut first = true;
    let line = |out: &mut String, first: &mut bool, depth: usize| {
        out.push_str(if *first { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(depth + 1));
        *first = false;
    };
    for (place, meaning) in space.meanings() {
        let names = match &place {
            Place::Flat(name) => std::slice::from_ref(name),
            Place::Structured(names) => names,
        };
        let (name, above) = names.split_last().expect("at least one name");
        let common = open
            .iter()
            .zip(above)
            .take_while(|(one, other)| one == other)
            .count();
        while open.len() > common {
            open.pop();
            out.push('\n');
            out.push_str(&"  ".repeat(open.len() + 1));
            out.push('}');
            first = false;
        }
        for directory in &above[common..] {
            line(&mut out, &mut first, open.len());
            // The slash distinguishes it from a flat name with the same text.
            let flat = || space.flat_names().get(directory).is_some();
            let slash = open.is_empty() && (directory.host().is_some() || flat());
            let key = format!("{}{directory}", if slash { "/" } else { "" });
            out.push_str(&format!("{}: {{", serde_json::Value::from(key)));
            open.push(directory.clone());
            first = true;
        }
        line(&mut out, &mut first, open.len());
        let key = if names.len() == 1 {
            place.to_string()
        } else {
            name.to_string()
        };
        out.push_str(&format!(
            "{}: {}",
            serde_json::Value::from(key),
            meaning_to_json(meaning)
        ));
    }
    while open.pop().is_some() {
        out.push('\n');
        out.push_str(&"  ".repeat(open.len() + 1));
        out.push('}');
    }
    out.push_str("\n}\n");
    out
}

/// Reads the meaning of one place, as [`meaning_to_json`] writes it.
///
/// # Errors
/// When the text is not one that [`meaning_to_json`] writes.
pub fn meaning_from_json(text: &str) -> Result<OwnedMeaning, String> {
    let mut state = ReadState {
        complaint: None,
        links: Vec::new(),
        services: Vec::new(),
        above: Vec::new(),
        beside: false,
    };
    let mut json = serde_json::Deserializer::from_str(text);
    // The place makes no difference to its meaning.
    let place = Place::Flat(Name::new("x").expect("a name"));
    let found = EntrySeed {
        state: &mut state,
        place,
    }
    .deserialize(&mut json)
    .map_err(|error| error.to_string())?;
    match (found, state.links.pop()) {
        (Found::Leaf(values), _) => Ok(OwnedMeaning::Values(values)),
        (Found::Link, Some((_, Link::Hard(place)))) => Ok(OwnedMeaning::HardLink(place)),
        (Found::Link, Some((_, Link::Symbolic(link)))) => Ok(OwnedMeaning::Symlink(link)),
        (Found::Link, Some((_, Link::Delegation(delegation)))) => {
            Ok(OwnedMeaning::Delegation(delegation))
        }
        _ => Err("neither values nor a link".into()),
    }
}

/// The meaning of a place, read from a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OwnedMeaning {
    /// These values.
    Values(Values),
    /// The same leaf as that name.
    HardLink(Place),
    /// Another name.
    Symlink(Symlink),
    /// A subtree that other servers have.
    Delegation(Delegation),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Space, String> {
        parse(FilePath::new("names.json"), text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_meaning_of_a_name_has_a_text() {
        let text = r#"{
  "gateway": "symlink:/www",
  "printer": ["10.0.0.9", "2001:db8::9", "text:in the \"hall\""],
  "region1": "192.168.1.2",
  "/region1": {
    "rack1": {
      "server1": "10.0.0.1"
    },
    "web": "link:region1/rack1/server1"
  },
  "region2": {
    "rack2": ["delegate:127.0.0.3", "delegate:2001:db8::3", "ttl:300"]
  },
  "/region3": "delegate:127.0.0.2",
  "/www": "symlink:region1/web"
}
"#;
        let space = read(text).unwrap();
        assert_eq!(write(&space), text);
        assert_eq!(read(&write(&Space::default())), Ok(Space::default()));
        let at = crate::name::Path::ROOT;
        assert_eq!(
            space
                .structured(&"/www".parse().unwrap(), &at)
                .unwrap()
                .to_string(),
            "10.0.0.1"
        );
    }

    #[test]
    fn an_invalid_file_is_refused_with_line_column_and_path() {
        let long = format!("{{\"r\": {{\"{}\": \"::1\"}}}}", "x".repeat(300));
        for (text, why) in [
            (
                "{\"region1\": {\n\"server1\": \"192.168.1.300\"}}",
                "2:26: region1.server1: '192.168.1.300' is not an IP address; a text begins with text:",
            ),
            (
                "{\"a\": 1}",
                "1:7: a: invalid type: integer `1`, expected an address, a list of them, or an object of names",
            ),
            (
                "{\"r\": {\"a\": \"::1\", \"a\": \"::2\"}}",
                "1:22: r: name 'a' is a duplicate",
            ),
            (
                "{\"r\": {\"a\": \"link:x\", \"A\": \"::2\"}, \"x\": \"::1\"}",
                "1:25: r: name 'a' is a duplicate",
            ),
            (
                "{\"x\": {\"a\": \"::1\"}, \"x\": \"::1\"}",
                "1:23: name 'x' is a duplicate",
            ),
            (
                "{\"x\": \"::1\", \"x\": {}}",
                "1:16: name 'x' is a duplicate",
            ),
            ("{\"\": \"::1\"}", "1:3: name '' is not 1 to 63 bytes long"),
            (long.as_str(), "is not 1 to 63 bytes long"),
            (
                "{\"a/b\": \"::1\"}",
                "1:6: a/b: name 'a/b' has a / or a control character",
            ),
            (
                "{\"a\": []}",
                "1:8: a: a name stands for at least one value",
            ),
            (
                "{\"flat\": {\"a\": \"::1\"}}",
                "name 'flat' in the root is reserved",
            ),
            ("{\"a\": \"::1\",}", "1:13: trailing comma"),
            (
                "[]",
                "1:0: invalid type: sequence, expected an object of names",
            ),
            (
                "{\"r\": {\"a\": \"symlink:r/b\",\n \"b\": \"symlink:r/a\"}}",
                "2:19: r.b: symbolic links in a circle: r/a -> r/b -> r/a",
            ),
            (
                "{\"r\": {\"a\": \"link:r/b\"}}",
                "1:22: r.a: r/b: the root has no r; it has nothing",
            ),
            (
                "{\"r\": {\"a\": \"link:r/a\"}}",
                "1:22: r.a: r/a: the root has no r; it has nothing",
            ),
            (
                "{\"r\": {\"a\": \"delegate:localhost\"}}",
                "1:32: r.a: 'localhost' is not an IP address",
            ),
            (
                "{\"r\": {\"a\": [\"delegate:::1\", \"10.0.0.1\"]}}",
                "r.a: a delegation has addresses, each written delegate:ADDRESS, a TTL, and nothing else",
            ),
            (
                "{\"r\": {\"a\": [\"delegate:::1\", \"delegate:::1\"]}}",
                "r.a: ::1 is a duplicate",
            ),
            (
                "{\"/r\": \"delegate:::1\", \"r\": {\"a\": \"::1\"}}",
                "r: a directory; it has a; a delegated name has them at its own server",
            ),
            (
                "{\"r\": {\"a\": \"delegate:::1\", \"a/_x\": \"text:x\"}}",
                "r.a: it has the service name _x",
            ),
            (
                "{\"r\": \"delegate:::1\"}",
                "1:20: r: a flat name, and only a structured name is delegated",
            ),
            (
                "{\"/@\": \"delegate:::1\"}",
                "/@: the zone itself is not delegated",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(
                error.starts_with("names.json:") && error.contains(why),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "{\"a\":".repeat(1000) + "{}" + &"}".repeat(1000);
        assert!(read(&deep).unwrap_err().contains("at most 240"));
        let long = format!(
            "{{\"{0}\": {{\"{0}\": {{\"{0}\": {{\"{0}\": {{\"a\": \"::1\"}}}}}}}}}}",
            "x".repeat(60)
        );
        assert!(
            read(&long)
                .unwrap_err()
                .contains("path 244 bytes long, and at most 240"),
            "{:?}",
            read(&long)
        );
    }

    #[test]
    fn a_single_meaning_is_written_and_read() {
        for text in [
            "\"10.0.0.1\"",
            "[\"10.0.0.1\", \"text:x\"]",
            "\"link:a/b\"",
            "\"symlink:/a\"",
            "[\"symlink:/a\", \"ttl:300\"]",
            "[\"10.0.0.1\", \"text:x\", \"ttl:TXT=5\"]",
            "\"delegate:127.0.0.2\"",
            "[\"delegate:127.0.0.2\", \"delegate:::1\", \"ttl:300\"]",
        ] {
            let owned = meaning_from_json(text).unwrap();
            let meaning = match &owned {
                OwnedMeaning::Values(values) => Meaning::Values(values),
                OwnedMeaning::HardLink(place) => Meaning::HardLink(place),
                OwnedMeaning::Symlink(link) => Meaning::Symlink(link),
                OwnedMeaning::Delegation(delegation) => Meaning::Delegation(delegation),
            };
            assert_eq!(meaning_to_json(meaning), text);
        }
        assert!(meaning_from_json("{}").is_err() && meaning_from_json("1").is_err());
    }
}
