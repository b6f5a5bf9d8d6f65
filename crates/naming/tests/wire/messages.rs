//! Messages made by hand, signed by the crate `domain`, and a client of either transport.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    sync::Arc,
    time::Duration,
};

use domain::{
    base::{Message, iana::Rcode, record::ParsedRecord},
    rdata::tsig::Time48,
    tsig::{ClientTransaction, Key, ServerTransaction},
};

use crate::{copy::copy, wire::wire};

pub(crate) const A: u16 = 1;

/// Far longer than an answer on this machine takes.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// The header of a message: number 0x1234, these flags and counts.
pub(crate) fn header(flags: [u8; 2], counts: [u16; 4]) -> Vec<u8> {
    let mut message = vec![0x12, 0x34, flags[0], flags[1]];
    message.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    message
}

pub(crate) fn query(name: &str, rtype: u16) -> Vec<u8> {
    let mut message = header([1, 0], [1, 0, 0, 0]);
    message.extend(wire(name));
    message.extend([rtype.to_be_bytes(), [0, 1]].concat());
    message
}

/// A record.
pub(crate) fn record(name: &str, rtype: u16, class: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut record = wire(name);
    record.extend([rtype.to_be_bytes(), class.to_be_bytes()].concat());
    record.extend(ttl.to_be_bytes());
    record.extend((data.len() as u16).to_be_bytes());
    record.extend(data);
    record
}

/// A record that an update adds.
pub(crate) fn add(name: &str, rtype: u16, data: &[u8]) -> Vec<u8> {
    record(name, rtype, 1, 60, data)
}

/// An update of lab. with these records.
pub(crate) fn update(records: &[Vec<u8>]) -> Vec<u8> {
    let mut message = header([0x28, 0], [1, 0, records.len() as u16, 0]);
    message.extend(wire("lab"));
    message.extend([0, 6, 0, 1]);
    message.extend(records.concat());
    message
}

/// The message with an OPT record: the client's size, its code and version, its DO bit.
pub(crate) fn with_opt(message: &[u8], size: u16, version: [u8; 2], flags: u8) -> Vec<u8> {
    let ttl = u32::from_be_bytes([version[0], version[1], flags, 0]);
    let mut message = [message, &record("", 41, size, ttl, &[])].concat();
    message[11] += 1;
    message
}

/// The number in these two bytes.
pub(crate) fn number(message: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([message[at], message[at + 1]])
}

pub(crate) fn is_truncated(message: &[u8]) -> bool {
    message[2] & 2 != 0
}

/// The code of TSIG in a reply, and the size of its MAC.
pub(crate) fn tsig_error(message: &[u8]) -> Option<(u16, usize)> {
    let message = Message::from_octets(message).ok()?;
    let last = message.additional().ok()?.last()?.ok()?;
    tsig(&last)
}

fn tsig(record: &ParsedRecord<'_, &[u8]>) -> Option<(u16, usize)> {
    type Tsig<'a> = domain::rdata::Tsig<&'a [u8], domain::base::ParsedName<&'a [u8]>>;
    let record = record.to_record::<Tsig<'_>>().ok()??;
    Some((record.data().error().to_int(), record.data().mac().len()))
}

/// Where the signature of a message begins, whose last record it is.
pub(crate) fn tsig_at(message: &[u8]) -> Option<usize> {
    let message = Message::from_octets(message).ok()?;
    let mut additional = message.additional().ok()?;
    loop {
        let at = additional.pos();
        let record = additional.next()?.ok()?;
        if tsig(&record).is_some() {
            return Some(at);
        }
    }
}

/// The only key of a file.
pub(crate) fn key(path: &str) -> Arc<Key> {
    let keys = naming::dns::key::read(path.as_ref()).unwrap();
    keys.into_values().next().unwrap()
}

fn now() -> u64 {
    u64::from(naming::names::serial_of_now())
}

/// A signed message, and what checks its answer.
pub(crate) struct Signed {
    pub(crate) message: Vec<u8>,
    transaction: ClientTransaction<Arc<Key>>,
}

impl Signed {
    /// Signed by this key so many seconds ago.
    pub(crate) fn new(key: &Arc<Key>, message: &[u8], age: u64) -> Self {
        let mut message = copy(message).unwrap();
        let time = Time48::from_u64(now() - age);
        let transaction = ClientTransaction::request(Arc::clone(key), &mut message, time).unwrap();
        Self {
            message: message.finish(),
            transaction,
        }
    }

    /// The answer without its signature, which must be valid.
    pub(crate) fn verified(&self, answer: Vec<u8>) -> Result<Vec<u8>, String> {
        let mut answer = Message::from_octets(answer).map_err(|error| error.to_string())?;
        self.transaction
            .answer(&mut answer, Time48::from_u64(now()))
            .map_err(|error| error.to_string())?;
        Ok(answer.into_octets())
    }
}

/// The signed answer to a signed message, with this code.
pub(crate) fn signed_answer(key: &Arc<Key>, message: Vec<u8>, rcode: u8) -> Vec<u8> {
    let at = tsig_at(&message).expect("a signature");
    let mut whole = Message::from_octets(message.clone()).unwrap();
    let time = Time48::from_u64(now());
    let transaction = ServerTransaction::request(key, &mut whole, time)
        .expect("a valid signature")
        .expect("a signature");
    let mut answer = message[..at].to_vec();
    answer[11] -= 1;
    answer[2] |= 0x80;
    answer[3] = rcode;
    let mut answer = copy(&answer).unwrap();
    transaction.answer(&mut answer, time).unwrap();
    answer.finish()
}

/// A client over UDP, which takes answers only from the address that it asks.
pub(crate) struct Client(UdpSocket);

impl Client {
    pub(crate) fn new(server: SocketAddr) -> Self {
        let server = SocketAddr::new(server.ip().to_canonical(), server.port());
        let any: SocketAddr = match server {
            SocketAddr::V4(_) => ([127, 0, 0, 1], 0).into(),
            SocketAddr::V6(_) => ([0, 0, 0, 0, 0, 0, 0, 1], 0).into(),
        };
        let socket = UdpSocket::bind(any).unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        Self(socket)
    }

    pub(crate) fn send(&self, message: &[u8]) {
        self.0.send(message).unwrap();
    }

    pub(crate) fn receive(&self) -> Option<Vec<u8>> {
        let mut buffer = [0; 65_535];
        let length = self.0.recv(&mut buffer).ok()?;
        Some(buffer[..length].to_vec())
    }

    pub(crate) fn ask(&self, message: &[u8]) -> Vec<u8> {
        self.send(message);
        self.receive().expect("an answer")
    }

    pub(crate) fn rcode(&self, message: &[u8]) -> Rcode {
        Rcode::masked_from_int(self.ask(message)[3])
    }
}

/// The first answer over TCP.
pub(crate) fn tcp_ask(server: SocketAddr, message: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let length = (message.len() as u16).to_be_bytes();
    stream.write_all(&[&length, message].concat()).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).unwrap();
    answer
}
