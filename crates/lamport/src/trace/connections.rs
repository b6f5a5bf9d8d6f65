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
        // The connections of many clients in one program have the same peer, the server; each stays on its thread.
        let mut open: HashMap<(String, Option<u32>), EventId> = HashMap::new();
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
                let connects = event.kind == Kind::Connect;
                open.insert((peer.to_owned(), connects.then_some(event.thread)), id);
                continue;
            }
            let connected = open.remove(&(peer.to_owned(), Some(event.thread)));
            let Some(from) = connected.or_else(|| open.remove(&(peer.to_owned(), None))) else {
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
