//! The picture beside a verdict: it is drawn, written, and named in the verdict.

mod support;

use std::{fs, path::Path};

use common::testing::{self, Folder, Running};
use grade::results::Results;
use support::{SUBMISSIONS, can_grade, copy, grade};

/// Grades a submission with pictures; the text of its picture of a requirement.
fn picture(submission: &str, words: &[&str], file: &str) -> String {
    let folder = Folder::new();
    let pictures = folder.path("pictures");
    let words = [words, &["--timeout", "2s", "--pictures", &pictures]].concat();
    let mut command = testing::command(env!("CARGO_BIN_EXE_grade"), &words);
    command.current_dir(Path::new(SUBMISSIONS).join(submission));
    // A folder below /tmp, which a sandbox does not show.
    command.env("TMPDIR", folder.path(""));
    let finished = Running::start(command).with_any_words().finish();
    let path = Path::new(&pictures).join(file);
    let line = format!("          picture   {}\n", path.display());
    assert!(
        finished.out.contains(&line),
        "{}{}",
        finished.out,
        finished.err
    );
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_clock_that_goes_wrong_is_drawn_up_to_the_wrong_answer() {
    if !can_grade() {
        return;
    }
    let words = ["clock", "--cmd", "python3 clock.py", "--only", "below"];
    let svg = picture("clock/without-max", &words, "clock-below.svg");
    assert!(svg.starts_with("<svg"), "{svg}");
    for word in [">clock<", ">grader<", ">time 2<"] {
        assert!(svg.contains(word), "{word}: {svg}");
    }
    assert!(!svg.contains(">time 0<"), "{svg}");
}

#[test]
fn a_receiver_is_drawn_with_what_it_does_not_hear() {
    if !can_grade() {
        return;
    }
    let words = [
        "multicast",
        "--cmd",
        "python3 receiver.py",
        "--only",
        "each",
    ];
    let svg = picture("receiver/once", &words, "multicast-receiver-each.svg");
    assert!(
        svg.contains(">receiver<") && svg.contains(">lost<"),
        "{svg}"
    );
    let words = [
        "multicast",
        "--cmd",
        "python3 receiver.py",
        "--only",
        "stranger",
    ];
    let svg = picture(
        "receiver/two-groups",
        &words,
        "multicast-receiver-stranger.svg",
    );
    assert!(
        svg.contains(", to 224.1.1.2") && !svg.contains(">lost<"),
        "{svg}"
    );
}

#[test]
fn nodes_have_a_page_of_their_run() {
    if !can_grade() {
        return;
    }
    let folder = Folder::new();
    let pictures = folder.path("pictures");
    let submission = Path::new(SUBMISSIONS).join("node/wrong-echo");
    let words = [
        "node",
        "echo",
        "--cmd",
        "python3 node.py",
        "--only",
        "calm",
        "--pictures",
        &pictures,
    ];
    let finished = grade(&submission, &words);
    let page = fs::read_to_string(Path::new(&pictures).join("node-calm.html"));
    let page = page.unwrap_or_else(|error| panic!("{error}: {}{}", finished.out, finished.err));
    assert!(page.contains("n1") && page.contains("echo hello"));
}

/// Each submission of a class has a folder of its own, and the results name the file.
#[test]
fn the_pictures_of_a_class_are_apart_and_a_right_program_has_none() {
    if !can_grade() {
        return;
    }
    let folder = Folder::new();
    for name in ["right", "off-by-one"] {
        let to = folder.path(&format!("class/{name}"));
        copy(
            &Path::new(SUBMISSIONS).join("clock").join(name),
            Path::new(&to),
        );
    }
    let suite =
        r#"{"version": 1, "parts": [{"experiment": "clock", "command": "python3 clock.py"}]}"#;
    let suite = folder.write("suite.json", suite);
    let (class, pictures) = (folder.path("class"), folder.path("pictures"));
    let words = [
        "all",
        "--submissions",
        &class,
        "--suite",
        &suite,
        "--pictures",
        &pictures,
        "--format",
        "json",
    ];
    let finished = grade(Path::new("/"), &words);
    let results: Results = serde_json::from_str(&finished.out).unwrap();
    for submission in &results.submissions {
        for (_, graded) in submission.graded() {
            let is_drawn = graded
                .picture
                .as_ref()
                .is_some_and(|path| Path::new(path).is_file());
            assert_eq!(
                is_drawn,
                graded.what.is_some() && graded.was_tried(),
                "{graded:?}"
            );
        }
    }
    assert!(
        Path::new(&pictures)
            .join("off-by-one/clock-above.svg")
            .is_file()
    );
    assert!(!Path::new(&pictures).join("right").exists());
}

#[test]
fn logs_that_are_wrong_are_drawn() {
    let folder = Folder::new();
    fs::create_dir(folder.path("logs")).unwrap();
    let line = |node: &str, event: &str, clock: u32| {
        format!(
            "{{\"v\":1,\"run\":\"r\",\"node\":\"{node}\",\"thread\":\"main\",\"seq\":0,\
             \"time\":\"2026-11-25T00:00:00.000000Z\",\"level\":\"info\",\"event\":\"{event}\",\
             \"message\":\"udp:p1>p2#1\",\"clock\":{clock}}}\n"
        )
    };
    folder.write("logs/p1.jsonl", line("p1", "send", 5));
    folder.write("logs/p2.jsonl", line("p2", "receive", 3));
    let (logs, pictures) = (folder.path("logs"), folder.path("pictures"));
    let finished = grade(Path::new("/"), &["logs", &logs, "--pictures", &pictures]);
    let path = format!("{pictures}/logs.html");
    assert!(
        finished.out.contains(&format!("picture   {path}")),
        "{}",
        finished.out
    );
    assert!(fs::read_to_string(path).unwrap().contains("p2"));
}
