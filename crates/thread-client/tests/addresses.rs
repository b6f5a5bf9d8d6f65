//! The addresses that the client takes: zones of IPv6 addresses, an address or a port alone. The server is Python's.

use common::testing;

const CLIENT: &str = env!("CARGO_BIN_EXE_thread-client");

#[test]
fn it_connects_to_link_local_addresses_and_default_ports() {
    let script = r#"
        ip -6 addr add fe80::1/64 dev lo nodad
        number=$(ip -o link show lo | cut -d: -f1)
        cat >server.py <<'END'
import socket, sys
listener = socket.socket(socket.AF_INET6)
listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
listener.bind(('::', 12345))
listener.listen()
print('listening', flush=True)
while True:
    connection, _ = listener.accept()
    connection.recv(1024)
    connection.sendall(b'Hello from server')
    connection.close()
END
        mkfifo ready
        python3 server.py >ready & server=$!
        trap 'kill $server' EXIT
        read -r _ <ready
        for at in fe80::1%lo [fe80::1%lo] [fe80::1%$number]:12345 ::1 127.0.0.1 :12345 localhost:12345; do
            "$CLIENT" --connect $at --log log.jsonl
        done
        grep '"connect"' log.jsonl | grep -c '"peer":"\[fe80::1%1\]:12345"'
        # Both sides give a message the same identity: it has no zone.
        grep '"send"' log.jsonl | grep -c '"message":"tcp:\[fe80::1\]:[0-9]*>\[fe80::1\]:12345#1"'
    "#;
    if !testing::have_program("python3") {
        return;
    }
    let Some(finished) = testing::in_namespace(script, &[("CLIENT", CLIENT)]) else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.out.ends_with("3\n3\n"), "{finished:?}");
    let replies = finished.out.matches("Hello from server").count();
    assert_eq!(replies, 7, "{finished:?}");
}

#[test]
fn an_invalid_address_is_one_line() {
    for (text, why) in [
        ("fe80::1%nope", "no interface is called nope; "),
        (
            "[fe80::1]:1",
            "a link-local address needs its zone, such as fe80::1%",
        ),
        (
            "[::1%lo]:1",
            "::1 is no link-local address and has no zone; ",
        ),
        ("localhost:0", "no program listens on port 0"),
        ("localhost:70000", "the port 70000 is not in 0 to 65535"),
        ("localhost:", "no port after the ':'"),
        ("[::1", "a '[' without its ']'"),
        (
            "no-such-host.invalid:1",
            "the name no-such-host.invalid does not resolve: ",
        ),
    ] {
        let line = format!("--connect {text}: {why}");
        testing::check_refusals(CLIENT, &[(&["--connect", text], &line)]);
    }
}
