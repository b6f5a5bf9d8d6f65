//! Name servers that say what the test wants, at 127.0.0.1, 127.0.0.2, …, all on one port.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::Arc,
    thread,
};

#[path = "../support/wire.rs"]
mod wire;
use wire::wire;

/// A query that a server has got.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    /// The last byte of the server's address.
    pub(crate) server: u8,
    pub(crate) name: String,
    pub(crate) rtype: u16,
    pub(crate) tcp: bool,
    pub(crate) edns: bool,
    pub(crate) message: Vec<u8>,
}

/// What a server sends.
#[derive(Clone, Debug)]
pub(crate) enum Sends {
    /// A reply.
    Reply(Says),
    /// A message of any bytes.
    Bytes(Vec<u8>),
    /// A reply from the address of another server.
    From(u8, Says),
}

/// A reply. Each record is a line: `www.lab. A 10.0.0.1`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Says {
    pub(crate) code: u8,
    pub(crate) aa: bool,
    pub(crate) tc: bool,
    pub(crate) answer: Vec<String>,
    pub(crate) authority: Vec<String>,
    pub(crate) additional: Vec<String>,
}

impl Says {
    pub(crate) fn answer(lines: &[&str]) -> Self {
        Self {
            aa: true,
            answer: lines.iter().map(ToString::to_string).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn referral(servers: &[&str], glue: &[&str]) -> Self {
        Self {
            authority: servers.iter().map(ToString::to_string).collect(),
            additional: glue.iter().map(ToString::to_string).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn code(code: u8) -> Self {
        Self {
            code,
            ..Self::default()
        }
    }

    /// The message, as the reply to a query.
    pub(crate) fn to(&self, query: &[u8]) -> Vec<u8> {
        let mut message = query[..question_end(query)].to_vec();
        message[2] = query[2] & 1 | 0x80 | u8::from(self.aa) << 2 | u8::from(self.tc) << 1;
        message[3] = self.code;
        let sections = [&self.answer, &self.authority, &self.additional];
        for (section, lines) in sections.into_iter().enumerate() {
            let at = 6 + 2 * section;
            message[at..at + 2].copy_from_slice(&(lines.len() as u16).to_be_bytes());
            lines.iter().for_each(|line| message.extend(record(line)));
        }
        message
    }
}

fn question_end(query: &[u8]) -> usize {
    12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 5
}

fn record(line: &str) -> Vec<u8> {
    let words: Vec<_> = line.split_whitespace().collect();
    let (rtype, data) = match words[1] {
        "A" => (1, words[2].parse::<Ipv4Addr>().unwrap().octets().to_vec()),
        "NS" => (2, wire(words[2])),
        "CNAME" => (5, wire(words[2])),
        "SOA" => {
            let names = [wire(words[2]), wire(words[2])].concat();
            (6, [names, [0, 0, 0, 60].repeat(5)].concat())
        }
        other => panic!("{other}"),
    };
    let length = (data.len() as u16).to_be_bytes();
    [
        wire(words[0]).as_slice(),
        &[0, rtype, 0, 1, 0, 0, 0, 60],
        &length,
        &data,
    ]
    .concat()
}

/// Starts servers at 127.0.0.1 to 127.0.0.`last`, and returns the address of the first. They end with the test.
pub(crate) fn scripted(
    last: u8,
    script: impl Fn(&Query) -> Vec<Sends> + Send + Sync + 'static,
) -> SocketAddr {
    let script: Arc<Script> = Arc::new(script);
    for _ in 0..100 {
        let first = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        let at = |server| SocketAddr::from(([127, 0, 0, server], port));
        let mut udp = vec![first];
        udp.extend((2..=last).map_while(|server| UdpSocket::bind(at(server)).ok()));
        let tcp: Vec<_> = (1..=last)
            .map_while(|server| TcpListener::bind(at(server)).ok())
            .collect();
        if udp.len() < last.into() || tcp.len() < last.into() {
            continue;
        }
        let udp: Arc<[UdpSocket]> = udp.into();
        for (server, listener) in (1..=last).zip(tcp) {
            let (sockets, over_udp) = (Arc::clone(&udp), Arc::clone(&script));
            thread::spawn(move || serve_udp(server, &sockets, &*over_udp));
            let over_tcp = Arc::clone(&script);
            thread::spawn(move || {
                for stream in listener.incoming() {
                    let script = Arc::clone(&over_tcp);
                    thread::spawn(move || serve_tcp(server, stream.ok()?, &*script));
                }
            });
        }
        return at(1);
    }
    panic!("no port is free at all addresses");
}

type Script = dyn Fn(&Query) -> Vec<Sends> + Send + Sync;

fn query(server: u8, message: &[u8], tcp: bool) -> Query {
    let end = question_end(message);
    let (mut at, mut name) = (12, String::new());
    while message[at] > 0 {
        let next = at + 1 + usize::from(message[at]);
        name += &String::from_utf8_lossy(&message[at + 1..next]);
        name.push('.');
        at = next;
    }
    Query {
        server,
        name,
        rtype: u16::from_be_bytes([message[end - 4], message[end - 3]]),
        tcp,
        edns: message[11] > 0,
        message: message.to_vec(),
    }
}

fn serve_udp(server: u8, sockets: &[UdpSocket], script: &Script) {
    let own = usize::from(server) - 1;
    let mut buffer = [0; 4096];
    while let Ok((length, client)) = sockets[own].recv_from(&mut buffer) {
        let query = query(server, &buffer[..length], false);
        for sends in script(&query) {
            let (from, message) = match sends {
                Sends::Reply(says) => (own, says.to(&query.message)),
                Sends::Bytes(message) => (own, message),
                Sends::From(other, says) => (usize::from(other) - 1, says.to(&query.message)),
            };
            let _ = sockets[from].send_to(&message, client);
        }
    }
}

fn serve_tcp(server: u8, mut stream: TcpStream, script: &Script) -> Option<()> {
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length).ok()?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut message).ok()?;
        let query = query(server, &message, true);
        for sends in script(&query) {
            let message = match sends {
                Sends::Reply(says) | Sends::From(_, says) => says.to(&query.message),
                Sends::Bytes(message) => message,
            };
            let length = (message.len() as u16).to_be_bytes();
            stream
                .write_all(&[&length, message.as_slice()].concat())
                .ok()?;
        }
    }
}
