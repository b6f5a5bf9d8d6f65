//! What is missing in the logs does not discard what they have.

use std::fs;

use common::testing::{Finished, Folder};

use crate::{line, message, on_property, trace};

fn check(log: &str, flags: &[&str]) -> (Finished, String) {
    let folder = Folder::new();
    let path = folder.write("x.log", log);
    let finished = trace(&[&[path.as_str(), "--check", "--json"], flags].concat());
    let (word, why) = on_property(&finished, "vector clocks");
    let words = format!("{word} {why}").replace(&path, "log");
    (finished, words)
}

/// The links, by the numbers of the events in causal order.
fn links(log: &str) -> Vec<String> {
    let folder = Folder::new();
    let path = folder.write("some.log", log);
    let dot = folder.path("graph.dot");
    let finished = trace(&[&path, "--dot", &dot]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let graph = fs::read_to_string(dot).unwrap();
    let links = graph.lines().filter(|line| line.contains("color=blue"));
    links
        .map(|line| line.trim().split(" [").next().unwrap().to_owned())
        .collect()
}

fn concurrent(finished: &Finished) -> u64 {
    finished.last_event().counts["concurrent_percent"]
}

#[test]
fn an_event_that_was_never_logged_leaves_what_is_known_of_its_process() {
    // The process was killed before it logged its third event.
    let killed = "e\na {\"a\":1}\nf\na {\"a\":2}\ng\nb {\"b\":1,\"a\":3}\nh\nb {\"b\":2,\"a\":4}\n";
    assert_eq!(links(killed), ["e1 -> e2"]);
    let (finished, words) = check(killed, &[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(concurrent(&finished), 0);
    assert_eq!(
        words,
        "warn log:5: has a:3, an event that is in no log: that of a ends with 2 at log:3, so the process was killed or is \
         still running, or its log is truncated (2 events have such an entry)"
    );
    // A gap: what is in it is missing, and nothing else.
    let gap = "e\na {\"a\":1}\ng\na {\"a\":4}\nh\nb {\"b\":1,\"a\":3}\n";
    assert_eq!(links(gap), ["e0 -> e2"]);
    let (finished, words) = check(gap, &[]);
    assert_eq!(finished.code, Some(1));
    assert_eq!(
        words,
        "FAIL log:3: its own entry 4 of a follows 1 at log:1: 2 events missing"
    );
    assert_eq!(concurrent(&finished), 50);
    // A log that begins late: nothing is known below its first event.
    let late = "e\na {\"a\":5}\nf\nb {\"b\":1,\"a\":3}\ng\nb {\"b\":2,\"a\":5}\n";
    assert_eq!(links(late), ["e0 -> e2"]);
    // Over a third process.
    let chain = "e\na {\"a\":1}\nf\nb {\"b\":1,\"a\":2}\ng\nc {\"c\":1,\"b\":2,\"a\":2}\n";
    assert_eq!(links(chain), ["e0 -> e1", "e1 -> e2"]);
    let (finished, words) = check(chain, &[]);
    assert_eq!((finished.code, &words[..4]), (Some(0), "warn"), "{words}");
    assert_eq!(concurrent(&finished), 0);
}

#[test]
fn a_host_without_a_log_is_open() {
    let log = "e\na {\"a\":1,\"b\":1,\"c\":0}\nf\na {\"a\":2,\"b\":2,\"d\":1}\n";
    let (finished, words) = check(log, &[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(
        words,
        "open log:1: has an entry for b, which has no event in any log (2 events have one); log:3: has an entry for d, which \
         has no event in any log"
    );
    // What is known through it stays.
    let through = "e\na {\"a\":1}\nf\nc {\"a\":1,\"b\":3,\"c\":1}\n";
    assert_eq!(links(through), ["e0 -> e1"]);
    assert_eq!(check(through, &[]).0.code, Some(0));
}

/// A process that forgets what it knew of another one, and what follows.
fn forgetful(later: u64) -> String {
    let mut log = "e\nb {\"b\":1}\nf\na {\"a\":1,\"b\":1}\n".to_owned();
    for number in 2..2 + later {
        log.push_str(&format!("g\na {{\"a\":{number}}}\n"));
    }
    log + &format!("h\nc {{\"c\":1,\"a\":{}}}\n", 1 + later)
}

#[test]
fn what_follows_from_a_forgotten_entry_is_one_finding() {
    let (finished, words) = check(&forgetful(20), &[]);
    assert_eq!(finished.code, Some(1));
    assert_eq!(
        words,
        "FAIL log:5: has b:0, but 1 event of b happened before (and so 20 events after it, which --all-findings lists)"
    );
    let (finished, words) = check(&forgetful(20), &["--all-findings"]);
    assert_eq!(finished.code, Some(1));
    let all: Vec<_> = words.split("; ").collect();
    assert_eq!(all.len(), 21, "{words}");
    assert_eq!(all[20], "log:45: has b:0, but 1 event of b happened before");
    // Two that forget are two findings.
    let two = forgetful(2) + "i\nc {\"c\":2,\"a\":2}\nj\nc {\"c\":3,\"a\":2}\n";
    let (_, words) = check(&two, &[]);
    assert_eq!(
        words,
        "FAIL log:5: has b:0, but 1 event of b happened before (and so 2 events after it, which --all-findings lists); \
         log:11: has a:2, but 3 events of a happened before (and so 1 event after it, which --all-findings lists)"
    );
    // Several entries that are forgotten at once are one, too.
    let several =
        "e\nb {\"b\":1}\nf\nc {\"c\":1}\ng\na {\"a\":1,\"b\":1,\"c\":1}\nh\na {\"a\":2}\n";
    assert_eq!(
        check(several, &[]).1,
        "FAIL log:7: has b:0, but 1 event of b happened before"
    );
}

#[test]
fn a_message_that_is_received_in_a_circle_is_not_lost() {
    let folder = Folder::new();
    let (one, two) = (message("udp:a>b#1"), message("udp:b>a#1"));
    let log = [
        line("a", 0, 10, "receive", &two),
        line("a", 1, 20, "send", &one),
        line("b", 0, 30, "receive", &one),
        line("b", 1, 40, "send", &two),
        // A third one, outside of it.
        line("a", 2, 50, "send", &message("udp:a>b#2")),
        line("b", 2, 60, "receive", &message("udp:a>b#2")),
        // And one that its process receives before it sends it.
        line("a", 3, 70, "receive", &message("udp:a>a#3")),
        line("a", 4, 80, "send", &message("udp:a>a#3")),
    ];
    let finished = trace(&[
        &folder.write("all.jsonl", log.concat()),
        "--check",
        "--json",
    ]);
    assert_eq!(finished.code, Some(1));
    assert_eq!(on_property(&finished, "causes come first").0, "FAIL");
    let counts = finished.last_event().counts;
    let of = |names: [&str; 6]| names.map(|name| counts[name]);
    assert_eq!(
        of([
            "sent",
            "received",
            "lost",
            "duplicates",
            "reordered",
            "unlogged"
        ]),
        [4, 4, 0, 0, 0, 0]
    );
}
