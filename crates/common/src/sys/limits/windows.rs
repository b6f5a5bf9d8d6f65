//! Windows has no limit of open handles that a process raises.

/// There is nothing to raise.
pub fn raise_descriptor_limit() {}
