//! The arguments of the command `trace`.

use std::path::PathBuf;

use common::exit::Failure;

use crate::{
    config::Options,
    trace_flags::{Axis, FieldNames, Lanes, Range, TraceFiles},
};

/// The logs to read, and what to make of them.
#[derive(Clone, Debug)]
pub struct TraceArgs {
    /// Event logs, and folders of them.
    pub files: Vec<PathBuf>,
    /// Verify the execution.
    pub check: bool,
    /// Whether all findings are listed.
    pub all_findings: bool,
    /// The layout of logs with clocks.
    pub regex: Option<String>,
    /// The fields of lines of JSON.
    pub fields: Option<FieldNames>,
    /// What separates two executions in such a log.
    pub delimiter: Option<String>,
    /// Only these events.
    pub range: Option<Range>,
    /// The horizontal axis of the SVG.
    pub axis: Option<Axis>,
    /// The lanes of the SVG.
    pub lanes: Option<Lanes>,
    /// Where to write a page.
    pub html: Option<PathBuf>,
    /// Where to write an SVG image.
    pub svg: Option<PathBuf>,
    /// Where to write a log for ShiViz.
    pub shiviz: Option<PathBuf>,
    /// Where to write a diagram for Mermaid.
    pub mermaid: Option<PathBuf>,
    /// Where to write a trace for Perfetto.
    pub perfetto: Option<PathBuf>,
    /// Where to write a graph for Graphviz.
    pub dot: Option<PathBuf>,
}

impl TraceArgs {
    /// Takes them from the options.
    ///
    /// # Errors
    /// When a flag means nothing beside the others (exit code 2).
    pub fn new(files: &TraceFiles, options: &Options) -> Result<Self, Failure> {
        let options = options.clone();
        let given = &options.given;
        if options.regex.is_some() {
            let why = "goes without --regex: a log has one layout";
            given.refuse(&["--fields"], why)?;
        }
        if options.fields.is_some() {
            let why = "goes without --fields: lines of JSON are one execution";
            given.refuse(&["--delimiter"], why)?;
        }
        if options.svg.is_none() {
            given.refuse(&["--axis", "--lanes"], "goes with --svg")?;
            let check = options.check == Some(true);
            let files = [
                &options.html,
                &options.shiviz,
                &options.perfetto,
                &options.dot,
            ];
            let writes = files.iter().any(|file| file.is_some());
            let in_part = options.show.is_some() || options.mermaid.is_some();
            if !in_part && (check || writes) {
                let why =
                    "goes with --svg, --mermaid or --show: nothing else of this is drawn in part";
                given.refuse(&["--range"], why)?;
            }
        }
        Ok(Self {
            files: files.files.clone(),
            check: options.check.unwrap_or(false),
            all_findings: options.all_findings.unwrap_or(false),
            regex: options.regex,
            fields: options.fields,
            delimiter: options.delimiter,
            range: options.range,
            axis: options.axis,
            lanes: options.lanes,
            html: options.html,
            svg: options.svg,
            shiviz: options.shiviz,
            mermaid: options.mermaid,
            perfetto: options.perfetto,
            dot: options.dot,
        })
    }
}
