//! The handout's two naming systems: dictionaries, and looking a name up in them.
//!
//! Flat naming: a name says nothing about where it stands. Structured naming: a name is a path from the root through
//! regions (van Steen & Tanenbaum, Distributed Systems, chapter "Naming").

use std::{collections::BTreeMap, fmt, net::IpAddr};

use common::{
    exit::Failure,
    text::{did_you_mean, visible},
};

/// What a name stands for in one dictionary.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Entry {
    /// A server's address.
    Address(IpAddr),
    /// A region with names of its own.
    Region(Region),
}

/// A dictionary, by name.
pub type Region = BTreeMap<String, Entry>;

/// All names: the two naming systems, one beside the other.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Names {
    /// Flat naming: one dictionary.
    pub flat: BTreeMap<String, IpAddr>,
    /// Structured naming: the root of the tree. A server stands in a region, never in the root itself.
    pub root: Region,
}

/// The way to a structured name, from the root: at least one component, none of them empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Path(Vec<String>);

impl Path {
    /// A path of these components.
    ///
    /// # Errors
    /// When there is none, or an empty one (exit code 2).
    pub fn new(components: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, Failure> {
        let components: Vec<String> = components.into_iter().map(Into::into).collect();
        if components.is_empty() || components.iter().any(String::is_empty) {
            let path = visible(components.join("/").as_bytes());
            return Err(Failure::could_not_run(
                format!("path '{path}'"),
                "a component is empty",
            ));
        }
        Ok(Self(components))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

impl Names {
    /// The handout's two dictionaries.
    pub fn of_the_handout() -> Self {
        let address = |last: [u8; 2]| IpAddr::from([192, 168, last[0], last[1]]);
        let server = |name: &str, last| (name.to_owned(), Entry::Address(address(last)));
        let region = |name: &str, servers| (name.to_owned(), Entry::Region(Region::from(servers)));
        Self {
            flat: BTreeMap::from([
                ("server1".into(), address([1, 2])),
                ("server2".into(), address([1, 3])),
            ]),
            root: Region::from([
                region(
                    "region1",
                    [server("server1", [1, 2]), server("server2", [1, 3])],
                ),
                region(
                    "region2",
                    [server("server3", [2, 1]), server("server4", [2, 2])],
                ),
            ]),
        }
    }

    /// The address of a flat name.
    ///
    /// # Errors
    /// `NAME: why` (exit code 1), with the nearest flat name.
    ///
    /// ```
    /// use naming::names::Names;
    /// let names = Names::of_the_handout();
    /// assert_eq!(names.flat("server1").unwrap().to_string(), "192.168.1.2");
    /// assert_eq!(names.flat("server9").unwrap_err().to_string(), "server9: no such name; did you mean server1?");
    /// ```
    pub fn flat(&self, name: &str) -> Result<IpAddr, Failure> {
        self.flat.get(name).copied().ok_or_else(|| {
            let shown = visible(name.as_bytes());
            let why = match self.root.get(name.split('/').next().unwrap_or_default()) {
                Some(_) if name.contains('/') => {
                    format!("not a flat name; did you mean naming structured {shown}?")
                }
                Some(Entry::Region(region)) => {
                    format!("a region, not a flat name; {}", holds("it has", region))
                }
                _ => format!(
                    "no such name{}",
                    did_you_mean(name, self.flat.keys().map(String::as_str))
                ),
            };
            Failure::no(shown, why)
        })
    }

    /// The address of a structured name.
    ///
    /// # Errors
    /// `PATH: why` (exit code 1): how far resolution got, what there is, and the nearest name.
    ///
    /// ```
    /// use naming::names::{Names, Path};
    /// let names = Names::of_the_handout();
    /// let path = |path: &str| Path::new(path.split('/')).unwrap();
    /// assert_eq!(names.structured(&path("region2/server3")).unwrap().to_string(), "192.168.2.1");
    /// assert_eq!(
    ///     names.structured(&path("region1/server9")).unwrap_err().to_string(),
    ///     "region1/server9: region1 has no server9; it has server1, server2; did you mean server1?"
    /// );
    /// ```
    pub fn structured(&self, path: &Path) -> Result<IpAddr, Failure> {
        let fail = |why: String| Failure::no(visible(path.to_string().as_bytes()), why);
        let mut region = &self.root;
        for (depth, name) in path.0.iter().enumerate() {
            match region.get(name) {
                Some(Entry::Region(inner)) => region = inner,
                Some(Entry::Address(address)) if depth + 1 == path.0.len() => return Ok(*address),
                Some(Entry::Address(_)) => {
                    let server = visible(path.0[..=depth].join("/").as_bytes());
                    return Err(fail(format!("{server} is a server and holds no names")));
                }
                None => return Err(fail(self.missing(name, &path.0[..depth], region))),
            }
        }
        Err(fail(format!(
            "a region, not a server; {}",
            holds("it has", region)
        )))
    }

    /// Why `name` is not in the region to which the path `walked` has led.
    fn missing(&self, name: &str, walked: &[String], region: &Region) -> String {
        let near = did_you_mean(name, region.keys().map(String::as_str));
        let name_shown = visible(name.as_bytes());
        if !walked.is_empty() {
            let walked = visible(walked.join("/").as_bytes());
            return format!(
                "{walked} has no {name_shown}; {}{near}",
                holds("it has", region)
            );
        }
        if self.flat.contains_key(name) {
            return format!("{name_shown} is a flat name; did you mean naming flat {name_shown}?");
        }
        format!(
            "no region {name_shown}; {}{near}",
            holds("there are", region)
        )
    }

    /// Every name with its address: flat names first, then paths, each in order.
    pub fn all(&self) -> Vec<(String, IpAddr)> {
        fn below(region: &Region, prefix: &str, found: &mut Vec<(String, IpAddr)>) {
            for (name, entry) in region {
                match entry {
                    Entry::Address(address) => found.push((format!("{prefix}{name}"), *address)),
                    Entry::Region(inner) => below(inner, &format!("{prefix}{name}/"), found),
                }
            }
        }
        let mut found: Vec<_> = self
            .flat
            .iter()
            .map(|(name, address)| (name.clone(), *address))
            .collect();
        below(&self.root, "", &mut found);
        found
    }
}

/// `it has server1, server2`, or as many as one line should show.
fn holds(verb: &str, region: &Region) -> String {
    const SHOWN: usize = 8;
    let mut names: Vec<_> = region
        .keys()
        .take(SHOWN)
        .map(|name| visible(name.as_bytes()))
        .collect();
    if region.is_empty() {
        names.push("nothing".into());
    } else if region.len() > SHOWN {
        names.push(format!("and {} more", region.len() - SHOWN));
    }
    format!("{verb} {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let mut names = Names::of_the_handout();
        let rack = Region::from([(
            "server5".into(),
            Entry::Address(IpAddr::from([192, 168, 3, 1])),
        )]);
        let region = Region::from([("rack1".to_owned(), Entry::Region(rack))]);
        names.root.insert("region3".into(), Entry::Region(region));
        names
    }

    fn structured(path: &str) -> String {
        let path = Path::new(path.split('/')).unwrap();
        names()
            .structured(&path)
            .map_or_else(|error| error.to_string(), |address| address.to_string())
    }

    #[test]
    fn paths_lead_to_any_depth() {
        assert_eq!(structured("region1/server1"), "192.168.1.2");
        assert_eq!(structured("region3/rack1/server5"), "192.168.3.1");
    }

    #[test]
    fn a_failure_says_how_far_resolution_got() {
        for (path, why) in [
            (
                "region9/server1",
                "no region region9; there are region1, region2, region3; did you mean region1?",
            ),
            (
                "region3/rack1/server6",
                "region3/rack1 has no server6; it has server5; did you mean server5?",
            ),
            (
                "region1/server1/disk",
                "region1/server1 is a server and holds no names",
            ),
            ("region1", "a region, not a server; it has server1, server2"),
            (
                "server1",
                "server1 is a flat name; did you mean naming flat server1?",
            ),
            (
                "region1/x\x1by",
                "region1 has no x\\x1by; it has server1, server2",
            ),
        ] {
            let shown = visible(path.as_bytes());
            assert_eq!(structured(path), format!("{shown}: {why}"));
        }
    }

    #[test]
    fn a_flat_name_is_no_path_and_no_region() {
        let flat = |name: &str| names().flat(name).unwrap_err().to_string();
        assert_eq!(
            flat("serve1"),
            "serve1: no such name; did you mean server1?"
        );
        assert_eq!(
            flat("region2"),
            "region2: a region, not a flat name; it has server3, server4"
        );
        assert_eq!(
            flat("region1/server1"),
            "region1/server1: not a flat name; did you mean naming structured region1/server1?"
        );
        assert_eq!(flat("printer"), "printer: no such name");
    }

    #[test]
    fn all_names_are_listed_and_resolve() {
        let names = names();
        let all = names.all();
        assert_eq!(all.len(), 7);
        for (name, address) in all {
            let resolved = match name.contains('/') {
                true => names.structured(&Path::new(name.split('/')).unwrap()),
                false => names.flat(&name),
            };
            assert_eq!(resolved, Ok(address), "{name}");
        }
    }

    #[test]
    fn a_path_has_no_empty_component() {
        for bad in ["", "/server1", "region1/", "region1//server1"] {
            assert!(Path::new(bad.split('/')).is_err(), "{bad}");
        }
    }
}
