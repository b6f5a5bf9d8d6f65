//! Messages that are sent, built byte by byte: they can be wrong in any way.

use std::fmt;

/// Where a message is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// A question, or the zone of an update.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Question {
    /// In wire format, or what stands in its place.
    pub(crate) name: Vec<u8>,
    pub(crate) rtype: u16,
    pub(crate) class: u16,
}

/// A record as it is written into a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Line {
    pub(crate) owner: Vec<u8>,
    pub(crate) rtype: u16,
    pub(crate) class: u16,
    pub(crate) ttl: u32,
    pub(crate) data: Vec<u8>,
}

/// EDNS(0).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Edns {
    pub(crate) version: u8,
    pub(crate) wants_dnssec: bool,
    pub(crate) size: u16,
    pub(crate) options: Vec<u8>,
}

/// A message, before its number.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) transport: Transport,
    /// The second line of the header (RFC 1035 section 4.1.1).
    pub(crate) flags: u16,
    pub(crate) questions: Vec<Question>,
    /// Answer, authority and additional section; prerequisites, updates and additional section.
    pub(crate) sections: [Vec<Line>; 3],
    pub(crate) edns: Option<Edns>,
    /// Counts that do not agree with the sections.
    pub(crate) counts: Option<[u16; 4]>,
    pub(crate) trailing: Vec<u8>,
    /// How many bytes are cut off at the end.
    pub(crate) cut: usize,
    /// What is wrong on purpose; empty when nothing is.
    pub(crate) fault: &'static str,
}

pub(crate) const QR: u16 = 0x8000;
pub(crate) const AA: u16 = 0x0400;
pub(crate) const TC: u16 = 0x0200;
pub(crate) const RD: u16 = 0x0100;
pub(crate) const RA: u16 = 0x0080;
pub(crate) const Z: u16 = 0x0040;
pub(crate) const AD: u16 = 0x0020;
pub(crate) const CD: u16 = 0x0010;

pub(crate) const IN: u16 = 1;
pub(crate) const NONE: u16 = 254;
pub(crate) const ANY: u16 = 255;

pub(crate) const A: u16 = 1;
pub(crate) const NS: u16 = 2;
pub(crate) const CNAME: u16 = 5;
pub(crate) const SOA: u16 = 6;
pub(crate) const PTR: u16 = 12;
pub(crate) const MX: u16 = 15;
pub(crate) const TXT: u16 = 16;
pub(crate) const AAAA: u16 = 28;
pub(crate) const SRV: u16 = 33;
pub(crate) const DNAME: u16 = 39;
pub(crate) const OPT: u16 = 41;
pub(crate) const TKEY: u16 = 249;
pub(crate) const IXFR: u16 = 251;
pub(crate) const AXFR: u16 = 252;
pub(crate) const HARD_LINK: u16 = 65_280;
pub(crate) const RENAME: u16 = 65_281;
pub(crate) const DELEGATION: u16 = 65_282;

/// The operation code of an update.
pub(crate) const UPDATE: u16 = 5;

impl Case {
    /// A message with one question and nothing else.
    pub(crate) fn new(opcode: u16, question: Question) -> Self {
        Self {
            transport: Transport::Udp,
            flags: opcode << 11,
            questions: vec![question],
            sections: Default::default(),
            edns: None,
            counts: None,
            trailing: Vec::new(),
            cut: 0,
            fault: "",
        }
    }

    pub(crate) fn opcode(&self) -> u16 {
        self.flags >> 11 & 15
    }

    /// The bytes of the message, without the signature of anybody.
    pub(crate) fn encode(&self, number: u16) -> Vec<u8> {
        let mut message = number.to_be_bytes().to_vec();
        message.extend(self.flags.to_be_bytes());
        let [answers, authorities, additional] = self.sections.each_ref().map(Vec::len);
        let counts = self.counts.unwrap_or([
            self.questions.len() as u16,
            answers as u16,
            authorities as u16,
            additional as u16 + u16::from(self.edns.is_some()),
        ]);
        message.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        for question in &self.questions {
            message.extend(&question.name);
            message.extend([question.rtype.to_be_bytes(), question.class.to_be_bytes()].concat());
        }
        for line in self.sections.iter().flatten() {
            line.encode(&mut message);
        }
        if let Some(edns) = &self.edns {
            let ttl = u32::from(edns.version) << 16 | u32::from(edns.wants_dnssec) << 15;
            let line = Line {
                owner: vec![0],
                rtype: OPT,
                class: edns.size,
                ttl,
                data: edns.options.clone(),
            };
            line.encode(&mut message);
        }
        message.extend(&self.trailing);
        message.truncate(message.len() - self.cut.min(message.len()));
        message
    }
}

impl Line {
    fn encode(&self, message: &mut Vec<u8>) {
        message.extend(&self.owner);
        message.extend([self.rtype.to_be_bytes(), self.class.to_be_bytes()].concat());
        message.extend(self.ttl.to_be_bytes());
        message.extend((self.data.len() as u16).to_be_bytes());
        message.extend(&self.data);
    }
}

/// A name on the wire; `\DDD` is a byte.
pub(crate) fn wire(name: &str) -> Vec<u8> {
    let (mut wire, mut label) = (Vec::new(), Vec::new());
    let mut rest = name.bytes();
    let mut end = |label: &mut Vec<u8>| {
        if !label.is_empty() {
            wire.push(label.len() as u8);
            wire.append(label);
        }
    };
    while let Some(byte) = rest.next() {
        match byte {
            b'.' => end(&mut label),
            b'\\' => {
                let digits = [rest.next(), rest.next(), rest.next()];
                let digit = |digit: Option<u8>| u16::from(digit.expect("three digits") - b'0');
                let [hundreds, tens, ones] = digits.map(digit);
                label.push((hundreds * 100 + tens * 10 + ones) as u8);
            }
            _ => label.push(byte),
        }
    }
    end(&mut label);
    wire.push(0);
    wire
}

/// A name in words; bytes that are no name in hexadecimal.
pub(crate) fn shown(name: &[u8]) -> String {
    let (mut text, mut at) = (String::new(), 0);
    while let Some(length @ 1..=63) = name.get(at).map(|length| usize::from(*length)) {
        let Some(label) = name.get(at + 1..at + 1 + length) else {
            break;
        };
        for byte in label {
            match byte {
                b'!'..=b'~' if !b".\\\"".contains(byte) => text.push(char::from(*byte)),
                _ => text.push_str(&format!("\\{byte:03}")),
            }
        }
        text.push('.');
        at += length + 1;
    }
    match &name[at.min(name.len())..] {
        [0] if text.is_empty() => ".".into(),
        [0] => text,
        rest => format!("{text}[{rest:02x?}]"),
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} class {} type {}",
            shown(&self.name),
            self.class,
            self.rtype
        )
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = shown(&self.owner);
        write!(
            f,
            "{owner} ttl {} class {} type {} data {:02x?}",
            self.ttl, self.class, self.rtype, self.data
        )
    }
}

/// In words, and the bytes for another try.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let opcode = self.opcode();
        writeln!(
            f,
            "  {:?}, opcode {opcode}, flags {:04x}, fault {:?}",
            self.transport, self.flags, self.fault
        )?;
        for question in &self.questions {
            writeln!(f, "    question   {question}")?;
        }
        for (name, section) in ["answer", "authority", "additional"]
            .iter()
            .zip(&self.sections)
        {
            for line in section {
                writeln!(f, "    {name:10} {line}")?;
            }
        }
        if let Some(edns) = &self.edns {
            writeln!(f, "    {edns:?}")?;
        }
        if let Some(counts) = &self.counts {
            writeln!(f, "    counts {counts:?}")?;
        }
        let hex: String = self
            .encode(0)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        write!(f, "    bytes {hex}")
    }
}
