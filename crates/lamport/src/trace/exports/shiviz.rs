//! A log for ShiViz, in its default layout: each event, and below it its process and vector timestamp.

use std::{
    collections::HashSet,
    io::{self, Write},
};

use serde_json::{Map, Value};

use crate::trace::{computation::Computation, known, order, words::words};

/// Writes the log.
///
/// # Errors
/// Those of the writer.
pub fn write(computation: &Computation, out: &mut dyn Write) -> io::Result<()> {
    let trace = &computation.trace;
    let mut used = HashSet::new();
    let mut hosts: Vec<String> = Vec::new();
    for process in &trace.processes {
        // The name of a host ends at the first space.
        let mut host = process.name.replace(char::is_whitespace, "_");
        while !used.insert(host.clone()) {
            host.push('_');
        }
        hosts.push(host);
    }
    writeln!(out, "{}\n", known::SHIVIZ)?;
    let mut written = Ok(());
    order::walk(
        trace,
        &computation.links,
        &computation.order,
        |event, vector| {
            if written.is_err() {
                return;
            }
            let known = vector.iter().enumerate().filter(|(_, known)| **known > 0);
            let clock: Map<String, Value> = known
                .map(|(process, known)| (hosts[process].clone(), (*known).into()))
                .collect();
            let host = &hosts[trace.events[event].process as usize];
            let clock = Value::Object(clock);
            written = writeln!(out, "{}\n{host} {clock}", words(trace, event));
        },
    );
    written
}
