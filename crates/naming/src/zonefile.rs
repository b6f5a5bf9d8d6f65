//! The names as a zone file (RFC 1035 section 5), and back.
//!
//! A hard link has the records of its leaf, and a record of a private type (RFC 3597), whose data is the first name of the
//! leaf; other servers keep it as it is.
//!
//! Zone files are read as BIND and NSD read them: times with units, `$INCLUDE`, BIND's `$GENERATE`, owners in quotes, names
//! with bytes beyond ASCII.

mod export;
mod found;
mod generate;
mod left_out;
mod lexer;
mod rdata;
mod reader;

use std::path::Path as FilePath;

use common::{exit::Failure, json::read_file};

use self::reader::Reader;
pub use self::{
    export::{Problem, export, problems},
    left_out::LeftOut,
};
use crate::{dns::owner::Zones, file::LONGEST_FILE, space::Space};

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
