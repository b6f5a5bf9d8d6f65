//! Datagrams to a name server without the resolver between: those that are no queries, and what comes instead of an answer.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use common::exit::why;
use domain::base::{
    Message, MessageBuilder,
    iana::{Class, Rtype},
};
use naming::dns::owner::Owner;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use crate::probes::connection::quoted;

/// The longest datagram that is read, in bytes.
const LONGEST: usize = 65_535;
/// The identifier of a query whose answer is only looked at.
const ID: u16 = 0x4c61;
/// The bytes of a DNS message before its question.
const HEADER: usize = 12;

fn socket(server: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(server)?;
    Ok(socket)
}

/// Sends a datagram.
pub(super) fn send(server: SocketAddr, bytes: &[u8]) -> Result<(), String> {
    let sent = socket(server).and_then(|socket| socket.send(bytes));
    match sent {
        // That it has gone shows the next query.
        Err(error) if error.kind() != ErrorKind::ConnectionRefused => Err(why(&error)),
        _ => Ok(()),
    }
}

/// Datagrams that are no queries, with their names.
pub(super) fn odd(random: &mut Pcg64Mcg) -> [(&'static str, Vec<u8>); 5] {
    let by_chance = (0..40).map(|_| random.random::<u8>() | 0x80).collect();
    let mut cut = [0; HEADER + 3];
    // One question, of which the first label is longer than the message.
    cut[5] = 1;
    cut[HEADER] = 63;
    let mut circle = [0; HEADER + 6];
    // One question, whose name is a pointer to itself.
    circle[5] = 1;
    circle[HEADER..HEADER + 2].copy_from_slice(&[0xc0, 12]);
    [
        ("an empty datagram", Vec::new()),
        ("7 bytes, too few for a message", vec![0xff; 7]),
        ("40 bytes by chance", by_chance),
        ("a query whose name is cut off", cut.to_vec()),
        ("a query whose name points to itself", circle.to_vec()),
    ]
}

/// Asks once more, and says why what comes within this time is no answer; nothing where nothing comes.
pub(super) fn instead_of_an_answer(
    server: SocketAddr,
    owner: &Owner,
    rtype: Rtype,
    limit: Duration,
) -> Option<String> {
    let mut message = MessageBuilder::new_vec();
    message.header_mut().set_id(ID);
    let mut question = message.question();
    question.push((owner.name(), rtype, Class::IN)).ok()?;
    let socket = socket(server).ok()?;
    socket.send(&question.finish()).ok()?;
    // No wait at all is no timeout to the system.
    let limit = limit.max(Duration::from_millis(1));
    socket.set_read_timeout(Some(limit)).ok()?;
    let mut buffer = vec![0; LONGEST];
    let length = socket.recv(&mut buffer).ok()?;
    Some(why_not(&buffer[..length], owner, rtype))
}

/// Why these bytes do not answer the query.
fn why_not(bytes: &[u8], owner: &Owner, rtype: Rtype) -> String {
    let Ok(message) = Message::from_octets(bytes) else {
        return format!(
            "{}: fewer than the {HEADER} bytes of a DNS header",
            quoted(bytes)
        );
    };
    let header = message.header();
    let question = message.first_question();
    let is_same = question
        .as_ref()
        .is_some_and(|question| Owner::of(question.qname()) == *owner && question.qtype() == rtype);
    match () {
        () if !header.qr() => "a message without the QR bit: a query, not an answer".into(),
        () if header.id() != ID => format!(
            "an answer with the identifier {}, not the query's {ID}",
            header.id()
        ),
        () if question.is_none() => "an answer without the question".into(),
        () if !is_same => "an answer to another question".into(),
        () => "an answer, but too late".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_why_a_datagram_is_no_answer() {
        let owner: Owner = "server1.flat.lab.".parse().unwrap();
        let why = |bytes: &[u8]| why_not(bytes, &owner, Rtype::A);
        assert!(why(b"192.168.1.2").contains("fewer than the 12 bytes"));
        assert!(why(&[0; 12]).contains("without the QR bit"));
        let mut answer = [0; 12];
        answer[2] = 0x80;
        assert!(why(&answer).contains("the identifier 0, not"));
        answer[..2].copy_from_slice(&ID.to_be_bytes());
        assert_eq!(why(&answer), "an answer without the question");
    }
}
