//! The format of frames: one JSON object each, in a datagram or on a line.
//!
//! ```json
//! {"v":1,"algorithm":"mutex","from":"p1","to":"p2","session":3735928559,"knows":0,"frame":{"sequence":1,"acknowledged":0,
//!  "packet":{"number":1,"to_all":true,"message":{"time":4,"content":"request"}}}}
//! ```
//!
//! `session` is a random number that a process chooses when it starts, `knows` the session of the receiver (0 if unknown);
//! they tell a restarted process from its predecessor. The content of a message belongs to the algorithm.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::super::{engine::Packet, reliable_link::Frame};
use crate::text::visible;

/// The version of the format.
pub const VERSION: u64 = 1;

/// The longest frame, in bytes.
pub const LONGEST: usize = 8192;

/// The longest typed text, in bytes: escaped, it fits into a frame.
pub const LONGEST_TEXT: usize = 1024;

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
    /// The receiver.
    #[serde(borrow)]
    pub to: Cow<'a, str>,
    /// The sender's session.
    pub session: u32,
    /// The receiver's session, as the sender knows it; 0 if unknown.
    pub knows: u32,
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
        serde_json::from_slice(bytes).map_err(|_| Rejected::NotAFrame)
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
