//! Notices as a secondary receives them, and its answers.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use common::testing::Folder;
use domain::base::iana::Rcode;

use super::{
    messages::{self, A, Client, add, key, number, record, update},
    with_key,
};
use crate::wire::wire;

/// Registers a name, which the secondaries are notified of.
fn change(at: SocketAddr, name: &str) {
    let message = update(&[add(name, A, &[10, 0, 0, 1])]);
    assert_eq!(Client::new(at).rcode(&message), Rcode::NOERROR);
}

#[test]
fn a_notice_leaves_from_the_listening_address_and_its_answer_is_logged() {
    for (listen, secondary_at) in [
        ("127.0.0.5:0", "127.0.0.1:0"),
        ("[::1]:0", "[::1]:0"),
        ("[::ffff:127.0.0.5]:0", "127.0.0.1:0"),
    ] {
        let Ok(secondary) = UdpSocket::bind(secondary_at) else {
            continue;
        };
        secondary.set_read_timeout(Some(messages::LONG)).unwrap();
        let address = secondary.local_addr().unwrap();
        let folder = Folder::new();
        let log = folder.path("log.jsonl");
        let address = address.to_string();
        let mut lab = with_key(&["--listen", listen, "--secondary", &address, "--log", &log]);
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
        let ended = lab.server.interrupt();
        assert_eq!(ended.code, Some(0));
        let logged = std::fs::read_to_string(&log).unwrap();
        let stop: serde_json::Value = serde_json::from_str(logged.lines().last().unwrap()).unwrap();
        let counts = &stop["counts"];
        assert_eq!(
            (&counts["notices"], &counts["notices_failed"]),
            (&3.into(), &3.into()),
            "{stop}"
        );
    }
}

fn ip((host, _): (&str, &str)) -> IpAddr {
    let ip: IpAddr = host.trim_matches(['[', ']']).parse().unwrap();
    ip.to_canonical()
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
    let unsigned = UdpSocket::bind("127.0.0.1:0").unwrap();
    let [one, other] = [&silent, &unsigned].map(|socket| socket.local_addr().unwrap().to_string());
    let mut lab = with_key(&["--secondary", &one, "--secondary", &other]);
    change(lab.at, "n1.flat.lab");
    let mut buffer = [0; 4096];
    for _ in 0..15 {
        let (length, from) = unsigned.recv_from(&mut buffer).unwrap();
        let mut answer = messages::tsig_at(&buffer[..length])
            .map(|at| buffer[..at].to_vec())
            .unwrap();
        answer[2] |= 0x80;
        answer[11] -= 1;
        unsigned.send_to(&answer, from).unwrap();
    }
    let line = lab.server.err_line_with("does not answer");
    assert!(line.contains(&one), "{line}");
    let line = lab.server.err_line_with("without a valid signature");
    assert!(line.contains(&other), "{line}");
}
