//! The serial of a zone moves exactly when the zone does, and never falls; what is stored survives a failure that passes.

#[path = "support/serve.rs"]
mod serve;

use std::net::SocketAddr;

use common::testing::{self, Folder, run};

use serve::serve;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

/// The serials of the three zones, asked for with messages made by hand.
fn serials(server: SocketAddr) -> [u32; 3] {
    let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    client
        .set_read_timeout(Some(std::time::Duration::from_secs(30)))
        .unwrap();
    ["\x03lab\0", "\x07in-addr\x04arpa\0", "\x03ip6\x04arpa\0"].map(|zone| {
        let mut query = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        query.extend(zone.as_bytes());
        query.extend([0, 6, 0, 1]);
        client.send_to(&query, server).unwrap();
        let mut answer = [0; 512];
        let length = client.recv(&mut answer).unwrap();
        u32::from_be_bytes(*answer[length - 20..length].first_chunk().unwrap())
    })
}

fn naming(server: SocketAddr, arguments: &[&str]) -> Option<i32> {
    let server = server.to_string();
    run(NAMING, &[arguments, &["--server", &server]].concat()).code
}

/// Whether each serial moved, and none fell (RFC 1982).
fn moved(before: [u32; 3], after: [u32; 3]) -> [bool; 3] {
    std::array::from_fn(|index| {
        let ahead = after[index].wrapping_sub(before[index]);
        assert!(ahead < 0x8000_0000, "{before:?} {after:?}");
        ahead > 0
    })
}

#[test]
fn a_serial_moves_with_its_zone_alone() {
    let (_server, address) = serve(&[]);
    let mut before = serials(address);
    for (arguments, expected) in [
        (&["register", "a", "text:one"][..], [true, false, false]),
        (&["register", "a", "text:one", "--replace"], [false; 3]),
        (&["register", "a", "10.0.0.1", "--add"], [true, true, false]),
        // In another order, it is the same set.
        (
            &["register", "a", "10.0.0.1", "text:one", "--replace"],
            [false; 3],
        ),
        (&["register", "b", "::1"], [true, false, true]),
        (&["unregister", "a"], [true, true, false]),
    ] {
        assert_eq!(naming(address, arguments), Some(0), "{arguments:?}");
        let after = serials(address);
        assert_eq!(moved(before, after), expected, "{arguments:?}");
        before = after;
    }
}

/// Starts a server again and again, each time in another way, and checks which serials moved.
fn check_restarts(restarts: &[(&[&str], [bool; 3])]) {
    let mut before = None;
    for (arguments, expected) in restarts {
        let (server, address) = serve(arguments);
        let after = serials(address);
        if let Some(before) = before {
            assert_eq!(moved(before, after), *expected, "{arguments:?}");
        }
        before = Some(after);
        assert_eq!(server.interrupt().code, Some(0));
    }
}

#[test]
fn a_restart_keeps_the_serial_of_the_same_zone_and_moves_that_of_another() {
    let folder = Folder::new();
    let names = folder.write("names.json", r#"{"a": "10.0.0.1", "b": "text:b"}"#);
    let (one, two) = (
        folder.write("one.json", r#"{"region1": {"x": "10.0.1.1"}}"#),
        folder.write("two.json", r#"{"region1": {"x": "10.0.1.2"}}"#),
    );
    let (one, two) = (format!("eu={one}"), format!("eu={two}"));
    let store = folder.path("store.redb");
    for source in [["--names", &names], ["--store", &store]] {
        let with = |more: &[&'static str]| [&source[..], more].concat();
        let mounted = |mount| [&source[..], &["--mount", mount]].concat();
        check_restarts(&[
            (&with(&[]), [false; 3]),
            (&with(&[]), [false; 3]),
            (&with(&["--ttl", "2m"]), [true; 3]),
            (&with(&["--ttl", "2m"]), [false; 3]),
            (&with(&[]), [true; 3]),
            (&mounted(&one), [true, true, false]),
            (&mounted(&one), [false; 3]),
            (&mounted(&two), [true, true, false]),
            (&with(&[]), [true, true, false]),
        ]);
    }
}

#[test]
fn a_serial_never_falls_whatever_ends_the_server() {
    let folder = Folder::new();
    let names = folder.write("names.json", r#"{"a": "10.0.0.1"}"#);
    let store = folder.path("store.redb");
    for source in [&[][..], &["--names", &names], &["--store", &store]] {
        let (server, address) = serve(source);
        let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        client
            .set_read_timeout(Some(std::time::Duration::from_secs(30)))
            .unwrap();
        for number in 0..400_u32 {
            // An update that adds one address to a name.
            let mut update = vec![0, 1, 0x28, 0, 0, 1, 0, 0, 0, 1, 0, 0];
            update
                .extend(b"\x03lab\0\0\x06\0\x01\x01n\x04flat\x03lab\0\0\x01\0\x01\0\0\0\x3c\0\x04");
            update.extend((number % 2 + 0x0a00_0000).to_be_bytes());
            if number % 2 == 1 {
                // It deletes the last one.
                update.truncate(12);
                update
                    .extend(b"\x03lab\0\0\x06\0\x01\x01n\x04flat\x03lab\0\0\xff\0\xff\0\0\0\0\0\0");
            }
            client.send_to(&update, address).unwrap();
            let mut answer = [0; 512];
            client.recv(&mut answer).unwrap();
            assert_eq!(answer[3] & 15, 0);
        }
        let before = serials(address);
        server.signal("KILL");
        assert_eq!(server.finish().code, None);
        let (_server, address) = serve(source);
        moved(before, serials(address));
    }
}

#[test]
fn a_reload_moves_the_serial_when_the_names_differ() {
    let folder = Folder::new();
    let names = folder.write("names.json", r#"{"a": "10.0.0.1"}"#);
    let (mut server, address) = serve(&["--names", &names]);
    let before = serials(address);
    server.signal("HUP");
    server.err_line("read ");
    assert_eq!(serials(address), before);
    folder.write("names.json", r#"{"a": ["10.0.0.1", "text:more"]}"#);
    server.signal("HUP");
    server.err_line("read ");
    assert_eq!(moved(before, serials(address)), [true, false, false]);
}

#[test]
fn ixfr_has_the_changes_or_the_serial_alone() {
    if !testing::have_program("dig") {
        return;
    }
    let (_server, address) = serve(&[]);
    let [first, ..] = serials(address);
    let dig = |serial: u32| {
        let port = address.port().to_string();
        let serial = format!("IXFR={serial}");
        let all = [
            "@127.0.0.1",
            "-p",
            &port,
            "lab",
            &serial,
            "+noall",
            "+answer",
        ];
        run("dig", &all).out
    };
    let count = |text: &str, part: &str| text.lines().filter(|line| line.contains(part)).count();
    assert_eq!(naming(address, &["register", "a", "10.0.0.1"]), Some(0));
    assert_eq!(
        naming(address, &["register", "a", "10.0.0.2", "--replace"]),
        Some(0)
    );
    let [last, ..] = serials(address);
    let changes = dig(first);
    assert_eq!(
        (count(&changes, "\tSOA\t"), count(&changes, "\tA\t")),
        (6, 3),
        "{changes}"
    );
    for serial in [last, last.wrapping_add(1)] {
        let answer = dig(serial);
        assert_eq!(
            (count(&answer, "\tSOA\t"), answer.lines().count()),
            (1, 1),
            "{answer}"
        );
    }
    let whole = dig(first.wrapping_sub(5));
    assert_eq!(
        (count(&whole, "\tSOA\t"), count(&whole, "server1.flat")),
        (2, 1),
        "{whole}"
    );
}

#[test]
fn ixfr_over_udp_has_the_changes_that_one_message_has_room_for() {
    if !testing::have_program("dig") {
        return;
    }
    let folder = Folder::new();
    let key = folder.path("lab.key");
    assert_eq!(run(NAMING, &["keygen", "lab", "--key", &key]).code, Some(0));
    let (_server, address) = serve(&["--key", &key]);
    let [first, ..] = serials(address);
    let port = address.port().to_string();
    let dig = |serial: u32, more: &[&str]| {
        let serial = format!("IXFR={serial}");
        let all = [
            "@127.0.0.1",
            "-p",
            &port,
            "lab",
            &serial,
            "+notcp",
            "+noall",
        ];
        run("dig", &[&all, &["+answer"][..], more].concat()).out
    };
    let count = |text: &str, rtype: &str| {
        let types = text.lines().map(|line| line.split_whitespace().nth(3));
        types.filter(|found| *found == Some(rtype)).count()
    };
    let all = |text: &str| (count(text, "SOA"), count(text, "A"));
    assert_eq!(naming(address, &["register", "a", "10.0.0.1"]), Some(0));
    for more in [&[][..], &["-k", &key], &["+noedns"]] {
        let changes = dig(first, more);
        assert_eq!(all(&changes), (4, 1), "{more:?}: {changes}");
    }
    // 40 addresses have room where EDNS is, and not in 512 bytes; with a long text they have none.
    let long = format!("text:{}", "x".repeat(900));
    for (more, long, expected) in [
        (&[][..], None, (4, 40)),
        (&["-k", &key], None, (4, 40)),
        (&["+noedns"], None, (1, 0)),
        (&[], Some(&long), (1, 0)),
        (&["-k", &key], Some(&long), (1, 0)),
    ] {
        let [before, ..] = serials(address);
        let values: Vec<_> = (0..40).map(|value| format!("10.1.0.{value}")).collect();
        let values: Vec<_> = values.iter().chain(long).map(String::as_str).collect();
        let name = "a-name-that-is-long-enough-to-fill-the-message-with-it";
        let register = [&["register", name], &values[..]].concat();
        assert_eq!(naming(address, &register), Some(0));
        let changes = dig(before, more);
        assert_eq!(all(&changes), expected, "{more:?}: {changes}");
        assert_eq!(naming(address, &["unregister", name]), Some(0));
    }
}

#[test]
fn a_mounted_file_that_is_read_again_moves_the_serial_with_a_store_too() {
    let folder = Folder::new();
    let eu = folder.write("eu.json", r#"{"/www": "10.1.0.1"}"#);
    let store = folder.path("lab.redb");
    let mount = format!("eu={eu}");
    let arguments = ["--store", &store, "--mount", &mount];
    let (mut server, address) = serve(&arguments);
    let mut before = serials(address);
    assert_eq!(naming(address, &["register", "a", "text:kept"]), Some(0));
    assert_eq!(moved(before, serials(address)), [true, false, false]);
    before = serials(address);
    for (text, expected) in [
        (r#"{"/www": "10.1.0.1"}"#, [false; 3]),
        (r#"{"/www": "10.1.0.2"}"#, [true, true, false]),
        (r#"{"/www": ["10.1.0.2", "::1"]}"#, [true, false, true]),
    ] {
        folder.write("eu.json", text);
        server.signal("HUP");
        server.err_line("read ");
        let after = serials(address);
        assert_eq!(moved(before, after), expected, "{text}");
        before = after;
    }
    // The store has the last serials, and the name that was registered.
    assert_eq!(server.interrupt().code, Some(0));
    let (_server, address) = serve(&arguments);
    assert_eq!(serials(address), before);
    assert_eq!(naming(address, &["unregister", "a"]), Some(0));
}
