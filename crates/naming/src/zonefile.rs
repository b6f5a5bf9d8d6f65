//! The names as a zone file (RFC 1035 section 5), and back.
//!
//! A hard link has the records of its leaf, and a record of a private type (RFC 3597), whose data is the first name of the
//! leaf; other servers keep it as it is.
//!
//! Zone files are read as BIND and NSD read them: times with units, `$INCLUDE`, BIND's `$GENERATE`, owners in quotes, names
//! with bytes beyond ASCII.

mod cuts;
mod export;
mod found;
mod generate;
mod left_out;
mod lexer;
mod rdata;
mod reader;

use std::{convert::Infallible, path::Path as FilePath};

use common::{exit::Failure, json::read_file};
use domain::base::iana::Rtype;

pub use self::{
    export::{Problem, export, problems},
    left_out::LeftOut,
};
use self::{
    found::{Found, Trouble},
    left_out::At,
    reader::Reader,
};
use crate::{
    dns::owner::{Owner, Zones},
    file::LONGEST_FILE,
    space::Space,
};

/// Reads a zone file, and the files that it includes. SOA and NS records of the apex are passed over, because the name
/// server makes its own; other records of the apex are left out. With `skip`, whatever a name space cannot hold is left out
/// as well: records of other types, names below a leaf, aliases of names outside the zone.
///
/// # Errors
/// `FILE:LINE: why` (exit code 2): not a zone file; without `skip` also what a name space cannot hold.
pub fn import(
    path: &FilePath,
    zones: &Zones,
    skip: bool,
) -> Result<(Space, Vec<LeftOut>), Failure> {
    let text = read_file(path, LONGEST_FILE)?;
    Reader::new(zones, skip, true).read(path, &text)
}

/// The names that the records of a transferred zone make, and what a name space cannot hold of it. `ttl` is the TTL, in seconds,
/// of names that have none of their own.
pub fn of_records<'r>(
    records: impl IntoIterator<Item = (&'r Owner, Rtype, u32, &'r [u8])>,
    zones: &Zones,
    ttl: u32,
) -> (Space, Vec<String>) {
    let (mut found, mut refused) = (Found::default(), Vec::new());
    for (owner, rtype, own_ttl, data) in records {
        let own_ttl = Some(own_ttl).filter(|own_ttl| *own_ttl != ttl);
        match found.take(At::default(), owner, rtype, own_ttl, Some(data), zones) {
            Ok(()) | Err(Trouble::Apex) => {}
            Err(trouble) => refused.push(trouble.to_string()),
        }
    }
    let Ok(space) = found.space(zones, |(_, trouble)| {
        refused.push(trouble.to_string());
        Ok::<_, Infallible>(())
    });
    (space, refused)
}

/// Reads the text of a zone file, which includes no others; `path` is its name in errors.
///
/// # Errors
/// As [`import`].
pub fn parse(path: &FilePath, text: &[u8], zones: &Zones) -> Result<Space, Failure> {
    let read = Reader::new(zones, false, false).read(path, text);
    read.map(|(space, _)| space)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dns::publish;

    fn settings() -> publish::Settings {
        publish::Settings {
            zones: Arc::new(Zones::new("lab.").unwrap()),
            ttl: 60,
            address: Some([127, 0, 0, 1].into()),
        }
    }

    fn text(space: &Space) -> String {
        let mut lines = Vec::new();
        export(space, 7, &settings(), |line| lines.push(line)).unwrap();
        lines.join("\n") + "\n"
    }

    #[test]
    fn a_space_survives_export_and_import() {
        let names = r#"{
            "gateway": "symlink:region1/web", "a.b": "10.0.0.7", "grüße": "10.0.0.8",
            "printer": ["10.0.0.9", "2001:db8::9", "text:in the \"hall\"\\ \u00e4\n"],
            "region1": {"rack1": {"server1": "10.0.0.1"}, "web": "link:region1/rack1/server1"},
            "region2": {"rack2": ["delegate:127.0.0.2", "delegate:2001:db8::2", "ttl:300"]}, "/region3": "delegate:127.0.0.3",
            "/east": "symlink:/region1", "/www": "symlink:region1/web"
        }"#;
        let space = crate::file::parse(FilePath::new("names.json"), names.as_bytes()).unwrap();
        let text = text(&space);
        for line in [
            "lab. IN SOA lab. hostmaster.lab. 7 60 10 604800 60",
            "printer.flat.lab. IN TXT \"in the \\\"hall\\\"\\\\ \\195\\164\\010\"",
            "a\\.b.flat.lab. IN A 10.0.0.7",
            "east.lab. IN DNAME region1.lab.",
            "www.lab. IN CNAME web.region1.lab.",
            "rack2.region2.lab. 300 IN NS rack2.region2.lab.",
            "rack2.region2.lab. 300 IN AAAA 2001:db8::2",
            "region3.lab. IN NS region3.lab.",
            "region3.lab. IN A 127.0.0.3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert_eq!(
            parse(
                FilePath::new("lab.zone"),
                text.as_bytes(),
                &settings().zones
            ),
            Ok(space)
        );
    }

    #[test]
    fn zone_files_of_other_servers_are_read() {
        let text = "$ORIGIN lab.\n$TTL 3600\n@ SOA ns host (\n 1 2 3\n 4 5 )\n NS ns.example.org.\nserver1.flat A 10.0.0.1\n  AAAA ::1\n";
        let space = parse(FilePath::new("x"), text.as_bytes(), &settings().zones).unwrap();
        assert_eq!(
            space.flat("server1").unwrap().to_string(),
            "10.0.0.1, ::1, ttl:3600"
        );
        for end in ["", ";", " ; x"] {
            let text = format!("x.flat IN TXT x{end}");
            let space = parse(FilePath::new("x"), text.as_bytes(), &settings().zones).unwrap();
            assert_eq!(space.flat("x").unwrap().to_string(), "text:x");
        }
    }

    #[test]
    fn ns_records_and_glue_are_a_delegation() {
        let text = "$ORIGIN lab.\n\
            a NS ns1.a\na NS ns2.b\na NS a\nns1.a A 127.0.0.2\nns2.b A 127.0.0.3\na 9 A 127.0.0.4\n\
            x.c 300 NS x.c\nx.c 60 AAAA ::2\n";
        let space = parse(FilePath::new("x"), text.as_bytes(), &settings().zones).unwrap();
        let names: Vec<_> = space
            .meanings()
            .iter()
            .map(|(place, meaning)| format!("{place} {meaning}"))
            .collect();
        assert_eq!(
            names,
            [
                "/a delegated to 127.0.0.2, 127.0.0.3, 127.0.0.4",
                "b/ns2 127.0.0.3",
                "c/x delegated to ::2, ttl:300",
            ]
        );
    }

    #[test]
    fn an_invalid_zone_file_is_refused_with_its_line() {
        for (text, why) in [
            (
                "a.lab. IN A 10.0.0.1\nb.lab. IN A 10.0.0\n",
                "lab.zone:2: '10.0.0' is not an IPv4 address",
            ),
            (
                "a.lab. IN A 10.0.0.1\nb.example. IN A 10.0.0.1\n",
                "lab.zone:2: b.example. is not in the zone lab.",
            ),
            (
                "a.lab. IN MX 10 b.lab.\n",
                "lab.zone:1: records of type MX are not supported",
            ),
            (
                "a.lab. IN CNAME www.example.org.\n",
                "lab.zone:1: a.lab. is an alias of a name outside the zone",
            ),
            (
                "a.lab. IN CNAME b.lab.\nb.lab. IN CNAME a.lab.\n",
                "in a circle",
            ),
            (
                "a.lab. IN TXT (x\nb.lab. IN A 10.0.0.1\n",
                "lab.zone:1: a ( without its )",
            ),
            ("$INCLUDE other\n", "$INCLUDE is not supported"),
            (
                "a.lab. IN A 10.0.0.1\nb.a.lab. IN A 10.0.0.1\n",
                "is a leaf and holds no names",
            ),
            (
                "a.lab. IN NS ns.example.org.\n",
                "lab.zone:1: /a: its name server ns.example.org. has no address here",
            ),
            (
                "a.lab. IN NS a.lab.\na.lab. IN A ::1\n",
                "lab.zone:2: '::1' is not an IPv4 address",
            ),
            (
                "a.lab. IN NS a.lab.\na.lab. IN A 127.0.0.2\nb.a.lab. IN A 10.0.0.1\n",
                "lab.zone:3: a/b: /a is delegated, and its server has what is there",
            ),
            (
                "a.lab. IN NS a.lab.\na.lab. IN A 127.0.0.2\na.lab. IN TXT x\n",
                "lab.zone:3: /a: /a is delegated, and its server has what is there",
            ),
            (
                "a.lab. IN NS a.lab.\na.lab. IN A 127.0.0.2\nb.a.lab. IN NS a.lab.\n",
                "lab.zone:3: a/b: /a is delegated, and the names below it with it",
            ),
            (
                "a.lab. IN NS a.lab.\na.lab. IN A 127.0.0.2\nb.a.lab. IN CNAME c.lab.\n",
                "lab.zone:3: a/b: /a is delegated",
            ),
            (
                "a.flat.lab. IN NS a.flat.lab.\na.flat.lab. IN A 127.0.0.2\n",
                "lab.zone:1: a: a flat name, and only a structured name is delegated",
            ),
        ] {
            let error = parse(
                FilePath::new("lab.zone"),
                text.as_bytes(),
                &settings().zones,
            )
            .unwrap_err()
            .to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
