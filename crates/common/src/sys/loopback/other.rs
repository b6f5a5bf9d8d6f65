//! Windows has all of 127.0.0.0/8; macOS and the BSDs have 127.0.0.1.

/// How many ports the system has for connections from one address; it does not say.
pub fn ports() -> Option<u64> {
    None
}

/// Whether each address of 127.0.0.0/8 is this machine's, and not 127.0.0.1 alone.
pub fn is_whole_net() -> bool {
    cfg!(windows)
}
