//! Signed replies, and signatures that are refused.

use std::net::UdpSocket;

use common::testing::{self, Folder, run};
use domain::base::iana::Rcode;

use super::{
    AXFR, EDNS, NAMING,
    messages::{
        A, Client, LONG, Signed, add, header, is_truncated, key, number, query, record, tcp_ask,
        tsig_at, tsig_error, update, with_opt,
    },
    with_key,
};
use crate::wire::wire;

const IXFR: u16 = 251;

#[test]
fn a_signed_reply_keeps_the_size_limit_and_its_signature() {
    let lab = with_key(&[]);
    let client = Client::new(lab.at);
    let mut whole_and_cut = [0; 2];
    for count in 1..50 {
        let plain = query(&format!("m{count}.flat.lab"), A);
        for (limit, message) in [
            (512, plain.clone()),
            (512, with_opt(&plain, 100, EDNS, 0)),
            (700, with_opt(&plain, 700, EDNS, 0)),
            (1232, with_opt(&plain, 4096, EDNS, 0x80)),
        ] {
            let signed = lab.sign(&message);
            let answer = client.ask(&signed.message);
            assert!(answer.len() <= limit, "{count}: {} bytes", answer.len());
            let cut = is_truncated(&answer);
            whole_and_cut[usize::from(cut)] += 1;
            assert_eq!(number(&answer, 6), if cut { 0 } else { count });
            let stripped = signed.verified(answer).expect("a valid signature");
            assert_eq!(number(&stripped, 10), number(&message, 10), "OPT");
            let over_tcp = lab.sign(&message);
            let answer = tcp_ask(lab.at, &over_tcp.message);
            assert_eq!((is_truncated(&answer), number(&answer, 6)), (false, count));
            over_tcp.verified(answer).expect("a valid signature");
        }
    }
    assert!(
        whole_and_cut[0] > 20 && whole_and_cut[1] > 20,
        "{whole_and_cut:?}"
    );
}

#[test]
fn every_reply_to_a_verified_request_is_signed() {
    let lab = with_key(&[]);
    let client = Client::new(lab.at);
    let opcode = |opcode: u8| {
        let mut message = query("lab", 6);
        message[2] = opcode << 3;
        message
    };
    let class = |class: u8| {
        let mut message = query("lab", 6);
        *message.last_mut().unwrap() = class;
        message
    };
    let cases = [
        ("another zone", query("example.org", A), 5),
        ("another class", class(3), 5),
        ("an opcode", opcode(2), 4),
        ("NOTIFY", opcode(4), 4),
        ("AXFR of another zone", query("example", AXFR), 9),
        ("an update of another zone", update_of("example"), 9),
        (
            "a refused update",
            update(&[add("a.flat.lab", 15, b"\0\x0a\0")]),
            5,
        ),
        (
            "a class without a meaning",
            update(&[record("a.flat.lab", A, 7, 60, &[10, 0, 0, 1])]),
            1,
        ),
        (
            "a later EDNS",
            with_opt(&query("lab", 6), 1232, [0, 1], 0),
            0,
        ),
        (
            "a later EDNS",
            with_opt(&update_of("lab"), 1232, [0, 1], 0),
            0,
        ),
    ];
    for (what, message, rcode) in cases {
        for tcp in [false, true] {
            // A number of its own, as one message is one update.
            let mut message = message.clone();
            message[0] = u8::from(tcp);
            let signed = lab.sign(&message);
            let answer = match tcp {
                true => tcp_ask(lab.at, &signed.message),
                false => client.ask(&signed.message),
            };
            assert_eq!(answer[3] & 15, rcode, "{what}");
            signed
                .verified(answer)
                .unwrap_or_else(|why| panic!("{what}: {why}"));
        }
    }
    for (rtype, rcode) in [(AXFR, 1), (IXFR, 0)] {
        let signed = lab.sign(&ixfr(rtype));
        let answer = client.ask(&signed.message);
        assert_eq!(answer[3] & 15, rcode);
        signed.verified(answer).expect("a valid signature");
    }
}

fn update_of(zone: &str) -> Vec<u8> {
    let mut message = header([0x28, 0], [1, 0, 0, 0]);
    message.extend(wire(zone));
    message.extend([0, 6, 0, 1]);
    message
}

/// A transfer of lab.; IXFR has an old SOA record.
fn ixfr(rtype: u16) -> Vec<u8> {
    let mut message = query("lab", rtype);
    if rtype == IXFR {
        message[9] = 1;
        let data = [wire("lab"), wire("lab"), vec![0; 20]].concat();
        message.extend(record("lab", 6, 1, 0, &data));
    }
    message
}

#[test]
fn a_malformed_signature_is_formerr_and_nothing_else() {
    let mut lab = with_key(&[]);
    let client = Client::new(lab.at);
    let question = query("server1.flat.lab", A);
    let end = question.len();
    let change = update(&[add("x.flat.lab", A, &[10, 0, 0, 1])]);
    // The record: the name (5), TYPE, CLASS, TTL, RDLENGTH (10), the algorithm (13), time and fudge (8), MAC size (2), MAC.
    let edit = |message: &[u8], edit: &dyn Fn(&mut Vec<u8>, usize)| {
        let mut signed = lab.sign(message).message;
        edit(&mut signed, message.len());
        signed
    };
    let mac_of = |size: usize| {
        move |message: &mut Vec<u8>, at: usize| {
            let mac = at + 5 + 10 + 13 + 10;
            let mut bytes = message[mac..mac + 32].to_vec();
            bytes.resize(size, 7);
            message.splice(mac..mac + 32, bytes);
            message[at + 14] = (13 + 16 + size) as u8;
            message[mac - 1] = size as u8;
        }
    };
    let byte = |offset: usize, byte: u8| {
        move |message: &mut Vec<u8>, at: usize| message[at + offset] = byte
    };
    let second = record("x", 1, 1, 0, &[10, 0, 0, 1]);
    type Edit<'a> = &'a dyn Fn(&mut Vec<u8>, usize);
    let cases: [(&str, Edit<'_>); 12] = [
        ("no MAC", &mac_of(0)),
        ("a MAC of 9 bytes", &mac_of(9)),
        ("a MAC of 15 bytes", &mac_of(15)),
        ("a MAC of 33 bytes", &mac_of(33)),
        ("a MAC of 64 bytes", &mac_of(64)),
        ("class IN", &byte(8, 1)),
        ("a TTL of 1", &byte(12, 1)),
        ("a TTL of 2^31", &byte(9, 0x80)),
        ("other data that are not there", &|message, _| {
            *message.last_mut().unwrap() = 6;
        }),
        ("an algorithm that is compressed", &|message, at| {
            message.splice(at + 15..at + 28, [0xc0, 12]);
            message[at + 14] -= 11;
        }),
        ("not the last record", &|message, _| {
            message[11] += 1;
            message.extend(&second);
        }),
        ("twice", &|message, at| {
            let tsig = message[at..].to_vec();
            message[11] += 1;
            message.extend(tsig);
        }),
    ];
    for (what, edited) in cases {
        for message in [&question, &change] {
            let malformed = edit(message, edited);
            let expected = if *message == question {
                end
            } else {
                12 + 5 + 4
            };
            for answer in [client.ask(&malformed), tcp_ask(lab.at, &malformed)] {
                assert_eq!(
                    (answer[3] & 15, number(&answer, 10), answer.len()),
                    (1, 0, expected),
                    "{what}"
                );
            }
        }
    }
    // In another section than the last one.
    let mut elsewhere = lab.sign(&question).message;
    elsewhere.swap(7, 11);
    assert_eq!(client.ask(&elsewhere)[3] & 15, 1);
    assert_eq!(client.rcode(&query("x.flat.lab", A)), Rcode::NXDOMAIN);
    // What is well-formed but not accepted: the code of TSIG, and a signature where the key has been verified.
    let unknown = edit(&question, &byte(1, b'x'));
    let forged = edit(&question, &byte(40, 0));
    let truncated = edit(&question, &mac_of(20));
    for (what, message, code, mac) in [
        ("BADKEY", unknown, 17, 0),
        ("BADSIG", forged, 16, 0),
        ("BADTRUNC", truncated, 22, 32),
        (
            "BADTIME",
            Signed::new(&key(&lab.folder.path("lab.key")), &question, 1000).message,
            18,
            32,
        ),
    ] {
        let answer = client.ask(&message);
        assert_eq!(answer[3] & 15, 9, "{what}");
        assert_eq!(tsig_error(&answer), Some((code, mac)), "{what}");
        let line = lab.server.err_line_with("refused: BAD");
        assert!(line.contains(what), "{line}");
    }
}

#[test]
fn dig_takes_the_signature_of_a_reply_that_reports_the_time() {
    if !testing::have_program("dig") {
        return;
    }
    let lab = with_key(&[]);
    let (ip, port) = (format!("@{}", lab.at.ip()), lab.at.port().to_string());
    let key_file = lab.folder.path("lab.key");
    let dig = |more: &[&str]| {
        let arguments = [&ip, "-p", &port, "-k", &key_file, "m45.flat.lab"];
        run("dig", &[&arguments[..], more].concat()).out
    };
    let late = dig(&["+fuzztime=1000000000"]);
    assert!(late.contains("clocks are unsynchronized"), "{late}");
    // Several messages, each signed after the one before.
    let arguments = [&ip, "-p", &port, "-k", &key_file, "lab", "AXFR"];
    let transfer = run("dig", &arguments).out;
    assert!(
        transfer.contains("messages ") && !transfer.contains("messages 1,"),
        "{transfer}"
    );
    assert!(
        !transfer.contains("WARNING") && !transfer.contains("failed"),
        "{transfer}"
    );
    for more in [
        &["+noedns", "+ignore"][..],
        &["+ignore"],
        &["+tcp"],
        &["+edns=1", "+noednsneg"],
    ] {
        let text = dig(more);
        assert!(
            text.contains("TSIG PSEUDOSECTION") && !text.contains("WARNING -- Some TSIG"),
            "{text}"
        );
    }
}

#[test]
fn the_client_reports_clocks_that_differ() {
    let folder = Folder::new();
    let path = folder.path("lab.key");
    assert_eq!(
        run(NAMING, &["keygen", "lab", "--key", &path]).code,
        Some(0)
    );
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(LONG)).unwrap();
    let address = server.local_addr().unwrap().to_string();
    let answering = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        let (length, client) = server.recv_from(&mut buffer).unwrap();
        let at = tsig_at(&buffer[..length]).unwrap();
        let mut answer = buffer[..at].to_vec();
        answer[2] |= 0x80;
        answer[3] = 9;
        let mac = [&[0, 32][..], &[7; 32], &buffer[..2]].concat();
        let data = [
            wire("hmac-sha256"),
            vec![0; 8],
            mac,
            vec![0, 18, 0, 6],
            vec![0; 6],
        ];
        answer.extend(record("lab", 250, 255, 0, &data.concat()));
        server.send_to(&answer, client).unwrap();
    });
    let arguments = [
        "resolve", "server1", "--type", "A", "--server", &address, "--key", &path,
    ];
    let finished = run(NAMING, &arguments);
    answering.join().unwrap();
    assert_eq!(finished.code, Some(2));
    assert!(
        finished
            .err
            .contains("BADTIME: the clocks of server and client differ"),
        "{}",
        finished.err
    );
}
