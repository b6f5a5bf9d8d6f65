//! Runs the grader on a submission of tests/submissions.

use std::path::PathBuf;

use common::testing::{self, Finished, Running};

/// The folder of the submissions.
pub(crate) const SUBMISSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/submissions");

/// Whether submissions can be graded here: each needs its sandbox.
pub(crate) fn can_grade() -> bool {
    let programs = ["python3", "bwrap", "unshare", "ip"];
    if !programs.into_iter().all(testing::have_program) {
        return false;
    }
    let user = std::process::Command::new("bwrap")
        .args([
            "--unshare-user",
            "--unshare-net",
            "--ro-bind",
            "/",
            "/",
            "true",
        ])
        .status();
    testing::have(
        "a user namespace",
        user.is_ok_and(|status| status.success()),
    )
}

/// Grades in this folder.
pub(crate) fn grade(folder: PathBuf, words: &[&str]) -> Finished {
    let mut command = testing::command(env!("CARGO_BIN_EXE_grade"), words);
    command.current_dir(folder);
    if let Some(home) = std::env::var_os("HOME") {
        command.env("HOME", home);
    }
    Running::start(command).with_any_words().finish()
}

/// Grades in this folder; the exit code, and of each requirement that is not met its name, its status, and what happened.
pub(crate) fn graded(
    folder: PathBuf,
    words: &[&str],
) -> (Option<i32>, Vec<(String, String, String)>) {
    let finished = grade(folder, &[words, &["--format", "json"]].concat());
    let results: grade::results::Results = serde_json::from_str(&finished.out)
        .unwrap_or_else(|error| panic!("{error}: {}{}", finished.out, finished.err));
    let all = results
        .submissions
        .iter()
        .flat_map(grade::results::Submission::graded);
    let lost = all.filter(|(_, graded)| graded.status != grade::requirement::Status::Pass);
    let lost = lost.map(|(_, graded)| {
        let what = graded.what.clone().unwrap_or_default();
        (graded.id.clone(), graded.status.word().to_owned(), what)
    });
    (finished.code, lost.collect())
}
