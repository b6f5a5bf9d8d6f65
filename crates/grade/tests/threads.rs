//! Programs of experiment 3 in Python, right ones and broken ones, in their sandboxes.

mod support;

use std::path::{Path, PathBuf};

use support::{SUBMISSIONS, can_grade, grade, graded};

#[test]
fn right_servers_have_full_marks() {
    if !can_grade() {
        return;
    }
    for name in ["right", "selectors", "forking"] {
        let finished = grade(
            folder("server", name),
            &["threads", "--cmd", "python3 server.py"],
        );
        assert_eq!(
            finished.code,
            Some(0),
            "{name}: {}{}",
            finished.out,
            finished.err
        );
        assert!(
            finished
                .out
                .ends_with("28 of 28 points, every requirement met\n"),
            "{}",
            finished.out
        );
    }
}

fn folder(kind: &str, name: &str) -> PathBuf {
    Path::new(SUBMISSIONS).join(kind).join(name)
}

/// Checks that exactly this requirement is not met, with this status; those that need it are not tried.
fn check(kind: &str, broken: &[(&str, &str, &str)]) {
    for (name, id, status) in broken {
        let command = format!("python3 {kind}.py");
        let words = [
            "threads",
            "--role",
            kind,
            "--cmd",
            &command,
            "--timeout",
            "2s",
        ];
        let (code, lost) = graded(folder(kind, name), &words);
        assert_eq!(code, Some(1), "{name}: {lost:?}");
        let tried = lost.iter().filter(|lost| !lost.2.starts_with("not tried"));
        let found: Vec<_> = tried
            .map(|lost| (lost.0.as_str(), lost.1.as_str()))
            .collect();
        assert_eq!(found, [(*id, *status)], "{name}: {lost:?}");
    }
}

#[test]
fn a_right_client_has_full_marks() {
    if !can_grade() {
        return;
    }
    let words = ["threads", "--role", "client", "--cmd", "python3 client.py"];
    let finished = grade(folder("client", "right"), &words);
    assert_eq!(finished.code, Some(0), "{}{}", finished.out, finished.err);
}

#[test]
fn each_broken_client_is_found_out() {
    if can_grade() {
        check(
            "client",
            &[
                ("traceback", "nobody", "crash"),
                ("wrong-message", "message", "wrong-answer"),
                ("pretends", "any-reply", "wrong-answer"),
                ("impatient", "late-reply", "crash"),
                ("retries", "nobody", "timeout"),
                ("never-ends", "ends", "timeout"),
            ],
        );
    }
}

/// What of each broken server is found, and by which status.
#[test]
fn each_broken_server_is_found_out() {
    if !can_grade() {
        return;
    }
    let broken = [
        ("one-at-a-time", "idle", "timeout"),
        ("merely-fast", "idle", "wrong-answer"),
        ("ten-at-most", "concurrent", "timeout"),
        ("dies-of-reset", "reset", "crash"),
        ("dies-of-empty", "empty", "crash"),
        ("never-closes", "closes", "timeout"),
        ("answers-twice", "text", "wrong-answer"),
        ("wrong-text", "text", "wrong-answer"),
        ("prints-nothing", "prints", "wrong-answer"),
        ("not-utf8", "not-utf8", "crash"),
        ("no-restart", "restart", "crash"),
        ("daemon", "tidy", "wrong-answer"),
        ("removes-itself", "tidy", "wrong-answer"),
        ("calls-home", "tidy", "wrong-answer"),
        ("deadlock", "exchange", "timeout"),
        ("late", "exchange", "timeout"),
        ("crash-at-start", "start", "crash"),
        ("port-taken", "start", "crash"),
        ("wrong-port", "start", "not-started"),
        ("fork-bomb", "start", "crash"),
        ("flood", "start", "crash"),
        ("memory", "start", "crash"),
    ];
    check("server", &broken);
}
