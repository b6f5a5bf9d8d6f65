//! The last form of replies: their address, OPT record, size, signature; and signed updates that are sent again.

#[path = "wire/messages.rs"]
mod messages;

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr, UdpSocket},
};

use common::{
    event::Kind,
    testing::{self, Folder, read_log, run},
};
use domain::base::iana::Rcode;

use messages::{
    A, Client, Signed, add, header, is_truncated, key, number, query, record, serve, tcp_ask,
    tsig_error, update, wire, with_opt,
};

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

const AXFR: u16 = 252;
const IXFR: u16 = 251;

/// OPT of version 0, as a client sends it.
const EDNS: [u8; 2] = [0, 0];

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

/// A server with a key and names with much data.
struct WithKey {
    folder: Folder,
    server: testing::Running,
    at: SocketAddr,
}

fn with_key(arguments: &[&str]) -> WithKey {
    let folder = Folder::new();
    let key_file = folder.path("lab.key");
    assert_eq!(
        run(NAMING, &["keygen", "lab", "--key", &key_file]).code,
        Some(0)
    );
    let many = |count: usize| {
        let texts: Vec<_> = (0..count).map(|n| format!("\"10.0.1.{n}\"")).collect();
        texts.join(",")
    };
    let names = folder.write(
        "names.json",
        format!(
            "{{\"server1\": \"192.168.1.2\", {}}}",
            (1..50)
                .map(|count| format!("\"m{count}\": [{}]", many(count)))
                .collect::<Vec<_>>()
                .join(",")
        ),
    );
    let (server, at) = serve(&[&["--key", &key_file, "--names", &names], arguments].concat());
    WithKey { folder, server, at }
}

impl WithKey {
    fn sign(&self, message: &[u8]) -> Signed {
        Signed::new(&key(&self.folder.path("lab.key")), message, 0)
    }
}

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
fn an_update_that_is_sent_again_gets_its_answer_again() {
    let folder = Folder::new();
    let store = folder.path("names.redb");
    let lab = with_key(&["--store", &store]);
    let client = Client::new(lab.at);
    let first = lab.sign(&update(&[add("a.flat.lab", A, &[10, 0, 0, 1])]));
    let answer = client.ask(&first.message);
    assert_eq!(
        first.verified(answer.clone()).expect("a signature")[3] & 15,
        0
    );
    // Another update in between, so that a second run would be seen.
    let mut delete = update(&[add("a.flat.lab", 255, &[])]);
    let class = delete.len() - 7;
    delete[class] = 255;
    delete[class + 4] = 0;
    let second = lab.sign(&delete);
    assert_eq!(client.ask(&second.message)[3] & 15, 0);
    let refused = lab.sign(&update(&[add("a.flat.lab", 15, b"\0\x0a\0")]));
    assert_eq!(client.rcode(&refused.message), Rcode::REFUSED);
    assert_eq!(client.ask(&first.message), answer);
    assert_eq!(client.rcode(&refused.message), Rcode::REFUSED);
    assert_eq!(client.rcode(&query("a.flat.lab", A)), Rcode::NXDOMAIN);
    // Also while the first one waits for the disk.
    let twice = lab.sign(&update(&[add("b.flat.lab", A, &[10, 0, 0, 1])]));
    for _ in 0..2 {
        client.send(&twice.message);
    }
    let answers = [(); 2].map(|()| client.receive().expect("an answer"));
    assert_eq!((answers[0][3] & 15, &answers[0]), (0, &answers[1]));
    // From elsewhere it is a replay.
    let other = Client::new(lab.at);
    for message in [&first, &second, &refused] {
        let answer = other.ask(&message.message);
        assert_eq!(message.verified(answer).expect("a signature")[3] & 15, 9);
    }
    assert_eq!(tcp_ask(lab.at, &first.message)[3] & 15, 9);
    // The same after a restart.
    let at = lab.at;
    assert_eq!(lab.server.interrupt().code, Some(0));
    let key_file = lab.folder.path("lab.key");
    let listen = at.to_string();
    let (_server, at) = serve(&["--listen", &listen, "--key", &key_file, "--store", &store]);
    for message in [&first, &second, &refused] {
        assert_eq!(other.ask(&message.message)[3] & 15, 9);
        assert_eq!(tcp_ask(at, &message.message)[3] & 15, 9);
    }
    assert_eq!(client.ask(&first.message), answer);
    assert_eq!(client.rcode(&refused.message), Rcode::REFUSED);
    assert_eq!(client.rcode(&query("a.flat.lab", A)), Rcode::NXDOMAIN);
}

#[test]
fn nsupdate_tries_again_when_its_answer_is_lost() {
    if !testing::have_program("nsupdate") {
        return;
    }
    let lab = with_key(&[]);
    // Passes datagrams on, and loses the first answer.
    let between = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = between.local_addr().unwrap().port();
    let upstream = UdpSocket::bind("127.0.0.1:0").unwrap();
    upstream.connect(lab.at).unwrap();
    for socket in [&between, &upstream] {
        socket.set_read_timeout(Some(messages::LONG)).unwrap();
    }
    let passing = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        let mut received = Vec::new();
        for attempt in 0..2 {
            let (length, client) = between.recv_from(&mut buffer).unwrap();
            received.push(buffer[..length].to_vec());
            upstream.send(&buffer[..length]).unwrap();
            let length = upstream.recv(&mut buffer).unwrap();
            if attempt == 1 {
                between.send_to(&buffer[..length], client).unwrap();
            }
        }
        received
    });
    let script = lab.folder.write(
        "script",
        format!(
            "server 127.0.0.1 {port}\nzone lab.\nupdate add n1.flat.lab. 60 A 10.0.0.1\nsend\n"
        ),
    );
    let key_file = lab.folder.path("lab.key");
    let finished = run(
        "nsupdate",
        &["-u", "1", "-r", "2", "-k", &key_file, &script],
    );
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
    let received = passing.join().unwrap();
    assert_eq!(received[0], received[1]);
    assert_eq!(
        Client::new(lab.at).rcode(&query("n1.flat.lab", A)),
        Rcode::NOERROR
    );
}

/// Registers a name, which the secondaries are notified of.
fn change(at: SocketAddr, name: &str) {
    let message = update(&[add(name, A, &[10, 0, 0, 1])]);
    assert_eq!(Client::new(at).rcode(&message), Rcode::NOERROR);
}

#[test]
fn a_notice_leaves_from_the_listening_address_and_its_answer_is_logged() {
    for (listen, secondary_at) in [("127.0.0.5:0", "127.0.0.1:0"), ("[::1]:0", "[::1]:0")] {
        let Ok(secondary) = UdpSocket::bind(secondary_at) else {
            continue;
        };
        secondary.set_read_timeout(Some(messages::LONG)).unwrap();
        let address = secondary.local_addr().unwrap();
        let mut lab = with_key(&["--listen", listen, "--secondary", &address.to_string()]);
        let shared = key(&lab.folder.path("lab.key"));
        let mut buffer = [0; 4096];
        for (number, rcode, line) in [
            (1, 0, "is notified of zone lab. with serial"),
            (2, 5, "refuses the notice of zone lab. with serial"),
        ] {
            change(lab.at, &format!("n{number}.flat.lab"));
            let mut zones = 0;
            while zones < 3 {
                let (length, from) = secondary.recv_from(&mut buffer).unwrap();
                assert_eq!(from.ip(), listen.rsplit_once(':').map(ip).unwrap());
                let notice = buffer[..length].to_vec();
                let mut answer = messages::signed_answer(&shared, notice, rcode);
                if rcode == 5 {
                    // Without a signature.
                    answer.truncate(12);
                    answer[4..12].fill(0);
                }
                secondary.send_to(&answer, from).unwrap();
                zones += 1;
            }
            let line = lab.server.err_line_with(line);
            assert!(
                line.ends_with(if rcode == 5 { "REFUSED" } else { "NOERROR" }),
                "{line}"
            );
        }
        assert_eq!(lab.server.interrupt().code, Some(0));
    }
}

fn ip((host, _): (&str, &str)) -> IpAddr {
    host.trim_matches(['[', ']']).parse().unwrap()
}

#[test]
fn a_secondary_that_does_not_know_the_key_is_notified_without_it() {
    let secondary = UdpSocket::bind("127.0.0.1:0").unwrap();
    secondary.set_read_timeout(Some(messages::LONG)).unwrap();
    let address = secondary.local_addr().unwrap().to_string();
    let mut lab = with_key(&["--secondary", &address]);
    change(lab.at, "n1.flat.lab");
    let mut buffer = [0; 4096];
    let (mut signed, mut plain) = (0, 0);
    while plain < 3 {
        let (length, from) = secondary.recv_from(&mut buffer).unwrap();
        let notice = &buffer[..length];
        if number(notice, 10) == 1 {
            signed += 1;
            // NOTAUTH with BADKEY and no MAC.
            let at = messages::tsig_at(notice).unwrap();
            let mut answer = notice[..at].to_vec();
            answer[2] |= 0x80;
            answer[3] = 9;
            let data = [
                wire("hmac-sha256"),
                vec![0; 10],
                notice[..2].to_vec(),
                vec![0, 17, 0, 0],
            ];
            answer.extend(record("lab", 250, 255, 0, &data.concat()));
            secondary.send_to(&answer, from).unwrap();
        } else {
            plain += 1;
            let mut answer = notice.to_vec();
            answer[2] |= 0x80;
            secondary.send_to(&answer, from).unwrap();
        }
    }
    assert!(signed > 0);
    lab.server.err_line_with("does not know the key lab");
    lab.server.err_line_with("is notified of zone lab.");
    assert_eq!(lab.server.interrupt().code, Some(0));
}

#[test]
fn a_notice_that_cannot_be_sent_is_logged() {
    // From a loopback address, the kernel sends nothing to another machine.
    let mut lab = with_key(&["--secondary", "192.0.2.1:53"]);
    change(lab.at, "n1.flat.lab");
    let line = lab
        .server
        .err_line_with("cannot be notified from 127.0.0.1");
    assert!(line.contains("192.0.2.1:53"), "{line}");
}

#[test]
#[ignore = "all tries of a notice take 16 s"]
fn a_notice_that_is_not_answered_is_logged() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let mut lab = with_key(&["--secondary", &address]);
    change(lab.at, "n1.flat.lab");
    let line = lab.server.err_line_with("does not answer");
    assert!(line.contains(&address), "{line}");
}
