//! A system that does not say.

use crate::sys::types::{Left, Resource};

/// What is left of these resources: nothing is known.
pub fn left(_wanted: &[Resource]) -> Vec<Left> {
    Vec::new()
}

/// How many bytes of memory this process has now: not known.
pub fn resident() -> Option<u64> {
    None
}

/// How many more descriptors this process can open, and the limit: not known.
pub fn descriptors() -> Option<(u64, String)> {
    None
}

/// The limit of this user's threads and processes: not known.
pub fn processes() -> Option<String> {
    None
}

/// There is nothing to save.
pub fn save_address_space() {}
