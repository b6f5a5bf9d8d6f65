//! Where the server listens: zones of IPv6 addresses, names, a port alone. The client is Python's.

use common::testing::{self, start};

const SERVER: &str = env!("CARGO_BIN_EXE_thread-server");

#[test]
fn it_listens_on_link_local_addresses_and_prints_them_so_that_they_can_be_given_back() {
    let script = r#"
        ip -6 addr add fe80::1/64 dev lo nodad
        number=$(ip -o link show lo | cut -d: -f1)
        again=
        for listen in 'fe80::1%lo' '[fe80::1%lo]:4000' "[fe80::1%$number]:4001" again; do
            test $listen != again || listen=$again
            rm -f ready
            "$SERVER" --listen $listen --ready-file ready --json >out 2>err & server=$!
            until test -s ready; do sleep 0.01; done
            again=$(cat ready)
            python3 - "$again" <<'END'
import socket, sys
host, port = sys.argv[1].rsplit(':', 1)
connection = socket.create_connection((host.strip('[]'), int(port)))
connection.sendall(b'Hello server')
print(host, port, connection.recv(1024).decode())
END
            kill $server; wait $server
            grep -c '"event":"accept".*"peer":"\[fe80::1%1\]' out
        done
    "#;
    if !testing::have_program("python3") {
        return;
    }
    let Some(finished) = testing::in_namespace(script, &[("SERVER", SERVER)]) else {
        return;
    };
    let served = |port: u16| format!("[fe80::1%1] {port} Hello from server\n1\n");
    let expected = [12345, 4000, 4001, 4001].map(served).concat();
    assert_eq!(
        (finished.code, &finished.out),
        (Some(0), &expected),
        "{finished:?}"
    );
}

#[test]
fn names_and_ports_alone_are_addresses_of_this_machine() {
    for listen in ["localhost:0", ":0"] {
        let mut server = start(SERVER, &["--listen", listen]);
        assert_eq!(server.ready().ip().to_string(), "127.0.0.1");
        assert_eq!(server.interrupt().code, Some(0));
    }
}

#[test]
fn an_invalid_address_is_one_line() {
    let usage = |text: &str, why: &str| {
        format!("usage: invalid value '{text}' for '--listen <ADDR:PORT>': {why}")
    };
    for (text, why) in [
        ("[::1]:65536", "the port 65536 is not in 0 to 65535"),
        ("[::1", "a '[' without its ']'"),
        ("::1]:1", "a bracket without its counterpart"),
        ("[]:1", "'' is no IP address"),
        ("fe80::1%:1", ""),
        (
            "12345",
            "'12345' is no address; a port alone is written :12345",
        ),
        (
            "127.0.0.1%lo:1",
            "127.0.0.1 is no link-local address and has no zone; ",
        ),
        (
            "[2001:db8::1%lo]:1",
            "2001:db8::1 is no link-local address and has no zone; ",
        ),
    ] {
        testing::check_refusals(SERVER, &[(&["--listen", text], &usage(text, why))]);
    }
    for (text, why) in [
        ("[fe80::1%nope]:1", "no interface is called nope; "),
        ("fe80::1%nope", "no interface is called nope; "),
        (
            "[fe80::1]:1",
            "a link-local address needs its zone, such as fe80::1%",
        ),
        (
            "no-such-host.invalid:1",
            "the name no-such-host.invalid does not resolve: ",
        ),
    ] {
        testing::check_refusals(
            SERVER,
            &[(&["--listen", text], &format!("--listen {text}: {why}"))],
        );
    }
}
