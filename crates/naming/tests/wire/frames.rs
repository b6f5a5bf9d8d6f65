//! The address of replies, their OPT record, and malformed requests.

use std::{
    collections::BTreeSet,
    net::{SocketAddr, UdpSocket},
};

use common::{
    event::Kind,
    testing::{Folder, read_log},
};
use domain::base::iana::Rcode;

use super::{
    AXFR, EDNS,
    messages::{A, Client, add, header, number, query, record, tcp_ask, update, with_opt},
};
use crate::serve::serve;

#[test]
fn replies_leave_from_the_address_that_was_asked() {
    let listen: &[(&str, &[&str])] = &[
        ("0.0.0.0:0", &["127.0.0.1", "127.0.0.2", "127.200.3.4"]),
        ("[::]:0", &["::1", "127.0.0.2", "127.200.3.4"]),
        ("127.0.0.9:0", &["127.0.0.9"]),
    ];
    let six = UdpSocket::bind("[::1]:0").is_ok();
    for (listen, addresses) in listen {
        if listen.starts_with('[') && !six {
            continue;
        }
        let folder = Folder::new();
        let log = folder.path("log");
        let (server, at) = serve(&["--listen", listen, "--log", &log]);
        // A connected socket takes an answer only from the address that it is connected to.
        let clients: Vec<_> = addresses
            .iter()
            .cycle()
            .take(40)
            .map(|ip| Client::new(SocketAddr::new(ip.parse().unwrap(), at.port())))
            .collect();
        // All at once, so that one batch has several addresses.
        for client in &clients {
            client.send(&query("server1.flat.lab", A));
        }
        for client in &clients {
            let answer = client.receive().expect("an answer");
            assert_eq!(answer.last_chunk(), Some(&[192, 168, 1, 2]), "{listen}");
        }
        for client in &clients {
            client.send(&update(&[add("new.flat.lab", A, &[10, 0, 0, 1])]));
        }
        for client in &clients {
            assert_eq!(client.receive().expect("an answer")[3] & 15, 0, "{listen}");
        }
        assert_eq!(server.interrupt().code, Some(0));
        // The log names the address that was asked, as the client's log does.
        let events = read_log(log).into_iter().map(|record| record.event);
        let asked: BTreeSet<_> = events
            .filter(|event| event.kind == Kind::Receive)
            .filter_map(|event| Some(event.message?.to.to_string()))
            .collect();
        let expected = addresses
            .iter()
            .map(|ip| SocketAddr::new(ip.parse().unwrap(), at.port()));
        assert_eq!(asked, expected.map(|address| address.to_string()).collect());
    }
}

#[test]
fn opt_is_repeated_exactly_where_the_question_has_it() {
    let (_server, at) = serve(&[]);
    let client = Client::new(at);
    let cut = |mut message: Vec<u8>| {
        message[5] = 0;
        message
    };
    let opcode = |opcode: u8| {
        let mut message = query("lab", 6);
        message[2] = opcode << 3;
        message
    };
    let cases: &[(&str, Vec<u8>, u16)] = &[
        ("a query", query("server1.flat.lab", A), 0),
        ("a missing name", query("nobody.flat.lab", A), 3),
        ("another zone", query("example.org", A), 5),
        ("no question", cut(header([1, 0], [1, 0, 0, 0])), 1),
        ("an opcode", opcode(2), 4),
        ("NOTIFY", opcode(4), 4),
        (
            "an update",
            update(&[add("a.flat.lab", A, &[10, 0, 0, 1])]),
            0,
        ),
        (
            "a refused update",
            update(&[add("a.flat.lab", 15, b"\0\x0a\0")]),
            5,
        ),
        (
            "a malformed update",
            update(&[add("a.flat.lab", A, &[10, 0])]),
            1,
        ),
        ("AXFR over UDP", query("lab", AXFR), 1),
        ("AXFR of another zone", query("example", AXFR), 9),
        ("a query for OPT", query("lab", 41), 1),
        ("a query for TSIG", query("lab", 250), 1),
        ("a query for MAILB", query("lab", 253), 4),
    ];
    for (what, message, rcode) in cases {
        for tcp in [false, true] {
            // Over TCP it is a transfer.
            let expected = if *what == "AXFR over UDP" && tcp {
                0
            } else {
                *rcode
            };
            let ask = |message: &[u8]| match tcp {
                true => tcp_ask(at, message),
                false => client.ask(message),
            };
            let plain = ask(message);
            assert_eq!(
                (plain[3] & 15, number(&plain, 10)),
                (expected as u8, 0),
                "{what}"
            );
            for dnssec_ok in [0, 0x80] {
                let answer = ask(&with_opt(message, 4096, EDNS, dnssec_ok));
                let opt = &answer[answer.len() - 11..];
                assert_eq!(number(&answer, 10), 1, "{what}");
                assert_eq!(
                    (answer[3] & 15, opt),
                    (
                        expected as u8,
                        &[0, 0, 41, 4, 0xd0, 0, 0, dnssec_ok, 0, 0, 0][..]
                    ),
                    "{what}"
                );
            }
            // A later version of EDNS is BADVERS, 16, unless the message is malformed.
            let later = ask(&with_opt(message, 4096, [0, 1], 0x80));
            let opt = &later[later.len() - 11..];
            let badvers = (0, &[0, 0, 41, 4, 0xd0, 1, 0, 0x80, 0, 0, 0][..]);
            if *what != "no question" {
                assert_eq!((later[3] & 15, opt), badvers, "{what}");
            }
        }
    }
    // BADVERS changes nothing.
    let message = update(&[add("b.flat.lab", A, &[10, 0, 0, 1])]);
    client.ask(&with_opt(&message, 4096, [0, 1], 0));
    assert_eq!(client.rcode(&query("b.flat.lab", A)), Rcode::NXDOMAIN);
}

#[test]
fn malformed_frames_are_formerr_in_updates_too() {
    let (_server, at) = serve(&[]);
    let client = Client::new(at);
    let change = add("a.flat.lab", A, &[10, 0, 0, 1]);
    let whole = update(std::slice::from_ref(&change));
    let with = |count_at: usize, count: u8, more: &[u8]| {
        let mut message = [&whole[..], more].concat();
        message[count_at] = count;
        message
    };
    let opt = record("", 41, 1232, 0, &[]);
    let cases = [
        ("bytes behind the end", with(11, 0, &[0])),
        ("two OPT records", with(11, 2, &[&opt[..], &opt].concat())),
        (
            "OPT of another owner",
            with(11, 1, &record("lab", 41, 1232, 0, &[])),
        ),
        ("OPT as a change", with(9, 2, &opt)),
        (
            "a cut option",
            with(11, 1, &record("", 41, 1232, 0, &[0, 3, 0, 9, 1])),
        ),
        ("a record that is not there", with(11, 1, &[])),
        ("no zone", with(5, 0, &[])),
        ("two zones", with(5, 2, &[])),
    ];
    for (what, message) in cases {
        assert_eq!(client.rcode(&message), Rcode::FORMERR, "{what}");
        assert_eq!(tcp_ask(at, &message)[3] & 15, 1, "{what}");
        assert_eq!(
            client.rcode(&query("a.flat.lab", A)),
            Rcode::NXDOMAIN,
            "{what}"
        );
    }
    assert_eq!(client.rcode(&whole), Rcode::NOERROR);
}

#[test]
fn a_long_update_over_udp_is_made() {
    let (_server, at) = serve(&[]);
    let client = Client::new(at);
    for count in [100_u16, 300, 1500] {
        let lines: Vec<_> = (0..count)
            .map(|n| add(&format!("n{n}-{count}.flat.lab"), A, &[10, 0, 0, 1]))
            .collect();
        let message = update(&lines);
        assert!(message.len() < 65_507);
        assert_eq!(
            client.rcode(&message),
            Rcode::NOERROR,
            "{} bytes",
            message.len()
        );
        let last = query(&format!("n{}-{count}.flat.lab", count - 1), A);
        assert_eq!(client.rcode(&last), Rcode::NOERROR);
    }
}
