//! The way of each message between the lanes: along the line of its send, down a column beside the receiver's lane, and along the
//! line of its receive.

use std::{cmp::Reverse, collections::BinaryHeap};

use hashbrown::HashMap;

use crate::trace::EventId;

/// A message between two lanes of the diagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    /// Its send, and the lane of that.
    pub(super) from: (EventId, usize),
    /// Its receive, and the lane of that.
    pub(super) to: (EventId, usize),
    /// The lines of both.
    pub(super) rows: (usize, usize),
    /// Whether the link is inferred.
    pub(super) inferred: bool,
}

/// The part of a message on the line of its send or receive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// The column that it goes down.
    pub(super) column: usize,
    /// Whether the link is inferred.
    pub(super) inferred: bool,
}

/// The ways of all messages.
#[derive(Debug, Default)]
pub(super) struct Routes {
    /// For each send, the columns at which its messages turn down.
    pub(super) sent: HashMap<EventId, Vec<Turn>>,
    /// For each receive, the columns from which its messages come.
    pub(super) received: HashMap<EventId, Vec<Turn>>,
    /// The vertical parts, the first to begin at the end: its line, its last line, its column.
    waiting: Vec<(usize, usize, usize)>,
    /// Those on the present line: the last line, and the column.
    active: BinaryHeap<Reverse<(usize, usize)>>,
}

impl Routes {
    /// Finds a way for each message where there is a free column. `messages` are in the order of their sends. Lanes are `width` columns
    /// apart, of which the first `taken` are for the mark and the message's number.
    pub(super) fn new(messages: &[Message], lanes: usize, width: usize, taken: usize) -> Self {
        let mut routes = Self::default();
        // The last line on which each column is used, and one more.
        let mut free_from = vec![0; lanes * width];
        for message in messages {
            let (from, to) = (message.from.1, message.to.1);
            let candidates = columns(from, to, width, taken);
            let mut candidates = candidates.into_iter();
            let Some(column) = candidates.find(|column| free_from[*column] <= message.rows.0)
            else {
                continue;
            };
            free_from[column] = message.rows.1 + 1;
            let turn = Turn {
                column,
                inferred: message.inferred,
            };
            routes.sent.entry(message.from.0).or_default().push(turn);
            routes.received.entry(message.to.0).or_default().push(turn);
            routes
                .waiting
                .push((message.rows.0, message.rows.1, column));
        }
        routes.waiting.sort_unstable_by_key(|part| Reverse(*part));
        routes
    }

    /// The columns with a vertical part on this line that neither begins nor ends there. Lines are asked for from top to bottom.
    pub(super) fn passing(&mut self, row: usize) -> impl Iterator<Item = usize> {
        while let Some((first, last, column)) = self.waiting.last().copied() {
            if first >= row {
                break;
            }
            self.active.push(Reverse((last, column)));
            self.waiting.pop();
        }
        while self.active.peek().is_some_and(|part| part.0.0 <= row) {
            self.active.pop();
        }
        self.active.iter().map(|part| part.0.1)
    }
}

/// The columns beside the receiver's lane, on the sender's side; the best first: with room for the head of the arrow.
fn columns(from: usize, to: usize, width: usize, taken: usize) -> Vec<usize> {
    if from < to {
        let (first, end) = ((to - 1) * width + taken, to * width);
        let mut columns: Vec<usize> = (first..end).rev().collect();
        if columns.len() > 1 {
            columns.rotate_left(1);
        }
        columns
    } else {
        // The head of the arrow is between the mark and the number.
        let taken = if taken > 1 { taken + 1 } else { taken };
        let (first, end) = (to * width + taken, (to + 1) * width);
        let mut columns: Vec<usize> = (first..end).collect();
        if columns.len() > 1 && taken == 1 {
            columns.rotate_left(1);
        }
        columns
    }
}
