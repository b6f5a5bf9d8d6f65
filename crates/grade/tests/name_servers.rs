//! Name servers: those that the grader starts in a sandbox, and those that run already.

mod support;

use std::{fs, net::UdpSocket, path::Path, thread};

use common::testing::{self, Folder, Running};
use grade::{
    requirement::Status::{self, Crash, NotStarted, Timeout, WrongAnswer},
    results::{Graded, Results},
};
use support::{SUBMISSIONS, can_grade, grade};

fn right() -> String {
    fs::read_to_string(Path::new(SUBMISSIONS).join("name-server/right/dns.py")).unwrap()
}

/// The requirements of a server with this change, started by the grader; `more` are further words.
fn graded(change: (&str, &str), command: &str, more: &[&str]) -> Vec<Graded> {
    let text = right();
    assert!(text.contains(change.0), "{}", change.0);
    let folder = Folder::new();
    folder.write("dns.py", text.replace(change.0, change.1));
    let server = ["naming", "--server", "127.0.0.1:5300", "--cmd", command];
    let form = ["--format", "json", "--timeout", "2s"];
    let folder = folder.path("");
    let finished = grade(Path::new(&folder), &[&server[..], &form, more].concat());
    let results: Results = serde_json::from_str(&finished.out)
        .unwrap_or_else(|error| panic!("{error}: {}{}", finished.out, finished.err));
    let part = results
        .submissions
        .into_iter()
        .next()
        .unwrap()
        .parts
        .remove(0);
    assert_eq!(part.part, "naming-server");
    part.requirements
}

fn lost(graded: &[Graded]) -> Vec<(&str, Status)> {
    let lost = graded
        .iter()
        .filter(|graded| graded.status != Status::Pass && graded.was_tried());
    lost.map(|graded| (graded.id.as_str(), graded.status))
        .collect()
}

#[test]
fn a_right_server_loses_nothing_and_reads_the_names_of_a_file() {
    if !can_grade() {
        return;
    }
    let with_file = graded(("60", "60"), "python3 dns.py {names}", &[]);
    assert_eq!(lost(&with_file), [], "{with_file:#?}");
    assert_eq!(with_file.len(), 11);
    let alone = graded(("60", "60"), "python3 dns.py", &[]);
    assert_eq!(lost(&alone), [], "{alone:#?}");
    assert_eq!(alone.len(), 9);
}

#[test]
fn each_fault_of_a_server_is_named() {
    if !can_grade() {
        return;
    }
    let faults = [
        // A missing region ends it.
        (
            (
                "label not in node:",
                "label not in node and 'server' in label:",
            ),
            ("missing-region", Crash),
        ),
        // It has no NXDOMAIN.
        (
            ("rcode = 3 if found is None else 0", "rcode = 0"),
            ("missing-name", WrongAnswer),
        ),
        // It looks at the last two labels alone.
        (
            ("path = labels[-2::-1]", "path = labels[1::-1]"),
            ("longer", WrongAnswer),
        ),
        // Every type is an address.
        (("and rtype == 1", ""), ("no-data", WrongAnswer)),
        (
            ("found is None else 0", "found is None or rtype != 1 else 0"),
            ("no-data", WrongAnswer),
        ),
        // Bytes that are no query end it.
        (
            (
                "(struct.error, IndexError, UnicodeDecodeError)",
                "ZeroDivisionError",
            ),
            ("odd", Crash),
        ),
        // It keeps the handout's names.
        (
            (
                "json.load(open(sys.argv[1])) if len(sys.argv) > 1 else HANDOUT",
                "HANDOUT",
            ),
            ("names-file", WrongAnswer),
        ),
        (
            (
                "192.168.1.3\",\n    \"region1",
                "192.168.1.4\",\n    \"region1",
            ),
            ("flat", WrongAnswer),
        ),
        (
            ("number, 0x8400", "number + 1 & 0xffff, 0x8400"),
            ("answers", WrongAnswer),
        ),
        (
            ("server.sendto(answer, client)", "pass"),
            ("answers", Timeout),
        ),
        (("5300", "5301"), ("answers", NotStarted)),
        (("import json", "import jsonn"), ("answers", Crash)),
    ];
    let judge = |(change, first): (_, (&str, Status))| {
        let command = if first.0 == "flat" {
            "python3 dns.py"
        } else {
            "python3 dns.py {names}"
        };
        let graded = graded(change, command, &[]);
        assert_eq!(
            lost(&graded).first(),
            Some(&first),
            "{change:?}: {graded:#?}"
        );
    };
    // Most of their time is a timeout.
    thread::scope(|scope| {
        for chunk in faults.chunks(3) {
            scope.spawn(move || chunk.iter().copied().for_each(judge));
        }
    });
}

/// What came instead of an answer is shown.
#[test]
fn an_answer_to_another_query_is_explained() {
    if !can_grade() {
        return;
    }
    let change = ("number, 0x8400", "number + 1 & 0xffff, 0x8400");
    let graded = graded(change, "python3 dns.py", &["--only", "answers"]);
    let received = graded[0].received.as_deref().unwrap();
    assert!(
        received.starts_with("an answer with the identifier"),
        "{received}"
    );
    assert!(
        graded[0]
            .reproduce
            .contains("grade naming --server 127.0.0.1:5300 --cmd 'python3 dns.py'")
    );
}

/// Our own server, as its user starts it.
fn serve(names: &[&str]) -> Option<(Running, String)> {
    let bin = Path::new(env!("CARGO_BIN_EXE_grade"))
        .parent()
        .unwrap()
        .join("naming");
    if !testing::have("target/debug/naming (cargo build -p naming)", bin.exists()) {
        return None;
    }
    let words = [&["serve", "--listen", "127.0.0.1:0"], names].concat();
    let mut server = Running::start(testing::command(bin.to_str().unwrap(), &words));
    let address = server.ready();
    Some((server, address.to_string()))
}

#[test]
fn a_server_that_runs_already_is_judged() {
    let Some((_server, address)) = serve(&[]) else {
        return;
    };
    let finished = grade(Path::new("/"), &["naming", "--server", &address]);
    assert_eq!(finished.code, Some(0), "{}{}", finished.out, finished.err);
    assert!(
        finished
            .out
            .ends_with("16 of 16 points, every requirement met\n"),
        "{}",
        finished.out
    );
    assert_eq!(finished.err, "");
}

#[test]
fn a_server_is_judged_by_the_names_that_it_is_said_to_have() {
    let folder = Folder::new();
    let names = r#"{"printer": ["10.0.0.9", "2001:db8::9"], "eu": {"north": {"oslo": {"server7": "10.0.0.7"}}, "server8": "10.0.0.8"}}"#;
    let names = folder.write("names.json", names);
    let Some((_server, address)) = serve(&["--names", &names]) else {
        return;
    };
    let with_names = ["naming", "--server", &address, "--names", &names];
    let finished = grade(Path::new("/"), &with_names);
    assert_eq!(finished.code, Some(0), "{}{}", finished.out, finished.err);
    assert!(finished.out.contains("ok    nested"), "{}", finished.out);
    let handout = grade(Path::new("/"), &["naming", "--server", &address]);
    assert_eq!(handout.code, Some(1));
    let received = "FAIL  answers";
    assert!(
        !handout.out.contains(received)
            && handout.out.contains("it says that server1 does not exist"),
        "{}",
        handout.out
    );
    assert!(handout.out.contains("sent      a query for server1.flat.lab. A\n          received  NXDOMAIN\n          expected  192.168.1.2"), "{}", handout.out);
}

#[test]
fn a_server_that_does_not_answer_has_a_status_of_its_own() {
    // A port that nobody else has, as long as it is bound.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let silent = grade(
        Path::new("/"),
        &["naming", "--server", &address, "--timeout", "300ms"],
    );
    assert_eq!(silent.code, Some(1), "{}", silent.err);
    // On a busy machine it is asked once more, with three times the time.
    let within = |seconds| format!("timeout: no answer within {seconds} s");
    assert!(
        silent.out.contains(&within("0.3")) || silent.out.contains(&within("0.9")),
        "{}",
        silent.out
    );
    assert!(
        silent.out.contains("not tried: it needs answers"),
        "{}",
        silent.out
    );
    drop(socket);
    let closed = grade(
        Path::new("/"),
        &["naming", "--server", &address, "--timeout", "5s"],
    );
    assert_eq!(closed.code, Some(1), "{}", closed.err);
    let what = format!("not started: nothing listens on UDP {address}");
    assert!(closed.out.contains(&what), "{}", closed.out);
}
