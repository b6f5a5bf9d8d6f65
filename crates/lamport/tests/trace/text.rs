//! The diagram as text.

use common::testing::Folder;

use crate::{exchange, line, message, trace};

/// The line of the event with this number.
fn row(out: &str, number: usize) -> &str {
    let start = format!("{number:>7} ");
    let found = out.lines().find(|line| line.starts_with(&start));
    found.unwrap_or_else(|| panic!("{number}: {out}"))
}

/// The column of a character, counted in characters.
fn column(line: &str, wanted: char) -> usize {
    let found = line.chars().position(|letter| letter == wanted);
    found.unwrap_or_else(|| panic!("no {wanted} in {line}"))
}

#[test]
fn the_terminal_shows_lanes_and_messages() {
    let folder = Folder::new();
    let [client, server] = exchange(&folder);
    let finished = trace(&[&client, &server]);
    let expected = "
  event  time  client  server
      0                ┬        server starts
      1        ┬       │        client starts
      2   (1)  ●#1───╮ │        client sends a message to peer
      3   (2)  │     ╰▶○#1      server receives a message from peer
      4   (3)  │   ╭───●#2      server sends a message to peer
      5   (4)  ○◀#2╯   │        client receives a message from peer
      6        ┴       │        client stops
      7                ┴        server stops
● sends  ○ receives  ┬ starts, is ready  ┴ stops  #1 ─▶ message  (1) computed Lamport time
2 processes, 8 events; the longest chain of causes has 4, and 0% of the pairs across processes are concurrent
";
    assert_eq!(finished.out, expected[1..]);
}

#[test]
fn a_message_begins_at_its_send_and_ends_at_its_receive() {
    let folder = Folder::new();
    let (first, second) = (message("udp:p1>p3#1"), message("udp:p3>p1#1"));
    let log = [
        line("p1", 0, 10, "send", &first),
        line("p2", 0, 20, "local", ""),
        line("p3", 0, 30, "send", &second),
        line("p2", 1, 40, "local", ""),
        line("p3", 1, 50, "receive", &first),
        line("p1", 1, 60, "receive", &second),
    ];
    let out = trace(&[&folder.write("all.jsonl", log.concat())]).out;
    // From p1 the line turns down at once, passes the event of p2, and arrives at p3.
    let down = column(row(&out, 0), '╮');
    assert_eq!(column(row(&out, 4), '╰'), down, "{out}");
    for between in 1..4 {
        assert_eq!(
            row(&out, between).chars().nth(down),
            Some(if between == 2 { '─' } else { '┊' }),
            "{out}"
        );
    }
    let up = column(row(&out, 2), '╭');
    assert_eq!(column(row(&out, 5), '╯'), up, "{out}");
    for (number, both) in [("#1", [0, 4]), ("#2", [2, 5])] {
        let rows: Vec<usize> = (0..6)
            .filter(|place| row(&out, *place).contains(number))
            .collect();
        assert_eq!(rows, both, "{out}");
    }
}

#[test]
fn lost_duplicated_and_reordered_messages_are_marked() {
    let folder = Folder::new();
    let id = |number: u32| message(&format!("udp:p1>p2#{number}"));
    let group = |number: u32| message(&format!("udp:p1>*#{number}"));
    let log = [
        line("p1", 0, 10, "send", &id(1)),
        line("p1", 1, 20, "send", &id(2)),
        line("p1", 2, 30, "send", &id(3)),
        line("p2", 0, 40, "receive", &id(2)),
        line(
            "p2",
            1,
            50,
            "receive",
            &(id(1) + ",\"anomaly\":\"reordered\""),
        ),
        line("p2", 2, 60, "receive", &id(1)),
        // A member of the group misses the second of three.
        line("p1", 3, 70, "send", &group(4)),
        line("p1", 4, 71, "send", &group(5)),
        line("p1", 5, 72, "send", &group(6)),
        line("p2", 3, 80, "receive", &group(4)),
        line("p2", 4, 81, "receive", &group(5)),
        line("p2", 5, 82, "receive", &group(6)),
        line("p3", 0, 90, "receive", &group(4)),
        line("p3", 1, 91, "receive", &group(6)),
    ];
    let out = trace(&[&folder.write("all.jsonl", log.concat())]).out;
    assert!(
        row(&out, 2).contains("#3×") && row(&out, 2).ends_with("(lost)"),
        "{out}"
    );
    assert!(out.contains("× lost"), "{out}");
    assert!(row(&out, 4).ends_with("from peer (reordered)"), "{out}");
    assert!(row(&out, 5).ends_with("(duplicate)"), "{out}");
    assert!(row(&out, 7).ends_with("(lost on the way to p3)"), "{out}");
    assert!(
        !row(&out, 3).contains('('.to_string().as_str()) || !row(&out, 3).contains("reordered"),
        "{out}"
    );
}

#[test]
fn every_line_fits_into_a_narrow_window() {
    let folder = Folder::new();
    let id = message("udp:p1>*#1");
    let name = |number: usize| format!("process-with-a-long-name-{number}");
    let mut log = line("p1", 0, 1, "send", &id);
    for number in 0..60 {
        log.push_str(&line(&name(number), 0, 2, "receive", &id));
    }
    let path = folder.write("all.jsonl", log);
    let finished = trace(&[&path, "--show", "all"]);
    assert!(
        finished
            .out
            .contains("more processes do not fit; --html shows all")
    );
    // Lanes have letters, and the key has their names.
    assert!(
        finished.out.starts_with("  event  time  A "),
        "{finished:?}"
    );
    assert!(finished.out.contains("\nA p"), "{finished:?}");
    for line in finished.out.lines().filter(|line| !line.starts_with('●')) {
        assert!(line.chars().count() <= 120, "{line}");
    }
}
