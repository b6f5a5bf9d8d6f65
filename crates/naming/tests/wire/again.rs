//! A signed update that is sent again is told from a replay.

use std::net::UdpSocket;

use common::testing::{self, Folder, run};
use domain::base::iana::Rcode;

use super::{
    messages::{A, Client, LONG, add, query, tcp_ask, update},
    with_key,
};
use crate::serve::serve;

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
        socket.set_read_timeout(Some(LONG)).unwrap();
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
