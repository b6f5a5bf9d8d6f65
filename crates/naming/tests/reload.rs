//! SIGHUP: names files and what is mounted are read again, without and with a store.

#[path = "support/serve.rs"]
mod serve;

use std::net::SocketAddr;

use common::testing::{self, Folder, run};

use serve::serve;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

fn lookup(server: SocketAddr, name: &str) -> String {
    let server = server.to_string();
    let finished = run(NAMING, &["resolve", name, "--short", "--server", &server]);
    finished.out.trim_end().to_owned()
}

fn register(server: SocketAddr, name: &str, address: &str) -> Option<i32> {
    let server = server.to_string();
    run(NAMING, &["register", name, address, "--server", &server]).code
}

fn serial(server: SocketAddr) -> u32 {
    let server = server.to_string();
    let soa = [
        "resolve", "lab.", "--type", "SOA", "--short", "--server", &server,
    ];
    let soa = run(NAMING, &soa).out;
    let serial = soa.split_whitespace().nth(2);
    serial
        .and_then(|serial| serial.parse().ok())
        .unwrap_or_else(|| panic!("{soa}"))
}

#[test]
fn what_is_mounted_is_read_again_with_a_store_too() {
    let folder = Folder::new();
    let eu = folder.write(
        "eu.json",
        r#"{"/www": "10.1.0.1", "old": {"x": "10.1.0.2"}}"#,
    );
    let store = folder.path("lab.redb");
    let mount = format!("eu={eu}");
    let arguments = ["--mount", &mount, "--store", &store];
    let (mut server, address) = serve(&arguments);
    assert_eq!(register(address, "mine", "10.0.0.9"), Some(0));
    assert_eq!(lookup(address, "eu/old/x"), "10.1.0.2");
    let before = serial(address);
    folder.write(
        "eu.json",
        r#"{"/www": "10.1.0.8", "new": {"y": "10.1.0.3"}}"#,
    );
    server.signal("HUP");
    let line = server.err_line("read ");
    assert!(line.starts_with(&format!("read {eu} again: ")), "{line}");
    let names = ["eu/www", "eu/new/y", "eu/old/x", "mine", "server1"];
    let now = ["10.1.0.8", "10.1.0.3", "", "10.0.0.9", "192.168.1.2"];
    assert_eq!(names.map(|name| lookup(address, name)), now);
    let after = serial(address);
    assert!(after > before, "{before} {after}");
    // It is still read-only, and updates go on.
    assert_ne!(register(address, "eu/z", "10.0.0.1"), Some(0));
    assert_eq!(register(address, "again", "10.0.0.7"), Some(0));
    // An error changes nothing.
    folder.write("eu.json", "{");
    server.signal("HUP");
    let line = server.err_line("naming: the names are unchanged: ");
    assert!(line.contains("eu.json:1:1: "), "{line}");
    assert_eq!(lookup(address, "eu/www"), "10.1.0.8");
    let last = serial(address);
    assert_eq!(server.interrupt().code, Some(0));
    // What was mounted did not get into the store, and its serial is not lower after a restart.
    folder.write("eu.json", r#"{"/www": "10.1.0.9"}"#);
    let (server, address) = serve(&arguments);
    let now = ["10.1.0.9", "", "", "10.0.0.9", "192.168.1.2"];
    assert_eq!(names.map(|name| lookup(address, name)), now);
    assert!(serial(address) >= last);
    assert_eq!(server.interrupt().code, Some(0));
    let (server, address) = serve(&["--store", &store]);
    assert_eq!(lookup(address, "eu/www"), "");
    assert_eq!(lookup(address, "again"), "10.0.0.7");
    assert_eq!(server.interrupt().code, Some(0));
}

#[test]
fn what_is_mounted_is_read_again_without_a_store() {
    let folder = Folder::new();
    let eu = folder.write("eu.json", r#"{"/www": "10.1.0.1"}"#);
    let names = folder.write("names.json", r#"{"a": "10.0.0.1"}"#);
    let mount = format!("eu={eu}");
    for names in [None, Some(&names)] {
        folder.write("eu.json", r#"{"/www": "10.1.0.1"}"#);
        let mut arguments = vec!["--mount", &mount];
        arguments.extend(names.iter().flat_map(|names| ["--names", names]));
        let (mut server, address) = serve(&arguments);
        assert_eq!(lookup(address, "eu/www"), "10.1.0.1");
        folder.write("eu.json", r#"{"/www": "10.1.0.2"}"#);
        server.signal("HUP");
        let line = server.err_line("read ");
        assert!(line.contains("eu.json again: "), "{line}");
        assert_eq!(lookup(address, "eu/www"), "10.1.0.2");
        assert_eq!(server.interrupt().code, Some(0));
    }
}

#[test]
fn what_cannot_be_read_again_is_refused_at_once() {
    let folder = Folder::new();
    let names = folder.write("names.json", r#"{"a": "10.0.0.1"}"#);
    let eu = folder.write("eu.json", r#"{"/www": "10.1.0.1"}"#);
    let mount = format!("eu={eu}");
    let (mut server, address) = serve(&["--names", &names, "--mount", &mount]);
    let mut refused = |path: &str, why: &str| {
        server.signal("HUP");
        let line = server.err_line("naming: the names are unchanged: ");
        let expected = format!("naming: the names are unchanged: {path}: {why}");
        assert_eq!(line, expected);
        assert_eq!(lookup(address, "a"), "10.0.0.1");
        // The registrar does not wait for the file.
        assert_ne!(register(address, "a", "10.0.0.2"), Some(0));
    };
    for path in [&names, &eu] {
        let text = std::fs::read(path).unwrap();
        std::fs::remove_file(path).unwrap();
        refused(path, "no such file");
        assert_eq!(run("mkfifo", &[path]).code, Some(0));
        refused(path, "not a regular file, which alone can be read again");
        std::fs::remove_file(path).unwrap();
        std::fs::create_dir(path).unwrap();
        refused(path, "not a regular file, which alone can be read again");
        std::fs::remove_dir(path).unwrap();
        std::fs::write(path, text).unwrap();
    }
    assert_eq!(server.interrupt().code, Some(0));

    let mut server = testing::start(
        NAMING,
        &["serve", "--listen", "127.0.0.1:0", "--names", "-"],
    );
    server.type_in(r#"{"a": "10.0.0.1"}"#);
    server.close_stdin();
    let address = server.ready();
    assert_eq!(lookup(address, "a"), "10.0.0.1");
    server.signal("HUP");
    let line = server.err_line("naming: the names are unchanged: ");
    assert!(
        line.ends_with(": -: standard input cannot be read again"),
        "{line}"
    );
    assert_eq!(server.interrupt().code, Some(0));

    let finished = run(
        NAMING,
        &["serve", "--listen", "127.0.0.1:0", "--store", "-"],
    );
    let why = "naming: --store -: a store is a file, and no standard stream\n";
    assert_eq!((finished.code, finished.err.as_str()), (Some(2), why));
}

#[test]
fn it_is_ready_by_machine_and_answers_signals() {
    testing::check_contract(NAMING, &["serve", "--listen", "127.0.0.1:0"], true);
}
