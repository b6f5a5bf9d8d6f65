//! Reading a JSON file, so that what is wrong in it is named by line, column and path.

use std::{fmt, io::Read, marker::PhantomData, path::Path, str::FromStr};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, Visitor},
};

use crate::{
    exit::Failure,
    files,
    text::{visible, visible_path},
};

/// Reads a whole file of at most `limit` bytes. A byte order mark at its start, as some editors leave one, is
/// passed over.
///
/// # Errors
/// `FILE: why`, when it cannot be read or is longer (exit code 2).
pub fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    files::read(path, limit).map(without_mark)
}

/// The same of a file that is open; `path` is its name in errors.
///
/// # Errors
/// As [`read_file`].
pub fn read_open(path: &Path, file: impl Read, limit: u64) -> Result<Vec<u8>, Failure> {
    files::read_open(path, file, limit).map(without_mark)
}

fn without_mark(mut content: Vec<u8>) -> Vec<u8> {
    if content.starts_with(b"\xef\xbb\xbf") {
        content.drain(..3);
    }
    content
}

/// Builds from JSON text what the seeds describe; `path` is where the text came from, for the error. The text is read once
/// more when something is wrong in it, to find out where: to keep track all the time would cost as much as to read.
///
/// # Errors
/// `FILE:LINE:COLUMN: PATH: why` (exit code 2); line and column count from 1 (column 0 is before the first), and PATH leads to the wrong value
/// (`region1.server1`), or is left out where there is none.
pub fn parse<'text, S: DeserializeSeed<'text>>(
    path: &Path,
    text: &'text [u8],
    seed: impl Fn() -> S,
) -> Result<S::Value, Failure> {
    let mut json = serde_json::Deserializer::from_slice(text);
    if let Ok(value) = seed().deserialize(&mut json)
        && json.end().is_ok()
    {
        return Ok(value);
    }
    let mut json = serde_json::Deserializer::from_slice(text);
    let mut track = serde_path_to_error::Track::new();
    seed()
        .deserialize(serde_path_to_error::Deserializer::new(
            &mut json, &mut track,
        ))
        .and_then(|value| json.end().map(|()| value))
        .map_err(|error| {
            let position = format!(" at line {} column {}", error.line(), error.column());
            let message = error.to_string();
            let reason = visible(
                message
                    .strip_suffix(&position)
                    .unwrap_or(&message)
                    .as_bytes(),
            );
            let inside = visible(track.path().to_string().as_bytes());
            let file = visible_path(path);
            let what = format!("{file}:{}:{}", error.line(), error.column());
            if error.is_data() && !matches!(&*inside, "." | "") {
                Failure::could_not_run(what, format!("{inside}: {reason}"))
            } else {
                Failure::could_not_run(what, reason)
            }
        })
}

/// Deserialises a value that is written as text from its [`FromStr`]. The error is raised where the text stands, so
/// that its line is the right one.
///
/// # Errors
/// When it is no text, or `T` does not take it.
pub fn from_text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    struct Text<T>(PhantomData<T>);

    impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("text")
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Text(PhantomData))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, net::IpAddr};

    use super::*;
    use crate::config::Period;

    fn error(text: &str) -> String {
        let seed = || PhantomData::<BTreeMap<String, BTreeMap<String, IpAddr>>>;
        parse(Path::new("lab.json"), text.as_bytes(), seed)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn line_column_and_path_are_named() {
        assert_eq!(
            error("{\n  \"region1\": {\"server1\": \"192.168.1.300\"}\n}"),
            "lab.json:2:40: region1.server1: invalid IP address syntax"
        );
        assert_eq!(
            error("{\n  \"region1\": {,}\n}"),
            "lab.json:2:15: key must be a string"
        );
        let text = "{\n\"timeout\": \"2x\"\n}";
        let period = parse(Path::new("lab.json"), text.as_bytes(), || {
            PhantomData::<BTreeMap<String, Period>>
        });
        let why = "lab.json:2:15: timeout: '2x' is no length of time, such as 250ms or 2s";
        assert_eq!(period.unwrap_err().to_string(), why);
        assert_eq!(error("{} {}"), "lab.json:1:4: trailing characters");
        assert_eq!(error(""), "lab.json:1:0: EOF while parsing a value");
    }
}
