//! Names from a JSON file of the handout's own shape: text values are flat names, objects are regions, to any depth.
//!
//! `{"server1": "192.168.1.2", "region1": {"server1": "192.168.1.2"}}`. A wrong file is refused whole.

use std::{collections::BTreeMap, fmt, net::IpAddr, path::Path};

use common::{exit::Failure, json, text::visible};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};

use crate::names::{Entry, Names, Region};

/// The longest file that is read, in bytes; a million names take about 40 MB.
const LONGEST_FILE: u64 = 256 << 20;

/// The longest name, in bytes.
const LONGEST_NAME: usize = 255;

/// Reads a names file.
///
/// # Errors
/// `FILE:LINE:COLUMN: PATH: why`: not JSON, an address that is none, a name given twice, empty, too long, or with a
/// `/` or a control character in it (exit code 2).
pub fn read(path: &Path) -> Result<Names, Failure> {
    let text = json::read_file(path, LONGEST_FILE)?;
    json::parse(path, &text, std::marker::PhantomData::<Names>)
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut flat, mut root) = (BTreeMap::new(), Region::new());
        for (name, entry) in deserializer.deserialize_map(Dictionary)? {
            match entry {
                Entry::Address(address) => drop(flat.insert(name, address)),
                Entry::Region(region) => drop(root.insert(name, Entry::Region(region))),
            }
        }
        Ok(Self { flat, root })
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Value)
    }
}

struct Dictionary;

impl<'de> Visitor<'de> for Dictionary {
    type Value = Region;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of names")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut names: M) -> Result<Region, M::Error> {
        let mut region = Region::new();
        while let Some(name) = names.next_key::<String>()? {
            let shown = visible(name.as_bytes());
            let refuse = |why: &str| Err(M::Error::custom(format!("name '{shown}' {why}")));
            if name.is_empty() || name.len() > LONGEST_NAME {
                return refuse("is not 1 to 255 bytes long");
            }
            if name.contains('/') || shown != name {
                return refuse("has a / or a control character");
            }
            if region.contains_key(&name) {
                return refuse("is given twice");
            }
            region.insert(name, names.next_value()?);
        }
        Ok(region)
    }
}

struct Value;

impl<'de> Visitor<'de> for Value {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address as text, or an object of names")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Entry, E> {
        let address: Result<IpAddr, _> = text.parse();
        address
            .map(Entry::Address)
            .map_err(|_| E::custom(format!("'{}' is no IP address", visible(text.as_bytes()))))
    }

    fn visit_map<M: MapAccess<'de>>(self, names: M) -> Result<Entry, M::Error> {
        Dictionary.visit_map(names).map(Entry::Region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Names, String> {
        let names = json::parse(
            Path::new("names.json"),
            text.as_bytes(),
            std::marker::PhantomData::<Names>,
        );
        names.map_err(|error| error.to_string())
    }

    #[test]
    fn the_handouts_shape_is_read() {
        let text = r#"{
            "server1": "192.168.1.2", "server2": "192.168.1.3",
            "region1": {"server1": "192.168.1.2", "server2": "192.168.1.3"},
            "region2": {"server3": "192.168.2.1", "server4": "192.168.2.2"}
        }"#;
        assert_eq!(parse(text), Ok(Names::of_the_handout()));
    }

    #[test]
    fn a_wrong_file_is_refused_with_line_column_and_path() {
        for (text, why) in [
            (
                "{\"region1\": {\n\"server1\": \"192.168.1.300\"}}",
                "2:26: region1.server1: '192.168.1.300' is no IP address",
            ),
            (
                "{\"a\": 1}",
                "1:7: a: invalid type: integer `1`, expected an address as text, or an object of names",
            ),
            (
                "{\"r\": {\"a\": \"::1\", \"a\": \"::2\"}}",
                "1:22: r: name 'a' is given twice",
            ),
            ("{\"\": \"::1\"}", "1:3: name '' is not 1 to 255 bytes long"),
            (
                "{\"a/b\": \"::1\"}",
                "1:6: name 'a/b' has a / or a control character",
            ),
            ("{\"a\": \"::1\",}", "1:13: trailing comma"),
            (
                "[]",
                "1:0: invalid type: sequence, expected an object of names",
            ),
        ] {
            assert_eq!(parse(text), Err(format!("names.json:{why}")), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "{\"a\":".repeat(1000) + "{}" + &"}".repeat(1000);
        assert!(
            parse(&deep)
                .unwrap_err()
                .ends_with("recursion limit exceeded")
        );
    }
}
