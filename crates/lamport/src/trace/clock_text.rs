//! Clocks in the logs of other tools: vectors by name or by position, and Lamport's numbers, as JSON or as text.

use std::collections::BTreeMap;

use serde_json::Value;

use super::block::excerpt;

/// A clock as it was logged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum LoggedClock {
    /// The entries of hosts by their names.
    Vector(Vec<(String, u64)>),
    /// The entries by position: whose each is follows from all logs.
    Array(Vec<u64>),
    /// Lamport's.
    Lamport(u64),
}

/// The greatest integer up to which a floating-point number is exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The greatest number of entries of a clock.
const MOST_ENTRIES: usize = 65_536;

impl LoggedClock {
    /// From its text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn of_text(text: &str) -> Result<Self, String> {
        if let Ok(entries) = serde_json::from_str::<BTreeMap<String, u64>>(text) {
            return Self::vector(entries.into_iter().collect());
        }
        let value = serde_json::from_str(text).ok();
        match value.or_else(|| nearly_json(text)) {
            Some(value) => Self::of_value(&value),
            None => Err(no_clock(text)),
        }
    }

    /// From JSON; a string contains the text of a clock.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn of_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Object(entries) => {
                let entry = |(name, value): (&String, &Value)| match number(value) {
                    Ok(number) => Ok((name.clone(), number)),
                    Err(why) => Err(format!("the clock's entry for {} {why}", excerpt(name))),
                };
                Self::vector(entries.iter().map(entry).collect::<Result<_, _>>()?)
            }
            Value::Array(entries) => {
                let entry = |(place, value): (usize, &Value)| {
                    number(value).map_err(|why| format!("the clock's entry {place} {why}"))
                };
                let entries = entries.iter().enumerate().map(entry);
                match entries.collect::<Result<Vec<_>, _>>()? {
                    none if none.is_empty() => Err("the clock has no entries".to_owned()),
                    many if many.len() > MOST_ENTRIES => Err(too_many(many.len())),
                    entries => Ok(Self::Array(entries)),
                }
            }
            Value::Number(_) => match number(value) {
                Ok(number) => Ok(Self::Lamport(number)),
                Err(why) => Err(format!("the clock {why}")),
            },
            Value::String(text) => match serde_json::from_str(text) {
                // A string within a string would have no end.
                Ok(Value::String(_)) | Err(_) => Err(no_clock(text)),
                Ok(inner) => Self::of_value(&inner),
            },
            other => Err(no_clock(&other.to_string())),
        }
    }

    fn vector(entries: Vec<(String, u64)>) -> Result<Self, String> {
        match entries.len() {
            many if many > MOST_ENTRIES => Err(too_many(many)),
            _ => Ok(Self::Vector(entries)),
        }
    }
}

/// Text that differs from JSON in its marks: TLA+ and JSON within JSON escape the quotes, which ShiViz accepts too; Python writes `'a'` and
/// `(2, 0)`; a regular expression may leave out the brackets.
fn nearly_json(text: &str) -> Option<Value> {
    let text = text.trim();
    let read = |text: &str| serde_json::from_str(text).ok();
    let plain = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'));
    read(&text.replace("\\\"", "\""))
        .or_else(|| read(&text.replace('\'', "\"")))
        .or_else(|| read(&format!("[{}]", plain.unwrap_or(text))).filter(is_list))
}

/// Whether it has at least two elements, which are numbers.
fn is_list(value: &Value) -> bool {
    let is_number = |value: &Value| value.is_number();
    value
        .as_array()
        .is_some_and(|elements| elements.len() > 1 && elements.iter().all(is_number))
}

fn no_clock(text: &str) -> String {
    let shown = excerpt(text);
    format!(
        "the clock is not a JSON object of hosts and numbers, nor an array of numbers, nor a number: {shown}"
    )
}

fn too_many(entries: usize) -> String {
    format!("the clock has {entries} entries: more than {MOST_ENTRIES}")
}

/// A number of a clock; also `1.0` and `"1"`.
fn number(value: &Value) -> Result<u64, String> {
    let of_float = |float: f64| match float {
        float if float.is_nan() => Err("is not a number".to_owned()),
        float if float < 0.0 => Err("is negative".to_owned()),
        float if float.fract() != 0.0 => Err("is no integer".to_owned()),
        float if float > EXACT => Err("is too large".to_owned()),
        float => Ok(float as u64),
    };
    let read = match value {
        Value::Number(number) => match number.as_u64() {
            Some(number) => Ok(number),
            None => of_float(number.as_f64().unwrap_or(f64::INFINITY)),
        },
        Value::String(text) => match (text.trim().parse(), text.trim().parse::<f64>()) {
            (Ok(number), _) => Ok(number),
            (_, Ok(float)) => of_float(float),
            _ => Err("is not a number".to_owned()),
        },
        _ => Err("is not a number".to_owned()),
    };
    read.map_err(|why| format!("{why}: {}", excerpt(&value.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_in_all_their_forms() {
        let vector = |entries: &[(&str, u64)]| {
            let entries = entries
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count));
            LoggedClock::Vector(entries.collect())
        };
        for (text, expected) in [
            (r#"{"a":1,"b":2}"#, vector(&[("a", 1), ("b", 2)])),
            (
                r#"{"a":1.0,"b":"2","c":"3.0"}"#,
                vector(&[("a", 1), ("b", 2), ("c", 3)]),
            ),
            (r#"{\"a\":1}"#, vector(&[("a", 1)])),
            (r#""{\"a\":1}""#, vector(&[("a", 1)])),
            ("{'a': 1, 'b': 2}", vector(&[("a", 1), ("b", 2)])),
            ("[2,0,1]", LoggedClock::Array(vec![2, 0, 1])),
            ("2, 0, 1", LoggedClock::Array(vec![2, 0, 1])),
            ("(2, 0, 1)", LoggedClock::Array(vec![2, 0, 1])),
            (r#"["2", 0.0, 1]"#, LoggedClock::Array(vec![2, 0, 1])),
            (r#""[2,0,1]""#, LoggedClock::Array(vec![2, 0, 1])),
            ("7", LoggedClock::Lamport(7)),
            ("7.0", LoggedClock::Lamport(7)),
            (r#""7""#, LoggedClock::Lamport(7)),
            ("18446744073709551615", LoggedClock::Lamport(u64::MAX)),
            ("{}", vector(&[])),
        ] {
            assert_eq!(LoggedClock::of_text(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_clock_is_named() {
        for (text, expected) in [
            (r#"{"a":-1}"#, "the clock's entry for a is negative: -1"),
            (r#"{"a":1.5}"#, "the clock's entry for a is no integer: 1.5"),
            (
                r#"{"a":1e30}"#,
                "the clock's entry for a is too large: 1e+30",
            ),
            (
                r#"{"a":18446744073709551616}"#,
                "the clock's entry for a is too large: 1.8446744073709552e+19",
            ),
            (
                r#"{"a":null}"#,
                "the clock's entry for a is not a number: null",
            ),
            (
                r#"{"a":"x"}"#,
                "the clock's entry for a is not a number: \"x\"",
            ),
            (r#"{"a":{}}"#, "the clock's entry for a is not a number: {}"),
            ("[1,-2]", "the clock's entry 1 is negative: -2"),
            ("[]", "the clock has no entries"),
            ("-3", "the clock is negative: -3"),
            ("0.5", "the clock is no integer: 0.5"),
        ] {
            assert_eq!(
                LoggedClock::of_text(text),
                Err(expected.to_owned()),
                "{text}"
            );
        }
        for text in [
            "",
            "null",
            "true",
            "x",
            "{",
            r#""""#,
            r#""\"1\"""#,
            "NaN",
            "1e999",
        ] {
            let why = LoggedClock::of_text(text).unwrap_err();
            assert!(
                why.starts_with("the clock is not a JSON object"),
                "{text}: {why}"
            );
        }
    }
}
