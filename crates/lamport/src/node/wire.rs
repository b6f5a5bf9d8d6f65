//! The frames of the algorithms as bytes: one JSON object each, in a datagram or on a line.
//!
//! ```json
//! {"v":1,"algorithm":"mutex","from":"p1","to":"p2","session":3735928559,"knows":0,"frame":{"number":1,"acknowledged":0,
//!  "packet":{"message":1,"to_all":true,"said":{"time":4,"content":"request"}}}}
//! ```
//!
//! `session` is a number that a process takes when it starts, `knows` the other side's as far as it is known (0: not
//! yet), so that a process that was started again is not taken for the one before. What is in a packet is the
//! algorithm's.

use std::{borrow::Cow, fmt};

use common::text::visible;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{channel::Frame, engine::Packet};

/// The version of the wire that this module speaks.
pub const VERSION: u64 = 1;

/// The longest frame, in bytes.
pub const LONGEST: usize = 8192;

/// The longest text that a person sends, in bytes: escaped, it still fits into a frame.
pub const LONGEST_TEXT: usize = 1024;

/// A frame and whom it concerns.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(bound(deserialize = "M: DeserializeOwned"))]
pub struct Envelope<'a, M> {
    /// The version, 1.
    pub v: u64,
    /// What the sender runs.
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
    /// The receiver's session, as far as the sender knows; 0 when it does not.
    pub knows: u32,
    /// The frame.
    pub frame: Frame<Packet<M>>,
}

/// Why bytes are no frame for this process.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Refused {
    /// They end too early.
    Half,
    /// They are longer than any frame.
    TooLong,
    /// They are something else.
    NoFrame,
    /// They are of another version.
    Version(u64),
    /// The sender runs another algorithm.
    Algorithm(String),
    /// Nobody here knows the sender.
    Stranger(String),
    /// They are for somebody else.
    NotForMe(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Half => f.write_str("half a message: it is cut off"),
            Self::TooLong => write!(f, "a message of more than {LONGEST} bytes"),
            Self::NoFrame => f.write_str("no message of this program"),
            Self::Version(version) => write!(f, "a message of version {version}, not {VERSION}"),
            Self::Algorithm(other) => {
                write!(f, "a message of {}, which is not run here", short(other))
            }
            Self::Stranger(name) => write!(f, "a message from {}, who is no --peer", short(name)),
            Self::NotForMe(name) => write!(f, "a message for {}, who is not here", short(name)),
        }
    }
}

/// A name from the network, as it is shown.
fn short(name: &str) -> String {
    let shown: String = name.chars().take(64).collect();
    format!("'{}'", visible(shown.as_bytes()))
}

impl<'a, M: Serialize + DeserializeOwned> Envelope<'a, M> {
    /// As bytes, without a line end.
    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a frame is JSON")
    }

    /// From bytes.
    ///
    /// # Errors
    /// When they are no frame of this version and algorithm.
    pub fn read(bytes: &'a [u8], algorithm: &str) -> Result<Self, Refused> {
        #[derive(Deserialize)]
        struct Head<'a> {
            v: u64,
            #[serde(borrow)]
            algorithm: Cow<'a, str>,
        }

        if bytes.len() > LONGEST {
            return Err(Refused::TooLong);
        }
        let head: Head<'_> = serde_json::from_slice(bytes).map_err(|error| {
            if error.is_eof() && bytes.starts_with(b"{\"v\"") {
                Refused::Half
            } else {
                Refused::NoFrame
            }
        })?;
        if head.v != VERSION {
            return Err(Refused::Version(head.v));
        }
        if head.algorithm != algorithm {
            return Err(Refused::Algorithm(head.algorithm.into_owned()));
        }
        serde_json::from_slice(bytes).map_err(|_| Refused::NoFrame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{algorithms::mutex::Said, process::Stamped};

    fn envelope() -> Envelope<'static, Said> {
        let said = Stamped {
            time: 4,
            content: Said::Request,
        };
        Envelope {
            v: VERSION,
            algorithm: "mutex".into(),
            from: "p1".into(),
            to: "p2".into(),
            session: 7,
            knows: 0,
            frame: Frame {
                number: 1,
                acknowledged: 0,
                packet: Some(Packet {
                    message: 1,
                    to_all: true,
                    said,
                }),
            },
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = envelope().write();
        let text = r#"{"v":1,"algorithm":"mutex","from":"p1","to":"p2","session":7,"knows":0,"frame":{"number":1,"acknowledged":0,"packet":{"message":1,"to_all":true,"said":{"time":4,"content":"request"}}}}"#;
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), text);
        assert_eq!(Envelope::read(&bytes, "mutex"), Ok(envelope()));
    }

    #[test]
    fn no_part_of_a_frame_and_nothing_else_is_taken_for_one() {
        let bytes = envelope().write();
        let read = |bytes: &[u8]| Envelope::<Said>::read(bytes, "mutex").map(drop);
        for end in 4..bytes.len() {
            assert_eq!(read(&bytes[..end]), Err(Refused::Half), "{end}");
        }
        for other in [
            &b""[..],
            b"hello",
            b"{}",
            b"\xff\xfe",
            b"[1]",
            b"{\"v\":1,\"algorithm\":\"mutex\"}",
        ] {
            assert_eq!(read(other), Err(Refused::NoFrame));
        }
        let changed = |from: &str, to: &str| {
            String::from_utf8(envelope().write())
                .unwrap()
                .replace(from, to)
        };
        let told = |text: String| read(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            told(changed("\"v\":1", "\"v\":2")),
            "a message of version 2, not 1"
        );
        assert_eq!(
            told(changed("mutex", "total\\u001b[2J")),
            r"a message of 'total\x1b[2J', which is not run here"
        );
        assert_eq!(
            told(changed("request", "please")),
            "no message of this program"
        );
        assert_eq!(read(&[b' '; LONGEST + 1]), Err(Refused::TooLong));
    }
}
