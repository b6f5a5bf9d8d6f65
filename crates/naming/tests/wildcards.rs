//! Wildcards (RFC 4592) and service names (RFC 8552): the naming graph, the name server and BIND agree.

#[path = "support/serve.rs"]
mod serve;

use common::testing::{self, Folder, run};

use serve::serve;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

const NAMES: &str = r#"{
    "server1": "10.0.0.1", "*": "10.0.0.2", "flat/server1/_acme-challenge": "text:flat",
    "region1": {
        "server1": "10.0.1.1", "server1/_acme-challenge": "text:token",
        "*": ["10.0.1.2", "text:any"], "rack": {"a": "10.0.1.3"}, "_tcp": {"_sip": "text:sip", "host": "10.0.1.5"}
    },
    "region2": {"*": "symlink:region1/server1", "b": {"*": {"c": "10.0.2.1"}}},
    "/_dmarc": "text:v=DMARC1", "/east": "symlink:/region1", "www": "symlink:region1/any",
    "/www": "symlink:region1/server1", "/www/_acme-challenge": "text:alias"
}"#;

fn dig(port: u16, name: &str, rtype: &str) -> String {
    let port = port.to_string();
    let asked = format!("{name}.lab");
    let arguments = [
        "@127.0.0.1",
        "-p",
        &port,
        &asked,
        rtype,
        "+norecurse",
        "+noall",
    ];
    let shown = ["+comments", "+answer", "+authority", "+nocookie"];
    let finished = run("dig", &[&arguments[..], &shown].concat());
    let line = |line: &str| {
        let code = line.split_once("status: ").map(|(_, code)| code);
        match code {
            Some(code) => code.split(',').next().unwrap().to_owned(),
            None => line.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    };
    let kept =
        |line: &&str| line.contains("status: ") || !line.starts_with(';') && !line.is_empty();
    let lines: Vec<_> = finished.out.lines().filter(kept).map(line).collect();
    lines.join("\n")
}

#[test]
fn names_resolve_by_the_wildcard_of_their_directory() {
    let folder = Folder::new();
    let names = folder.write("names.json", NAMES);
    for (path, address) in [
        ("region1/server1", Some("10.0.1.1")),
        ("region1/nobody", Some("10.0.1.2\nany")),
        ("region1/nobody/below", Some("10.0.1.2\nany")),
        ("region1/_x", Some("10.0.1.2\nany")),
        ("region1/*", Some("10.0.1.2\nany")),
        ("region1/server1/below", None),
        ("region1/server1/_x", None),
        ("region1/rack/nobody", None),
        ("region2/nobody", Some("10.0.1.1")),
        ("region2/b/nobody", None),
        ("region2/b/nobody/c", None),
        ("region2/b/*/c", Some("10.0.2.1")),
        ("region1/server1/_acme-challenge", Some("token")),
        ("region1/_tcp/_sip", Some("sip")),
        ("region1/_tcp/host", Some("10.0.1.5")),
        ("east/_tcp/_sip", Some("sip")),
        ("/_dmarc", Some("v=DMARC1")),
        ("www/_acme-challenge", Some("alias")),
        ("nobody", None),
    ] {
        let finished = run(NAMING, &["structured", path, "--short", "--names", &names]);
        let expected = address.map_or(String::new(), |address| format!("{address}\n"));
        assert_eq!(
            (finished.code, &finished.out),
            (Some(i32::from(address.is_none())), &expected),
            "{path}: {finished:?}"
        );
    }
    for (name, address) in [
        ("server1", "10.0.0.1"),
        ("nobody", "10.0.0.2"),
        ("server1/_acme-challenge", "flat"),
        ("www", "10.0.1.2\nany"),
    ] {
        let finished = run(NAMING, &["flat", name, "--short", "--names", &names]);
        assert_eq!(finished.out, format!("{address}\n"), "{name}");
    }
}

#[test]
fn files_and_the_store_keep_them() {
    let folder = Folder::new();
    let names = folder.write("names.json", NAMES);
    let (zone, again) = (folder.path("zone"), folder.path("again"));
    let exported = run(NAMING, &["export", "--names", &names]);
    std::fs::write(&zone, exported.out).unwrap();
    let imported = run(NAMING, &["import", &zone, "--names", &again]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let list = |path: &str| run(NAMING, &["list", "--names", path]).out;
    assert_eq!(list(&again), list(&names));
    let renamed = run(NAMING, &["rename", "/region1", "/north", "--names", &again]);
    assert_eq!(renamed.code, Some(0), "{renamed:?}");
    let resolved = run(
        NAMING,
        &[
            "structured",
            "north/_tcp/_sip",
            "north/server1/_acme-challenge",
            "--short",
            "--names",
            &again,
        ],
    );
    assert_eq!(resolved.out, "sip\ntoken\n");
    let renamed = run(
        NAMING,
        &["rename", "north/server1", "moved", "--names", &again],
    );
    assert_eq!(renamed.code, Some(0), "{renamed:?}");
    let resolved = run(
        NAMING,
        &[
            "flat",
            "moved/_acme-challenge",
            "--short",
            "--names",
            &again,
        ],
    );
    assert_eq!(resolved.out, "token\n");
    let store = folder.path("names.redb");
    for _ in 0..2 {
        let (server, address) = serve(&["--names", &names, "--store", &store]);
        let found = run(
            NAMING,
            &[
                "resolve",
                "region1/server1/_acme-challenge",
                "flat/server1/_acme-challenge",
                "--short",
                "--server",
                &address.to_string(),
            ],
        );
        assert_eq!(found.out, "token\nflat\n", "{found:?}");
        assert_eq!(server.interrupt().code, Some(0));
    }
    for (text, why) in [
        (r#"{"flat/x": "::1"}"#, "has a / or a control character"),
        (r#"{"a/b": "::1"}"#, "has a / or a control character"),
        (r#"{"r": {"a/b": "::1"}}"#, "has a / or a control character"),
        (r#"{"/flat/_x": "::1"}"#, "reserved"),
        (r#"{"r": {"_x": "::1"}, "/r/_x": "::2"}"#, "exists already"),
    ] {
        let bad = folder.write("bad.json", text);
        let finished = run(NAMING, &["list", "--names", &bad]);
        assert_eq!(finished.code, Some(2));
        assert!(finished.err.contains(why), "{}", finished.err);
    }
}

#[test]
fn an_acme_client_answers_its_challenge_below_a_host() {
    if !testing::have_program("nsupdate") || !testing::have_program("dig") {
        return;
    }
    let folder = Folder::new();
    let (server, address) = serve(&[]);
    let update = |lines: &str| {
        let script = format!(
            "server 127.0.0.1 {}\nzone lab.\n{lines}\nsend\n",
            address.port()
        );
        let script = folder.write("script", script);
        run("nsupdate", &["-u", "60", &script]).err
    };
    for host in ["server1.region1", "server1.flat", "new.region9", "lab"] {
        let host = if host == "lab" {
            "lab".to_owned()
        } else {
            format!("{host}.lab")
        };
        let name = format!("_acme-challenge.{host}");
        // Two challenges at once, as for a name and its wildcard.
        assert_eq!(
            update(&format!(
                "update add {name}. 60 TXT one\nupdate add {name}. 60 TXT two"
            )),
            ""
        );
        let short = name.trim_end_matches(".lab");
        let found = dig(address.port(), short, "TXT");
        assert!(
            found.contains("\"one\"") && found.contains("\"two\""),
            "{found}"
        );
        // The host is registered and removed without regard to it.
        if host != "lab" {
            assert_eq!(
                update(&format!(
                    "update delete {host}.\nupdate add {host}. 60 A 10.0.0.9"
                )),
                ""
            );
            assert!(dig(address.port(), host.trim_end_matches(".lab"), "A").contains("10.0.0.9"));
        }
        assert_eq!(
            update(&format!(
                "update delete {name}. TXT one\nupdate delete {name}. TXT"
            )),
            ""
        );
        assert!(dig(address.port(), short, "TXT").starts_with("NXDOMAIN"));
    }
    assert_eq!(
        update("update add x.server1.region1.lab. 60 TXT x"),
        "update failed: REFUSED\n"
    );
    assert_eq!(update("update add *.region7.lab. 60 A 10.0.7.7"), "");
    assert!(dig(address.port(), "any.region7", "A").contains("any.region7.lab. 60 IN A 10.0.7.7"));
    assert_eq!(
        dig(address.port(), "7.7.0.10.in-addr.arpa", "PTR")
            .lines()
            .next(),
        Some("NXDOMAIN")
    );
    assert_eq!(server.interrupt().code, Some(0));
}

#[test]
fn bind_answers_the_same() {
    if !["named", "dig"].into_iter().all(testing::have_program) {
        return;
    }
    let script = r#"
        "$NAMING" export --names "$NAMES" >lab.zone
        cat >named.conf <<END
options { directory "$PWD"; listen-on port 5301 { 127.0.0.1; }; listen-on-v6 { none; }; pid-file "$PWD/pid";
    session-keyfile none; recursion no; dnssec-validation no; minimal-responses yes; };
controls { };
zone "lab" { type primary; file "lab.zone"; check-names ignore; };
END
        named -c named.conf -g >named.err 2>&1 &
        named=$!
        "$NAMING" serve --names "$NAMES" --listen 127.0.0.1:5300 2>server.err >server.out &
        server=$!
        trap 'kill $named $server 2>/dev/null || true' EXIT
        until grep -q listening server.err && grep -q ' running$' named.err; do
            kill -0 $named $server; sleep 0.01
        done
        for name in server1.flat nobody.flat a.b.flat x.server1.flat _acme-challenge.server1.flat _x.server1.flat \
            server1.region1 nobody.region1 x.y.region1 x.server1.region1 '*.region1' 'x.*.region1' rack.region1 x.rack.region1 \
            _acme-challenge.server1.region1 _sip._tcp.region1 host._tcp.region1 x._tcp.region1 _tcp.region1 \
            x.region2 x.y.region2 x.b.region2 c.x.b.region2 'c.*.b.region2' nobody.east _sip._tcp.east x.y.east \
            www _acme-challenge.www _dmarc www.flat nobody; do
            for type in A AAAA TXT CNAME ANY; do echo "$name.lab $type" >>queries; done
        done
        ask() {
            dig @127.0.0.1 -p $1 +norecurse +tcp +noall +comments +answer +authority +nocookie -f queries |
                sed 's/id: .*//; s/udp: .*//; /^$/d; /QUERY: /s/ADD.*//; s/hostmaster.lab. [0-9]*/hostmaster/' |
                awk '/HEADER/ { query += 1 } { print query, $0 }' | sort
        }
        ask 5300 >ours; ask 5301 >theirs
        diff -i ours theirs >&2
        kill $named $server
        echo the same
    "#;
    let folder = Folder::new();
    let names = folder.write("names.json", NAMES);
    let Some(finished) = testing::in_namespace(script, &[("NAMING", NAMING), ("NAMES", &names)])
    else {
        return;
    };
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (Some(0), "the same\n"),
        "{finished:?}"
    );
}

#[test]
fn a_circle_through_a_wildcard_stands_once_in_the_answer() {
    if !testing::have_program("dig") {
        return;
    }
    let folder = Folder::new();
    let names = folder.write(
        "names.json",
        r#"{
            "one": {"*": "symlink:/one/y"}, "two": {"*": "symlink:/three/b"}, "three": {"*": "symlink:/two/a"},
            "four": {"*": "symlink:/five/x"}, "/five": "symlink:/four"
        }"#,
    );
    let (server, address) = serve(&["--names", &names]);
    for (name, expected) in [
        (
            "q.one",
            &["q.one.lab. CNAME y.one.lab.", "y.one.lab. CNAME y.one.lab."][..],
        ),
        ("Y.one", &["Y.one.lab. CNAME y.one.lab."]),
        (
            "q.two",
            &[
                "q.two.lab. CNAME b.three.lab.",
                "b.three.lab. CNAME a.two.lab.",
                "a.two.lab. CNAME b.three.lab.",
            ],
        ),
        (
            "q.four",
            &[
                "q.four.lab. CNAME x.five.lab.",
                "five.lab. DNAME four.lab.",
                "x.five.lab. CNAME x.four.lab.",
                "x.four.lab. CNAME x.five.lab.",
            ],
        ),
    ] {
        let answer = dig(address.port(), name, "A").replace(" 60 IN ", " ");
        let lines: Vec<_> = answer.lines().skip(1).collect();
        assert_eq!(lines, expected, "{answer}");
        assert!(answer.starts_with("NOERROR\n"), "{answer}");
    }
    assert_eq!(server.interrupt().code, Some(0));
}
