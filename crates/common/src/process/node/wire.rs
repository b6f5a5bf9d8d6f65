//! The format of frames: one JSON object each, in a datagram or on a line.
//!
//! ```json
//! {"v":1,"algorithm":"mutex","from":"p1","to":"p2","session":3735928559,"knows":0,"frame":{"sequence":1,"acknowledged":0,
//!  "packet":{"number":1,"to_all":true,"message":{"time":4,"content":"request"}}}}
//! ```
//!
//! `session` is a random number that a process chooses when it starts, `knows` the session of the receiver (0 if unknown);
//! they tell a restarted process from its predecessor. The content of a message belongs to the algorithm. Where it names
//! processes, each is the number of an entry of `processes`, from 0: `"processes":[{"name":"p3","at":"192.0.2.3:4001"}]`. So
//! processes that number one another differently understand it, and a receiver learns where those are that it does not know.
//!
//! A frame without a receiver (`"to":""`) asks who is at an address; the answer is an empty frame from there.

use std::{borrow::Cow, fmt, net::SocketAddr};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::super::{engine::Packet, reliable_link::Frame};
use crate::text::visible;

/// The version of the format.
pub const VERSION: u64 = 1;

/// The longest frame, in bytes.
pub const LONGEST: usize = 8192;

/// The longest typed text, in bytes: escaped, it fits into a frame.
pub const LONGEST_TEXT: usize = 1024;

/// The most processes that a frame names.
pub const MOST_NAMED: usize = 64;

/// A process that a message names.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Named<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Where it is, as far as the sender knows; None for the sender itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<SocketAddr>,
}

/// A frame with its sender and its receiver.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(bound(deserialize = "M: DeserializeOwned"))]
pub struct Envelope<'a, M> {
    /// The version, 1.
    pub v: u64,
    /// The sender's algorithm.
    #[serde(borrow)]
    pub algorithm: Cow<'a, str>,
    /// The sender.
    #[serde(borrow)]
    pub from: Cow<'a, str>,
    /// The receiver; empty in a question who is there.
    #[serde(borrow)]
    pub to: Cow<'a, str>,
    /// The sender's session.
    pub session: u32,
    /// The receiver's session, as the sender knows it; 0 if unknown.
    pub knows: u32,
    /// The processes that the message names.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<Named<'a>>,
    /// The frame.
    pub frame: Frame<Packet<M>>,
}

/// Why a process rejects bytes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Rejected {
    /// The frame is truncated.
    Truncated,
    /// It exceeds the longest frame.
    TooLong,
    /// The bytes are not a frame.
    NotAFrame,
    /// The frame has another version.
    Version(u64),
    /// The sender runs another algorithm.
    Algorithm(String),
    /// The sender is not a peer.
    UnknownSender(String),
    /// The frame is for another process.
    WrongReceiver(String),
    /// The sender has this process's name.
    SameName(String),
    /// The sender is not where the process with its name is.
    OtherAddress(String),
    /// The message names a process that is not a peer.
    UnknownProcess(String),
    /// The message names a process without saying which.
    NoProcess,
    /// The message says that a process is where only its sender can reach it.
    NotCommon(String, SocketAddr),
    /// As many processes are known as can be.
    TableFull(String),
    /// A process has a name that none can have.
    InvalidName(String),
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("truncated frame"),
            Self::TooLong => write!(f, "frame of more than {LONGEST} bytes"),
            Self::NotAFrame => f.write_str("not a frame of this program"),
            Self::Version(version) => write!(f, "frame of version {version}, not {VERSION}"),
            Self::Algorithm(other) => write!(f, "frame of another algorithm, {}", short(other)),
            Self::UnknownSender(name) => {
                write!(f, "frame from {}, which is not a --peer", short(name))
            }
            Self::WrongReceiver(name) => {
                write!(f, "frame for {}, which is not this process", short(name))
            }
            Self::SameName(name) => {
                write!(
                    f,
                    "frame from {}, which is this process's name",
                    short(name)
                )
            }
            Self::OtherAddress(name) => {
                write!(f, "frame from {}, which is at another address", short(name))
            }
            Self::UnknownProcess(name) => {
                write!(f, "message about {}, which is not a --peer", short(name))
            }
            Self::NoProcess => f.write_str("message about a process that it does not name"),
            Self::NotCommon(name, at) => write!(
                f,
                "message about {} at {at}, where only its sender reaches it",
                short(name)
            ),
            Self::TableFull(name) => {
                write!(f, "{} is one process more than a table holds", short(name))
            }
            Self::InvalidName(name) => write!(f, "{} is no name of a process", short(name)),
        }
    }
}

/// A name from the network, safe to print.
fn short(name: &str) -> String {
    let shown: String = name.chars().take(64).collect();
    format!("'{}'", visible(shown.as_bytes()))
}

impl<'a, M: Serialize + DeserializeOwned> Envelope<'a, M> {
    /// Encodes the frame, without a line end.
    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a frame is JSON")
    }

    /// Decodes a frame.
    ///
    /// # Errors
    /// When the bytes are not a frame of this version and algorithm.
    pub fn read(bytes: &'a [u8], algorithm: &str) -> Result<Self, Rejected> {
        #[derive(Deserialize)]
        struct Head<'a> {
            v: u64,
            #[serde(borrow)]
            algorithm: Cow<'a, str>,
        }

        if bytes.len() > LONGEST {
            return Err(Rejected::TooLong);
        }
        let head: Head<'_> = serde_json::from_slice(bytes).map_err(|error| {
            if error.is_eof() && bytes.starts_with(b"{\"v\"") {
                Rejected::Truncated
            } else {
                Rejected::NotAFrame
            }
        })?;
        if head.v != VERSION {
            return Err(Rejected::Version(head.v));
        }
        if head.algorithm != algorithm {
            return Err(Rejected::Algorithm(head.algorithm.into_owned()));
        }
        let envelope: Self = serde_json::from_slice(bytes).map_err(|_| Rejected::NotAFrame)?;
        match envelope.processes.len() <= MOST_NAMED {
            true => Ok(envelope),
            false => Err(Rejected::NotAFrame),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::Stamped, *};

    /// As the algorithm mutex has it.
    #[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "lowercase")]
    enum Payload {
        Request,
    }

    fn envelope() -> Envelope<'static, Payload> {
        let message = Stamped {
            time: 4,
            content: Payload::Request,
        };
        Envelope {
            v: VERSION,
            algorithm: "mutex".into(),
            from: "p1".into(),
            to: "p2".into(),
            session: 7,
            knows: 0,
            processes: Vec::new(),
            frame: Frame {
                sequence: 1,
                acknowledged: 0,
                packet: Some(Packet {
                    number: 1,
                    to_all: true,
                    message,
                }),
            },
        }
    }

    #[test]
    fn a_frame_is_decoded_as_it_was_encoded() {
        let bytes = envelope().write();
        let text = r#"{"v":1,"algorithm":"mutex","from":"p1","to":"p2","session":7,"knows":0,"frame":{"sequence":1,"acknowledged":0,"packet":{"number":1,"to_all":true,"message":{"time":4,"content":"request"}}}}"#;
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), text);
        assert_eq!(Envelope::read(&bytes, "mutex"), Ok(envelope()));
        let named = |name: &'static str, at: Option<&str>| Named {
            name: name.into(),
            at: at.map(|at| at.parse().unwrap()),
        };
        let mut with_processes = envelope();
        with_processes.processes = vec![named("p3", Some("192.0.2.3:4001")), named("p1", None)];
        let bytes = with_processes.write();
        let list = r#""processes":[{"name":"p3","at":"192.0.2.3:4001"},{"name":"p1"}],"frame""#;
        assert!(String::from_utf8(bytes.clone()).unwrap().contains(list));
        assert_eq!(Envelope::read(&bytes, "mutex"), Ok(with_processes.clone()));
        with_processes.processes = vec![named("p", None); MOST_NAMED + 1];
        let bytes = with_processes.write();
        let read = Envelope::<Payload>::read(&bytes, "mutex");
        assert_eq!(read, Err(Rejected::NotAFrame));
    }

    #[test]
    fn a_part_of_a_frame_and_other_bytes_are_rejected() {
        let bytes = envelope().write();
        let read = |bytes: &[u8]| Envelope::<Payload>::read(bytes, "mutex").map(drop);
        for end in 4..bytes.len() {
            assert_eq!(read(&bytes[..end]), Err(Rejected::Truncated), "{end}");
        }
        for other in [
            &b""[..],
            b"hello",
            b"{}",
            b"\xff\xfe",
            b"[1]",
            b"{\"v\":1,\"algorithm\":\"mutex\"}",
        ] {
            assert_eq!(read(other), Err(Rejected::NotAFrame));
        }
        let changed = |from: &str, to: &str| {
            String::from_utf8(envelope().write())
                .unwrap()
                .replace(from, to)
        };
        let why = |text: String| read(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            why(changed("\"v\":1", "\"v\":2")),
            "frame of version 2, not 1"
        );
        assert_eq!(
            why(changed("mutex", "total\\u001b[2J")),
            r"frame of another algorithm, 'total\x1b[2J'"
        );
        assert_eq!(
            why(changed("request", "please")),
            "not a frame of this program"
        );
        assert_eq!(read(&[b' '; LONGEST + 1]), Err(Rejected::TooLong));
    }
}
