//! The results in the forms in which they are read.

pub mod text;

use clap::ValueEnum;
use serde::Deserialize;

use crate::results::Results;

/// The form of the results.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Lines for people
    #[default]
    Text,
    /// The results, version 1
    Json,
}

/// The whole document in this form; none where the form is lines that were shown already.
pub fn document(results: &Results, format: Format) -> Option<String> {
    match format {
        Format::Text => None,
        Format::Json => serde_json::to_string_pretty(results).ok(),
    }
}
