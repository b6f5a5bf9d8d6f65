//! The README and the pages in `docs/`: their length, their words, their links, and the programs that they show. What
//! their console blocks print is compared by `scripts/check-docs.py`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use common::testing::banned_word;

/// The most words of the README and of a page for students, as `wc -w` counts them.
const MOST_WORDS: usize = 900;

/// The languages of code blocks. Commands stand in console blocks, which are run; a block without a language is a drawing or
/// a layout.
const LANGUAGES: [&str; 6] = ["", "console", "rust", "python", "json", "bibtex"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Each page by its path from the root.
fn pages() -> BTreeMap<String, String> {
    fn add(folder: &Path, pages: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if root().join(&path).is_dir() {
                add(&path, pages);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                let text = fs::read_to_string(root().join(&path)).unwrap();
                pages.insert(path.to_str().unwrap().to_owned(), text);
            }
        }
    }
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut pages = BTreeMap::from([("README.md".to_owned(), readme)]);
    add(Path::new("docs"), &mut pages);
    pages
}

/// The lines outside of code blocks, and the code blocks with their languages.
fn parts(text: &str) -> (Vec<&str>, Vec<(&str, String)>) {
    let (mut prose, mut blocks, mut open) = (Vec::new(), Vec::new(), None);
    for line in text.lines() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, open.take()) {
            (Some(words), None) => {
                open = Some((words.split(' ').next().unwrap(), String::new()));
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some((language, code))) => open = Some((language, code + line + "\n")),
            (None, None) => prose.push(line),
        }
    }
    assert_eq!(open, None, "a block does not end");
    (prose, blocks)
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ if letter.is_alphanumeric() => Some(letter.to_ascii_lowercase()),
        _ => None,
    });
    kept.collect()
}

#[test]
fn the_readme_and_the_pages_for_students_are_short() {
    for (page, text) in pages() {
        let words = text.split_whitespace().count();
        let short = page == "README.md" || page.starts_with("docs/student/");
        assert!(!short || words <= MOST_WORDS, "{page}: {words} words");
    }
}

#[test]
fn no_page_has_a_banned_word() {
    for (page, text) in pages() {
        for (number, line) in text.lines().enumerate() {
            assert_eq!(banned_word(line), None, "{page}:{}: {line}", number + 1);
        }
    }
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    for (page, text) in pages() {
        let folder = root().join(&page).parent().unwrap().to_owned();
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            if link.starts_with("http") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                root().join(&page)
            } else {
                folder.join(file)
            };
            assert!(target.exists(), "{page}: {link}: no such file");
            if !heading.is_empty() {
                let target = fs::read_to_string(target).unwrap();
                let (prose, _) = parts(&target);
                let mut headings = prose.iter().filter_map(|line| line.strip_prefix('#'));
                assert!(
                    headings.any(|line| anchor(line.trim_start_matches('#').trim()) == heading),
                    "{page}: {link}: no such heading"
                );
            }
        }
    }
}

#[test]
fn commands_stand_in_blocks_that_are_run() {
    for (page, text) in pages() {
        for (language, code) in parts(&text).1 {
            assert!(LANGUAGES.contains(&language), "{page}: {language}");
            let command = code
                .lines()
                .find(|line| line.trim_start().starts_with("$ "));
            assert!(
                language == "console" || command.is_none(),
                "{page}: {command:?}"
            );
        }
    }
}

#[test]
fn the_pages_for_students_show_the_programs_as_they_are() {
    let mut programs = String::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let program = entry.unwrap().path().join("src/handout.rs");
        programs += &fs::read_to_string(program).unwrap_or_default();
    }
    // The handout's class: the clock of all algorithms.
    let clock = root().join("crates/common/src/process/clock.rs");
    programs += &fs::read_to_string(clock).unwrap();
    for (page, text) in pages() {
        let shown = parts(&text).1;
        let shown = shown.iter().filter(|block| block.0 == "rust");
        for (_, code) in shown.filter(|_| page.starts_with("docs/student/")) {
            assert!(programs.contains(code), "{page}: no program has\n{code}");
        }
    }
}
