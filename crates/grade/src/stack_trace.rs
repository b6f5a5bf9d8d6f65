//! Whether a program has ended in the middle of something: the stack trace of its language on its outputs.

/// How stack traces begin: Python, Rust, Java, Go, Node, Ruby, C++.
const BEGINNINGS: [&str; 8] = [
    "Traceback (most recent call last)",
    "panicked at",
    "Exception in thread",
    "panic: ",
    "Uncaught ",
    "(RuntimeError)",
    "terminate called",
    "Unhandled exception",
];

/// The line that names the error, if there is a stack trace in this text.
pub fn find(text: &str) -> Option<&str> {
    let is_node = text
        .lines()
        .any(|line| line.starts_with("    at ") && line.contains(':'));
    let begins = |line: &&str| BEGINNINGS.iter().any(|beginning| line.contains(beginning));
    let first = text.lines().find(begins);
    let first = first.or_else(|| {
        let is_error = |line: &&str| line.contains("Error");
        text.lines().find(is_error).filter(|_| is_node)
    })?;
    if !first.starts_with(BEGINNINGS[0]) {
        return Some(first.trim());
    }
    // Python names the error at the end.
    text.lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_error_of_a_stack_trace_is_found() {
        let python =
            "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'region9'\n";
        assert_eq!(find(python), Some("KeyError: 'region9'"));
        let node =
            "node:net:1\nError: connect ECONNREFUSED 127.0.0.1:1\n    at TCP.done (node:net:1:2)\n";
        assert_eq!(find(node), Some("Error: connect ECONNREFUSED 127.0.0.1:1"));
        assert_eq!(
            find("thread 'main' panicked at a.rs:1"),
            Some("thread 'main' panicked at a.rs:1")
        );
        assert_eq!(find("names.py: no such name: server9\n"), None);
    }
}
