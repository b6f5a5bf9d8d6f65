//! Runs the grader on a submission of tests/submissions.
#![allow(dead_code)] // Not every test uses all of it.

use std::{fs, path::Path, process::Command};

use common::testing::{self, Finished, Running};

/// The folder of the submissions.
pub(crate) const SUBMISSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/submissions");

/// Whether submissions can be graded here: each needs its sandbox.
pub(crate) fn can_grade() -> bool {
    let programs = ["python3", "bwrap", "unshare", "ip"];
    if !programs.into_iter().all(testing::have_program) {
        return false;
    }
    let words = [
        "--unshare-user",
        "--unshare-net",
        "--ro-bind",
        "/",
        "/",
        "true",
    ];
    let user = Command::new("bwrap").args(words).status();
    testing::have(
        "a user namespace",
        user.is_ok_and(|status| status.success()),
    )
}

/// Grades in this folder.
pub(crate) fn grade(folder: &Path, words: &[&str]) -> Finished {
    let mut command = testing::command(env!("CARGO_BIN_EXE_grade"), words);
    command.current_dir(folder);
    // What starts the interpreters and compilers of the submissions may need it.
    if let Some(home) = std::env::var_os("HOME") {
        command.env("HOME", home);
    }
    Running::start(command).with_any_words().finish()
}

/// Copies the files of a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
