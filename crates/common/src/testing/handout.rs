//! The file that is the handout's program: how long it is, what its page shows, and what runs through it.

use std::{fs, path::Path};

/// The most lines of the handout's program, with its comments.
const MOST_LINES: usize = 60;

/// Checks that the handout's program is short, and that the page of its experiment links to it and shows its heart: at least
/// one block of Rust is a part of this file, line for line.
pub fn check_handout(program: &str, link: &str, page: &str) {
    let lines = program.lines().count();
    assert!(lines <= MOST_LINES, "{lines} lines");
    assert!(page.contains(link), "the page has no link to {link}");
    let blocks = page.split("```rust\n").skip(1);
    let mut blocks = blocks.map(|block| block.split_once("```\n").expect("a block ends").0);
    assert!(
        blocks.any(|block| block.lines().count() >= 3 && program.contains(block)),
        "the page shows another program"
    );
}

/// The lines of a crate's `src/FILE` through which a call came, by its backtrace.
pub fn lines_of_backtrace(crate_folder: &str, file: &str, backtrace: &str) -> Vec<String> {
    let source = fs::read_to_string(Path::new(crate_folder).join("src").join(file)).unwrap();
    let source: Vec<_> = source.lines().collect();
    let place = format!("src/{file}:");
    let calls = backtrace.split(&place).skip(1);
    let numbers = calls.map(|call| call.split(':').next().unwrap().parse::<usize>().unwrap());
    numbers
        .map(|number| source[number - 1].trim().to_owned())
        .collect()
}
