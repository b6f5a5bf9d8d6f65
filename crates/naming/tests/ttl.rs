//! Names with TTLs of their own: in files, in zone files, in updates, from the client, in the store.

#[path = "support/serve.rs"]
mod serve;

use std::net::SocketAddr;

use common::testing::{self, Folder, run};

use serve::serve;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

/// The records of an answer, each as `TTL TYPE DATA`, in order.
fn ask(address: SocketAddr, name: &str, rtype: &str) -> Vec<String> {
    let port = address.port().to_string();
    let finished = run(
        "dig",
        &["@127.0.0.1", "-p", &port, name, rtype, "+noall", "+answer"],
    );
    let words = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        format!("{} {}", words[1], words[3..].join(" "))
    };
    let mut lines: Vec<_> = finished.out.lines().map(words).collect();
    lines.sort();
    lines
}

const NAMES: &str = r#"{
    "server1": ["10.0.0.1", "text:x", "ttl:5m"], "server2": ["10.0.0.2", "text:y", "ttl:TXT=0"], "server3": "10.0.0.3",
    "alias": ["symlink:server1", "ttl:7"], "region1": {"server1": ["10.0.1.1", "ttl:1d"]},
    "/east": ["symlink:/region1", "ttl:9"], "/web": "link:server1", "/@": ["text:z", "srv:0 5 5060 lab.", "ttl:TXT=11"]
}"#;

#[test]
fn names_have_their_own_ttls() {
    if !testing::have_program("dig") {
        return;
    }
    let folder = Folder::new();
    let names = folder.write("names.json", NAMES);
    // The zone file has them too, and the names file that is read from it.
    let zone = folder.write("zone", run(NAMING, &["export", "--names", &names]).out);
    let again = folder.path("again.json");
    let imported = run(NAMING, &["import", &zone, "--names", &again]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let store = folder.path("names.redb");
    for arguments in [
        &["--names", &names][..],
        &["--names", &again],
        &["--names", &names, "--store", &store],
        &["--store", &store],
    ] {
        let (server, address) = serve(&[arguments, &["--ttl", "20s"]].concat());
        for (name, rtype, expected) in [
            (
                "server1.flat.lab",
                "ANY",
                &["300 A 10.0.0.1", "300 TXT \"x\""][..],
            ),
            ("web.lab", "ANY", &["300 A 10.0.0.1", "300 TXT \"x\""]),
            ("server2.flat.lab", "ANY", &["0 TXT \"y\"", "20 A 10.0.0.2"]),
            ("server3.flat.lab", "A", &["20 A 10.0.0.3"]),
            ("lab", "TXT", &["11 TXT \"z\""]),
            ("lab", "SRV", &["20 SRV 0 5 5060 lab."]),
            (
                "alias.flat.lab",
                "A",
                &["300 A 10.0.0.1", "7 CNAME server1.flat.lab."],
            ),
            (
                "server1.east.lab",
                "A",
                &[
                    "86400 A 10.0.1.1",
                    "9 CNAME server1.region1.lab.",
                    "9 DNAME region1.lab.",
                ],
            ),
        ] {
            assert_eq!(ask(address, name, rtype), expected, "{name} {arguments:?}");
        }
        // A transfer has them as well.
        let transfer = ask(address, "lab", "AXFR");
        for line in ["300 A 10.0.0.1", "0 TXT \"y\"", "9 DNAME region1.lab."] {
            assert!(
                transfer.iter().any(|found| found == line),
                "{line} in {transfer:?}"
            );
        }
        assert_eq!(server.interrupt().code, Some(0));
    }
}

#[test]
fn updates_and_the_client_set_them() {
    if !testing::have_program("nsupdate") || !testing::have_program("dig") {
        return;
    }
    let folder = Folder::new();
    let store = folder.path("names.redb");
    let (server, address) = serve(&["--store", &store]);
    let update = |lines: &str| {
        let script = format!(
            "server 127.0.0.1 {}\nzone lab.\n{lines}\nsend\n",
            address.port()
        );
        let script = folder.write("script", script);
        run("nsupdate", &["-u", "60", &script]).err
    };
    for (lines, rtype, expected) in [
        (
            "update add a.lab. 300 A 10.0.0.1\nupdate add a.lab. 5 TXT x",
            "ANY",
            &["300 A 10.0.0.1", "5 TXT \"x\""][..],
        ),
        // All records of a type have the TTL of the last one that was added.
        (
            "update add a.lab. 400 A 10.0.0.2",
            "A",
            &["400 A 10.0.0.1", "400 A 10.0.0.2"],
        ),
        (
            "update add a.lab. 10 A 10.0.0.2",
            "A",
            &["10 A 10.0.0.1", "10 A 10.0.0.2"],
        ),
        ("update delete a.lab. A 10.0.0.1", "A", &["10 A 10.0.0.2"]),
        ("update add a.lab. 0 A 10.0.0.2", "A", &["0 A 10.0.0.2"]),
        ("update add a.lab. 60 A 10.0.0.2", "A", &["60 A 10.0.0.2"]),
        (
            "update delete a.lab.\nupdate add a.lab. 30 CNAME server1.flat.lab.",
            "CNAME",
            &["30 CNAME server1.flat.lab."],
        ),
        (
            "update add a.lab. 40 CNAME server1.flat.lab.",
            "CNAME",
            &["40 CNAME server1.flat.lab."],
        ),
    ] {
        assert_eq!(update(lines), "", "{lines}");
        assert_eq!(ask(address, "a.lab", rtype), expected, "{lines}");
    }
    let naming = |arguments: &[&str]| {
        run(
            NAMING,
            &[arguments, &["--server", &address.to_string()]].concat(),
        )
    };
    let registered = naming(&["register", "/b", "10.0.0.1", "--ttl", "2h"]);
    assert_eq!(registered.out, "/b is 10.0.0.1, ttl:7200\n");
    assert_eq!(
        naming(&["register", "/c", "10.0.0.1", "text:x", "ttl:TXT=3"]).code,
        Some(0)
    );
    assert_eq!(
        naming(&["link", "/d", "/b", "--symbolic", "--ttl", "9s"]).out,
        "/d is alias of /b, ttl:9\n"
    );
    assert_eq!(naming(&["register", "/e", "10.0.0.1"]).code, Some(0));
    assert_eq!(server.interrupt().code, Some(0));
    let (server, address) = serve(&["--store", &store, "--ttl", "90s"]);
    assert_eq!(
        ask(address, "a.lab", "CNAME"),
        ["40 CNAME server1.flat.lab."]
    );
    assert_eq!(
        ask(address, "c.lab", "ANY"),
        ["3 TXT \"x\"", "90 A 10.0.0.1"]
    );
    assert_eq!(
        ask(address, "d.lab", "A"),
        ["7200 A 10.0.0.1", "9 CNAME b.lab."]
    );
    assert_eq!(ask(address, "e.lab", "A"), ["90 A 10.0.0.1"]);
    assert_eq!(server.interrupt().code, Some(0));
}

#[test]
fn a_client_leaves_the_ttl_to_the_server() {
    if !testing::have_program("dig") {
        return;
    }
    let folder = Folder::new();
    let key = folder.path("lab.key");
    assert_eq!(run(NAMING, &["keygen", "lab", "--key", &key]).code, Some(0));
    let store = folder.path("names.redb");
    let (server, address) = serve(&["--ttl", "20s", "--key", &key, "--store", &store]);
    let at = address.to_string();
    for arguments in [
        &["register", "/a", "10.0.0.1", "text:x", "ttl:TXT=60"][..],
        &["register", "/b", "10.0.0.2", "--key", &key],
        &["link", "/c", "/b", "--symbolic"],
        &["register", "/b", "10.0.0.3", "--add"],
    ] {
        let finished = run(NAMING, &[arguments, &["--server", &at]].concat());
        assert_eq!(finished.code, Some(0), "{finished:?}");
    }
    assert_eq!(
        ask(address, "a.lab", "ANY"),
        ["20 A 10.0.0.1", "60 TXT \"x\""]
    );
    assert_eq!(server.interrupt().code, Some(0));
    // Nothing of it is kept with the names.
    let (server, address) = serve(&["--ttl", "30s", "--store", &store]);
    assert_eq!(
        ask(address, "a.lab", "ANY"),
        ["30 A 10.0.0.1", "60 TXT \"x\""]
    );
    assert_eq!(
        ask(address, "c.lab", "A"),
        ["30 A 10.0.0.2", "30 A 10.0.0.3", "30 CNAME b.lab."]
    );
    assert_eq!(server.interrupt().code, Some(0));
}

#[test]
fn ttls_are_written_into_files() {
    let folder = Folder::new();
    let names = folder.path("names.json");
    let naming = |arguments: &[&str]| run(NAMING, &[arguments, &["--names", &names]].concat());
    for arguments in [
        &["register", "a", "10.0.0.1", "--ttl", "5m"][..],
        &["register", "a", "text:x", "--add", "--ttl", "1s"],
        &["link", "b", "a", "--symbolic", "--ttl", "7s"],
    ] {
        assert_eq!(naming(arguments).code, Some(0), "{arguments:?}");
    }
    assert_eq!(
        std::fs::read_to_string(&names).unwrap(),
        "{\n  \"a\": [\"10.0.0.1\", \"text:x\", \"ttl:A=300\", \"ttl:TXT=1\"],\n  \"b\": [\"symlink:a\", \"ttl:7\"]\n}\n"
    );
    let zone = folder.write(
        "zone",
        "$ORIGIN lab.\n$TTL 1d\na A 10.0.0.1\nb 6h A 10.0.0.1\nb 5 A 10.0.0.2\nc 60 A 10.0.0.1\nd 7 CNAME a\n$TTL 60\ne A 10.0.0.1\n",
    );
    assert_eq!(
        run(NAMING, &["import", &zone]).out,
        "{\n  \"/a\": [\"10.0.0.1\", \"ttl:86400\"],\n  \"/b\": [\"10.0.0.1\", \"10.0.0.2\", \"ttl:21600\"],\n  \"/c\": \"10.0.0.1\",\n  \"/d\": [\"symlink:/a\", \"ttl:7\"],\n  \"/e\": \"10.0.0.1\"\n}\n"
    );
    testing::check_refusals(
        NAMING,
        &[
            (
                &["register", "x", "ttl:5", "--names", &names],
                "register x: a TTL, and no value",
            ),
            (
                &["register", "x", "10.0.0.1", "ttl:x", "--names", &names],
                "register x: 'ttl:x': ",
            ),
            (
                &[
                    "register", "x", "10.0.0.1", "--ttl", "1ms", "--names", &names,
                ],
                "--ttl: a TTL is in whole seconds",
            ),
            (
                &["link", "x", "a", "--ttl", "1s", "--names", &names],
                "--ttl: goes with --symbolic",
            ),
        ],
    );
    for (text, why) in [
        (r#"{"a": ["10.0.0.1", "ttl:x"]}"#, "'ttl:x'"),
        (r#"{"a": ["ttl:1"]}"#, "at least one value"),
        (
            r#"{"a": ["symlink:b", "10.0.0.1"]}"#,
            "a symbolic link has a TTL and nothing else",
        ),
    ] {
        let bad = folder.write("bad.json", text);
        let finished = run(NAMING, &["list", "--names", &bad]);
        assert!(
            finished.code == Some(2) && finished.err.contains(why),
            "{finished:?}"
        );
    }
}
