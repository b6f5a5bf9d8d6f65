//! The real server, and packets made by hand: valid, malformed, and malicious.

#[path = "support/copy.rs"]
mod copy;
#[path = "support/serve.rs"]
mod serve;
#[path = "support/wire.rs"]
mod wire;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use common::{
    event::{Event, Kind},
    testing::{self, Folder, read_log, run},
};
use domain::{
    base::{Message, iana::Rcode},
    rdata::tsig::Time48,
    tsig::ClientTransaction,
};

use copy::copy;
use serve::serve;
use wire::wire;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

const A: u16 = 1;
const ANY: u16 = 255;

/// Far longer than an answer on this machine takes.
const LONG: Duration = Duration::from_secs(30);

/// Only for answers that must not arrive.
const SHORT: Duration = Duration::from_millis(100);

/// The header of a message: number 0x1234, these flags and counts.
fn header(flags: [u8; 2], counts: [u16; 4]) -> Vec<u8> {
    let mut message = vec![0x12, 0x34, flags[0], flags[1]];
    message.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    message
}

fn query(name: &str, rtype: u16) -> Vec<u8> {
    let mut message = header([1, 0], [1, 0, 0, 0]);
    message.extend(wire(name));
    message.extend([rtype.to_be_bytes(), 1_u16.to_be_bytes()].concat());
    message
}

fn with_edns(mut query: Vec<u8>, version: u8, size: u16) -> Vec<u8> {
    query[11] = 1;
    query.extend([0, 0, 41]);
    query.extend(size.to_be_bytes());
    query.extend([0, version, 0, 0, 0, 0]);
    query
}

struct Client(UdpSocket);

impl Client {
    fn new(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server).unwrap();
        Self(socket)
    }

    fn answer_within(&self, message: &[u8], limit: Duration) -> Option<Vec<u8>> {
        self.0.set_read_timeout(Some(limit)).unwrap();
        self.0.send(message).unwrap();
        let mut buffer = [0; 65_535];
        let length = self.0.recv(&mut buffer).ok()?;
        Some(buffer[..length].to_vec())
    }

    fn ask(&self, message: &[u8]) -> Vec<u8> {
        self.answer_within(message, LONG).expect("an answer")
    }

    fn rcode(&self, message: &[u8]) -> Rcode {
        Message::from_octets(self.ask(message))
            .unwrap()
            .header()
            .rcode()
    }

    /// The server still answers.
    fn check_server(&self) {
        assert_eq!(
            self.ask(&query("server1.flat.lab", A)).last_chunk(),
            Some(&[192, 168, 1, 2])
        );
    }
}

fn tcp(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

fn send(mut stream: &TcpStream, message: &[u8]) {
    let length = (message.len() as u16).to_be_bytes();
    stream.write_all(&[&length, message].concat()).unwrap();
}

fn receive(mut stream: &TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

/// An update of lab. that adds these records.
fn update(lines: &[(&str, u16, &[u8])]) -> Vec<u8> {
    let mut message = header([0x28, 0], [1, 0, lines.len() as u16, 0]);
    message.extend(wire("lab"));
    message.extend([0, 6, 0, 1]);
    for (name, rtype, data) in lines {
        message.extend(wire(name));
        message.extend(rtype.to_be_bytes());
        message.extend([0, 1, 0, 0, 0, 60]);
        message.extend((data.len() as u16).to_be_bytes());
        message.extend(*data);
    }
    message
}

#[test]
fn queries_are_answered_as_the_rfcs_say() {
    let folder = Folder::new();
    let names = folder.write(
        "names.json",
        r#"{"server1": "192.168.1.2", "alias": "symlink:server1", "region1": {"rack": {"a": "10.0.0.1"}, "ways": "symlink:/region1"},
            "out": "symlink:missing", "both": ["10.0.0.2", "::2", "text:two"]}"#,
    );
    // `ways` is a link to its own directory, so names of any length exist.
    let (server, address) = serve(&["--names", &names]);
    let client = Client::new(address);
    client.check_server();
    // The question is returned as it was written, and the owner of the answer is a pointer to it.
    let answer = client.ask(&query("SERver1.FLAT.lab", A));
    assert!(
        answer.windows(7).any(|part| part == b"SERver1")
            && answer[12 + 18 + 4..][..2] == [0xc0, 12]
    );
    let ask = |name: &str, rtype: u16| {
        let answer = client.ask(&query(name, rtype));
        let message = Message::from_octets(answer.clone()).unwrap();
        let counts = message.header_counts();
        (
            message.header().rcode(),
            message.header().aa(),
            counts.ancount(),
            counts.nscount(),
        )
    };
    for (name, rtype, expected) in [
        ("server1.flat.lab", A, (Rcode::NOERROR, true, 1, 0)),
        ("both.flat.lab", ANY, (Rcode::NOERROR, true, 3, 0)),
        ("both.flat.lab", 28, (Rcode::NOERROR, true, 1, 0)),
        // A name without a record of this type, and names that only have names below them.
        ("server1.flat.lab", 28, (Rcode::NOERROR, true, 0, 1)),
        ("flat.lab", A, (Rcode::NOERROR, true, 0, 1)),
        ("rack.region1.lab", A, (Rcode::NOERROR, true, 0, 1)),
        ("nobody.flat.lab", A, (Rcode::NXDOMAIN, true, 0, 1)),
        ("x.server1.flat.lab", A, (Rcode::NXDOMAIN, true, 0, 1)),
        // An alias and its target; a directory under another name, and within itself.
        ("alias.flat.lab", A, (Rcode::NOERROR, true, 2, 0)),
        ("alias.flat.lab", 5, (Rcode::NOERROR, true, 1, 0)),
        ("out.flat.lab", A, (Rcode::NXDOMAIN, true, 1, 1)),
        ("a.rack.ways.region1.lab", A, (Rcode::NOERROR, true, 3, 0)),
        (
            "a.rack.ways.ways.region1.lab",
            A,
            (Rcode::NOERROR, true, 4, 0),
        ),
        // As BIND answers: one DNAME stands once, and a question for CNAME ends at the CNAME that follows from it.
        ("x.ways.ways.region1.lab", A, (Rcode::NXDOMAIN, true, 3, 1)),
        ("x.ways.ways.region1.lab", 5, (Rcode::NOERROR, true, 2, 0)),
        ("x.ways.region1.lab", ANY, (Rcode::NOERROR, true, 2, 0)),
        ("x.ways.region1.lab", 39, (Rcode::NXDOMAIN, true, 2, 1)),
        ("rack.ways.region1.lab", A, (Rcode::NOERROR, true, 2, 1)),
        ("x.ways.region1.lab", A, (Rcode::NXDOMAIN, true, 2, 1)),
        // The zones themselves, and addresses.
        ("lab", 6, (Rcode::NOERROR, true, 1, 0)),
        ("lab", 2, (Rcode::NOERROR, true, 1, 0)),
        ("2.1.168.192.in-addr.arpa", 12, (Rcode::NOERROR, true, 1, 0)),
        ("1.168.192.in-addr.arpa", 12, (Rcode::NOERROR, true, 0, 1)),
        (
            "3.1.168.192.in-addr.arpa",
            12,
            (Rcode::NXDOMAIN, true, 0, 1),
        ),
        ("www.example.org", A, (Rcode::REFUSED, false, 0, 0)),
        ("", A, (Rcode::REFUSED, false, 0, 0)),
    ] {
        assert_eq!(ask(name, rtype), expected, "{name} {rtype}");
    }
    let six = "2.".to_owned() + &"0.".repeat(31) + "ip6.arpa";
    assert_eq!(ask(&six, 12), (Rcode::NOERROR, true, 1, 0));
    assert_eq!(server.interrupt().code, Some(0));
}

#[test]
fn an_answer_that_is_too_long_comes_over_tcp() {
    let folder = Folder::new();
    let many: Vec<_> = (0..45).map(|last| format!("\"10.0.0.{last}\"")).collect();
    let names = folder.write(
        "names.json",
        format!(
            "{{\"server1\": \"192.168.1.2\", \"many\": [{}]}}",
            many.join(",")
        ),
    );
    let (_server, address) = serve(&["--names", &names]);
    let client = Client::new(address);
    let plain = client.ask(&query("many.flat.lab", A));
    assert_eq!((plain[2] & 2, plain[7], plain.len() < 512), (2, 0, true));
    // With enough room the answer is whole; with too little it is truncated.
    let whole = client.ask(&with_edns(query("many.flat.lab", A), 0, 4096));
    assert_eq!((whole[2] & 2, whole[7], whole.len() > 512), (0, 45, true));
    let little = client.ask(&with_edns(query("many.flat.lab", A), 0, 512));
    assert_eq!(
        (little[2] & 2, little[7], little.len() <= 512, little[11]),
        (2, 0, true, 1)
    );
    let stream = tcp(address);
    send(&stream, &query("many.flat.lab", A));
    send(&stream, &query("server1.flat.lab", A));
    assert_eq!(receive(&stream).unwrap()[7], 45);
    assert_eq!(receive(&stream).unwrap()[7], 1);
    let finished = run(
        NAMING,
        &[
            "resolve",
            "many",
            "--type",
            "A",
            "--short",
            "--server",
            &address.to_string(),
        ],
    );
    assert_eq!((finished.code, finished.out.lines().count()), (Some(0), 45));
    assert!(
        !finished.err.contains("TCP"),
        "with EDNS it fits: {}",
        finished.err
    );
    let long: Vec<_> = (10..50)
        .map(|number| format!("\"text:{number}{}\"", "x".repeat(200)))
        .collect();
    folder.write("names.json", format!("{{\"long\": [{}]}}", long.join(",")));
    let (_server, address) = serve(&["--names", &names]);
    let finished = run(
        NAMING,
        &[
            "resolve",
            "long",
            "--short",
            "--server",
            &address.to_string(),
        ],
    );
    assert_eq!((finished.code, finished.out.lines().count()), (Some(0), 40));
    assert!(
        finished
            .err
            .contains("over TCP, because the answer is too long for UDP"),
        "{}",
        finished.err
    );
}

#[test]
fn malformed_messages_get_formerr_or_no_answer() {
    let (server, address) = serve(&[]);
    let client = Client::new(address);
    let good = query("server1.flat.lab", A);
    // Not even a header, or an answer: there is no answer.
    for length in 0..12 {
        assert_eq!(client.answer_within(&good[..length], SHORT / 10), None);
    }
    let mut answer = good.clone();
    answer[2] |= 0x80;
    assert_eq!(client.answer_within(&answer, SHORT), None);
    let with_counts = |counts: [u16; 4]| [header([1, 0], counts), good[12..].to_vec()].concat();
    let edited = |at: usize, byte: u8| {
        let mut message = good.clone();
        message[at] = byte;
        message
    };
    for (what, message) in [
        ("cut off in the question", good[..20].to_vec()),
        ("no question", header([1, 0], [0, 0, 0, 0])),
        ("two questions", with_counts([2, 0, 0, 0])),
        ("65,535 questions", with_counts([65_535, 0, 0, 0])),
        ("answers that are not there", with_counts([1, 65_535, 0, 0])),
        ("more behind the end", [good.clone(), vec![0]].concat()),
        ("a label of 64 bytes", edited(12, 64)),
        (
            "a pointer to itself",
            [header([1, 0], [1, 0, 0, 0]), vec![0xc0, 12, 0, 1, 0, 1]].concat(),
        ),
        (
            "a pointer behind the end",
            [header([1, 0], [1, 0, 0, 0]), vec![0xff, 0xff, 0, 1, 0, 1]].concat(),
        ),
        (
            "a name of 300 bytes",
            [
                header([1, 0], [1, 0, 0, 0]),
                wire(&vec!["x".repeat(60); 5].join(".")),
                vec![0, 1, 0, 1],
            ]
            .concat(),
        ),
        ("two OPT records", {
            let mut message = with_edns(with_edns(good.clone(), 0, 512), 0, 512);
            message[11] = 2;
            message
        }),
    ] {
        assert_eq!(client.rcode(&message), Rcode::FORMERR, "{what}");
    }
    for (what, message, rcode) in [
        ("opcode STATUS", edited(2, 0x10), Rcode::NOTIMP),
        ("opcode NOTIFY", edited(2, 0x20), Rcode::NOTIMP),
        ("opcode 15", edited(2, 0x78), Rcode::NOTIMP),
        ("class CH", edited(good.len() - 1, 3), Rcode::REFUSED),
        ("AXFR over UDP", query("lab", 252), Rcode::FORMERR),
        (
            "AXFR of what is not ours",
            query("example", 252),
            Rcode::NOTAUTH,
        ),
        (
            "an update of nothing",
            header([0x28, 0], [0, 0, 0, 0]),
            Rcode::FORMERR,
        ),
    ] {
        assert_eq!(client.rcode(&message), rcode, "{what}");
    }
    // EDNS of a later version: the extended code says BADVERS, 16.
    let later = client.ask(&with_edns(good.clone(), 1, 1232));
    assert_eq!((later[3] & 15, later[later.len() - 6]), (0, 1));
    client.check_server();
    // Over TCP: nothing at all, as much as there can be, and the end in the middle.
    for message in [&[][..], &[0; 65_535], &good[..5]] {
        let stream = tcp(address);
        send(&stream, message);
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(receive(&stream).is_none_or(|answer| answer[3] & 15 == 1));
    }
    client.check_server();
    assert_eq!(server.interrupt().code, Some(0));
}

#[test]
fn a_stalled_client_does_not_block_the_server() {
    let (_server, address) = serve(&["--max-clients", "2", "--timeout", "200ms"]);
    let stalled: Vec<_> = (0..2).map(|_| tcp(address)).collect();
    (&stalled[0]).write_all(&[0]).unwrap();
    // The third waits in the backlog until the others time out.
    let third = tcp(address);
    send(&third, &query("server1.flat.lab", A));
    assert_eq!(receive(&third).unwrap()[7], 1);
    assert!(stalled.iter().all(|stream| receive(stream).is_none()));
    Client::new(address).check_server();
}

#[test]
fn an_update_is_made_whole_or_not_at_all() {
    let folder = Folder::new();
    let log = folder.path("log");
    let (mut server, address) = serve(&["--log", &log]);
    let client = Client::new(address);
    let serial = || {
        client
            .ask(&query("lab", 6))
            .rchunks_exact(4)
            .nth(4)
            .unwrap()
            .to_vec()
    };
    let before = serial();
    let two: &[(&str, u16, &[u8])] = &[
        ("n1.flat.lab", A, &[10, 0, 0, 1]),
        ("n2.region1.lab", A, &[10, 0, 0, 2]),
    ];
    assert_eq!(client.rcode(&update(two)), Rcode::NOERROR);
    assert_eq!(
        client.ask(&query("n2.region1.lab", A)).last_chunk(),
        Some(&[10, 0, 0, 2])
    );
    assert!(serial() > before);
    assert_eq!(server.out_line("n1 is "), "n1 is 10.0.0.1");
    let before = serial();
    // The second record has no place below a leaf, so the first is not added either.
    for bad in [
        ("x.server1.region1.lab", A, &[10, 0, 0, 4][..]),
        ("n3.lab", 15, b"\0\x0a\x01m\0"),
        ("lab", A, &[10, 0, 0, 4]),
        ("a.b.flat.lab", A, &[10, 0, 0, 4]),
        ("n3.lab", 5, &wire("www.example.org")),
    ] {
        assert_eq!(
            client.rcode(&update(&[("n3.flat.lab", A, &[10, 0, 0, 3]), bad])),
            Rcode::REFUSED,
            "{bad:?}"
        );
        assert_eq!(client.rcode(&query("n3.flat.lab", A)), Rcode::NXDOMAIN);
    }
    assert_eq!(
        client.rcode(&update(&[("n3.example", A, &[10, 0, 0, 3])])),
        Rcode::NOTZONE
    );
    assert_eq!(
        client.rcode(&update(&[("n3.lab", A, &[10, 0, 0])])),
        Rcode::FORMERR
    );
    let mut other = update(two);
    other[13] = b'b';
    assert_eq!(client.rcode(&other), Rcode::NOTAUTH);
    assert_eq!(serial(), before);
    assert_eq!(server.interrupt().code, Some(0));
    let registered: Vec<_> = read_log(log)
        .into_iter()
        .map(|record| record.event)
        .filter(|event| event.kind == Kind::Register)
        .collect();
    assert_eq!(registered.len(), 2);
    assert_eq!(registered[1].name.as_deref(), Some("region1/n2"));
}

#[test]
fn names_are_registered_at_a_running_server() {
    let (server, address) = serve(&[]);
    let server_flag = ["--server", &address.to_string()].map(str::to_owned);
    let naming = |arguments: &[&str]| {
        let flags: Vec<&str> = server_flag.iter().map(String::as_str).collect();
        let finished = run(NAMING, &[arguments, &flags].concat());
        (
            finished.code.unwrap(),
            finished.out
                + &finished
                    .err
                    .lines()
                    .filter(|line| line.starts_with("naming: "))
                    .collect::<String>(),
        )
    };
    for (arguments, code, printed) in [
        (
            &["register", "printer", "10.0.0.9", "text:in the hall"][..],
            0,
            "printer is 10.0.0.9, text:in the hall\n",
        ),
        (
            &["register", "printer", "10.0.0.8"],
            1,
            "naming: printer: exists already",
        ),
        (
            &["register", "printer", "::9", "--add"],
            0,
            "printer is ::9 as well\n",
        ),
        (
            &["resolve", "printer", "--short"],
            0,
            "10.0.0.9\n::9\nin the hall\n",
        ),
        (
            &["link", "/www", "region1/server1"],
            0,
            "/www is the same as region1/server1\n",
        ),
        (
            &["register", "region1/server1", "10.0.0.1", "--replace"],
            0,
            "region1/server1 is 10.0.0.1\n",
        ),
        (&["resolve", "/www"], 0, "IP address of www: 192.168.1.2\n"),
        (
            &["link", "/east", "/region1", "--symbolic"],
            0,
            "/east is alias of /region1\n",
        ),
        (&["resolve", "east/server2", "--short"], 0, "192.168.1.3\n"),
        (
            &["rename", "/region1", "/north"],
            0,
            "/region1 is renamed to /north\n",
        ),
        (&["resolve", "north/server2", "--short"], 0, "192.168.1.3\n"),
        (
            &["rename", "/nobody", "/x"],
            1,
            "naming: /nobody: no such name",
        ),
        (&["unregister", "printer"], 0, "printer is unregistered\n"),
        (
            &["unregister", "printer"],
            1,
            "naming: printer: no such name",
        ),
    ] {
        let printed = printed.to_owned();
        assert_eq!(naming(arguments), (code, printed), "{arguments:?}");
    }
    let finished = run(
        NAMING,
        &[
            "resolve",
            "nobody",
            "north/server1",
            "10.0.0.1",
            "--json",
            "--server",
            &address.to_string(),
        ],
    );
    assert_eq!(finished.code, Some(1));
    let events: Vec<Event> = finished.events();
    let resolved: Vec<_> = events
        .iter()
        .filter(|event| event.kind == Kind::Resolve)
        .collect();
    assert_eq!(resolved[0].value.as_deref(), Some("10.0.0.1"));
    assert_eq!(
        (resolved[1].name.as_deref(), resolved[1].value.as_deref()),
        (Some("10.0.0.1"), Some("server1.north.lab."))
    );
    assert_eq!(server.interrupt().code, Some(0));
    let stopped = run(
        NAMING,
        &["resolve", "server1", "--server", &address.to_string()],
    );
    assert_eq!(stopped.code, Some(2));
    assert!(
        stopped.err.contains("no server listens there"),
        "{}",
        stopped.err
    );
}

#[test]
fn only_the_holder_of_the_key_can_change_names() {
    let folder = Folder::new();
    let (key, other) = (folder.path("lab.key"), folder.path("other.key"));
    for (name, path) in [("lab", &key), ("lab", &other)] {
        assert_eq!(run(NAMING, &["keygen", name, "--key", path]).code, Some(0));
    }
    let (mut server, address) = serve(&["--key", &key]);
    let address = address.to_string();
    let with = |key: &str, arguments: &[&str]| {
        run(
            NAMING,
            &[arguments, &["--server", &address, "--key", key]].concat(),
        )
    };
    assert_eq!(with(&key, &["register", "a", "10.0.0.1"]).code, Some(0));
    assert_eq!(with(&key, &["resolve", "a", "--short"]).out, "10.0.0.1\n");
    let refused = with(&other, &["register", "b", "10.0.0.1"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("NOTAUTH"), "{}", refused.err);
    server.err_line("naming: signature from 127.0.0.1");
    assert_eq!(with(&key, &["resolve", "b"]).code, Some(1));
}

#[test]
fn a_signed_message_is_accepted_once_and_only_in_its_time() {
    let folder = Folder::new();
    let path = folder.path("lab.key");
    assert_eq!(
        run(NAMING, &["keygen", "lab", "--key", &path]).code,
        Some(0)
    );
    let key = naming::dns::key::read(path.as_ref())
        .unwrap()
        .into_values()
        .next()
        .unwrap();
    let (mut server, address) = serve(&["--key", &path]);
    let signed = |line: (&str, u16, &[u8]), age: u64| {
        let mut message = copy(&update(&[line])).unwrap();
        let now = Time48::from_u64(u64::from(naming::names::serial_of_now()) - age);
        ClientTransaction::request(std::sync::Arc::clone(&key), &mut message, now).unwrap();
        message.finish()
    };
    let ask = |message: &[u8]| {
        let stream = tcp(address);
        send(&stream, message);
        Message::from_octets(receive(&stream).unwrap())
            .unwrap()
            .header()
            .rcode()
    };
    let message = signed(("a.flat.lab", A, &[10, 0, 0, 1]), 0);
    assert_eq!(ask(&message), Rcode::NOERROR);
    assert_eq!(
        ask(&signed(("a.flat.lab", A, &[10, 0, 0, 2]), 0)),
        Rcode::NOERROR
    );
    assert_eq!(ask(&message), Rcode::NOTAUTH);
    assert!(
        server
            .err_line("naming: update")
            .ends_with("NOTAUTH: a replay: the same signed message was received before")
    );
    assert_eq!(
        ask(&signed(("b.flat.lab", A, &[10, 0, 0, 1]), 1000)),
        Rcode::NOTAUTH
    );
    let line = server.err_line("naming: signature");
    assert!(line.contains("refused: BADTIME"), "{line}");
    let mut forged = signed(("b.flat.lab", A, &[10, 0, 0, 1]), 0);
    let at = forged
        .windows(4)
        .position(|part| part == [10, 0, 0, 1])
        .unwrap();
    forged[at + 3] = 2;
    assert_eq!(ask(&forged), Rcode::NOTAUTH);
    let line = server.err_line("naming: signature");
    assert!(line.contains("refused: BADSIG"), "{line}");
    assert_eq!(
        Client::new(address).rcode(&query("b.flat.lab", A)),
        Rcode::NXDOMAIN
    );
}

#[test]
fn no_acknowledged_update_is_lost_and_none_is_half_made() {
    let folder = Folder::new();
    let store = folder.path("names.redb");
    let mut acknowledged = 0_u32;
    for round in 0..4 {
        let (server, address) = serve(&["--store", &store]);
        let client = Client::new(address);
        // Two names in each update; the server is killed while it works on them.
        for sent in 0.. {
            let number = acknowledged + sent;
            let address = number.to_be_bytes();
            let (one, two) = (format!("a{number}.flat.lab"), format!("b{number}.x.lab"));
            let lines = [
                (one.as_str(), A, &address[..]),
                (two.as_str(), A, &address[..]),
            ];
            if sent == 20 + round * 7 {
                client.0.send(&update(&lines)).unwrap();
                server.signal("KILL");
                acknowledged = number;
                break;
            }
            assert_eq!(client.rcode(&update(&lines)), Rcode::NOERROR);
        }
        assert_eq!(server.finish().code, None);
    }
    let (server, address) = serve(&["--store", &store]);
    let client = Client::new(address);
    for number in 0..=acknowledged {
        let there = [format!("a{number}.flat.lab"), format!("b{number}.x.lab")]
            .map(|name| client.ask(&query(&name, A))[7]);
        assert!(
            there == [1, 1] || (number == acknowledged && there == [0, 0]),
            "{number}: {there:?}"
        );
    }
    // The store is locked: a second server is refused.
    let second = run(
        NAMING,
        &["serve", "--listen", "127.0.0.1:0", "--store", &store],
    );
    assert_eq!(
        (second.code, second.err),
        (
            Some(2),
            format!("naming: {store}: another server has it open\n")
        )
    );
    assert_eq!(server.interrupt().code, Some(0));
}

#[test]
fn names_are_reloaded_and_invalid_ones_are_not() {
    let folder = Folder::new();
    let names = folder.write("names.json", r#"{"server1": "192.168.1.2"}"#);
    let (mut server, address) = serve(&["--names", &names]);
    let client = Client::new(address);
    folder.write(
        "names.json",
        r#"{"server1": "192.168.1.2", "server1": "192.168.1.3"}"#,
    );
    server.signal("HUP");
    let line = server.err_line("naming: the names are unchanged: ");
    assert!(
        line.ends_with("names.json:1:36: name 'server1' is a duplicate"),
        "{line}"
    );
    client.check_server();
    folder.write(
        "names.json",
        r#"{"server1": "192.168.1.2", "new": "10.0.0.1"}"#,
    );
    server.signal("HUP");
    let line = server.err_line("read ");
    assert!(line.ends_with("names.json again: 2 names"), "{line}");
    assert_eq!(client.rcode(&query("new.flat.lab", A)), Rcode::NOERROR);
    server.signal("USR1");
    assert!(server.err_line("so far ").contains("over UDP"));
    assert_eq!(server.interrupt().code, Some(0));
}

#[test]
fn many_updates_in_a_row_are_all_made() {
    let (server, address) = serve(&[]);
    const COUNT: u32 = 3000;
    let writer = tcp(address);
    let reader = writer.try_clone().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..COUNT {
                send(
                    &writer,
                    &update(&[(&format!("n{number}.flat.lab"), A, &[10, 0, 0, 1])]),
                );
            }
        });
        for _ in 0..COUNT {
            assert_eq!(receive(&reader).unwrap()[3] & 15, 0);
        }
    });
    let client = Client::new(address);
    assert_eq!(
        client.rcode(&query(&format!("n{}.flat.lab", COUNT - 1), A)),
        Rcode::NOERROR
    );
    // The address has PTR records to 50 of those names: with all of them no message would hold the answer.
    let stream = tcp(address);
    send(&stream, &query("1.0.0.10.in-addr.arpa", 12));
    assert_eq!(receive(&stream).unwrap()[7], 50);
    assert_eq!(server.interrupt().code, Some(0));
}

#[test]
fn from_outside_nothing_is_changed_or_transferred_without_a_key() {
    let script = r#"
        ip addr add 10.9.9.1/24 dev lo
        "$NAMING" keygen lab --key "$FOLDER/key" 2>/dev/null
        "$NAMING" serve --listen 10.9.9.1:5300 --key "$FOLDER/key" 2>"$FOLDER/err" >/dev/null &
        server=$!
        trap 'kill $server 2>/dev/null || true' EXIT
        until grep -q listening "$FOLDER/err"; do sleep 0.01; done
        code=0; "$NAMING" register a 10.0.0.1 --server 10.9.9.1:5300 2>&1 || code=$?; echo "unsigned $code"
        "$NAMING" register a 10.0.0.1 --server 10.9.9.1:5300 --key "$FOLDER/key"
        "$NAMING" resolve a --short --server 10.9.9.1:5300
        if command -v dig >/dev/null; then
            dig @10.9.9.1 -p 5300 lab axfr +short | head -n 1
            dig @10.9.9.1 -p 5300 lab axfr -k "$FOLDER/key" | grep -c 'a.flat.lab'
        fi
        kill -TERM $server; wait $server
        grep -c refused "$FOLDER/err"
    "#;
    let Some(finished) = testing::in_namespace(script, &[("NAMING", NAMING)]) else {
        return;
    };
    let expected = "naming: a: 10.9.9.1:5300 refuses the change; its log says why\nunsigned 1\na is 10.0.0.1\n10.0.0.1\n";
    assert!(finished.out.starts_with(expected), "{finished:?}");
    if testing::have_program("dig") {
        assert_eq!(
            &finished.out[expected.len()..],
            "; Transfer failed.\n1\n3\n",
            "{finished:?}"
        );
    }
}

#[test]
fn an_address_in_use_is_one_line() {
    let (_server, address) = serve(&[]);
    let second = run(NAMING, &["serve", "--listen", &address.to_string()]);
    assert_eq!(second.code, Some(2));
    assert!(
        second
            .err
            .starts_with(&format!("naming: listen on {address}: address in use")),
        "{}",
        second.err
    );
    let free = UdpSocket::bind("127.0.0.1:0").unwrap();
    let used = free.local_addr().unwrap().to_string();
    let third = run(NAMING, &["serve", "--listen", &used]);
    assert_eq!(
        (third.code, third.err.contains("address in use")),
        (Some(2), true),
        "{third:?}"
    );
    testing::check_refusals(
        NAMING,
        &[
            (
                &["serve", "--zone", "in-addr.arpa."],
                "--zone in-addr.arpa.: is reserved for the addresses",
            ),
            (
                &["serve", "--workers", "0"],
                "--workers: 0 is not in 1 to 256",
            ),
            (&["serve", "--ttl", "0s"], "--ttl: 0s is not in 1s to "),
            (
                &["serve", "--key", "/nonexistent"],
                "/nonexistent: no such file",
            ),
            (
                &["resolve", "x", "--type", "NONSENSE"],
                "--type NONSENSE: not a type of records",
            ),
            (
                &["resolve", "x", "--server", "nonsense"],
                "--server nonsense: not HOST:PORT",
            ),
        ],
    );
}
