//! `naming serve --recursive`: its cache, its clients, and how it stops.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream, UdpSocket},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use common::testing::{self, Finished, Folder, read_log, run};
use domain::base::iana::Rtype;
use naming::resolver::{Reply, query};

use super::{
    NAMING, recursive,
    scripted::{Query, Says, Sends, scripted},
};

fn resolve(server: SocketAddr, arguments: &[&str]) -> Finished {
    let server = server.to_string();
    run(
        NAMING,
        &[&["resolve", "--recursive", "--server", &server], arguments].concat(),
    )
}

/// Every name has an address, except those that begin with `no`.
fn says(query: &Query) -> Says {
    match query.name.starts_with("no") || query.rtype != 1 {
        true => Says {
            code: if query.rtype == 1 { 3 } else { 0 },
            authority: vec!["lab. SOA lab.".into()],
            ..Says::answer(&[])
        },
        false => Says::answer(&[&format!("{} A 10.0.0.1", query.name)]),
    }
}

/// One query over UDP.
struct Client(UdpSocket);

impl Client {
    fn new(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        Self(socket)
    }

    fn send(&self, id: u16, name: &str, recursion: bool) {
        let message = query(id, &name.parse().unwrap(), Rtype::A, recursion, true);
        self.0.send(&message).unwrap();
    }

    fn receive(&self) -> (Reply, Vec<u8>) {
        let mut buffer = [0; 4096];
        let length = self.0.recv(&mut buffer).unwrap();
        (
            Reply::read(&buffer[..length]).unwrap(),
            buffer[..length].to_vec(),
        )
    }

    fn ask(&self, name: &str, recursion: bool) -> (Reply, Vec<u8>) {
        self.send(1, name, recursion);
        self.receive()
    }
}

#[test]
fn answers_are_kept_and_shared() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let root = scripted(1, move |query| {
        count.fetch_add(1, Ordering::Relaxed);
        vec![Sends::Reply(says(query))]
    });
    let (server, address) = recursive(root, &[]);
    for _ in 0..3 {
        let finished = resolve(address, &["www", "server1.lab.", "--type", "A", "--short"]);
        assert_eq!(finished.out, "10.0.0.1\n10.0.0.1\n", "{finished:?}");
        let finished = resolve(address, &["nobody.lab.", "--type", "A"]);
        assert_eq!(finished.code, Some(1));
        assert!(finished.err.contains("has no nobody.lab."), "{finished:?}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    let client = Client::new(address);
    // RA and no AA; the TTL counts down, the SOA record limits a negative answer.
    let (reply, message) = client.ask("server1.lab.", true);
    assert_eq!(message[2] & 0x05, 0x01);
    assert_eq!(message[3], 0x80);
    assert!((1..=60).contains(&reply.answer[0].ttl));
    let (reply, _) = client.ask("nobody.lab.", true);
    assert_eq!((reply.code, reply.authority[0].ttl <= 60), (3, true));
    // Without RD: what the cache has.
    assert_eq!(client.ask("server1.lab.", false).0.code, 0);
    assert_eq!(client.ask("server9.lab.", false).0.code, 5);
    let mut server = server;
    server.signal("USR1");
    server.err_line_with("so far 13 queries (13 over UDP, 0 over TCP): 9 from the cache");
    let finished = server.interrupt();
    assert_eq!(finished.code, Some(0));
    assert!(
        finished.err.contains("3 resolved by 3 queries to servers"),
        "{finished:?}"
    );
}

#[test]
fn equal_questions_are_joined_and_a_stop_finishes_them() {
    type Gate = (Mutex<bool>, Condvar);
    let gate: Arc<Gate> = Arc::default();
    let waits = Arc::clone(&gate);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let root = scripted(1, move |query| {
        count.fetch_add(1, Ordering::SeqCst);
        let open = waits.1.wait_while(waits.0.lock().unwrap(), |open| !*open);
        drop(open.unwrap());
        vec![Sends::Reply(says(query))]
    });
    let (server, address) = recursive(root, &[]);
    let clients: Vec<_> = (0..20).map(|_| Client::new(address)).collect();
    for (id, client) in clients.iter().enumerate() {
        client.send(id as u16, "server1.lab.", true);
    }
    // A query that is answered without a resolution says that the others were taken.
    assert_eq!(Client::new(address).ask("other.lab.", false).0.code, 5);
    server.signal("INT");
    testing::wait_for(|| (asked.load(Ordering::SeqCst) > 0).then_some(()));
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    for (id, client) in clients.iter().enumerate() {
        let (reply, _) = client.receive();
        assert_eq!(
            (usize::from(reply.id), reply.code, reply.answer.len()),
            (id, 0, 1)
        );
    }
    let finished = server.finish();
    assert!(
        finished.err.contains("19 joined, 1 resolved"),
        "{finished:?}"
    );
}

#[test]
fn one_client_does_not_take_all_places_and_every_query_is_answered() {
    // A zone whose server is silent.
    let root = scripted(1, |_| vec![]);
    let (server, address) = recursive(root, &[]);
    let client = Client::new(address);
    let begun = Instant::now();
    for id in 0..300 {
        client.send(id, &format!("n{id}.lab."), true);
    }
    let codes: Vec<_> = (0..300).map(|_| client.receive().0.code).collect();
    assert_eq!(codes, [2; 300]);
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    let finished = server.interrupt();
    assert!(
        finished
            .err
            .contains("256 queries of this address wait already"),
        "{finished:?}"
    );
    assert!(finished.err.contains("no reply in time"), "{finished:?}");
    assert!(finished.err.contains("300 failed"), "{finished:?}");
}

#[test]
fn a_resolution_that_failed_is_not_tried_again_at_once() {
    let (asked, works) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, is_up) = (Arc::clone(&asked), Arc::clone(&works));
    let root = scripted(1, move |query| {
        count.fetch_add(1, Ordering::SeqCst);
        match is_up.load(Ordering::SeqCst) {
            0 => vec![Sends::Reply(Says::code(2))],
            _ => vec![Sends::Reply(says(query))],
        }
    });
    let (server, address) = recursive(root, &[]);
    let client = Client::new(address);
    assert_eq!(client.ask("server1.lab.", true).0.code, 2);
    let first = asked.load(Ordering::SeqCst);
    works.store(1, Ordering::SeqCst);
    // Other names are not concerned. In less than the second that RFC 9520 requires this one fails without a query, then it is found.
    assert_eq!(client.ask("server2.lab.", true).0.code, 0);
    let begun = Instant::now();
    let (mut failed, mut until) = (0, Duration::ZERO);
    while client.ask("server1.lab.", true).0.code == 2 {
        failed += 1;
        until = begun.elapsed();
    }
    assert_eq!(asked.load(Ordering::SeqCst), first + 2);
    assert!(
        failed > 0 && until < Duration::from_secs(30),
        "{failed}, {until:?}"
    );
    let finished = server.interrupt();
    assert!(
        finished.err.contains("; it is not tried again for 1 s"),
        "{finished:?}"
    );
}

#[test]
fn random_names_take_bounded_memory() {
    let root = scripted(1, |query| vec![Sends::Reply(says(query))]);
    let (server, address) = recursive(root, &["--cache", "1"]);
    let client = Client::new(address);
    for round in 0..100 {
        for id in 0..64 {
            let prefix = if id % 2 == 0 { "no" } else { "yes" };
            client.send(id, &format!("{prefix}{round}-{id}.lab."), true);
        }
        for _ in 0..64 {
            client.receive();
        }
    }
    let finished = server.interrupt();
    let entries = finished.err.split("refused; ").nth(1).unwrap();
    let entries: usize = entries.split(' ').next().unwrap().parse().unwrap();
    assert!((1000..4500).contains(&entries), "{finished:?}");
}

#[test]
fn only_those_who_may_ask_are_answered() {
    let root = scripted(1, |query| vec![Sends::Reply(says(query))]);
    let (_server, address) = recursive(root, &[]);
    let client = Client::new(address);
    let mut message = query(7, &"www.lab.".parse().unwrap(), Rtype::A, true, true);
    for (byte, value, code) in [
        // An update, a class that is not IN, a transfer, a later version of EDNS.
        (2, 0x29, 4),
        (24, 3, 5),
        (22, 252, 5),
    ] {
        let before = std::mem::replace(&mut message[byte], value);
        client.0.send(&message).unwrap();
        let (reply, _) = client.receive();
        assert_eq!(reply.code, code, "{byte} {value}");
        message[byte] = before;
    }
}

#[test]
fn other_machines_may_ask_when_they_are_allowed() {
    if !testing::have_program("dig") {
        return;
    }
    let script = r#"
        ip addr add 192.0.2.1/24 dev lo; ip addr add 192.0.2.2/24 dev lo; ip addr add 198.51.100.2/24 dev lo
        start() { "$NAMING" serve "$@" 2>$name.err >$name.out & until grep -q listening $name.err; do sleep 0.01; done; }
        name=root; start; root=$!
        name=closed; start --recursive --root :5300 --listen 0.0.0.0:5301; closed=$!
        name=open; start --recursive --root :5300 --listen 0.0.0.0:5302 --allow 192.0.2.0/24; open=$!
        ask() { dig -b $1 @192.0.2.1 -p $2 server1.flat.lab A 2>/dev/null | grep -o 'status: [A-Z]*'; }
        ask 127.0.0.1 5301; ask 192.0.2.2 5301; ask 192.0.2.2 5302; ask 198.51.100.2 5302
        kill $root $closed $open; wait $closed; wait $open
        cat closed.err
    "#;
    let Some(finished) = testing::in_namespace(script, &[("NAMING", NAMING)]) else {
        return;
    };
    let answers: Vec<_> = finished.out.lines().take(4).collect();
    let wanted = ["NOERROR", "REFUSED", "NOERROR", "REFUSED"].map(|code| format!("status: {code}"));
    assert_eq!(answers, wanted, "{finished:?}");
    assert!(
        finished.out.contains("refused: --allow does not have it"),
        "{finished:?}"
    );
}

#[test]
fn over_tcp_any_number_of_queries_is_answered() {
    if !testing::have_program("dig") {
        return;
    }
    let many: Vec<_> = (0..200)
        .map(|n| format!("many.lab. A 10.0.1.{n}"))
        .collect();
    let root = scripted(1, move |query| {
        let says = match (query.name.as_str(), query.tcp) {
            ("many.lab.", true) => Says {
                answer: many.clone(),
                ..Says::answer(&[])
            },
            ("many.lab.", false) => Says {
                tc: true,
                ..Says::answer(&[])
            },
            _ => says(query),
        };
        vec![Sends::Reply(says)]
    });
    let folder = Folder::new();
    let log = folder.path("log.jsonl");
    let (server, address) = recursive(root, &["--log", &log]);
    let port = address.port().to_string();
    let dig = |arguments: &[&str]| {
        let finished = run("dig", &[&["@127.0.0.1", "-p", &port], arguments].concat());
        assert_eq!(finished.code, Some(0), "{finished:?}");
        finished.out
    };
    assert_eq!(dig(&["many.lab", "+short"]).lines().count(), 200);
    let out = dig(&[
        "+tcp",
        "+keepopen",
        "+short",
        "a.lab",
        "b.lab",
        "nobody.lab",
        "c.lab",
    ]);
    assert_eq!(out, "10.0.0.1\n10.0.0.1\n10.0.0.1\n");
    let out = dig(&["www.lab"]);
    assert!(
        out.contains("flags: qr rd ra;") && !out.contains("WARNING"),
        "{out}"
    );
    let finished = server.interrupt();
    assert!(finished.err.contains("over TCP): "), "{finished:?}");
    // A message to the root is in the log as it is in that of its client.
    let events = read_log(&log);
    assert!(events.iter().any(|record| record.event.message.is_some()));
}

#[test]
fn a_connection_with_more_queries_than_may_wait_loses_none() {
    let root = scripted(1, |query| vec![Sends::Reply(says(query))]);
    let (server, address) = recursive(root, &[]);
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut all = Vec::new();
    for id in 0..500 {
        let message = query(
            id,
            &format!("n{id}.lab.").parse().unwrap(),
            Rtype::A,
            true,
            true,
        );
        all.extend((message.len() as u16).to_be_bytes());
        all.extend(message);
    }
    // The client ends its direction at once, and reads the replies afterwards.
    stream.write_all(&all).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut replies = Vec::new();
    stream.read_to_end(&mut replies).unwrap();
    let mut ids = BTreeSet::new();
    let mut rest = replies.as_slice();
    while let [high, low, after @ ..] = rest {
        let (reply, after) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        let reply = Reply::read(reply).unwrap();
        assert_eq!((reply.code, reply.answer.len()), (0, 1));
        ids.insert(reply.id);
        rest = after;
    }
    assert_eq!(ids.len(), 500);
    let finished = server.interrupt();
    assert!(
        finished
            .err
            .contains("500 queries (0 over UDP, 500 over TCP)"),
        "{finished:?}"
    );
}

#[test]
fn a_server_without_recursion_is_named_as_such() {
    let mut server = testing::start(NAMING, &["serve", "--listen", "127.0.0.1:0"]);
    let address = server.ready();
    let finished = resolve(address, &["server1", "--type", "A", "--short"]);
    assert_eq!(finished.out, "192.168.1.2\n");
    let line = format!("{address} offers no recursive resolution (RA is off)");
    assert_eq!(finished.err.matches(&line).count(), 1, "{finished:?}");
}
