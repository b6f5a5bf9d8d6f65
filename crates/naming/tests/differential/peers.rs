//! The two servers: `naming serve`, and BIND with the zones that it transferred.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    time::{Duration, Instant},
};

use common::testing::{self, Folder, Running};
use domain::base::Message;

use super::{
    message::{AXFR, Case, IN, Line, NONE, QR, Question, SOA, Transport, UPDATE, wire},
    reply::{Record, Reply},
};

/// Far longer than an answer on this machine takes.
const LONG: Duration = Duration::from_secs(20);

/// How long a message without an answer is waited for, and sent again.
const SILENCE: Duration = Duration::from_millis(200);

/// The zones that both servers have.
pub(crate) const ZONES: [&str; 3] = ["lab", "in-addr.arpa", "ip6.arpa"];

/// A server that is asked.
#[derive(Debug)]
pub(crate) struct Peer {
    address: SocketAddr,
    udp: UdpSocket,
    /// The number of the last message.
    number: u16,
    /// It ends with its peer.
    _process: Running,
}

impl Peer {
    fn new(address: SocketAddr, process: Running) -> Self {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.connect(address).unwrap();
        Self {
            address,
            udp,
            number: 0,
            _process: process,
        }
    }

    /// The server of the project with these names.
    pub(crate) fn naming(names: &str) -> Self {
        let arguments = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--workers",
            "1",
            "--names",
            names,
        ];
        let mut process = testing::start(env!("CARGO_BIN_EXE_naming"), &arguments);
        let address = process.ready();
        Self::new(address, process)
    }

    /// BIND with the zones of the other server.
    pub(crate) fn bind(folder: &Folder, original: &mut Self) -> Self {
        let mut config = String::new();
        for zone in ZONES {
            let records = original.transfer(zone);
            let soa = records
                .iter()
                .find(|record| record.rtype == SOA)
                .expect("a SOA record");
            let others = records.iter().filter(|record| record.rtype != SOA);
            let lines: Vec<_> = std::iter::once(soa)
                .chain(others)
                .map(Record::zone_line)
                .collect();
            let file = folder.write(&format!("{zone}.zone"), lines.join("\n") + "\n");
            let update = if zone == "lab" { "any" } else { "none" };
            config.push_str(&format!(
                "zone \"{zone}\" {{ type primary; file \"{file}\"; allow-update {{ {update}; }}; check-names ignore; check-integrity no; }};\n"
            ));
        }
        let soa = Question {
            name: wire("lab"),
            rtype: SOA,
            class: IN,
        };
        // BIND listens on the addresses of interfaces only, and cannot report a port that it took.
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
            let address = free.unwrap();
            let options = format!(
                "options {{ directory \"{}\"; listen-on port {} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; pid-file none;\n\
                 session-keyfile none; minimal-responses yes; minimal-any no; zero-no-soa-ttl no; empty-zones-enable no; notify no; dnssec-validation no;\n\
                 edns-udp-size 1232; max-udp-size 1232; version none; hostname none; server-id none; answer-cookie no;\n\
                 allow-transfer {{ any; }}; allow-query {{ any; }}; zone-statistics no; }};\ncontrols {{ }};\n",
                folder.path(""),
                address.port(),
            );
            let file = folder.write("named.conf", options + &config);
            let mut named = testing::start("named", &["-g", "-n", "1", "-c", &file]);
            named.err_line_with("all zones loaded");
            let mut peer = Self::new(address, named);
            // When another process has taken the port meanwhile, BIND runs without an address.
            if peer.ask(&Case::new(0, soa.clone()), true).is_some() {
                return peer;
            }
        }
        panic!("no free port for BIND");
    }

    /// Sends a message; the reply, or None when there is none.
    pub(crate) fn ask(&mut self, case: &Case, silent: bool) -> Option<Vec<u8>> {
        self.number = self.number.wrapping_add(1);
        let message = case.encode(self.number);
        match case.transport {
            Transport::Udp => self.ask_udp(&message, silent),
            Transport::Tcp => ask_tcp(self.address, &message, |_| true).ok(),
        }
    }

    fn ask_udp(&self, message: &[u8], silent: bool) -> Option<Vec<u8>> {
        let limit = if silent { SILENCE } else { LONG };
        let until = Instant::now() + limit;
        self.udp.send(message).unwrap();
        let mut buffer = vec![0; 65_535];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            self.udp
                .set_read_timeout(Some(left.max(Duration::from_millis(1))))
                .unwrap();
            let length = self.udp.recv(&mut buffer).ok()?;
            // The late answer to an earlier message has another number.
            if buffer[..2] == message[..2] && length >= 12 {
                return Some(buffer[..length].to_vec());
            }
        }
    }

    /// The zone as it is transferred, without the serial.
    pub(crate) fn transfer(&mut self, zone: &str) -> BTreeSet<Record> {
        self.transferred(zone, true).0
    }

    /// The records of a zone, with the serial in them or not, and the serial.
    pub(crate) fn transferred(&mut self, zone: &str, serial: bool) -> (BTreeSet<Record>, u32) {
        let question = Question {
            name: wire(zone),
            rtype: AXFR,
            class: IN,
        };
        let message = Case::new(0, question).encode(1);
        let (mut records, mut ends, mut found) = (BTreeSet::new(), 0, 0);
        ask_tcp(self.address, &message, |part| {
            let part = Message::from_octets(part).unwrap();
            assert!(part.no_error(), "AXFR of {zone}: {:?}", part.header());
            for record in part.answer().unwrap() {
                let record = record.unwrap();
                let whole = Record::of(&record, true).unwrap();
                if whole.rtype == SOA {
                    ends += 1;
                    let at = whole.data.len() - 20;
                    found = u32::from_be_bytes(whole.data[at..at + 4].try_into().unwrap());
                }
                records.insert(Record::of(&record, serial).unwrap());
            }
            ends == 2
        })
        .unwrap();
        (records, found)
    }

    /// Makes the zone of the names the same as these records. It can take two updates: the last NS record of the zone stays
    /// until there is another.
    pub(crate) fn follow(&mut self, now: &BTreeSet<Record>, wanted: &BTreeSet<Record>) {
        let mut now = now.clone();
        for _ in 0..2 {
            self.step(&now, wanted);
            now = self.transferred("lab", false).0;
        }
        let is_wrong = |record: &&Record| record.rtype != SOA;
        let differ = |records: &BTreeSet<Record>, others: &BTreeSet<Record>| -> Vec<String> {
            records
                .difference(others)
                .filter(is_wrong)
                .map(ToString::to_string)
                .collect()
        };
        let (more, less) = (differ(&now, wanted), differ(wanted, &now));
        assert!(
            more.is_empty() && less.is_empty(),
            "BIND has {more:#?} and lacks {less:#?}"
        );
    }

    fn step(&mut self, now: &BTreeSet<Record>, wanted: &BTreeSet<Record>) {
        let question = Question {
            name: wire("lab"),
            rtype: SOA,
            class: IN,
        };
        let mut case = Case::new(UPDATE, question);
        case.transport = Transport::Tcp;
        let is_wrong = |record: &&Record| record.rtype != SOA;
        for record in now.difference(wanted).filter(is_wrong) {
            case.sections[1].push(Line {
                owner: record.owner.clone(),
                rtype: record.rtype,
                class: NONE,
                ttl: 0,
                data: record.data.clone(),
            });
        }
        for record in wanted.difference(now).filter(is_wrong) {
            case.sections[1].push(Line {
                owner: record.owner.clone(),
                rtype: record.rtype,
                class: IN,
                ttl: record.ttl,
                data: record.data.clone(),
            });
        }
        let soa = |records: &BTreeSet<Record>| {
            let soa = records.iter().find(|record| record.rtype == SOA);
            soa.cloned().expect("a SOA record")
        };
        if soa(now) != soa(wanted) {
            // A SOA record is only replaced by one with a newer serial.
            let serial = self.transferred("lab", false).1.wrapping_add(1);
            let Record {
                owner,
                ttl,
                mut data,
                ..
            } = soa(wanted);
            let at = data.len() - 20;
            data[at..at + 4].copy_from_slice(&serial.to_be_bytes());
            case.sections[1].push(Line {
                owner,
                rtype: SOA,
                class: IN,
                ttl,
                data,
            });
        }
        let reply = Reply::parse(&self.ask(&case, false).unwrap(), false).unwrap();
        assert_eq!(reply.rcode, 0, "{reply}");
    }
}

/// Sends a message over TCP, and reads replies until `last` says so; the last one.
fn ask_tcp(
    address: SocketAddr,
    message: &[u8],
    mut last: impl FnMut(&[u8]) -> bool,
) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LONG))?;
    stream.set_nodelay(true)?;
    stream.write_all(&[&(message.len() as u16).to_be_bytes(), message].concat())?;
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut reply)?;
        assert!(
            u16::from_be_bytes([reply[2], reply[3]]) & QR > 0,
            "a query in return"
        );
        if last(&reply) {
            return Ok(reply);
        }
    }
}
