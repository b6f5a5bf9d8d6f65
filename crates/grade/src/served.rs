//! The names that a name server is asked for: the handout's, or those of a file.

use std::{net::IpAddr, path::Path as FilePath};

use common::exit::Failure;
use naming::{
    file,
    name::{Path, Place},
    names,
    space::{Meaning, Space},
    value::Value,
};
use serde::{Deserialize, Serialize};

/// The most names of each kind that are asked for; of more, they are taken at even distances.
const MOST: usize = 64;

/// A name, and what it stands for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Known {
    /// The name: `server1`, or `region1/server1`.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

/// The names that a server has, and some that it has not.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Served {
    /// Flat names.
    pub flat: Vec<Known>,
    /// Names in a region.
    pub structured: Vec<Known>,
    /// Names in a region of a region.
    pub nested: Vec<Known>,
    /// Names that do not exist: a flat one, and one in a region that exists.
    pub missing: Vec<String>,
    /// A name in a region that does not exist.
    pub missing_region: Vec<String>,
    /// Names that do not exist, though the end or the beginning of their path does.
    pub longer: Vec<String>,
}

impl Served {
    /// The handout's names.
    pub fn handout() -> Self {
        Self::of(&names::built_in())
    }

    /// The names of a file, as the program `naming` reads it.
    ///
    /// # Errors
    /// When it cannot be read, or has no name with an address (exit code 2).
    pub fn read(path: &FilePath) -> Result<Self, Failure> {
        let served = Self::of(&file::read(path)?);
        if served.flat.is_empty() && served.structured.is_empty() && served.nested.is_empty() {
            let path = common::text::visible_path(path);
            return Err(Failure::could_not_run(path, "no name in it has an address"));
        }
        Ok(served)
    }

    fn of(space: &Space) -> Self {
        let mut served = Self::default();
        for (place, meaning) in space.meanings() {
            let Meaning::Values(values) = meaning else {
                continue;
            };
            let values = values.as_slice().iter();
            let addresses: Vec<IpAddr> = values.filter_map(Value::address).collect();
            let name = place.to_string();
            let is_plain = place.name().host().is_none() && !name.contains(['*', '@']);
            if addresses.is_empty() || !is_plain {
                continue;
            }
            let kind = match &place {
                Place::Flat(_) => &mut served.flat,
                Place::Structured(names) if names.len() < 3 => &mut served.structured,
                Place::Structured(_) => &mut served.nested,
            };
            kind.push(Known { name, addresses });
        }
        for kind in [&mut served.flat, &mut served.structured, &mut served.nested] {
            thin_out(kind);
        }
        let inner = served.structured.iter().chain(&served.nested);
        let inner = inner.map(|known| known.name.clone());
        let in_region = inner.filter_map(|name| {
            let (region, name) = name.rsplit_once('/')?;
            (!region.is_empty()).then(|| (region.to_owned(), name.to_owned()))
        });
        let in_region: Option<(String, String)> = in_region.into_iter().next();
        // Numbers that the handout does not have, until one is free; below a wildcard none is.
        let free = |named: &dyn Fn(u32) -> String| {
            let mut names = (9..99).map(named);
            names.find(|name| !has(space, name)).into_iter()
        };
        served
            .missing
            .extend(free(&|number| format!("server{number}")));
        if let Some((region, name)) = in_region {
            let missing = free(&|number| format!("{region}/server{number}"));
            served.missing.extend(missing);
            let missing = free(&|number| format!("region{number}/{name}"));
            served.missing_region.extend(missing);
            let before = free(&|number| format!("region{number}/{region}/{name}"));
            served.longer.extend(before);
            let below = free(&|number| format!("{region}/{name}/server{number}"));
            served.longer.extend(below);
        }
        served
    }
}

fn thin_out(names: &mut Vec<Known>) {
    let step = names.len().div_ceil(MOST).max(1);
    let mut number = 0;
    names.retain(|_| {
        number += 1;
        (number - 1) % step == 0
    });
}

/// Whether a name space has this name; what is no name is taken for one that it has.
fn has(space: &Space, name: &str) -> bool {
    if !name.contains('/') {
        return space.flat(name).is_ok();
    }
    let path = name.parse::<Path>();
    path.map_or(true, |path| space.structured(&path, &Path::ROOT).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handouts_names_and_what_is_missing_beside_them() {
        let served = Served::handout();
        let names = |known: &[Known]| -> Vec<String> {
            known.iter().map(|known| known.name.clone()).collect()
        };
        assert_eq!(names(&served.flat), ["server1", "server2"]);
        assert_eq!(served.structured.len(), 4);
        assert_eq!(served.missing, ["server9", "region1/server9"]);
        assert_eq!(served.missing_region, ["region9/server1"]);
        let longer = ["region9/region1/server1", "region1/server1/server9"];
        assert_eq!(
            (served.nested.len(), served.longer.as_slice()),
            (0, &longer.map(String::from)[..])
        );
    }

    #[test]
    fn the_names_of_a_file_are_of_three_kinds_and_below_a_wildcard_none_is_missing() {
        let text = r#"{"printer": ["10.0.0.9", "text:x"], "server9": "10.0.0.1", "/www": "10.0.0.2", "words": "text:none",
            "eu": {"north": {"oslo": "10.0.0.3"}}, "any": {"*": "10.0.0.4", "one": "10.0.0.5"}}"#;
        let served = Served::of(&file::parse(FilePath::new("x"), text.as_bytes()).unwrap());
        assert_eq!(
            (
                served.flat.len(),
                served.structured.len(),
                served.nested.len()
            ),
            (2, 2, 1)
        );
        assert_eq!(served.missing, ["server10"]);
        assert_eq!(served.missing_region, ["region9/one"]);
    }
}
