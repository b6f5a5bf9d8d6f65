//! Long messages are shown in short; the log has them whole.

use common::testing::{Folder, read_log, start};

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

#[test]
fn a_long_message_of_a_process_is_shown_with_its_length() {
    let folder = Folder::new();
    let log = folder.path("p1.jsonl");
    let peer = "p2=127.0.0.1:9";
    let mut process = start(
        LAMPORT,
        &[
            "node", "events", "--name", "p1", "--peer", peer, "--log", &log,
        ],
    );
    process.ready();
    let (ordinary, long) = ("a".repeat(256), "b".repeat(1000));
    process.type_in(format!("send p2 {ordinary}\nsend p2 {long}\n"));
    let line = process.out_line("   1  ");
    assert_eq!(line, format!("   1  sends message '{ordinary}' to p2"));
    let line = process.out_line("   2  ");
    let in_short = "b".repeat(64);
    assert_eq!(
        line,
        format!("   2  sends message '{in_short}… (1000 characters)' to p2")
    );
    process.interrupt();
    let texts = read_log(&log)
        .into_iter()
        .filter_map(|record| record.event.text);
    assert!(texts.into_iter().any(|text| text == long));
}
