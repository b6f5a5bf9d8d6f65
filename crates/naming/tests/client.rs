//! The client and servers that answer what was not asked: it checks the whole answer.

#[path = "support/wire.rs"]
mod wire;

use std::{net::UdpSocket, thread};

use common::testing::{self, run};

use wire::wire;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

const A: u16 = 1;
const CNAME: u16 = 5;
const DNAME: u16 = 39;

type Record<'a> = (&'a str, u16, u16, Vec<u8>);

/// Asks a server that answers with these records for the A records of a name; the code and all that is printed.
fn ask(name: &str, records: &[Record<'_>]) -> (i32, String) {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap().to_string();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut query = [0; 512];
            let (length, peer) = server.recv_from(&mut query).unwrap();
            let end = 12
                + query[12..length]
                    .iter()
                    .position(|byte| *byte == 0)
                    .unwrap()
                + 5;
            let mut answer = query[..end].to_vec();
            answer[2] |= 0x84;
            answer[7] = records.len() as u8;
            answer[11] = 0;
            for (owner, rtype, class, data) in records {
                answer.extend(wire(owner));
                answer.extend([rtype.to_be_bytes(), class.to_be_bytes()].concat());
                answer.extend([0, 0, 0, 60]);
                answer.extend((data.len() as u16).to_be_bytes());
                answer.extend(data);
            }
            server.send_to(&answer, peer).unwrap();
        });
        let finished = run(
            NAMING,
            &[
                "resolve", name, "--type", "A", "--short", "--server", &address,
            ],
        );
        let err: String = finished
            .err
            .lines()
            .filter(|line| line.starts_with("naming: "))
            .collect();
        (
            finished.code.unwrap(),
            finished.out + &err.replace(&format!("server {address}: "), ""),
        )
    })
}

#[test]
fn an_answer_is_about_the_name_that_was_asked_for() {
    let good = || vec![10, 0, 0, 1];
    let evil = || vec![6, 6, 6, 6];
    let cases: &[(&[Record<'_>], i32, &str)] = &[
        (&[("A.Flat.lab", A, 1, good())], 0, "10.0.0.1\n"),
        // Through aliases, in any order, with a DNAME that is used twice.
        (
            &[
                ("b.lab", A, 1, good()),
                ("a.flat.lab", CNAME, 1, wire("B.lab")),
            ],
            0,
            "10.0.0.1\n",
        ),
        (
            &[
                ("flat.lab", DNAME, 1, wire("x.lab")),
                ("a.flat.lab", CNAME, 1, wire("a.x.lab")),
                ("a.x.lab", A, 1, good()),
            ],
            0,
            "10.0.0.1\n",
        ),
        // A DNAME alone is enough: its CNAME record follows from it.
        (
            &[
                ("flat.lab", DNAME, 1, wire("x.lab")),
                ("a.x.lab", A, 1, good()),
            ],
            0,
            "10.0.0.1\n",
        ),
        (
            &[("evil.lab", A, 1, evil())],
            2,
            "naming: the answer has a record of evil.lab., which was not asked for",
        ),
        (
            &[("a.flat.lab", A, 1, good()), ("evil.lab", A, 1, evil())],
            2,
            "naming: the answer has a record of evil.lab., which was not asked for",
        ),
        (
            &[
                ("a.flat.lab", CNAME, 1, wire("b.lab")),
                ("c.lab", A, 1, evil()),
            ],
            2,
            "naming: the answer has a record of c.lab., which was not asked for",
        ),
        (
            &[
                ("other.lab", DNAME, 1, wire("x.lab")),
                ("a.flat.lab", A, 1, good()),
            ],
            2,
            "naming: the answer has a record of other.lab., which was not asked for",
        ),
        (
            &[
                ("flat.lab", DNAME, 1, wire("x.lab")),
                ("a.flat.lab", CNAME, 1, wire("evil.lab")),
                ("evil.lab", A, 1, evil()),
            ],
            2,
            "naming: a.flat.lab. is not the alias that its DNAME record says",
        ),
        (
            &[
                ("a.flat.lab", CNAME, 1, wire("b.lab")),
                ("b.lab", CNAME, 1, wire("a.flat.lab")),
            ],
            2,
            "naming: the aliases of the answer form a circle",
        ),
        (
            &[("a.flat.lab", A, 3, good())],
            2,
            "naming: the answer has a record of another class",
        ),
    ];
    for (records, code, printed) in cases {
        assert_eq!(
            ask("a", records),
            (*code, (*printed).to_owned()),
            "{records:?}"
        );
    }
}

#[test]
fn a_transfer_has_the_names_in_the_case_of_the_zone() {
    if !testing::have_program("dig") {
        return;
    }
    let mut server = testing::start(NAMING, &["serve", "--listen", "127.0.0.1:0"]);
    let address = server.ready();
    let port = address.port().to_string();
    let transfer = |zone: &str| {
        let finished = run(
            "dig",
            &["@127.0.0.1", "-p", &port, zone, "AXFR", "+noall", "+answer"],
        );
        let mut lines: Vec<_> = finished.out.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let lines = transfer("lab");
    assert!(lines.len() > 8, "{lines:?}");
    assert_eq!(transfer("LaB"), lines);
    assert_eq!(transfer("IN-addr.ARPA"), transfer("in-addr.arpa"));
    assert_eq!(server.interrupt().code, Some(0));
}
