//! Six ways to serve many clients, one short file each. All serve them by the same [`exchange`](crate::exchange).

mod event_driven;
mod iterative;
mod pool;
mod prethreaded;
mod process_per_connection;
mod thread_per_connection;
mod watch;

use crate::{config, server::Model};

/// A thread holds one message and a few events; the rest of std's 2 MiB would only be reserved.
const STACK: usize = 32 * 1024;

/// The model of this name.
pub fn named(name: config::Model) -> &'static dyn Model {
    match name {
        config::Model::Iterative => &iterative::Iterative,
        config::Model::ThreadPerConnection => &thread_per_connection::ThreadPerConnection,
        config::Model::ProcessPerConnection => &process_per_connection::ProcessPerConnection,
        config::Model::Pool => &pool::Pool,
        config::Model::Prethreaded => &prethreaded::Prethreaded,
        config::Model::EventDriven => &event_driven::EventDriven,
    }
}
