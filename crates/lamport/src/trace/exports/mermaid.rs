//! A sequence diagram for Mermaid.
//!
//! Mermaid draws a message as one horizontal arrow, as if it were received when it is sent. A message is drawn so if no other
//! event must be between the two; otherwise a note shows the send, and a dotted arrow with the same number the receive.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use crate::trace::{
    EventId,
    computation::Computation,
    words::{shortened, words},
};

/// Writes the diagram.
///
/// # Errors
/// Those of the writer.
pub fn write(computation: &Computation, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "sequenceDiagram")?;
    for (number, process) in computation.trace.processes.iter().enumerate() {
        writeln!(out, "  participant P{number} as {}", escaped(&process.name))?;
    }
    let mut drawing = Drawing {
        computation,
        out,
        done: vec![false; computation.trace.events.len()],
        numbers: HashMap::new(),
    };
    for id in &computation.order.sequence {
        if !drawing.done[*id] {
            drawing.event(*id)?;
        }
    }
    Ok(())
}

struct Drawing<'c, 'o> {
    computation: &'c Computation,
    out: &'o mut dyn Write,
    done: Vec<bool>,
    /// The numbers of the messages whose send is a note.
    numbers: HashMap<EventId, usize>,
}

impl Drawing<'_, '_> {
    fn event(&mut self, id: EventId) -> io::Result<()> {
        let links = &self.computation.links;
        self.done[id] = true;
        let process = self.computation.trace.events[id].process;
        let effects: Vec<EventId> = links.from(id).collect();
        let number = match effects.as_slice() {
            [] => String::new(),
            [receive] if links.to(id).is_empty() && self.can_be_next(*receive) => {
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
        match links.to(id) {
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
