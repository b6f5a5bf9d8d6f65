//! From when to when a connection was served, and by which thread: experiment 3's picture of threads.

use common::event::Kind;

use super::{EventId, Trace, words::Fields};
use hashbrown::HashMap;

/// A connection on the thread that served it.
#[derive(Clone, Debug)]
pub struct Served {
    /// The thread.
    pub thread: u32,
    /// It was accepted, or made; or what the thread did before was over.
    pub from: EventId,
    /// It was closed.
    pub until: EventId,
    /// The other side.
    pub peer: String,
}

/// All connections whose end is in the logs.
pub fn served(trace: &Trace) -> Vec<Served> {
    let mut all = Vec::new();
    for process in &trace.processes {
        let mut open: HashMap<String, EventId> = HashMap::new();
        // Where the last connection of each thread ended.
        let mut ended: HashMap<u32, EventId> = HashMap::new();
        for id in process.events.clone() {
            let event = &trace.events[id];
            if !matches!(event.kind, Kind::Accept | Kind::Connect | Kind::Close) {
                continue;
            }
            let fields = Fields::of(trace, id);
            let Some(peer) = fields.get("peer") else {
                continue;
            };
            if event.kind != Kind::Close {
                open.insert(peer.to_owned(), id);
                continue;
            }
            let Some(from) = open.remove(peer) else {
                continue;
            };
            let before = ended.insert(event.thread, id);
            // A thread that serves one after the other begins with the next one when it is done with the last.
            let queued =
                before.filter(|before| *before > from && trace.events[from].thread != event.thread);
            all.push(Served {
                thread: event.thread,
                from: queued.unwrap_or(from),
                until: id,
                peer: peer.to_owned(),
            });
        }
    }
    all
}
