//! The names as a zone file (RFC 1035 section 5), and back.
//!
//! A hard link has the records of its leaf, and a record of a private type (RFC 3597), whose data is the first name of the
//! leaf; other servers keep it as it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::Path as FilePath,
};

use bytes::Bytes;
use common::{
    exit::Failure,
    json::read_file,
    text::{visible, visible_path},
};
use domain::{
    base::{
        Name as DomainName,
        iana::{Class, Rtype},
        rdata::ComposeRecordData,
    },
    zonefile::inplace::{Entry as Line, Zonefile},
};

use crate::{
    dns::{
        owner::{Meant, Owner, Zones},
        publish::{self, compose, publish},
        update::HARD_LINK,
        zone::{Records, push_record},
    },
    file::LONGEST_FILE,
    name::Place,
    space::{Meaning, Space},
    value::{Text, Value, Values},
};

/// Writes the names as a zone file, line by line.
///
/// # Errors
/// When a name is too long for DNS in the zone (exit code 2).
pub fn export(
    space: &Space,
    serial: u32,
    settings: &publish::Settings,
    mut line: impl FnMut(String),
) -> Result<(), Failure> {
    let refused =
        |refusal: crate::space::Refusal| Failure::could_not_run(&refusal.place, refusal.why);
    let zones = &settings.zones;
    line(format!(
        "; The names of {}: flat ones below flat.{0}, structured ones from the leaf to the root.",
        zones.names
    ));
    line(format!("$TTL {}", settings.ttl));
    let empty = publish(&Space::default(), serial, settings).map_err(refused)?;
    for (rtype, data) in empty.get(zones.names.as_slice()).unwrap_or_default() {
        line(format!(
            "{} IN {rtype} {}",
            zones.names,
            data_as_text(rtype, data)
        ));
    }
    let mut records = Vec::new();
    for (place, meaning) in space.meanings() {
        let owner =
            compose(zones, space, &place, space.get(&place), &mut records).map_err(refused)?;
        if let Meaning::HardLink(first) = meaning {
            let first = zones
                .owner(first)
                .map_err(|why| Failure::could_not_run(first, why))?;
            push_record(&mut records, HARD_LINK, first.as_slice());
        }
        for (rtype, data) in Records(&records) {
            line(format!("{owner} IN {rtype} {}", data_as_text(rtype, data)));
        }
    }
    Ok(())
}

/// The data of a record as zone files write it.
fn data_as_text(rtype: Rtype, data: &[u8]) -> String {
    let mut text = String::new();
    match rtype {
        Rtype::A | Rtype::AAAA => {
            return publish::value(rtype, data)
                .map(|value| value.to_string())
                .unwrap_or_default();
        }
        Rtype::CNAME | Rtype::DNAME | Rtype::NS => return Owner::from_wire(data).to_string(),
        Rtype::SOA => {
            let split = |wire: &[u8]| {
                let mut end = 0;
                while wire[end] > 0 {
                    end += usize::from(wire[end]) + 1;
                }
                end + 1
            };
            let (server, rest) = data.split_at(split(data));
            let (contact, figures) = rest.split_at(split(rest));
            text = format!("{} {}", Owner::from_wire(server), Owner::from_wire(contact));
            for figure in figures.chunks_exact(4) {
                let figure = figure
                    .iter()
                    .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
                write!(text, " {figure}").expect("a String has room for every byte");
            }
        }
        Rtype::TXT => {
            return Text::from_record(data)
                .map(|text| text.to_strings())
                .unwrap_or_default();
        }
        _ => {
            write!(text, "\\# {} ", data.len()).expect("a String has room for every byte");
            for byte in data {
                write!(text, "{byte:02x}").expect("a String has room for every byte");
            }
        }
    }
    text
}

/// Reads a zone file. The records of the apex are skipped.
///
/// # Errors
/// `FILE:LINE:COLUMN: why` or `FILE:LINE: why` (exit code 2): not a zone file, a name outside the zone, a type of records
/// that names cannot have, a hard link to no leaf, symbolic links in a circle.
pub fn import(path: &FilePath, zones: &Zones) -> Result<Space, Failure> {
    parse(path, &read_file(path, LONGEST_FILE)?, zones)
}

/// Reads the text of a zone file; `path` is its name in errors.
///
/// # Errors
/// As [`import`].
pub fn parse(path: &FilePath, text: &[u8], zones: &Zones) -> Result<Space, Failure> {
    let file = visible_path(path);
    if let Some(line) = unclosed(text) {
        return Err(Failure::could_not_run(
            format!("{file}:{line}"),
            "a ( without its )",
        ));
    }
    // For the same reason the text must end with a line end.
    let mut reader = Zonefile::from([text, b"\n"].concat().as_slice());
    let origin = DomainName::<Bytes>::from_octets(Bytes::copy_from_slice(zones.names.as_slice()));
    reader.set_origin(origin.expect("in wire format"));
    reader.set_default_class(Class::IN);
    let mut found = Found::default();
    loop {
        let next = reader.next_entry();
        let (offset, line) = (reader.current_offset(), |offset: usize| {
            let before = &text[..offset.min(text.len())];
            before.iter().filter(|byte| **byte == b'\n').count().max(1)
        });
        let wrong = |why: String| {
            Failure::could_not_run(format!("{file}:{}", line(offset)), visible(why.as_bytes()))
        };
        let record = match next {
            Ok(None) => return found.space(&file),
            Ok(Some(Line::Include { .. })) => {
                return Err(wrong("$INCLUDE is not supported".into()));
            }
            Ok(Some(Line::Record(record))) => record,
            Err(error) => {
                let text = error.to_string();
                let (at, why) = text.split_once(": ").unwrap_or(("1", &text));
                return Err(Failure::could_not_run(
                    format!("{file}:{at}"),
                    visible(why.as_bytes()),
                ));
            }
        };
        if record.class() != Class::IN {
            return Err(wrong(format!("class {} is not IN", record.class())));
        }
        let owner = Owner::of(record.owner());
        let mut data = Vec::new();
        let rtype = record.rtype();
        record
            .data()
            .compose_rdata(&mut data)
            .map_err(|_| wrong("the record is too long".into()))?;
        found.take(&owner, rtype, &data, zones).map_err(wrong)?;
    }
}

/// The line of a parenthesis without its closing one: the reader of `domain` would read past the end of the text.
fn unclosed(text: &[u8]) -> Option<usize> {
    let (mut open, mut line) = (Vec::new(), 1);
    let (mut quoted, mut comment, mut escaped) = (false, false, false);
    for byte in text {
        match byte {
            b'\n' => (line, comment) = (line + 1, false),
            _ if escaped || comment => {}
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b';' => comment = true,
            b'(' => open.push(line),
            b')' => drop(open.pop()),
            _ => {}
        }
        escaped = *byte == b'\\' && !escaped && !comment;
    }
    open.pop()
}

/// The names found so far.
#[derive(Default)]
struct Found {
    values: BTreeMap<Place, Vec<Value>>,
    hard: BTreeMap<Place, Place>,
    symbolic: BTreeMap<Place, Place>,
}

impl Found {
    fn take(
        &mut self,
        owner: &Owner,
        rtype: Rtype,
        data: &[u8],
        zones: &Zones,
    ) -> Result<(), String> {
        let place = match zones.meant(owner) {
            Meant::Place(place) => place,
            Meant::Apex => return Ok(()),
            Meant::Nothing if !owner.is_in(&zones.names) => {
                return Err(format!("{owner} is not in the zone {}", zones.names));
            }
            Meant::Nothing => return Err(format!("{owner} cannot be a name")),
        };
        let target = || match zones.meant(&Owner::from_wire(data)) {
            Meant::Place(target) => Ok(target),
            _ => Err(format!("{owner} is an alias of a name outside the zone")),
        };
        let once =
            |old: Option<Place>| old.map_or(Ok(()), |_| Err(format!("{owner} has two aliases")));
        match rtype {
            HARD_LINK => {
                domain::base::Name::from_octets(data)
                    .map_err(|_| "a malformed hard link".to_owned())?;
                once(self.hard.insert(place, target()?))
            }
            Rtype::CNAME | Rtype::DNAME => once(self.symbolic.insert(place, target()?)),
            rtype => {
                self.values
                    .entry(place)
                    .or_default()
                    .push(publish::value(rtype, data)?);
                Ok(())
            }
        }
    }

    fn space(self, file: &str) -> Result<Space, Failure> {
        let mut space = Space::default();
        let refused = |refusal: crate::space::Refusal| {
            Failure::could_not_run(format!("{file}: {}", refusal.place), refusal.why)
        };
        for (place, values) in self.values {
            // A hard link shows the records of its leaf.
            if self.hard.contains_key(&place) {
                continue;
            }
            let values = Values::new(values)
                .map_err(|why| Failure::could_not_run(format!("{file}: {place}"), why))?;
            space
                .register(&place, values.expect("at least one"))
                .map_err(refused)?;
        }
        // The first name of a leaf is not a link.
        let firsts: BTreeSet<_> = self.hard.values().cloned().collect();
        for (place, first) in self.hard {
            if firsts.contains(&place) {
                return Err(Failure::could_not_run(
                    format!("{file}: {place}"),
                    "a hard link to a hard link",
                ));
            }
            space.link(&place, &first).map_err(refused)?;
        }
        for (place, target) in self.symbolic {
            space.link_symbolically(&place, target).map_err(refused)?;
        }
        Ok(space)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

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
        assert_eq!(space.flat("server1").unwrap().to_string(), "10.0.0.1, ::1");
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
                "expected IPv4 address",
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
