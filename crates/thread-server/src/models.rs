//! Five more models beside the handout's, one short file each. All serve their clients by the same
//! [`exchange`](crate::exchange).

pub mod event_driven;
pub mod iterative;
pub mod pool;
pub mod prethreaded;
pub mod process_per_connection;
