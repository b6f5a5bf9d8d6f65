//! Long messages are shown in short; the log and `--json` have them whole.

use common::testing::{Finished, Folder, read_log, run, start};

const CLIENT: &str = env!("CARGO_BIN_EXE_mcast-client");

/// What a member prints, with these flags, of what a client sends with others.
fn received(flags: &[&str], sent: &[&str]) -> Finished {
    let mut member = start(CLIENT, &[&["--port", "0", "--count", "1"], flags].concat());
    let port = member.ready().port().to_string();
    let client = run(CLIENT, &[&["--port", &port], sent].concat());
    assert_eq!(client.code, Some(0), "{client:?}");
    member.finish()
}

#[test]
fn a_load_of_long_datagrams_does_not_flood_the_terminal() {
    let folder = Folder::new();
    let log = folder.path("log");
    let sent = ["--size", "1400", "--count", "1"];
    let finished = received(&["--log", &log], &sent);
    let line = finished.out.trim_end();
    assert!(
        line.chars().count() < 130 && line.ends_with("… (1400 bytes) [multicast]"),
        "{finished:?}"
    );
    let texts = |event: &common::event::Event| event.text.clone().unwrap_or_default();
    let logged = read_log(&log);
    let whole = logged.iter().find(|record| record.event.bytes.is_some());
    assert_eq!(whole.map(|record| texts(&record.event).len()), Some(1400));
    let finished = received(&["--json"], &sent);
    let events = finished.events();
    assert!(
        events.iter().any(|event| texts(event).len() == 1400),
        "{finished:?}"
    );
}

#[test]
fn an_ordinary_message_is_shown_whole() {
    let message = "a".repeat(256);
    let finished = received(&[], &["-m", &message]);
    let line = format!("Received message: {message} [multicast]\n");
    assert_eq!(finished.out, line);
}
