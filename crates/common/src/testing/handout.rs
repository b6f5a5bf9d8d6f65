//! The file that is the handout's program: how long it is, what its page shows, and what runs through it.

use std::{fs, path::Path};

/// The most lines of the handout's program, with its comments.
const MOST_LINES: usize = 60;

/// Checks that the handout's program is short, and that this block of Rust on the page of its experiment, counted from 0,
/// is the file. No other code stands on the page before the first one.
pub fn check_handout(program: &str, page: &str, block: usize) {
    let lines = program.lines().count();
    assert!(lines <= MOST_LINES, "{lines} lines");
    let blocks: Vec<_> = page.split("```rust\n").collect();
    assert!(
        !blocks[0].contains("```"),
        "the page begins with other code"
    );
    let (shown, _) = blocks[block + 1].split_once("```\n").expect("a block ends");
    assert_eq!(shown, program, "the page shows another program");
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
