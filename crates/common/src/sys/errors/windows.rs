//! The texts of Windows are long, and in the language of the machine: the usual errors have the words that other systems
//! have for them.

use std::io::{self, ErrorKind};

/// Why a program may not listen on a port, and what to do.
pub const LOW_PORT: &str = "; another program has the port for itself, or Windows keeps it: netsh interface ipv4 show \
                            excludedportrange protocol=tcp lists those";

/// Codes of Windows (System Error Codes, Windows Sockets Error Codes) that std has no kind for.
const ERROR_SHARING_VIOLATION: i32 = 32;
const ERROR_NO_DATA: i32 = 232;
const ERROR_PIPE_NOT_CONNECTED: i32 = 233;
const WSAEMSGSIZE: i32 = 10040;
const WSAENOBUFS: i32 = 10055;

/// What the error says, whose text this is. The texts of Windows end with a full stop, and may have several lines.
pub fn words<'t>(error: &io::Error, text: &'t str) -> &'t str {
    let line = text.lines().next().unwrap_or_default();
    usual(error).unwrap_or(line.trim_end_matches('.'))
}

fn usual(error: &io::Error) -> Option<&'static str> {
    match error.raw_os_error()? {
        ERROR_SHARING_VIOLATION => return Some("another program has it open"),
        ERROR_NO_DATA | ERROR_PIPE_NOT_CONNECTED => return Some("broken pipe"),
        WSAEMSGSIZE => return Some("message too long"),
        WSAENOBUFS => return Some("no buffer space available"),
        _ => {}
    }
    Some(match error.kind() {
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::AlreadyExists => "file exists",
        ErrorKind::ConnectionRefused => "connection refused",
        ErrorKind::ConnectionReset => "connection reset by peer",
        ErrorKind::ConnectionAborted => "software caused connection abort",
        ErrorKind::NotConnected => "transport endpoint is not connected",
        ErrorKind::HostUnreachable => "no route to host",
        ErrorKind::NetworkUnreachable => "network is unreachable",
        ErrorKind::NetworkDown => "network is down",
        ErrorKind::TimedOut => "connection timed out",
        ErrorKind::BrokenPipe => "broken pipe",
        ErrorKind::StorageFull => "no space left on device",
        ErrorKind::NotADirectory => "not a directory",
        ErrorKind::IsADirectory => "is a directory",
        ErrorKind::DirectoryNotEmpty => "directory not empty",
        ErrorKind::ReadOnlyFilesystem => "read-only file system",
        ErrorKind::InvalidFilename => "not a name for a file",
        ErrorKind::OutOfMemory => "cannot allocate memory",
        _ => return None,
    })
}

/// Whether a write failed because nobody reads the pipe any more.
pub fn is_closed_pipe(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
        || matches!(
            error.raw_os_error(),
            Some(ERROR_NO_DATA | ERROR_PIPE_NOT_CONNECTED)
        )
}
