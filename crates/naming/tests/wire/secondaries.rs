//! Secondaries that are notified from the listening address, with and without the key: Knot, NSD and BIND.

use common::testing::{self, Folder};

use super::NAMING;

/// Serves at 127.0.0.5:5300 with a key and a secondary at 127.0.0.1:5301, which `start` starts; registers a name, and waits
/// for the secondary to have it. `logged` is what the server's log says of the notice.
fn notified(start: &str, logged: &[&str]) {
    let script = format!(
        r#"
        "$NAMING" keygen lab --key lab.key 2>/dev/null
        "$NAMING" serve --listen 127.0.0.5:5300 --key lab.key --secondary 127.0.0.1:5301 2>server.err >server.out &
        server=$!
        trap 'kill $server $(cat secondary.pid) 2>/dev/null || true' EXIT
        until grep -q listening server.err; do sleep 0.01; done
        secret=$(sed -n 's/.*secret "\(.*\)";/\1/p' lab.key)
        {start}
        ask() {{ dig @127.0.0.1 -p 5301 +short +tries=1 +time=1 "$1" A 2>/dev/null; }}
        tries=0
        until [ "$(ask server1.flat.lab)" = 192.168.1.2 ]; do
            tries=$((tries + 1)); [ $tries -lt 300 ] || {{ cat secondary.err server.err; exit 3; }}
            sleep 0.05
        done
        "$NAMING" register region1/new 10.0.0.99 --server 127.0.0.5:5300 >/dev/null
        tries=0
        until [ "$(ask new.region1.lab)" = 10.0.0.99 ]; do
            tries=$((tries + 1)); [ $tries -lt 300 ] || {{ cat secondary.err server.err; exit 4; }}
            sleep 0.02
        done
        kill $(cat secondary.pid) $server
        wait $server
        cat server.err
        "#
    );
    let folder = Folder::new();
    let path = folder.path("");
    let environment = [("NAMING", NAMING), ("HERE", path.as_str())];
    let Some(finished) = testing::in_namespace(&script, &environment) else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{finished:?}");
    for line in logged {
        assert!(finished.out.contains(line), "{line}: {finished:?}");
    }
}

const ACCEPTED: &str = "secondary 127.0.0.1:5301 is notified of zone lab. with serial";

fn knot(key: bool) -> String {
    let (key, of) = match key {
        true => (
            "key:\n  - id: lab\n    algorithm: hmac-sha256\n    secret: \"$secret\"",
            "    key: lab",
        ),
        false => ("", ""),
    };
    format!(
        r#"
        mkdir knot
        cat >knot.conf <<END
server:
    rundir: "$PWD/knot"
    listen: 127.0.0.1@5301
database:
    storage: "$PWD/knot"
{key}
remote:
  - id: lab
    address: 127.0.0.5@5300
{of}
acl:
  - id: notice
    address: 127.0.0.5
    action: notify
{of}
zone:
  - domain: lab.
    master: lab
    acl: notice
    storage: "$PWD/knot"
END
        knotd -c knot.conf 2>secondary.err >&2 &
        echo $! >secondary.pid
        "#
    )
}

#[test]
fn knot_follows_signed_notices() {
    if testing::have_program("dig") && testing::have_program("knotd") {
        notified(&knot(true), &[ACCEPTED]);
    }
}

#[test]
fn knot_without_the_key_follows_notices_too() {
    if testing::have_program("dig") && testing::have_program("knotd") {
        notified(&knot(false), &[ACCEPTED]);
    }
}

#[test]
fn nsd_follows_signed_notices() {
    if !testing::have_program("dig") || !testing::have_program("nsd") {
        return;
    }
    let start = r#"
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
remote-control:
    control-enable: no
key:
    name: lab
    algorithm: hmac-sha256
    secret: "$secret"
zone:
    name: lab.
    allow-notify: 127.0.0.5 lab
    request-xfr: AXFR 127.0.0.5@5300 lab
END
        nsd -d -c nsd.conf >/dev/null 2>&1 &
        echo $! >secondary.pid
        "#;
    notified(start, &[ACCEPTED]);
}

#[test]
fn bind_follows_signed_notices() {
    if !testing::have_program("dig") || !testing::have_program("named") {
        return;
    }
    let start = r#"
        cat >named.conf <<END
options {
    directory "$PWD";
    pid-file "$PWD/named.pid";
    session-keyfile "$PWD/session.key";
    listen-on port 5301 { 127.0.0.1; };
    listen-on-v6 { none; };
    recursion no;
    empty-zones-enable no;
};
controls { };
include "$PWD/lab.key";
server 127.0.0.5 { keys lab; };
zone "lab" {
    type secondary;
    primaries { 127.0.0.5 port 5300; };
    allow-notify { key lab; };
    file "lab.db";
};
END
        named -g -c named.conf 2>secondary.err >&2 &
        echo $! >secondary.pid
        "#;
    notified(start, &[ACCEPTED]);
}
