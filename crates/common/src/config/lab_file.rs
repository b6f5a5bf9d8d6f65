//! The lab file: one JSON object with a section for each program.

use std::{collections::BTreeMap, fmt, marker::PhantomData, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor, value::MapAccessDeserializer,
    },
};

use super::program::{CommandLine, Options, PROGRAMS};
use crate::{exit::Failure, json, text};

/// The longest lab file that is read, in bytes.
const LONGEST_FILE: u64 = 1 << 20;

/// The program's section of the lab file; no section is an empty one.
pub(super) fn section<C: CommandLine>(path: &Path) -> Result<C::Options, Failure> {
    struct Sections<O> {
        program: &'static str,
        options: O,
    }

    impl<'de, O: Options> DeserializeSeed<'de> for Sections<O> {
        type Value = O;
        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<O, D::Error> {
            deserializer.deserialize_map(self)
        }
    }

    impl<'de, O: Options> Visitor<'de> for Sections<O> {
        type Value = O;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object with a section for each program")
        }
        fn visit_map<M: MapAccess<'de>>(mut self, mut sections: M) -> Result<O, M::Error> {
            let mut seen = Vec::new();
            while let Some(program) = sections.next_key::<String>()? {
                if !PROGRAMS.contains(&program.as_str()) {
                    let near = text::did_you_mean(&program, PROGRAMS);
                    return Err(M::Error::custom(format!(
                        "no program is called {program}{near}"
                    )));
                }
                if seen.contains(&program) {
                    return Err(M::Error::custom(format!("a second section {program}")));
                }
                if program == self.program {
                    self.options = sections.next_value_seed(Section(PhantomData))?;
                } else {
                    sections.next_value_seed(Section::<Ignored>(PhantomData))?;
                }
                seen.push(program);
            }
            Ok(self.options)
        }
    }

    /// A section's options, from an object and from nothing else.
    struct Section<O>(PhantomData<O>);

    impl<'de, O: Deserialize<'de>> DeserializeSeed<'de> for Section<O> {
        type Value = O;
        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<O, D::Error> {
            deserializer.deserialize_map(self)
        }
    }

    impl<'de, O: Deserialize<'de>> Visitor<'de> for Section<O> {
        type Value = O;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object with the program's options")
        }
        fn visit_map<M: MapAccess<'de>>(self, options: M) -> Result<O, M::Error> {
            O::deserialize(MapAccessDeserializer::new(options))
        }
    }

    type Ignored = BTreeMap<String, IgnoredAny>;

    let content = json::read_file(path, LONGEST_FILE)?;
    json::parse(path, &content, || Sections {
        program: C::PROGRAM,
        options: C::Options::default(),
    })
}
