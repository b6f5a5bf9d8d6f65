//! Several servers of one name space on loopback addresses with one port, and a client that follows their referrals.

use std::{
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
    time::Duration,
};

use common::testing::{self, Running};
use domain::{
    base::{
        Message, MessageBuilder,
        iana::{Class, Rcode, Rtype},
    },
    rdata::A,
};
use naming::dns::{owner::Owner, shown};

/// Far longer than an answer on this machine takes.
const LONG: Duration = Duration::from_secs(20);

/// A port that is free at all these addresses.
pub(crate) fn port(addresses: &[&str]) -> u16 {
    for _ in 0..100 {
        let first = TcpListener::bind((addresses[0], 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        let others = addresses[1..].iter();
        let tcp: Vec<_> = others.map(|at| TcpListener::bind((*at, port))).collect();
        let udp = addresses.iter().map(|at| UdpSocket::bind((*at, port)));
        if tcp.iter().all(Result::is_ok) && udp.into_iter().all(|socket| socket.is_ok()) {
            return port;
        }
    }
    panic!("no port is free at {addresses:?}");
}

/// Starts a server at this address, and waits until it listens.
pub(crate) fn serve_at(address: &str, port: u16, arguments: &[&str]) -> Running {
    let listen = format!("{address}:{port}");
    let arguments = [&["serve", "--listen", &listen], arguments].concat();
    let mut server = testing::start(env!("CARGO_BIN_EXE_naming"), &arguments);
    server.ready();
    server
}

/// Asks a server for the IPv4 addresses of a name, and follows its referrals; the addresses, or how the walk ended.
pub(crate) fn walk(
    socket: &UdpSocket,
    server: SocketAddr,
    name: &str,
) -> Result<Vec<IpAddr>, String> {
    let owner: Owner = name.parse().unwrap();
    let mut server = server;
    for number in 1..8 {
        let reply = ask(socket, server, &owner, number);
        let message = Message::from_octets(reply.as_slice()).unwrap();
        if let Some((_, servers)) = shown::referral(&reply) {
            let to = servers.first().ok_or("a referral without glue")?;
            server.set_ip(*to);
            continue;
        }
        if message.header().rcode() != Rcode::NOERROR {
            return Err(format!("{name} at {server}: {}", message.header().rcode()));
        }
        let records = message.answer().unwrap().limit_to::<A>();
        return Ok(records
            .map(|record| record.unwrap().data().addr().into())
            .collect());
    }
    Err(format!("{name}: referrals in a circle"))
}

fn ask(socket: &UdpSocket, server: SocketAddr, owner: &Owner, number: u16) -> Vec<u8> {
    let mut message = MessageBuilder::new_vec();
    message.header_mut().set_id(number);
    let mut question = message.question();
    question.push((owner.name(), Rtype::A, Class::IN)).unwrap();
    let query = question.finish();
    socket.set_read_timeout(Some(LONG)).unwrap();
    socket.send_to(&query, server).unwrap();
    loop {
        let mut buffer = vec![0; 1500];
        let (length, from) = socket
            .recv_from(&mut buffer)
            .unwrap_or_else(|error| panic!("{owner} at {server}: {error}"));
        // A late answer to an earlier question has another number or sender.
        if from == server && buffer[..2] == query[..2] {
            buffer.truncate(length);
            return buffer;
        }
    }
}
