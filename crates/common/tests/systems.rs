//! What differs between operating systems lives in `common/src/sys/` alone.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What only a file of `sys` may write.
const OF_A_SYSTEM: [&str; 12] = [
    "nix::",
    "libc::",
    "signal_hook",
    "std::os::",
    "os::fd",
    "os::unix",
    "os::windows",
    "target_os",
    "cfg(unix",
    "cfg(windows",
    "\"/proc/",
    "\"/sys/",
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs"
        {
            found.push(path);
        }
    }
}

/// The lines of a file before its tests, each with its number.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = |line: &str| line.starts_with("#[cfg(") && line.contains("test");
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| (index + 1, line))
        .take_while(move |(_, line)| !tests(line) || line.contains("feature"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[test]
fn what_differs_between_systems_lives_in_one_room() {
    let mut files = Vec::new();
    for entry in fs::read_dir(crates()).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut files);
    }
    assert!(files.len() > 100, "{}", files.len());
    let room = Path::new("common/src/sys");
    let mut strays = Vec::new();
    for path in &files {
        let shown = path.strip_prefix(crates()).unwrap();
        if shown.starts_with(room) {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        for (number, line) in code(&text) {
            for word in OF_A_SYSTEM {
                if line.contains(word) {
                    strays.push(format!("{}:{number}: {word}", shown.display()));
                }
            }
        }
    }
    assert!(strays.is_empty(), "{}", strays.join("\n"));
}
