//! What identifies a message on both sides.

use std::{fmt, net::SocketAddr, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json;

/// One side of an exchange: a socket address, or the name of a process.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Party {
    /// A socket address.
    Address(SocketAddr),
    /// A process by its name.
    Name(String),
}

impl Party {
    fn without_zone(mut self) -> Self {
        if let Self::Address(SocketAddr::V6(address)) = &mut self {
            address.set_scope_id(0);
        }
        self
    }
}

impl From<SocketAddr> for Party {
    fn from(address: SocketAddr) -> Self {
        Self::Address(address)
    }
}

impl From<&str> for Party {
    fn from(name: &str) -> Self {
        name.parse()
            .map_or_else(|_| Self::Name(name.to_owned()), Self::Address)
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// What identifies one message on both sides: who sent it, over what, to whom, and its number there.
///
/// Written `tcp:127.0.0.1:40000>127.0.0.1:12345#1`. On a connection each direction counts its messages from 1; a
/// sender of datagrams counts those to one destination from 1.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct MessageId {
    /// What it went over.
    pub over: Carrier,
    /// Who sent it.
    pub from: Party,
    /// Where it was sent to.
    pub to: Party,
    /// Its number, from 1.
    pub number: u64,
}

/// What a message travels over.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Carrier {
    /// A TCP connection.
    Tcp,
    /// A UDP datagram.
    Udp,
    /// The memory of one process.
    Memory,
}

impl Carrier {
    const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Memory];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Memory => "memory",
        }
    }
}

impl MessageId {
    /// The parts of an identity as it is written, for a reader that need not know what the addresses mean.
    pub fn parts(text: &str) -> Option<(Carrier, &str, &str, u64)> {
        let (over, rest) = text.split_once(':')?;
        let (rest, number) = rest.rsplit_once('#')?;
        let (from, to) = rest.split_once('>')?;
        let mut carriers = Carrier::ALL.into_iter();
        let over = carriers.find(|carrier| carrier.word() == over)?;
        Some((over, from, to, number.parse().ok()?))
    }

    /// The `number`th message from one side to the other over `over`. Both sides write the same: a link-local address
    /// stands without its zone, which each machine numbers for itself (RFC 4007).
    pub fn new(over: Carrier, from: impl Into<Party>, to: impl Into<Party>, number: u64) -> Self {
        Self {
            over,
            from: from.into().without_zone(),
            to: to.into().without_zone(),
            number,
        }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = self.over.word();
        write!(f, "{over}:{}>{}#{}", self.from, self.to, self.number)
    }
}

/// A text that is no [`MessageId`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoMessageId;

impl fmt::Display for NoMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message is written CARRIER:FROM>TO#NUMBER")
    }
}

impl FromStr for MessageId {
    type Err = NoMessageId;

    fn from_str(text: &str) -> Result<Self, NoMessageId> {
        let (over, from, to, number) = Self::parts(text).ok_or(NoMessageId)?;
        Ok(Self::new(over, from, to, number))
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}
