//! A sequence diagram for Mermaid.
//!
//! Mermaid draws a message as one horizontal arrow, as if it were received when it is sent. A message is drawn so if no other
//! event must be between the two; otherwise a note shows the send, and a dotted arrow with the same number the receive.

use std::{
    collections::HashMap,
    io::{self, Write},
    ops::Range,
};

use crate::trace::{
    EventId,
    computation::Computation,
    lane_order::lane_order,
    words::{shortened, words},
};

/// The most characters of a diagram that Mermaid draws by default: `maxTextSize` in its configuration.
pub const LIMIT: usize = 50_000;

/// The diagram of these positions in the causal order.
pub fn text(computation: &Computation, range: Range<usize>) -> String {
    let sequence = &computation.order.sequence;
    let mut text = Vec::new();
    let written = write(computation, range.clone(), &mut text);
    written.expect("a text in memory takes everything");
    debug_assert!(range.end <= sequence.len());
    String::from_utf8(text).expect("it was written as text")
}

fn write(computation: &Computation, range: Range<usize>, out: &mut dyn Write) -> io::Result<()> {
    let drawn = &computation.order.sequence[range.clone()];
    let mut has_events = vec![false; computation.trace.processes.len()];
    for id in drawn {
        has_events[computation.trace.events[*id].process as usize] = true;
    }
    writeln!(out, "sequenceDiagram")?;
    for process in lane_order(&computation.trace, &computation.links) {
        if has_events[process as usize] {
            let name = &computation.trace.processes[process as usize].name;
            writeln!(out, "  participant P{process} as {}", escaped(name))?;
        }
    }
    let mut done = vec![true; computation.trace.events.len()];
    for id in drawn {
        done[*id] = false;
    }
    let mut drawing = Drawing {
        computation,
        out,
        range,
        done,
        numbers: HashMap::new(),
    };
    for id in drawn {
        if !drawing.done[*id] {
            drawing.event(*id)?;
        }
    }
    Ok(())
}

struct Drawing<'c, 'o> {
    computation: &'c Computation,
    out: &'o mut dyn Write,
    /// The positions that are drawn.
    range: Range<usize>,
    /// The events that are drawn already, and those that are not to be drawn.
    done: Vec<bool>,
    /// The numbers of the messages whose send is a note.
    numbers: HashMap<EventId, usize>,
}

impl Drawing<'_, '_> {
    fn event(&mut self, id: EventId) -> io::Result<()> {
        let links = &self.computation.links;
        self.done[id] = true;
        let process = self.computation.trace.events[id].process;
        let is_drawn = |id: EventId| {
            let position = self.computation.order.rank[id] as usize;
            self.range.contains(&position)
        };
        let effects: Vec<EventId> = links.from(id).filter(|id| is_drawn(*id)).collect();
        let causes: Vec<_> = links
            .to(id)
            .iter()
            .filter(|link| is_drawn(link.from))
            .collect();
        let number = match effects.as_slice() {
            [] => String::new(),
            [receive] if causes.is_empty() && self.can_be_next(*receive) => {
                self.done[*receive] = true;
                let to = self.computation.trace.events[*receive].process;
                let text = self.text(id);
                return writeln!(self.out, "  P{process}->>P{to}: {text}");
            }
            _ => {
                let number = self.numbers.len() + 1;
                self.numbers.insert(id, number);
                format!(" [{number}]")
            }
        };
        let text = self.text(id);
        match causes.as_slice() {
            [] => writeln!(self.out, "  Note over P{process}: {text}{number}"),
            [link] => {
                let sent = self.numbers[&link.from];
                let from = self.computation.trace.events[link.from].process;
                let inferred = if link.inferred { "inferred " } else { "" };
                writeln!(
                    self.out,
                    "  P{from}-->>P{process}: {inferred}[{sent}] {text}{number}"
                )
            }
            several => {
                let sent: Vec<_> = several
                    .iter()
                    .map(|link| format!("[{}]", self.numbers[&link.from]))
                    .collect();
                let sent = sent.join(" ");
                writeln!(
                    self.out,
                    "  Note over P{process}: after {sent} {text}{number}"
                )
            }
        }
    }

    /// Whether the receive can be drawn next: of its causes only the send, which was just written, is not drawn yet.
    fn can_be_next(&self, receive: EventId) -> bool {
        let (trace, links) = (&self.computation.trace, &self.computation.links);
        let before = trace.before(receive);
        let certain = |link: &crate::trace::matching::Link| !link.inferred;
        before.is_none_or(|before| self.done[before])
            && links.to(receive).len() == 1
            && links.to(receive).iter().all(certain)
            && links.from(receive).len() == 0
    }

    fn text(&self, id: EventId) -> String {
        const MOST: usize = 60;
        escaped(&shortened(&words(&self.computation.trace, id), MOST))
    }
}

/// Escapes special characters as character codes: Mermaid interprets some of them.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            ' ' => safe.push(letter),
            '\'' | '.' | ',' | '-' | '_' | '(' | ')' | '/' | '…' => safe.push(letter),
            letter if letter.is_alphanumeric() => safe.push(letter),
            letter => safe.push_str(&format!("#{};", u32::from(letter))),
        }
    }
    safe
}
