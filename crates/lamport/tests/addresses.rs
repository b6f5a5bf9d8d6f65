//! Addresses of processes: zones of IPv6 addresses, a port alone.

use common::testing;

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

#[test]
fn processes_on_link_local_addresses_reach_one_another() {
    let script = r#"
        ip -6 addr add fe80::1/64 dev lo nodad; ip -6 addr add fe80::2/64 dev lo nodad
        number=$(ip -o link show lo | cut -d: -f1)
        # Open for both, so that neither end waits for the other.
        exec 3<>typed1 4<>typed2
        for transport in udp tcp; do
            rm -f ready
            "$LAMPORT" node total --name p1 --listen '[fe80::1%lo]:4001' --peer "p2=[fe80::2%$number]:4002" \
                --transport $transport --ready-file ready --for 20s >p1.out 2>p1.err <typed1 & first=$!
            until test -s ready; do sleep 0.01; done
            cat ready
            rm -f ready
            "$LAMPORT" node total --name p2 --listen "[fe80::2%$number]:4002" --peer 'p1=[fe80::1%lo]:4001' \
                --transport $transport --ready-file ready --for 20s >p2.out 2>p2.err <typed2 & second=$!
            until test -s ready; do sleep 0.01; done
            cat ready
            echo 'multicast +100' >&4
            until grep -q '+100' p1.out; do sleep 0.01; done
            kill $first $second
            wait $first; wait $second
        done
    "#;
    let script = format!("mkfifo typed1 typed2\n{script}");
    let Some(finished) = testing::in_namespace(&script, &[("LAMPORT", LAMPORT)]) else {
        return;
    };
    let addresses = "[fe80::1%1]:4001\n[fe80::2%1]:4002\n";
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (Some(0), addresses.repeat(2).as_str()),
        "{finished:?}"
    );
}

#[test]
fn an_invalid_address_is_one_line() {
    let node = ["node", "mutex", "--name", "p1"];
    for (flags, why) in [
        (
            ["--listen", "[fe80::1%nope]:1", "--peer", "p2=127.0.0.1:1"],
            "--listen [fe80::1%nope]:1: no interface is called nope; ",
        ),
        (
            ["--listen", ":0", "--peer", "p2=[fe80::1%nope]:1"],
            "--peer [fe80::1%nope]:1: no interface is called nope; ",
        ),
        (
            ["--listen", ":0", "--peer", "p2=127.0.0.1:0"],
            "--peer 127.0.0.1:0: no program listens on port 0",
        ),
        (
            ["--listen", ":0", "--peer", "p2=:4002"],
            "--peer :4002: not HOST:PORT, such as localhost:12345",
        ),
        (
            ["--listen", "[::1:4001", "--peer", "p2=127.0.0.1:1"],
            "usage: invalid value '[::1:4001' for '--listen <ADDR:PORT>': a '[' without its ']'",
        ),
    ] {
        testing::check_refusals(LAMPORT, &[(&[node.as_slice(), &flags].concat(), why)]);
    }
    testing::check_refusals(
        LAMPORT,
        &[(
            &["explore", "mutex", "--listen", "fe80::1%nope"],
            "--listen fe80::1%nope: no interface is called nope; ",
        )],
    );
}
