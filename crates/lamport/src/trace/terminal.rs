//! The space-time diagram as text: a lane for each process, a line for each event, from top to bottom.

use std::{
    collections::HashSet, io::IsTerminal, ops::Range, sync::Arc, time::Duration, time::UNIX_EPOCH,
};

use common::{
    event::{Kind, Time},
    journal::Journal,
};

use super::{
    EventId,
    computation::Computation,
    order::LogicalTime,
    words::{short_name, shortened, words},
};
use crate::reporting::line;

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

/// The width of the two columns on the left: the event's number, and its Lamport time.
const NUMBERS: usize = 15;

/// The least width of the sentences.
const SENTENCE: usize = 36;

/// The part of the window that the lanes take, if that is wide enough for their names.
const LANES: f64 = 0.4;

/// Prints the diagram of these positions in the order.
pub fn draw(computation: &Computation, range: Range<usize>, window: &Window, journal: &Journal) {
    let diagram = Diagram::new(computation, &range, window);
    journal.record(line(diagram.head()));
    let trace = &computation.trace;
    let (mut computed, mut marks) = (false, HashSet::new());
    for place in range {
        let id = computation.order.sequence[place];
        let event = &trace.events[id];
        if diagram.lane(event.process).is_none() {
            continue;
        }
        let time = computation.order.shown_time(trace, id);
        computed |= matches!(time, Some(LogicalTime::Computed(_)));
        marks.insert(mark(computation.role(id)));
        let mut row = line(diagram.row(place, id));
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
    legend.push("── message");
    if computation.traffic.inferred > 0 {
        legend.push("╌╌ inferred");
    }
    if computed {
        legend.push("(1) computed Lamport time");
    }
    journal.record(line(legend.join("  ")));
    if diagram.hidden > 0 {
        let text = format!(
            "{} more processes do not fit; --html shows all",
            diagram.hidden
        );
        journal.record(line(text));
    }
}

struct Diagram<'c> {
    computation: &'c Computation,
    /// The processes with a lane.
    lanes: Vec<u32>,
    /// The width of a lane.
    width: usize,
    /// The number of processes without a lane.
    hidden: usize,
    /// The width of a sentence.
    sentence: usize,
}

impl<'c> Diagram<'c> {
    fn new(computation: &'c Computation, range: &Range<usize>, window: &Window) -> Self {
        let mut events = vec![0; computation.trace.processes.len()];
        for id in &computation.order.sequence[range.clone()] {
            events[computation.trace.events[*id].process as usize] += 1;
        }
        let mut lanes: Vec<u32> = (0..)
            .zip(&events)
            .filter(|(_, n)| **n > 0)
            .map(|(p, _)| p)
            .collect();
        let room = window.columns.saturating_sub(NUMBERS + 1 + SENTENCE);
        const NARROWEST: usize = 3;
        let fit = (room / NARROWEST).max(2);
        let hidden = lanes.len().saturating_sub(fit);
        if hidden > 0 {
            lanes.sort_by_key(|process| std::cmp::Reverse(events[*process as usize]));
            lanes.truncate(fit);
            lanes.sort_unstable();
        }
        let longest = lanes.iter().map(|process| {
            computation.trace.processes[*process as usize]
                .name
                .chars()
                .count()
        });
        let wanted = longest.max().unwrap_or(0) + 2;
        let few = (window.columns as f64 * LANES) as usize / lanes.len().max(1);
        let width = (room / lanes.len().max(1)).min(few.max(8));
        let width = width.clamp(NARROWEST, wanted.max(8));
        let sentence = window
            .columns
            .saturating_sub(NUMBERS + width * lanes.len() + 1);
        Self {
            computation,
            lanes,
            width,
            hidden,
            sentence: sentence.max(SENTENCE),
        }
    }

    fn lane(&self, process: u32) -> Option<usize> {
        self.lanes.binary_search(&process).ok()
    }

    fn head(&self) -> String {
        let mut head = format!("{:>7}{:>6}  ", "event", "time");
        for process in &self.lanes {
            let name = &self.computation.trace.processes[*process as usize].name;
            let name = short_name(name, self.width - 1);
            head.push_str(&name);
            head.extend(std::iter::repeat_n(' ', self.width - name.chars().count()));
        }
        head.trim_end().to_owned()
    }

    fn row(&self, place: usize, id: EventId) -> String {
        let trace = &self.computation.trace;
        let event = &trace.events[id];
        let (links, rank) = (&self.computation.links, &self.computation.order.rank);
        let mut cells: Vec<char> = vec![' '; self.width * self.lanes.len()];
        for (lane, process) in self.lanes.iter().enumerate() {
            let own = &trace.processes[*process as usize].events;
            let (first, last) = (rank[own.start] as usize, rank[own.end - 1] as usize);
            if (first..=last).contains(&place) {
                cells[lane * self.width] = '│';
            }
        }
        let own = self.lane(event.process).expect("it has a lane") * self.width;
        let mut hidden = false;
        for link in links.to(id) {
            match self.lane(trace.events[link.from].process) {
                Some(lane) if lane * self.width != own => {
                    draw_message(&mut cells, lane * self.width, own, link.inferred);
                }
                Some(_) => {}
                None => hidden = true,
            }
        }
        cells[own] = mark(self.computation.role(id));
        let name = &trace.processes[event.process as usize].name;
        let mut sentence = format!("{name} {}", words(trace, id));
        if hidden {
            sentence.push_str(" (its lane does not fit)");
        }
        for (applies, words) in [
            (
                self.computation
                    .traffic
                    .lost_sends
                    .binary_search(&id)
                    .is_ok(),
                " (lost)",
            ),
            (
                self.computation.traffic.reordered_receives.contains(&id),
                " (reordered)",
            ),
        ] {
            if applies {
                sentence.push_str(words);
            }
        }
        let cells: String = cells.into_iter().collect();
        let time = self.computation.order.shown_time(trace, id);
        let time = time.map_or_else(String::new, |time| time.to_string());
        let sentence = shortened(&sentence, self.sentence);
        format!("{place:>7} {time:>5}  {cells} {sentence}")
    }
}

/// Draws the line of a message from one lane to another.
fn draw_message(cells: &mut [char], from: usize, to: usize, inferred: bool) {
    let dash = if inferred { '╌' } else { '─' };
    for cell in &mut cells[from.min(to)..from.max(to)] {
        *cell = if *cell == '│' { '┼' } else { dash };
    }
    if from < to {
        cells[from] = '├';
        cells[to - 1] = '▶';
    } else {
        cells[from] = '┤';
        if from - to > 1 {
            cells[to + 1] = '◀';
        }
    }
}

/// The marks of events, and their legend.
const MARKS: [(char, &str); 7] = [
    ('●', "● sends"),
    ('○', "○ receives"),
    ('■', "■ local"),
    ('◇', "◇ connects, accepts, closes, checks"),
    ('┬', "┬ starts, is ready"),
    ('┴', "┴ stops"),
    ('✗', "✗ fails"),
];

fn mark(role: Kind) -> char {
    match role {
        Kind::Send => '●',
        Kind::Receive => '○',
        Kind::Start | Kind::Ready => '┬',
        Kind::Stop => '┴',
        Kind::Error => '✗',
        Kind::Local | Kind::Resolve | Kind::Register => '■',
        // Events of connections and of the program's lifecycle.
        _ => '◇',
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
            '✗' => "\x1b[31m",
            '■' => "\x1b[33m",
            _ => "",
        };
        let quiet = "│├┤┼─╌▶◀┬┴".contains(letter);
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
