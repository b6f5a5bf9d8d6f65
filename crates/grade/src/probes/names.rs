//! The names that a resolver or a name server is given in a file: the handout's, and some that nobody has seen before.

use std::net::Ipv4Addr;

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde_json::{Map, Value, json};

use crate::{
    bench::Bench,
    requirement::{Finding, Probed},
    sandbox,
};

/// The handout's flat names.
pub(super) const FLAT: [(&str, &str); 2] = [("server1", "192.168.1.2"), ("server2", "192.168.1.3")];
/// The handout's structured names.
pub(super) const STRUCTURED: [(&str, &str); 4] = [
    ("region1/server1", "192.168.1.2"),
    ("region1/server2", "192.168.1.3"),
    ("region2/server3", "192.168.2.1"),
    ("region2/server4", "192.168.2.2"),
];

/// Names in a file, and those of them that are asked for, with their addresses.
pub(super) struct NamesFile {
    /// The file.
    pub(super) content: Value,
    /// A flat name, where there is one.
    pub(super) flat: Vec<(String, String)>,
    /// Structured names.
    pub(super) structured: Vec<(String, String)>,
}

/// The file of the handout's names.
pub(super) fn handout() -> Value {
    let object = |names: &[(&str, &str)]| -> Map<String, Value> {
        let names = names.iter();
        names
            .map(|(name, address)| ((*name).to_owned(), json!(address)))
            .collect()
    };
    let mut all = object(&FLAT);
    for region in ["region1", "region2"] {
        let below: Vec<_> = STRUCTURED
            .iter()
            .filter_map(|(name, address)| {
                Some((name.strip_prefix(region)?.strip_prefix('/')?, *address))
            })
            .collect();
        all.insert(region.to_owned(), object(&below).into());
    }
    all.into()
}

/// A names file that nobody has seen before.
pub(super) fn unseen(random: &mut Pcg64Mcg) -> NamesFile {
    let (one, two) = (address(random), address(random));
    let number = random.random_range(10..1000);
    let (flat, region) = (format!("host{number}"), format!("lab{number}"));
    NamesFile {
        content: json!({flat.as_str(): one, region.as_str(): {"door": two}}),
        flat: vec![(flat, one)],
        structured: vec![(format!("{region}/door"), two)],
    }
}

/// A names file with regions in regions.
pub(super) fn nested(random: &mut Pcg64Mcg) -> NamesFile {
    let (deep, shallow) = (address(random), address(random));
    NamesFile {
        content: json!({"eu": {"north": {"oslo": {"server7": deep}}, "server8": shallow}}),
        flat: Vec::new(),
        structured: vec![
            ("eu/north/oslo/server7".into(), deep),
            ("eu/server8".into(), shallow),
        ],
    }
}

fn address(random: &mut Pcg64Mcg) -> String {
    let mut part = || random.random_range(1..255_u8);
    Ipv4Addr::new(10, part(), part(), part()).to_string()
}

/// Writes the names file that the command is given.
pub(super) fn write(bench: &Bench<'_>, names: &Value) -> Probed {
    let path = sandbox::names_file(bench.isolation());
    std::fs::write(&path, names.to_string())
        .map_err(|error| Finding::grader(format!("the names file: {error}")))
}
