//! A class of right and of broken programs, graded in one command: each fault is named, and no right program loses a point.

mod support;

use std::{collections::BTreeMap, path::Path};

use common::testing::{Finished, Folder, have_program};
use grade::{requirement::Status, results::Results};
use serde_json::{Value, json};
use support::{SUBMISSIONS, can_grade, copy, grade};

/// Each broken program, and the first requirement that it does not meet, with the status.
const BROKEN: [(&str, &str, Status); 73] = {
    use Status::{Crash, NotStarted, Timeout, WrongAnswer};
    [
        ("server/one-at-a-time", "idle", Timeout),
        ("server/merely-fast", "idle", WrongAnswer),
        ("server/ten-at-most", "concurrent", Timeout),
        ("server/dies-of-reset", "reset", Crash),
        ("server/dies-of-empty", "empty", Crash),
        ("server/never-closes", "closes", Timeout),
        ("server/answers-twice", "text", WrongAnswer),
        ("server/wrong-text", "text", WrongAnswer),
        ("server/prints-nothing", "prints", WrongAnswer),
        ("server/not-utf8", "not-utf8", Crash),
        ("server/no-restart", "restart", Crash),
        ("server/daemon", "tidy", WrongAnswer),
        ("server/removes-itself", "tidy", WrongAnswer),
        ("server/calls-home", "tidy", WrongAnswer),
        ("server/deadlock", "exchange", Timeout),
        ("server/late", "exchange", Timeout),
        ("server/crash-at-start", "start", Crash),
        ("server/port-taken", "start", Crash),
        ("server/wrong-port", "start", NotStarted),
        ("server/fork-bomb", "start", Crash),
        ("server/flood", "start", Crash),
        ("server/memory", "start", Crash),
        ("server/file-to-folder", "tidy", WrongAnswer),
        ("server/eager", "waits", WrongAnswer),
        ("server/one-lock", "idle", Timeout),
        ("server/five-at-once", "concurrent", Timeout),
        ("server/five-bytes", "prints", WrongAnswer),
        ("server/fills-the-disk", "start", Crash),
        ("server/serves-one", "exchange", Crash),
        ("server/until-eof", "exchange", Timeout),
        ("server/closes-late", "closes", Timeout),
        ("server/sends-nul", "text", WrongAnswer),
        ("server/segfault", "idle", Crash),
        ("clock/keeps-equal", "equal", WrongAnswer),
        ("clock/waits-for-the-end", "answers", Timeout),
        ("clock/words", "answers", WrongAnswer),
        ("naming/hangs", "missing-name", Timeout),
        ("naming/default", "missing-name", WrongAnswer),
        ("naming/silent", "missing-name", WrongAnswer),
        ("client/waits-for-17", "no-reply", Timeout),
        ("client/twice", "message", WrongAnswer),
        ("receiver/eight-bytes", "hears", WrongAnswer),
        ("receiver/slow", "each", Timeout),
        ("receiver/dies-of-empty", "odd", Crash),
        ("sender/wrong-port", "sends", WrongAnswer),
        ("node/replies-to-nothing", "calm", WrongAnswer),
        ("node/leaves-some-out", "calm", WrongAnswer),
        ("client/traceback", "nobody", Crash),
        ("client/wrong-message", "message", WrongAnswer),
        ("client/pretends", "any-reply", WrongAnswer),
        ("client/impatient", "late-reply", Crash),
        ("client/retries", "nobody", Timeout),
        ("client/never-ends", "ends", Timeout),
        ("receiver/never-joins", "joins", WrongAnswer),
        ("receiver/wrong-group", "joins", WrongAnswer),
        ("receiver/two-groups", "stranger", WrongAnswer),
        ("receiver/not-utf8", "odd", Crash),
        ("receiver/once", "each", Timeout),
        ("receiver/wrong-port", "start", NotStarted),
        ("sender/unicast", "sends", Timeout),
        ("sender/bytes", "text", WrongAnswer),
        ("sender/connected", "sends", Crash),
        ("naming/key-error", "missing-region", Crash),
        ("naming/one-answer", "flat", WrongAnswer),
        ("naming/everything", "flat", WrongAnswer),
        ("naming/two-levels", "nested", WrongAnswer),
        ("clock/without-max", "below", WrongAnswer),
        ("clock/off-by-one", "above", WrongAnswer),
        ("clock/starts-at-one", "send", WrongAnswer),
        ("clock/small", "vectors", WrongAnswer),
        ("clock/silent", "answers", Timeout),
        ("node/wrong-echo", "calm", WrongAnswer),
        ("node/exits", "calm", Crash),
    ]
};

/// Programs that lose nothing.
const RIGHT: [&str; 10] = [
    "node/right",
    "server/right",
    "server/selectors",
    "server/two-writes",
    "server/forking",
    "client/right",
    "receiver/right",
    "sender/right",
    "naming/right",
    "clock/right",
];

/// What is graded of each: whichever program is there.
fn suite() -> Value {
    let part = |experiment: &str, role: Option<&str>, file: &str, command: &str| {
        let mut part = json!({
            "experiment": experiment, "command": command, "files": [file], "optional": true,
        });
        if let Some(role) = role {
            part["role"] = json!(role);
        }
        part
    };
    let mut node = part("node", None, "node.py", "python3 node.py");
    node["workload"] = json!("echo");
    let mut c = part("threads", Some("server"), "server.c", "./server");
    c["build"] = json!("cc -O1 -o server server.c -lpthread");
    let mut rust = part("threads", Some("server"), "server.rs", "./server");
    rust["build"] = json!("rustc --edition 2021 -o server server.rs");
    json!({"version": 1, "parts": [
        part("threads", Some("server"), "server.py", "python3 server.py"),
        part("threads", Some("client"), "client.py", "python3 client.py"),
        part("multicast", Some("receiver"), "receiver.py", "python3 receiver.py"),
        part("multicast", Some("sender"), "sender.py", "python3 sender.py"),
        part("naming", None, "names.py", "python3 names.py {scheme} {name} {names}"),
        part("clock", None, "clock.py", "python3 clock.py"),
        node,
        c,
        rust,
    ]})
}

/// A class of these submissions; each is called KIND-NAME.
fn class(names: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.write("suite.json", suite().to_string());
    for name in names {
        let to = folder.path(&format!("class/{}", name.replace('/', "-")));
        copy(&Path::new(SUBMISSIONS).join(name), Path::new(&to));
    }
    folder
}

fn grade_class(folder: &Folder, words: &[&str]) -> Finished {
    let (class, suite) = (folder.path("class"), folder.path("suite.json"));
    let all = ["all", "--submissions", &class, "--suite", &suite];
    grade(Path::new("/"), &[&all, words].concat())
}

fn results(finished: &Finished) -> Results {
    serde_json::from_str(&finished.out)
        .unwrap_or_else(|error| panic!("{error}: {}{}", finished.out, finished.err))
}

#[test]
fn each_fault_is_named_and_no_right_program_loses_a_point() {
    if !can_grade() {
        return;
    }
    let mut right = RIGHT.to_vec();
    if have_program("cc") {
        right.push("server/right-c");
    }
    if have_program("rustc") {
        right.push("server/right-rust");
    }
    let is_built = |name: &str| !["server/sends-nul", "server/segfault"].contains(&name);
    let can_build = have_program("cc");
    // Every third one, and with LAB_GRADE_CLASS=whole, as in scripts/test-long.sh, all of them.
    let is_whole = std::env::var("LAB_GRADE_CLASS").is_ok_and(|class| class == "whole");
    let broken = BROKEN.iter().enumerate().filter(|(place, (name, _, _))| {
        let is_chosen = is_whole || place % 3 == 0 || *name == "clock/without-max";
        is_chosen && (can_build || is_built(name))
    });
    let broken: Vec<&str> = broken.map(|(_, (name, _, _))| *name).collect();
    let folder = class(&[right.as_slice(), &broken].concat());
    let csv = folder.path("grades.csv");
    let words = [
        "--format",
        "json",
        "--timeout",
        "3s",
        "--jobs",
        "8",
        "--csv",
        &csv,
    ];
    let finished = grade_class(&folder, &words);
    assert_eq!(finished.code, Some(1), "{}", finished.err);
    let results = results(&finished);
    let by_name: BTreeMap<&str, _> = results
        .submissions
        .iter()
        .map(|submission| (submission.name.as_str(), submission))
        .collect();
    let mut wrong = Vec::new();
    for name in &right {
        let submission = by_name[name.replace('/', "-").as_str()];
        if submission.points != submission.of || submission.of == 0 {
            wrong.push(format!("{name}: {submission:#?}"));
        }
    }
    for (name, id, status) in BROKEN {
        if !broken.contains(&name) {
            continue;
        }
        let submission = by_name[name.replace('/', "-").as_str()];
        let mut lost = submission
            .graded()
            .filter(|(_, graded)| graded.status != Status::Pass);
        let first = lost
            .next()
            .map(|(_, graded)| (graded.id.as_str(), graded.status));
        if first != Some((id, status)) {
            wrong.push(format!(
                "{name}: {first:?}, not {id}: {status:?}: {submission:#?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // The table has a row for each, and the fault in words.
    let table = std::fs::read_to_string(csv).unwrap();
    assert_eq!(table.lines().count(), 1 + right.len() + broken.len());
    let row = table
        .lines()
        .find(|line| line.starts_with("clock-without-max,"))
        .unwrap();
    assert!(row.contains("below: wrong answer"), "{row}");
}

/// What a student reads, and that it can be probed again.
#[test]
fn a_verdict_says_what_was_sent_what_came_back_and_what_was_expected() {
    if !can_grade() {
        return;
    }
    let folder = Path::new(SUBMISSIONS).join("clock/without-max");
    let clock = ["clock", "--cmd", "python3 clock.py", "--only", "below"];
    let finished = grade(&folder, &clock);
    assert_eq!(
        finished.out,
        "FAIL  below          0/2  receives a time below its own\n        \
         wrong answer: its clock is wrong\n          \
         sent      {\"event\":\"receive\",\"time\":2}, event 4 of a clock at 3\n          \
         received  \"{\"time\": 3}\"\n          \
         expected  {\"time\":4}: 4 = max(3, 2) + 1\n          \
         says so   experiment 6, lamport_clock.py: max(self.time, received_time) + 1\n          \
         again     grade clock --cmd 'python3 clock.py' --only below --seed 1 --timeout 10s\n\
         0 of 2 points, 1 requirement not met\n"
    );
    let hidden = grade(&folder, &[&clock[..], &["--hidden", "below"]].concat());
    assert_eq!(
        hidden.out,
        "FAIL  below          0/2  receives a time below its own\n        wrong answer\n\
         0 of 2 points, 1 requirement not met\n"
    );
    let points = Folder::new();
    let points = points.write("points.json", r#"{"clock/below": 7}"#);
    let repeated = grade(
        &folder,
        &[&clock[..], &["--points", &points, "--repeat", "2"]].concat(),
    );
    assert!(
        repeated.out.contains(" 0/7 ") && repeated.out.contains("(2 of 2 runs)"),
        "{}",
        repeated.out
    );
}

#[test]
fn a_command_that_is_not_found_has_not_started() {
    if !can_grade() {
        return;
    }
    for words in [
        &["threads"][..],
        &["threads", "--role", "client"],
        &["multicast"],
        &["naming"],
        &["clock"],
    ] {
        let words = [
            words,
            &[
                "--cmd",
                "no-such-program",
                "--timeout",
                "2s",
                "--format",
                "json",
            ],
        ]
        .concat();
        let finished = grade(Path::new("/usr/share"), &words);
        let results = results(&finished);
        let mut all = results
            .submissions
            .iter()
            .flat_map(grade::results::Submission::graded);
        assert!(
            finished.code == Some(1) && all.all(|(_, graded)| graded.status == Status::NotStarted),
            "{}",
            finished.out
        );
    }
}

#[test]
fn a_program_that_is_not_handed_in_or_not_built_has_no_points() {
    if !can_grade() {
        return;
    }
    let folder = Folder::new();
    let part = |file: &str, build: &str| json!({"experiment": "clock", "command": "true", "files": [file], "build": build});
    let grade_one = |part: Value| {
        folder.write(
            "suite.json",
            json!({"version": 1, "parts": [part]}).to_string(),
        );
        let finished = grade_class(&folder, &["--format", "json"]);
        let results = results(&finished);
        let (_, first) = results.submissions[0].graded().next().unwrap();
        assert_eq!(
            (results.points, first.status),
            (0, Status::NotStarted),
            "{}",
            finished.out
        );
        first.what.clone().unwrap()
    };
    copy(
        &Path::new(SUBMISSIONS).join("clock/right"),
        Path::new(&folder.path("class/a")),
    );
    assert_eq!(grade_one(part("clock.c", "true")), "not handed in: clock.c");
    let what = grade_one(part("clock.py", "echo no >&2; exit 3"));
    assert_eq!(what, "its build fails: it ended with exit code 3");
}

/// A submission does not see the others, nor what is graded.
#[test]
fn submissions_do_not_see_one_another() {
    if !can_grade() {
        return;
    }
    // Not below /tmp, of which a sandbox has its own.
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("class-{}", std::process::id()));
    let looks = "import glob, os\nprint(sorted(glob.glob('../*/*')), sum(map(os.path.getsize, glob.glob('../../suite.json'))))\n";
    for name in ["a", "b"] {
        let own = folder.join("class").join(name);
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("names.py"), looks).unwrap();
    }
    let part = json!({"experiment": "naming", "command": "python3 names.py"});
    let suite = json!({"version": 1, "parts": [part]}).to_string();
    std::fs::write(folder.join("suite.json"), suite).unwrap();
    let words = [
        "all",
        "--submissions",
        "class",
        "--suite",
        "suite.json",
        "--format",
        "json",
    ];
    let finished = grade(&folder, &words);
    std::fs::remove_dir_all(&folder).unwrap();
    let results = results(&finished);
    for submission in &results.submissions {
        let (_, first) = submission.graded().next().unwrap();
        let seen = first.received.clone().unwrap();
        let own = format!("['../{}/names.py'] 0", submission.name);
        assert!(seen.contains(&own), "{seen}");
    }
}

/// The checks of logs are requirements, and the event that breaks one is named.
#[test]
fn logs_are_graded_by_their_checks() {
    let folder = Folder::new();
    let event = |node: &str, event: &str, clock: u32| {
        format!(
            "{{\"v\":1,\"run\":\"r\",\"node\":\"{node}\",\"thread\":\"main\",\"seq\":0,\
             \"time\":\"2026-11-25T00:00:00.000000Z\",\"level\":\"info\",\"event\":\"{event}\",\
             \"message\":\"udp:p1>p2#1\",\"clock\":{clock}}}\n"
        )
    };
    let logs = folder.path("logs");
    std::fs::create_dir(&logs).unwrap();
    folder.write("logs/p1.jsonl", event("p1", "send", 5));
    folder.write("logs/p2.jsonl", event("p2", "receive", 6));
    let right = grade(Path::new("/"), &["logs", &logs]);
    assert_eq!(right.code, Some(0), "{}{}", right.out, right.err);
    folder.write("logs/p2.jsonl", event("p2", "receive", 3));
    let wrong = grade(Path::new("/"), &["logs", &logs]);
    assert!(
        wrong.code == Some(1) && wrong.out.contains("FAIL  clock-condition"),
        "{}",
        wrong.out
    );
    let other = grade(Path::new("/"), &["logs", &logs, "--algorithm", "mutex"]);
    assert!(other.out.contains("FAIL  algorithm"), "{}", other.out);
    let nothing = grade(Path::new("/"), &["logs", "/nowhere"]);
    assert_eq!(
        (nothing.code, nothing.out.as_str()),
        (Some(2), ""),
        "{}",
        nothing.err
    );
}
