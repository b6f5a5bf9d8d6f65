//! The time for which a connection was served, and the thread that served it: experiment 3's picture of threads.

use common::event::Kind;

use super::{EventId, Trace, words::Fields};
use hashbrown::HashMap;

/// A connection on the thread that served it.
#[derive(Clone, Debug)]
pub struct Served {
    /// The thread.
    pub thread: u32,
    /// The accept or connect; or the end of the thread's connection before.
    pub from: EventId,
    /// The close.
    pub until: EventId,
    /// The peer.
    pub peer: String,
}

/// All connections that are closed in the logs.
pub fn served(trace: &Trace) -> Vec<Served> {
    let mut all = Vec::new();
    for process in &trace.processes {
        let mut open: HashMap<String, EventId> = HashMap::new();
        // The close of each thread's last connection.
        let mut closed: HashMap<u32, EventId> = HashMap::new();
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
            let before = closed.insert(event.thread, id);
            // A worker thread starts with a queued connection when it has closed the one before.
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
