//! Submissions that are a file, and what is found without bubblewrap.

mod support;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use common::testing::{self, Finished, Folder, Running};
use grade::{requirement::Status, results::Results, sandbox::Isolation};
use support::{SUBMISSIONS, can_grade, grade};

/// Grades where these programs are, and no others.
fn grade_with(programs: &[&str], folder: &Path, words: &[&str]) -> Finished {
    let bin = Folder::new();
    let all = std::env::var_os("PATH").unwrap_or_default();
    for program in programs {
        let found = std::env::split_paths(&all).map(|folder| folder.join(program));
        let found: Option<PathBuf> = found.into_iter().find(|path| path.is_file());
        let mut found = found.unwrap().canonicalize().unwrap();
        if *program == "python3" {
            // What is found may be a script that needs others.
            let words = ["-c", "import sys; print(sys.executable, end='')"];
            let own = Command::new(found).args(words).output().unwrap().stdout;
            found = String::from_utf8(own).unwrap().into();
        }
        symlink(found, bin.path(program)).unwrap();
    }
    let mut command = testing::command(env!("CARGO_BIN_EXE_grade"), words);
    command.current_dir(folder).env("PATH", bin.path(""));
    Running::start(command).with_any_words().finish()
}

/// A double fork is found, whatever keeps the submission apart, and a right server is taken for none.
#[test]
fn a_process_that_leaves_its_parent_is_found_without_bubblewrap() {
    if !can_grade() {
        return;
    }
    for (programs, isolation) in [
        (&["python3", "unshare", "ip"][..], Isolation::Unshare),
        (&["python3"], Isolation::None),
    ] {
        for (name, expected) in [("daemon", Status::WrongAnswer), ("forking", Status::Pass)] {
            let folder = Path::new(SUBMISSIONS).join("server").join(name);
            // Without a network of its own it has a port that nobody else has.
            let port = 20_000 + std::process::id() % 10_000;
            let server = fs::read_to_string(folder.join("server.py")).unwrap();
            let own = Folder::new();
            own.write("server.py", server.replace("12345", &port.to_string()));
            let address = format!("127.0.0.1:{port}");
            let words = [
                "threads",
                "--cmd",
                "python3 server.py",
                "--address",
                &address,
                "--only",
                "exchange,tidy",
                "--format",
                "json",
            ];
            let finished = grade_with(programs, Path::new(&own.path("")), &words);
            let results: Results = serde_json::from_str(&finished.out)
                .unwrap_or_else(|error| panic!("{error}: {}{}", finished.out, finished.err));
            assert_eq!(results.isolation, isolation);
            let (_, tidy) = results.submissions[0].graded().last().unwrap();
            assert_eq!(tidy.status, expected, "{isolation:?} {name}: {tidy:#?}");
            if expected != Status::Pass {
                assert!(
                    tidy.what.as_ref().unwrap().contains("double fork"),
                    "{tidy:#?}"
                );
            }
        }
    }
}

/// What a link in the folder of a submission leads to is there in its copy: a file, and a folder.
#[test]
fn links_in_a_submission_are_kept() {
    if !can_grade() {
        return;
    }
    let folder = Folder::new();
    fs::create_dir_all(folder.path("own/real")).unwrap();
    fs::copy(
        Path::new(SUBMISSIONS).join("clock/right/clock.py"),
        folder.path("own/real/clock.py"),
    )
    .unwrap();
    symlink("real", folder.path("own/linked")).unwrap();
    symlink("linked/clock.py", folder.path("own/clock.py")).unwrap();
    symlink("/dev/zero", folder.path("own/endless")).unwrap();
    for command in ["python3 clock.py", "python3 linked/clock.py"] {
        let words = ["clock", "--cmd", command, "--only", "send,tidy"];
        let finished = grade(Path::new(&folder.path("own")), &words);
        assert_eq!(finished.code, Some(0), "{}{}", finished.out, finished.err);
    }
}

/// A file is a submission, under the name that the suite gives the program.
#[test]
fn a_submission_may_be_one_file() {
    if !can_grade() {
        return;
    }
    let folder = Folder::new();
    fs::create_dir(folder.path("class")).unwrap();
    let part = |experiment: &str, file: &str, optional: bool| {
        format!(
            r#"{{"experiment": "{experiment}", "command": "python3 {file}", "files": ["{file}"], "optional": {optional}}}"#
        )
    };
    let parts = [
        part("clock", "clock.py", false),
        part("naming", "names.py", true)
            .replace("python3 names.py", "python3 names.py {scheme} {name}"),
    ];
    let suite = format!(r#"{{"version": 1, "parts": [{}]}}"#, parts.join(", "));
    let suite = folder.write("suite.json", suite);
    for (from, to) in [
        ("clock/right/clock.py", "alice.py"),
        ("clock/off-by-one/clock.py", "bob.py"),
        ("naming/right/names.py", "carol_names.py"),
        ("clock/right/clock.py", "dave/clock.py"),
        ("clock/off-by-one/clock.py", "dave.py"),
    ] {
        let to = PathBuf::from(folder.path(&format!("class/{to}")));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(Path::new(SUBMISSIONS).join(from), to).unwrap();
    }
    folder.write("class/notes.txt", "");
    let class = folder.path("class");
    let words = [
        "all",
        "--submissions",
        &class,
        "--suite",
        &suite,
        "--format",
        "json",
    ];
    let finished = grade(Path::new("/"), &words);
    assert!(
        finished
            .err
            .contains("notes.txt: no program of the suite, left out"),
        "{}",
        finished.err
    );
    let results: Results = serde_json::from_str(&finished.out).unwrap();
    let names: Vec<&str> = results
        .submissions
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["alice", "bob", "carol_names", "dave", "dave.py"]);
    let lost = |name: &str| {
        let one = results
            .submissions
            .iter()
            .find(|one| one.name == name)
            .unwrap();
        let mut lost = one
            .graded()
            .filter(|(_, graded)| graded.status != Status::Pass);
        lost.next().map(|(part, graded)| {
            (
                part.part.clone(),
                graded.id.clone(),
                graded.reproduce.clone(),
            )
        })
    };
    assert_eq!(
        (lost("alice"), lost("dave")),
        (None, None),
        "{}",
        finished.out
    );
    let (part, id, again) = lost("bob").unwrap();
    assert_eq!((part.as_str(), id.as_str()), ("clock", "above"));
    assert!(
        again.starts_with("cd \"$(mktemp -d)\" && cp ")
            && again.contains("bob.py clock.py && grade clock"),
        "{again}"
    );
    assert_eq!(lost("dave.py").unwrap().1, "above");
    // A name that ends so is that program, and the one that is required is missing.
    let carol = results
        .submissions
        .iter()
        .find(|one| one.name == "carol_names")
        .unwrap();
    let naming = carol
        .parts
        .iter()
        .find(|part| part.part == "naming")
        .unwrap();
    assert_eq!(naming.points, naming.of, "{naming:#?}");
}
