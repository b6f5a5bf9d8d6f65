//! The lanes, and the line of each event.

use std::ops::Range;

use common::event::Kind;
use hashbrown::HashSet;

use super::routes::{Message, Routes, Turn};
use crate::trace::{
    EventId, NONE,
    computation::Computation,
    lane_order::lane_order,
    words::{short_name, shortened, words},
};

/// The width of the two columns on the left: the event's number, and its Lamport time.
const NUMBERS: usize = 15;
/// The least width of the sentences.
const SENTENCE: usize = 36;
/// The part of the window that the lanes take, if that is wide enough for their names.
const LANES: f64 = 0.4;
/// The least width of a lane with a name, and with a letter.
const NAMED: usize = 8;
const LETTERED: usize = 2;

/// The marks of events, and their legend.
pub(super) const MARKS: [(char, &str); 7] = [
    ('●', "● sends"),
    ('○', "○ receives"),
    ('■', "■ local"),
    ('◇', "◇ connects, accepts, closes, checks"),
    ('┬', "┬ starts, is ready"),
    ('┴', "┴ stops"),
    ('✗', "✗ fails"),
];

/// The mark of a lost message, and its legend.
pub(super) const LOST: &str = "× lost";

pub(super) fn mark(role: Kind) -> char {
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

/// The letter of a lane whose name does not fit.
fn letter(lane: usize) -> char {
    let letters = ('A'..='Z').chain('a'..='z');
    letters.into_iter().nth(lane).unwrap_or('?')
}

/// The most lanes with letters.
const LETTERS: usize = 52;

pub(super) struct Diagram<'c> {
    computation: &'c Computation,
    /// The processes with a lane, from left to right.
    lanes: Vec<u32>,
    /// The lane of each process, or none.
    lane_of: Vec<u32>,
    /// The width of a lane.
    width: usize,
    /// Whether lanes have letters in place of names.
    lettered: bool,
    /// The number of processes without a lane.
    pub(super) hidden: usize,
    /// The width of a sentence.
    sentence: usize,
    /// The number of each message at its send, from 1 in causal order; 0 at all other events.
    numbers: Vec<u32>,
    /// Whether the lanes are wide enough for the numbers.
    numbered: bool,
    routes: Routes,
    /// The duplicated receives.
    duplicates: HashSet<EventId>,
}

impl<'c> Diagram<'c> {
    pub(super) fn new(computation: &'c Computation, range: Range<usize>, columns: usize) -> Self {
        let trace = &computation.trace;
        let mut events = vec![0; trace.processes.len()];
        for id in &computation.order.sequence[range.clone()] {
            events[trace.events[*id].process as usize] += 1;
        }
        let order = lane_order(trace, &computation.links);
        let mut lanes: Vec<u32> = order
            .into_iter()
            .filter(|process| events[*process as usize] > 0)
            .collect();
        let room = columns.saturating_sub(NUMBERS + 1 + SENTENCE);
        let name_of = |process: &u32| trace.processes[*process as usize].name.chars().count();
        let longest = lanes.iter().map(name_of).max().unwrap_or(0);
        let lettered = lanes.len() * NAMED.min(longest + 2) > room;
        let fit = (room / LETTERED).clamp(2, LETTERS);
        let hidden = lanes.len().saturating_sub(fit);
        if hidden > 0 {
            let mut by_events: Vec<u32> = lanes.clone();
            by_events.sort_by_key(|process| std::cmp::Reverse(events[*process as usize]));
            let kept: HashSet<u32> = by_events.into_iter().take(fit).collect();
            lanes.retain(|process| kept.contains(process));
        }
        let numbers = numbers(computation, range.end);
        let most = range.clone().map(|place| {
            let id = computation.order.sequence[place];
            numbers[id]
        });
        let digits = most.max().unwrap_or(0).to_string().len();
        // A mark, a number with its sign, a column for a message and the head of its arrow.
        let numbered_width = digits + 5;
        let count = lanes.len().max(1);
        let width = if lettered {
            (room / count).clamp(LETTERED, LETTERED + 2)
        } else {
            let wanted = (longest + 2).max(NAMED).max(numbered_width + 1);
            let few = (columns as f64 * LANES) as usize / count;
            (room / count).min(few.max(NAMED)).clamp(3, wanted)
        };
        let numbered = width >= numbered_width;
        let mut lane_of = vec![NONE; trace.processes.len()];
        for (lane, process) in (0..).zip(&lanes) {
            lane_of[*process as usize] = lane;
        }
        let sentence = columns.saturating_sub(NUMBERS + width * lanes.len() + 1);
        let mut diagram = Self {
            computation,
            lanes,
            lane_of,
            width,
            lettered,
            hidden,
            sentence: sentence.max(SENTENCE),
            numbers,
            numbered,
            routes: Routes::default(),
            duplicates: HashSet::new(),
        };
        diagram.route(range, if numbered { digits + 2 } else { 1 });
        diagram
    }

    /// Finds the ways of the messages whose send and receive are both drawn.
    fn route(&mut self, range: Range<usize>, taken: usize) {
        let (trace, order) = (&self.computation.trace, &self.computation.order);
        let links = &self.computation.links;
        let mut messages = Vec::new();
        for place in range.clone() {
            let id = order.sequence[place];
            for link in links.to(id) {
                if links.is_duplicate(trace, link) {
                    self.duplicates.insert(id);
                }
                let sent = order.rank[link.from] as usize;
                let lanes = (self.lane(link.from), self.lane(id));
                if let (Some(from), Some(to)) = lanes
                    && from != to
                    && range.contains(&sent)
                {
                    messages.push(Message {
                        from: (link.from, from),
                        to: (id, to),
                        rows: (sent, place),
                        inferred: link.inferred,
                    });
                }
            }
        }
        messages.sort_by_key(|message| message.rows);
        self.routes = Routes::new(&messages, self.lanes.len(), self.width, taken);
    }

    fn lane(&self, id: EventId) -> Option<usize> {
        let process = self.computation.trace.events[id].process;
        let lane = self.lane_of[process as usize];
        (lane != NONE).then_some(lane as usize)
    }

    /// Whether a message that is sent here is lost, for all or for some of its receivers.
    pub(super) fn is_lost(&self, id: EventId) -> bool {
        let traffic = &self.computation.traffic;
        traffic.lost_sends.binary_search(&id).is_ok()
    }

    pub(super) fn head(&self) -> String {
        let mut head = format!("{:>7}{:>6}  ", "event", "time");
        for (lane, process) in self.lanes.iter().enumerate() {
            let name = &self.computation.trace.processes[*process as usize].name;
            let name = match self.lettered {
                true => letter(lane).to_string(),
                false => short_name(name, self.width - 1),
            };
            head.push_str(&name);
            head.extend(std::iter::repeat_n(' ', self.width - name.chars().count()));
        }
        head.trim_end().to_owned()
    }

    /// The names of the lettered lanes, in lines of this width.
    pub(super) fn key(&self, columns: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        if !self.lettered {
            return lines;
        }
        for (lane, process) in self.lanes.iter().enumerate() {
            let name = &self.computation.trace.processes[*process as usize].name;
            let entry = format!(
                "{} {}",
                letter(lane),
                short_name(name, columns.saturating_sub(2))
            );
            match lines.last_mut() {
                Some(line) if line.chars().count() + 2 + entry.chars().count() <= columns => {
                    line.push_str("  ");
                    line.push_str(&entry);
                }
                _ => lines.push(entry),
            }
        }
        lines
    }

    /// The line of the event at this place; none without a lane. Lines are asked for from top to bottom.
    pub(super) fn row(&mut self, place: usize, id: EventId) -> Option<String> {
        let lane = self.lane(id)?;
        let own = lane * self.width;
        let cells = self.cells(place, id, own);
        let cells: String = cells.into_iter().collect();
        let computation = self.computation;
        let time = computation.order.shown_time(&computation.trace, id);
        let time = time.map_or_else(String::new, |time| time.to_string());
        let sentence = self.sentence_of(id);
        Some(format!("{place:>7} {time:>5}  {cells} {sentence}"))
    }

    fn cells(&mut self, place: usize, id: EventId, own: usize) -> Vec<char> {
        let trace = &self.computation.trace;
        let rank = &self.computation.order.rank;
        let mut cells: Vec<char> = vec![' '; self.width * self.lanes.len()];
        for (lane, process) in self.lanes.iter().enumerate() {
            let events = &trace.processes[*process as usize].events;
            let (first, last) = (rank[events.start] as usize, rank[events.end - 1] as usize);
            if (first..=last).contains(&place) {
                cells[lane * self.width] = '│';
            }
        }
        for column in self.routes.passing(place) {
            cells[column] = '┊';
        }
        let sent = self.routes.sent.get(&id).map_or(&[][..], Vec::as_slice);
        let received = self.routes.received.get(&id).map_or(&[][..], Vec::as_slice);
        for (turns, corners) in [(sent, ['╭', '╮', '┬']), (received, ['╰', '╯', '┴'])] {
            horizontal(&mut cells, own, turns, corners);
        }
        let is_from = |left: bool| received.iter().any(|turn| (turn.column < own) == left);
        // A message without a way of its own, or from above the first line, has the head of its arrow.
        let others = self.computation.links.to(id);
        let mut heads = [is_from(true), is_from(false)];
        if others.len() > received.len() {
            for link in others {
                match self.lane(link.from).map(|lane| lane * self.width) {
                    Some(from) if from < own => heads[0] = true,
                    Some(from) if from > own => heads[1] = true,
                    _ => {}
                }
            }
        }
        if heads[0] && own > 0 && matches!(cells[own - 1], ' ' | '─' | '╌') {
            cells[own - 1] = '▶';
        }
        let mut at = own + 1;
        if heads[1] && matches!(cells.get(at), Some(' ' | '─' | '╌')) {
            cells[at] = '◀';
            at += 1;
        }
        cells[own] = mark(self.computation.role(id));
        if self.numbered {
            let number: Vec<char> = self.number(id).chars().collect();
            for letter in number {
                if let Some(cell) = cells.get_mut(at).filter(|_| at < own + self.width) {
                    *cell = letter;
                }
                at += 1;
            }
        }
        if self.is_lost(id)
            && let Some(cell) = cells.get_mut(at).filter(|_| at < own + self.width)
        {
            *cell = '×';
        }
        cells
    }

    /// The numbers of the messages that are sent or received here, as `#1`.
    fn number(&self, id: EventId) -> String {
        if self.numbers[id] > 0 && self.computation.links.to(id).is_empty() {
            return format!("#{}", self.numbers[id]);
        }
        let mut numbers: Vec<String> = Vec::new();
        for link in self.computation.links.to(id) {
            numbers.push(format!("#{}", self.numbers[link.from]));
        }
        if self.numbers[id] > 0 {
            numbers.push(format!("#{}", self.numbers[id]));
        }
        numbers.join(" ")
    }

    fn sentence_of(&self, id: EventId) -> String {
        let (trace, traffic) = (&self.computation.trace, &self.computation.traffic);
        let name = &trace.process_of(id).name;
        let mut sentence = format!("{name} {}", words(trace, id));
        let mut after = String::new();
        let links = self.computation.links.to(id);
        let several = links.len() + usize::from(self.numbers[id] > 0) > 1;
        if (!self.numbered || several) && !self.number(id).is_empty() {
            after.push(' ');
            after.push_str(&self.number(id));
        }
        if links.iter().any(|link| self.lane(link.from).is_none()) {
            after.push_str(" (its lane does not fit)");
        }
        let missed = traffic.missed(trace, &self.computation.links, id);
        let members: Vec<&str> = missed
            .iter()
            .map(|process| trace.processes[*process as usize].name.as_str())
            .collect();
        let lost_for = format!("lost on the way to {}", members.join(", "));
        for (applies, words) in [
            (self.is_lost(id), "lost"),
            (!missed.is_empty(), &*lost_for),
            (self.duplicates.contains(&id), "duplicate"),
            (traffic.reordered_receives.contains(&id), "reordered"),
        ] {
            if !applies {
                continue;
            }
            // The receiver may have logged the same.
            if let Some(rest) = sentence.strip_suffix(&format!(", {words}")) {
                sentence = rest.to_owned();
            }
            after.push_str(&format!(" ({words})"));
        }
        let room = self.sentence.saturating_sub(after.chars().count());
        shortened(&sentence, room.max(SENTENCE / 2)) + &after
    }
}

/// The numbers of the messages that are sent before this place in the order.
fn numbers(computation: &Computation, until: usize) -> Vec<u32> {
    let mut numbers = vec![0; computation.trace.events.len()];
    let mut last = 0;
    for id in &computation.order.sequence[..until] {
        let is_send = computation.trace.events[*id].kind == Kind::Send;
        if is_send || computation.links.from(*id).len() > 0 {
            last += 1;
            numbers[*id] = last;
        }
    }
    numbers
}

/// Draws the messages of one event along its line: from its own column to those at which they turn.
fn horizontal(cells: &mut [char], own: usize, turns: &[Turn], corners: [char; 3]) {
    let [left, right, between] = corners;
    for is_left in [true, false] {
        let side = || turns.iter().filter(|turn| (turn.column < own) == is_left);
        let columns = || side().map(|turn| turn.column);
        let farthest = match is_left {
            true => columns().min(),
            false => columns().max(),
        };
        let Some(farthest) = farthest else { continue };
        let dash = match side().all(|turn| turn.inferred) {
            true => '╌',
            false => '─',
        };
        for cell in &mut cells[farthest.min(own)..=farthest.max(own)] {
            // It crosses lanes, and passes over other messages.
            *cell = match *cell {
                '│' => '┼',
                _ => dash,
            };
        }
        for column in columns() {
            cells[column] = match column == farthest {
                false => between,
                true if is_left => left,
                true => right,
            };
        }
    }
}
