//! The name server and the usual tools: dig queries it, nsupdate updates it, Knot and NSD are its secondaries.

#[path = "support/serve.rs"]
mod serve;

use std::net::SocketAddr;

use common::testing::{self, Finished, Folder, run};

use serve::serve;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

fn dig(server: SocketAddr, arguments: &[&str]) -> String {
    let (ip, port) = (format!("@{}", server.ip()), server.port().to_string());
    let finished = run("dig", &[&[ip.as_str(), "-p", &port], arguments].concat());
    assert_eq!(finished.code, Some(0), "{finished:?}");
    finished.out
}

/// The lines without comments, with single blanks, in order.
fn records(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(';'));
    let mut lines: Vec<_> = lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    lines.sort();
    lines
}

const NAMES: &str = r#"{"server1": "192.168.1.2", "alias": "symlink:server1", "a.b": "10.0.0.7",
    "region1": {"rack": {"a": ["10.0.0.1", "2001:db8::1", "text:say \"hi\""]}, "web": "link:region1/rack/a"},
    "/east": "symlink:/region1"}"#;

/// Zone cuts, and aliases that lead below them.
const CUTS: &str = r#"{"across": "symlink:region3/rack/a", "/region3": "delegate:127.0.0.2",
    "region4": {"x": "10.0.0.4", "cell": ["delegate:127.0.0.3", "delegate:2001:db8::3", "ttl:300"]}, "/west": "symlink:/region3","#;

#[test]
fn dig_shows_a_referral() {
    if !testing::have_program("dig") {
        return;
    }
    let (_server, address) = serve(&["--delegate", "region3=127.0.0.2,::2"]);
    let whole = dig(address, &["server1.Region3.lab", "+norecurse"]);
    for part in [
        "status: NOERROR",
        "flags: qr;",
        "AUTHORITY: 1, ADDITIONAL: 3",
        "IN\tNS\tRegion3.lab.",
        "IN\tA\t127.0.0.2",
        "IN\tAAAA\t::2",
    ] {
        assert!(whole.contains(part), "{part} in {whole}");
    }
    assert!(
        !whole.contains("WARNING") && !whole.contains("ANSWER SECTION"),
        "{whole}"
    );
    let parent = dig(address, &["region3.lab", "DS", "+norecurse"]);
    assert!(
        parent.contains("flags: qr aa;") && parent.contains("SOA\tlab."),
        "{parent}"
    );
}

#[test]
fn dig_is_answered() {
    if !testing::have_program("dig") {
        return;
    }
    let folder = Folder::new();
    let names = folder.write("names.json", NAMES);
    let (_server, address) = serve(&["--names", &names]);
    let short = |arguments: &[&str]| dig(address, &[arguments, &["+short"]].concat());
    assert_eq!(short(&["server1.flat.lab"]), "192.168.1.2\n");
    assert_eq!(
        short(&["Alias.Flat.Lab"]),
        "server1.flat.lab.\n192.168.1.2\n"
    );
    assert_eq!(short(&["a\\.b.flat.lab"]), "10.0.0.7\n");
    assert_eq!(short(&["a.rack.region1.lab", "AAAA"]), "2001:db8::1\n");
    assert_eq!(
        short(&["a.rack.region1.lab", "TXT", "+tcp"]),
        "\"say \\\"hi\\\"\"\n"
    );
    assert_eq!(short(&["web.region1.lab"]), "10.0.0.1\n");
    assert_eq!(
        short(&["a.rack.east.lab"]),
        "region1.lab.\na.rack.region1.lab.\n10.0.0.1\n"
    );
    assert_eq!(
        records(&short(&["-x", "10.0.0.1"])),
        ["a.rack.region1.lab.", "web.region1.lab."]
    );
    assert_eq!(short(&["-x", "2001:db8::1"]).lines().count(), 2);
    // No warning from dig: EDNS, cookies, flags, sizes.
    let whole = dig(address, &["SERVER1.flat.lab", "+norecurse"]);
    assert!(
        whole.contains("status: NOERROR")
            && whole.contains("flags: qr aa;")
            && whole.contains(";SERVER1.flat.lab."),
        "{whole}"
    );
    assert!(!whole.contains("WARNING"), "{whole}");
    let negative = dig(address, &["nobody.flat.lab", "+norecurse"]);
    assert!(
        negative.contains("status: NXDOMAIN")
            && negative.contains("lab.\t\t\t60\tIN\tSOA\tlab. hostmaster.lab."),
        "{negative}"
    );
}

#[test]
fn the_zone_answered_is_the_zone_transferred() {
    if !testing::have_program("dig") {
        return;
    }
    let folder = Folder::new();
    let names = folder.write("names.json", NAMES);
    let (_server, address) = serve(&["--names", &names]);
    for zone in ["lab", "in-addr.arpa", "ip6.arpa"] {
        let transferred = records(&dig(address, &[zone, "AXFR", "+noidnout"]));
        assert_eq!(
            transferred
                .iter()
                .filter(|line| line.contains(" SOA "))
                .count(),
            2,
            "{transferred:?}"
        );
        for line in &transferred {
            let words: Vec<_> = line.splitn(5, ' ').collect();
            let answered = records(&dig(
                address,
                &[words[0], words[3], "+norecurse", "+noall", "+answer"],
            ));
            assert!(answered.contains(line), "{line} is not in {answered:?}");
        }
    }
}

#[test]
fn nsupdate_changes_names_under_its_conditions() {
    if !testing::have_program("nsupdate") || !testing::have_program("dig") {
        return;
    }
    let folder = Folder::new();
    let key = folder.path("lab.key");
    assert_eq!(run(NAMING, &["keygen", "lab", "--key", &key]).code, Some(0));
    let (_server, address) = serve(&["--key", &key]);
    let update = |lines: &str, key: Option<&str>| -> Finished {
        let script = folder.write(
            "script",
            format!(
                "server {} {}\nzone lab.\n{lines}\nsend\n",
                address.ip(),
                address.port()
            ),
        );
        let key: Vec<&str> = key.map_or(Vec::new(), |key| vec!["-k", key]);
        run(
            "nsupdate",
            &[key.as_slice(), &["-u", "60", &script]].concat(),
        )
    };
    let lookup = |name: &str, rtype: &str| dig(address, &[name, rtype, "+short"]);
    for (lines, error) in [
        (
            "update add n1.flat.lab. 60 A 10.0.0.1\nupdate add n1.flat.lab. 60 TXT \"one\" \"two\"",
            "",
        ),
        (
            "prereq nxdomain n1.flat.lab.\nupdate add n1.flat.lab. 60 A 10.0.0.2",
            "YXDOMAIN",
        ),
        (
            "prereq yxdomain n9.flat.lab.\nupdate add n1.flat.lab. 60 A 10.0.0.2",
            "NXDOMAIN",
        ),
        (
            "prereq nxrrset n1.flat.lab. A\nupdate add n1.flat.lab. 60 A 10.0.0.2",
            "YXRRSET",
        ),
        (
            "prereq yxrrset n1.flat.lab. AAAA\nupdate add n1.flat.lab. 60 A 10.0.0.2",
            "NXRRSET",
        ),
        (
            "prereq yxrrset n1.flat.lab. A 10.0.0.9\nupdate add n1.flat.lab. 60 A 10.0.0.2",
            "NXRRSET",
        ),
        (
            "prereq yxrrset n1.flat.lab. A 10.0.0.1\nupdate add n1.flat.lab. 60 A 10.0.0.2",
            "",
        ),
        ("update add w.region1.lab. 60 CNAME N1.flat.lab.", ""),
        // Names in data are compared without regard to case.
        (
            "prereq yxrrset w.region1.lab. CNAME n1.FLAT.Lab.\nprereq yxrrset lab. NS LAB.",
            "",
        ),
        (
            "update add e.lab. 60 CNAME Region1.lab.\nprereq nxrrset e.lab. DNAME",
            "",
        ),
        (
            "prereq yxrrset e.lab. DNAME REGION1.Lab.\nupdate delete E.lab. DNAME REGION1.lab.",
            "",
        ),
        ("prereq nxdomain e.lab.", ""),
        (
            "update add x.lab. 60 CNAME y.lab.\nupdate add y.lab. 60 CNAME x.lab.",
            "REFUSED",
        ),
        ("update add x.lab. 60 MX 10 y.lab.", "REFUSED"),
        // What RFC 2136 says to ignore.
        (
            "update delete nobody.lab.\nupdate delete lab. SOA\nupdate add n1.flat.lab. 60 CNAME y.lab.",
            "",
        ),
    ] {
        let finished = update(lines, Some(&key));
        let expected = if error.is_empty() {
            String::new()
        } else {
            format!("update failed: {error}\n")
        };
        assert_eq!(finished.err, expected, "{lines}");
    }
    assert_eq!(
        records(&lookup("n1.flat.lab", "A")),
        ["10.0.0.1", "10.0.0.2"]
    );
    assert_eq!(lookup("n1.flat.lab", "TXT"), "\"one\" \"two\"\n");
    assert_eq!(
        lookup("w.region1.lab", "TXT"),
        "n1.flat.lab.\n\"one\" \"two\"\n"
    );
    // A text is deleted by the strings that it was added with, and by no others.
    for (text, left) in [("\"onetwo\"", "\"one\" \"two\"\n"), ("\"one\" \"two\"", "")] {
        let deletion = format!("update delete n1.flat.lab. TXT {text}");
        assert_eq!(update(&deletion, Some(&key)).err, "");
        assert_eq!(lookup("n1.flat.lab", "TXT"), left);
    }
    // Deleting a value, a set of them, and all; without a key too, as it is this machine.
    assert_eq!(
        update("update delete n1.flat.lab. A 10.0.0.1", None).err,
        ""
    );
    assert_eq!(lookup("n1.flat.lab", "A"), "10.0.0.2\n");
    assert_eq!(
        update(
            "update delete n1.flat.lab. TXT\nupdate delete w.region1.lab. CNAME",
            None
        )
        .err,
        ""
    );
    assert_eq!(
        (
            lookup("n1.flat.lab", "TXT"),
            lookup("w.region1.lab", "CNAME")
        ),
        (String::new(), String::new())
    );
    assert_eq!(update("update delete n1.flat.lab.", None).err, "");
    assert!(dig(address, &["n1.flat.lab"]).contains("status: NXDOMAIN"));
    // Another key than the server's.
    let other = folder.path("other.key");
    assert_eq!(
        run(NAMING, &["keygen", "lab", "--key", &other]).code,
        Some(0)
    );
    let forged = update("update add n2.flat.lab. 60 A 10.0.0.1", Some(&other));
    assert!(forged.err.contains("BADSIG"), "{}", forged.err);
    assert!(dig(address, &["n2.flat.lab"]).contains("status: NXDOMAIN"));
}

/// Serves the names of `$FOLDER/names.json` at port 5300 with a secondary at 5301, which `$SECONDARY` starts; registers a
/// name, and waits at most a second for the secondary to have it, by IXFR, which `check` finds in its log. Then both are
/// asked for every name.
fn secondary(start: &str, check: &str) {
    let script = format!(
        r#"
        cp "$NAMES" names.json
        "$NAMING" serve --names names.json --secondary 127.0.0.1:5301 2>server.err >server.out &
        server=$!
        trap 'kill $server $(cat secondary.pid) 2>/dev/null || true' EXIT
        until grep -q listening server.err; do sleep 0.01; done
        {start}
        ask() {{ dig @127.0.0.1 -p "$1" +short +tries=1 +time=1 "$2" "$3" 2>/dev/null; }}
        tries=0
        until [ "$(ask 5301 server1.flat.lab A)" = 192.168.1.2 ]; do
            tries=$((tries + 1)); [ $tries -lt 300 ] || {{ cat secondary.err server.err; exit 3; }}
            sleep 0.05
        done
        began=$(date +%s%N)
        "$NAMING" register region1/new 10.0.0.99 --server 127.0.0.1:5300 >/dev/null
        until [ "$(ask 5301 new.region1.lab A)" = 10.0.0.99 ]; do
            [ $(( $(date +%s%N) - began )) -lt 10000000000 ] || {{ cat secondary.err server.err; exit 4; }}
            sleep 0.01
        done
        echo "$(( ($(date +%s%N) - began) / 1000000 ))"
        # The second transfer has the change alone: SOA, the old SOA, the new SOA, the address, SOA.
        tries=0
        until [ "$(grep -c 'zone lab. .* transferred' server.err)" = 2 ]; do
            tries=$((tries + 1)); [ $tries -lt 300 ] || {{ cat server.err; exit 5; }}
            sleep 0.01
        done
        grep 'zone lab. .* transferred' server.err | tail -n 1 | grep -q ': 5 records' || {{ cat server.err; exit 6; }}
        {check}
        dig @127.0.0.1 -p 5300 lab AXFR >ours; dig @127.0.0.1 -p 5301 lab AXFR >theirs
        for name in server1.flat alias.flat a.rack.region1 web.region1 a.rack.east nobody.flat region1 \
            region3 a.rack.region3 _tcp.region3 region4 x.region4 cell.region4 x.cell.region4 across.flat west x.west; do
            for type in A AAAA TXT DS NS; do
                for port in 5300 5301; do
                    dig @127.0.0.1 -p $port +norecurse +noall +comments +answer +authority +additional +nocookie $name.lab $type |
                        sed 's/id: .*//; s/udp: .*//; /^$/d; /QUERY: /s/ADD.*//' | sort >$port.answer
                done
                diff -i 5300.answer 5301.answer >&2
            done
        done
        kill $(cat secondary.pid) $server
        wait $server
        echo the same
    "#
    );
    let folder = Folder::new();
    let names = folder.write("names.json", NAMES.replacen('{', CUTS, 1));
    let Some(finished) = testing::in_namespace(&script, &[("NAMING", NAMING), ("NAMES", &names)])
    else {
        return;
    };
    let lines: Vec<_> = finished.out.lines().collect();
    assert_eq!(
        (finished.code, lines.last()),
        (Some(0), Some(&"the same")),
        "{finished:?}"
    );
    // Some 30 ms; a lost notice is sent again after half a second, then after twice as long.
    let took: u32 = lines[0].parse().unwrap();
    assert!(
        took < 5000,
        "an update was visible on the secondary after {took} ms"
    );
}

#[test]
fn knot_is_a_secondary() {
    if !testing::have_program("dig") || !testing::have_program("knotd") {
        return;
    }
    secondary(
        r#"
        mkdir knot
        cat >knot.conf <<END
server:
    rundir: "$PWD/knot"
    listen: 127.0.0.1@5301
database:
    storage: "$PWD/knot"
remote:
  - id: lab
    address: 127.0.0.1@5300
acl:
  - id: notice
    address: 127.0.0.1
    action: [notify, transfer]
zone:
  - domain: lab.
    master: lab
    acl: notice
    storage: "$PWD/knot"
END
        knotd -c knot.conf 2>secondary.err >&2 &
        echo $! >secondary.pid
        "#,
        "grep -q 'IXFR, incoming' secondary.err || { cat secondary.err; exit 7; }",
    );
}

#[test]
fn nsd_is_a_secondary() {
    if !testing::have_program("dig") || !testing::have_program("nsd") {
        return;
    }
    secondary(
        r#"
        cat >nsd.conf <<END
server:
    ip-address: 127.0.0.1@5301
    username: ""
    chroot: ""
    zonesdir: "$PWD"
    database: ""
    pidfile: "$PWD/nsd.pid"
    xfrdfile: "$PWD/xfrd"
    zonelistfile: "$PWD/zones"
    logfile: "$PWD/secondary.err"
    xfrd-reload-timeout: 0
    server-count: 1
    minimal-responses: yes
remote-control:
    control-enable: no
zone:
    name: lab.
    allow-notify: 127.0.0.1 NOKEY
    request-xfr: 127.0.0.1@5300 NOKEY
    provide-xfr: 127.0.0.1 NOKEY
END
        nsd -d -c nsd.conf >/dev/null 2>&1 &
        echo $! >secondary.pid
        "#,
        "",
    );
}

/// A subtree moves to two servers, of which Knot is the second; then the first one ends.
#[test]
fn a_subtree_moves_to_a_server_and_its_secondary() {
    if !testing::have_program("dig") || !testing::have_program("knotd") {
        return;
    }
    let script = r#"
        echo '{}' >child.json
        "$NAMING" serve --quiet --ready-file parent.ready >parent.out 2>&1 &
        parent=$!
        "$NAMING" serve --quiet --zone region1.lab. --names child.json --listen 127.0.0.2:5300 \
            --secondary 127.0.0.3:5300 --ready-file child.ready >child.out 2>&1 &
        child=$!
        trap 'kill $parent $child $knot 2>/dev/null || true' EXIT
        until [ -s parent.ready ] && [ -s child.ready ]; do sleep 0.01; done
        mkdir knot
        cat >knot.conf <<END
server:
    rundir: "$PWD/knot"
    listen: 127.0.0.3@5300
database:
    storage: "$PWD/knot"
remote:
  - id: child
    address: 127.0.0.2@5300
acl:
  - id: notice
    address: 127.0.0.2
    action: notify
zone:
  - domain: region1.lab.
    master: child
    acl: notice
    storage: "$PWD/knot"
END
        knotd -c knot.conf 2>knot.err >&2 &
        knot=$!
        ask() { at=$1; shift; dig "@$at" -p 5300 +norecurse +tries=1 +time=1 "$@"; }
        tries=0
        until ask 127.0.0.3 region1.lab SOA +short 2>/dev/null | grep -q hostmaster; do
            tries=$((tries + 1)); [ $tries -lt 300 ] || { cat knot.err; exit 3; }
            sleep 0.05
        done
        "$NAMING" delegate region1 127.0.0.2 127.0.0.3
        ask 127.0.0.1 server1.region1.lab A +noall +additional | awk '{ print $5 }' | sort
        kill $child
        wait $child || true
        ask 127.0.0.3 server1.region1.lab A +short
    "#;
    let Some(finished) = testing::in_namespace(script, &[("NAMING", NAMING)]) else {
        return;
    };
    let expected = "/region1 is delegated to 127.0.0.2, 127.0.0.3: 2 names moved\n\
                    127.0.0.2\n127.0.0.3\n192.168.1.2\n";
    assert!(finished.out.ends_with(expected), "{finished:?}");
}
