//! `src/handout.rs` is short, is what the program runs, and is what the page of the experiment shows.

use std::{fs, path::Path};

use common::testing::{self, start};

#[test]
fn it_is_short_and_the_page_shows_its_heart() {
    let page = include_str!("../../../docs/student/communication.md");
    testing::check_handout(
        include_str!("../src/handout.rs"),
        "crates/mcast-server/src/handout.rs",
        page,
    );
}

#[test]
fn without_a_subcommand_the_program_runs_it() {
    // Its words are printed …
    let mut server = start(env!("CARGO_BIN_EXE_mcast-server"), &["--port", "0"]);
    server.out_line("Multicast server running on 224.1.1.1:");
    server.interrupt();

    // … and no other file of the program joins, receives or has these words: main calls this one.
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let calls = text.matches("handout::run(").count();
        assert_eq!(calls, usize::from(name == "main.rs"), "{name}");
        for code in [
            "Receiver::join(",
            ".receive(",
            "Multicast server running on\"",
        ] {
            let there = text.contains(code);
            assert_eq!(there, name == "handout.rs", "{name}: {code}");
        }
    }
}

#[test]
fn no_module_uses_another_in_a_circle() {
    testing::check_modules(env!("CARGO_MANIFEST_DIR"));
}
