//! Addresses of name servers: zones of IPv6 addresses, names, an address or a port alone.

use common::testing;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

#[test]
fn a_server_on_a_link_local_address_is_asked_changed_and_notifies() {
    let script = r#"
        ip -6 addr add fe80::1/64 dev lo nodad; ip -6 addr add fe80::2/64 dev lo nodad
        cat >secondary.py <<'END'
import socket
secondary = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
secondary.bind(('fe80::2', 53, 0, socket.if_nametoindex('lo')))
print('listening', flush=True)
message, peer = secondary.recvfrom(512)
print('notified from', peer[0].split('%')[0], flush=True)
secondary.sendto(message[:2] + bytes([message[2] | 0x80]) + message[3:], peer)
END
        mkfifo ready
        python3 secondary.py >ready & secondary=$!
        exec 3<ready
        read -r _ <&3
        "$NAMING" keygen lab --key lab.key 2>keygen.err
        "$NAMING" serve --listen 'fe80::1%lo' --secondary 'fe80::2%lo' --key lab.key --ready-file server.ready >server.out 2>server.err & server=$!
        trap 'kill $server $secondary 2>/dev/null || true' EXIT
        until test -s server.ready; do sleep 0.01; done
        cat server.ready
        "$NAMING" register new 10.0.0.1 --server 'fe80::1%lo' --key lab.key
        read -r line <&3; echo "$line"
        for server_at in 'fe80::1%lo' '[fe80::1%lo]:5300' "$(cat server.ready)"; do
            "$NAMING" resolve server1 --short --server "$server_at"
        done
        kill -TERM $server; wait $server
    "#;
    if !testing::have_program("python3") {
        return;
    }
    let Some(finished) = testing::in_namespace(script, &[("NAMING", NAMING)]) else {
        return;
    };
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (
            Some(0),
            "[fe80::1%1]:5300\nnew is 10.0.0.1\nnotified from fe80::1\n192.168.1.2\n192.168.1.2\n192.168.1.2\n"
        ),
        "{finished:?}"
    );
}

#[test]
fn each_address_of_a_servers_name_is_tried() {
    // The first address of the name has no server.
    let script = r#"
        printf '::1 both.lab\n127.0.0.1 both.lab\n' >hosts
        mount --bind hosts /etc/hosts
        "$NAMING" serve --listen both.lab:5300 --ready-file server.ready >server.out 2>server.err & server=$!
        trap 'kill $server 2>/dev/null || true' EXIT
        until test -s server.ready; do sleep 0.01; done
        cat server.ready
        "$NAMING" resolve server1 --short --server both.lab:5300
        "$NAMING" register new 10.0.0.1 --server both.lab:5300
        "$NAMING" resolve new --short --server :5300
        kill -TERM $server; wait $server
    "#;
    let script = format!("cat >script <<'END'\n{script}\nEND\nunshare -m sh -eu script");
    let Some(finished) = testing::in_namespace(&script, &[("NAMING", NAMING)]) else {
        return;
    };
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (
            Some(0),
            "127.0.0.1:5300\n192.168.1.2\nnew is 10.0.0.1\n10.0.0.1\n"
        ),
        "{finished:?}"
    );
}

#[test]
fn an_invalid_address_is_one_line() {
    let refused: &[(&[&str], &str)] = &[
        (
            &["serve", "--listen", "[fe80::1%nope]:1"],
            "--listen [fe80::1%nope]:1: no interface is called nope; ",
        ),
        (
            &["serve", "--listen", ":0", "--secondary", "fe80::1%nope"],
            "--secondary fe80::1%nope: no interface is called nope; ",
        ),
        (
            &["serve", "--listen", ":0", "--secondary", "127.0.0.1:0"],
            "--secondary 127.0.0.1:0: no program listens on port 0",
        ),
        (
            &["serve", "--listen", "[::1"],
            "usage: invalid value '[::1' for '--listen <ADDR:PORT>': a '[' without its ']'",
        ),
        (
            &["resolve", "a", "--server", "fe80::1%nope"],
            "--server fe80::1%nope: no interface is called nope; ",
        ),
        (
            &["resolve", "a", "--server", "127.0.0.1%lo"],
            "--server 127.0.0.1%lo: 127.0.0.1 is no link-local address and has no zone; ",
        ),
        (
            &[
                "register",
                "a",
                "10.0.0.1",
                "--server",
                "no-such-host.invalid:1",
            ],
            "--server no-such-host.invalid:1: the name no-such-host.invalid does not resolve: ",
        ),
        (
            &["export", "--listen", "[2001:db8::1%lo]:53"],
            "usage: invalid value '[2001:db8::1%lo]:53' for '--listen <ADDR:PORT>': 2001:db8::1 is no link-local address ",
        ),
    ];
    testing::check_refusals(NAMING, refused);
}
