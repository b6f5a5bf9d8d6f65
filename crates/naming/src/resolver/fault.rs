//! What is wrong with a reply or a server.

use std::{fmt, net::SocketAddr};

use domain::base::iana::Rtype;

use crate::dns::owner::Owner;

/// A fault of a server, a delegation or a reply. Some are worked around, others end the use of the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// No reply arrived in time.
    NoReply,
    /// The network does not reach the server, with the reason.
    Unreachable(String),
    /// A datagram arrived from another address than the one that was asked.
    OtherAddress(SocketAddr),
    /// A reply has another identifier than the query.
    OtherId,
    /// A reply repeats another question.
    OtherQuestion,
    /// A message that cannot be read.
    Malformed,
    /// A lame delegation: the server refuses to answer for the zone that is delegated to it.
    Refused(Owner),
    /// A lame delegation: the server has no authority over the zone that is delegated to it.
    NoAuthority(Owner),
    /// A lame delegation: the server refers to a zone that is not below its own.
    Upward {
        /// The zone that it was asked about.
        zone: Owner,
        /// The zone that it refers to.
        to: Owner,
    },
    /// The server reports that it failed (SERVFAIL).
    Failure,
    /// Another code.
    Code(String),
    /// The server does not know EDNS(0); it is asked without.
    NoEdns,
    /// The reply is too long for UDP; the server is asked over TCP.
    Truncated,
    /// The reply is longer than the query permits over UDP; the server is asked over TCP.
    TooLong(usize),
    /// The reply is truncated over TCP, too.
    TruncatedOverTcp,
    /// A record of a zone that the server has no authority over. It is ignored.
    OutOfBailiwick {
        /// Its name.
        owner: Owner,
        /// Its type.
        rtype: Rtype,
        /// The zone of the server.
        zone: Owner,
    },
    /// Other records beside a CNAME record, which are ignored (RFC 1034 section 3.6.2).
    BesideAlias(Owner),
    /// Several CNAME records of one name (RFC 2181 section 10.1).
    SeveralAliases(Owner),
    /// Many wrong replies arrived, as when somebody guesses the identifier; the server is asked over TCP.
    Guessing,
    /// A delegation to a server within the delegated zone, without its address (RFC 1034 section 4.2.1).
    NoGlue(Owner),
    /// The address of a name server is needed to find that very address.
    Circle(Owner),
    /// A name server has no address.
    NoAddress(Owner),
}

impl Fault {
    /// Whether the resolution copes with it in the same exchange or by a second one with the same server, so that nothing is
    /// wrong with the server for good.
    pub fn is_harmless(&self) -> bool {
        matches!(self, Self::Truncated)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoReply => f.write_str("no reply in time"),
            Self::Unreachable(why) => write!(f, "unreachable: {why}"),
            Self::OtherAddress(address) => {
                write!(f, "a reply from another address, {address}: ignored")
            }
            Self::OtherId => f.write_str("a reply with another identifier: ignored"),
            Self::OtherQuestion => f.write_str("a reply to another question: ignored"),
            Self::Malformed => f.write_str("a malformed reply"),
            Self::Refused(zone) if zone.as_slice() == [0] => {
                f.write_str("it refuses to answer (REFUSED)")
            }
            Self::NoAuthority(zone) if zone.as_slice() == [0] => {
                f.write_str("it has no authority over the name, and refers to no other server")
            }
            Self::Refused(zone) => write!(f, "lame delegation: it refuses to answer for {zone}"),
            Self::NoAuthority(zone) => {
                write!(f, "lame delegation: it has no authority over {zone}")
            }
            Self::Upward { zone, to } => write!(
                f,
                "lame delegation: a server of {zone} refers to {to}, which is not below {zone}"
            ),
            Self::Failure => f.write_str("SERVFAIL"),
            Self::Code(code) => write!(f, "the code {code}"),
            Self::NoEdns => f.write_str("it does not know EDNS(0): asked without"),
            Self::Truncated => f.write_str("the reply is truncated: asked over TCP"),
            Self::TooLong(length) => write!(
                f,
                "a reply of {length} bytes, longer than the query permits: asked over TCP"
            ),
            Self::TruncatedOverTcp => f.write_str("a reply that is truncated over TCP, too"),
            Self::OutOfBailiwick { owner, rtype, zone } => write!(
                f,
                "a record out of bailiwick, {owner} {rtype} from a server of {zone}: ignored"
            ),
            Self::BesideAlias(name) => {
                write!(
                    f,
                    "{name} has a CNAME record and others: the others are ignored"
                )
            }
            Self::SeveralAliases(name) => write!(f, "{name} has several CNAME records"),
            Self::Guessing => {
                f.write_str("many wrong replies, as from somebody who guesses: asked over TCP")
            }
            Self::NoGlue(name) => write!(
                f,
                "the name server {name} is in the zone that it serves, and the delegation lacks its address"
            ),
            Self::Circle(name) => write!(
                f,
                "the address of the name server {name} is needed to find that address"
            ),
            Self::NoAddress(name) => write!(f, "the name server {name} has no address"),
        }
    }
}
