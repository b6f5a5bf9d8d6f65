//! The results in the forms in which they are read.

pub mod csv;
pub mod junit;
pub mod services;
pub mod text;

use clap::ValueEnum;
use common::exit::Failure;
use serde::Deserialize;

use crate::results::{Results, Submission};

/// The form of the results.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Lines for people
    #[default]
    Text,
    /// The results, version 1
    Json,
    /// Gradescope's results.json
    Gradescope,
    /// JUnit's XML
    Junit,
    /// GitHub Classroom's report
    Github,
}

/// The whole document in this form; none where the form is lines that were shown already.
///
/// # Errors
/// When the form has room for one submission, and there are others (exit code 2).
pub fn document(results: &Results, format: Format) -> Result<Option<String>, Failure> {
    Ok(match format {
        Format::Text => None,
        Format::Json => serde_json::to_string_pretty(results).ok(),
        Format::Gradescope => Some(format!(
            "{:#}",
            services::gradescope(one(results, "gradescope")?)
        )),
        Format::Github => Some(format!("{:#}", services::github(one(results, "github")?))),
        Format::Junit => Some(junit::document(results)),
    })
}

/// The one submission of a form that has no room for more.
fn one<'r>(results: &'r Results, form: &str) -> Result<&'r Submission, Failure> {
    match results.submissions.as_slice() {
        [submission] => Ok(submission),
        all => {
            let why = format!(
                "{form} is the form of one submission, and there are {}",
                all.len()
            );
            Err(Failure::could_not_run("--format", why))
        }
    }
}
