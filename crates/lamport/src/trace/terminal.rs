//! The space-time diagram as text: a lane for each process, a line for each event, from top to bottom.
//!
//! | module | job |
//! | --- | --- |
//! | `diagram` | the lanes, and the line of each event |
//! | `routes` | the way of each message between the lanes, from the line of its send to that of its receive |

mod diagram;
mod routes;

use std::{
    collections::HashSet, io::IsTerminal, ops::Range, sync::Arc, time::Duration, time::UNIX_EPOCH,
};

use common::{event::Time, journal::Journal, process::report::line};

use self::diagram::{Diagram, LOST, MARKS};
use super::{computation::Computation, order::LogicalTime};

/// The size of the window.
#[derive(Debug)]
pub struct Window {
    columns: usize,
    rows: Option<usize>,
}

impl Window {
    /// The size of the terminal; without one the usual width.
    pub fn present() -> Self {
        let usual = Self {
            columns: 120,
            rows: None,
        };
        if !std::io::stdout().is_terminal() {
            return usual;
        }
        match terminal_size::terminal_size() {
            Some((columns, rows)) => Self {
                columns: usize::from(columns.0).max(40),
                rows: Some(usize::from(rows.0)),
            },
            None => usual,
        }
    }

    /// How many events fit, beside the head, the legend and the summary.
    pub fn events(&self) -> usize {
        self.rows.map_or(30, |rows| rows.saturating_sub(6).max(5))
    }
}

/// Prints the diagram of these positions in the order.
pub fn draw(computation: &Computation, range: Range<usize>, window: &Window, journal: &Journal) {
    let mut diagram = Diagram::new(computation, range.clone(), window.columns);
    journal.record(line(diagram.head()));
    let trace = &computation.trace;
    let (mut computed, mut marks, mut lost) = (false, HashSet::new(), false);
    for place in range {
        let id = computation.order.sequence[place];
        let event = &trace.events[id];
        let Some(text) = diagram.row(place, id) else {
            continue;
        };
        let time = computation.order.shown_time(trace, id);
        computed |= matches!(time, Some(LogicalTime::Computed(_)));
        marks.insert(diagram::mark(computation.role(id)));
        lost |= diagram.is_lost(id);
        let mut row = line(text);
        row.meaning = Some(event.kind.word().into());
        row.clock = event.clock;
        let micros = event.time.unwrap_or(0).try_into().unwrap_or(0);
        row.time = Time::new(UNIX_EPOCH + Duration::from_micros(micros));
        let process: Arc<str> = trace.processes[event.process as usize].name.as_str().into();
        journal.record_of(&process, row);
    }
    let mut legend: Vec<&str> = MARKS
        .into_iter()
        .filter(|(mark, _)| marks.contains(mark))
        .map(|(_, words)| words)
        .collect();
    legend.push("#1 ─▶ message");
    if lost {
        legend.push(LOST);
    }
    if computation.traffic.inferred > 0 {
        legend.push("╌▶ inferred");
    }
    if computed {
        legend.push("(1) computed Lamport time");
    }
    journal.record(line(legend.join("  ")));
    for key in diagram.key(window.columns) {
        journal.record(line(key));
    }
    if diagram.hidden > 0 {
        let text = format!(
            "{} more processes do not fit; --html shows all",
            diagram.hidden
        );
        journal.record(line(text));
    }
}

/// A line of the diagram with colours: marks coloured, lines dimmed.
pub fn coloured(line: &str) -> String {
    let mut shown = String::with_capacity(line.len() + 32);
    let mut faint = false;
    for letter in line.chars() {
        let colour = match letter {
            '●' => "\x1b[36m",
            '○' => "\x1b[32m",
            '✗' | '×' => "\x1b[31m",
            '■' => "\x1b[33m",
            _ => "",
        };
        let quiet = "│┊┼─╌╭╮╰╯┬┴▶◀".contains(letter);
        if quiet != faint {
            shown.push_str(if quiet { "\x1b[2m" } else { "\x1b[0m" });
            faint = quiet;
        }
        shown.push_str(colour);
        shown.push(letter);
        if !colour.is_empty() {
            shown.push_str("\x1b[0m");
        }
    }
    if faint {
        shown.push_str("\x1b[0m");
    }
    shown
}
