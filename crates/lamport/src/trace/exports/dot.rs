//! A graph for Graphviz: a row of events for each process, and an edge for each message.

use std::io::{self, Write};

use crate::trace::{
    EventId,
    computation::Computation,
    words::{shortened, words},
};

/// Writes the graph.
///
/// # Errors
/// Those of the writer.
pub fn write(computation: &Computation, out: &mut dyn Write) -> io::Result<()> {
    let trace = &computation.trace;
    let node = |id: EventId| format!("e{}", computation.order.rank[id]);
    writeln!(
        out,
        "digraph trace {{\n  rankdir=LR;\n  node [shape=box, fontsize=10];"
    )?;
    for (number, process) in trace.processes.iter().enumerate() {
        writeln!(
            out,
            "  subgraph cluster_{number} {{\n    label={};",
            quoted(&process.name)
        )?;
        for id in process.events.clone() {
            let time = computation.order.shown_time(trace, id);
            let time = time.map_or_else(String::new, |time| format!("{time}: "));
            let label = format!("{time}{}", shortened(&words(trace, id), 60));
            writeln!(out, "    {} [label={}];", node(id), quoted(&label))?;
        }
        for id in process.events.clone().skip(1) {
            writeln!(
                out,
                "    {} -> {} [weight=10, arrowhead=none];",
                node(id - 1),
                node(id)
            )?;
        }
        writeln!(out, "  }}")?;
    }
    for link in computation.links.all() {
        let style = if link.inferred { "dashed" } else { "solid" };
        writeln!(
            out,
            "  {} -> {} [style={style}, color=blue];",
            node(link.from),
            node(link.to)
        )?;
    }
    writeln!(out, "}}")
}

/// Quotes a text for DOT: backslashes and quotes are escaped.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
