//! What happens on the way, in words.

use std::{fmt, net::SocketAddr};

use domain::base::iana::{Rcode, Rtype};

use super::{fault::Fault, rrset::RrSet};
use crate::dns::{owner::Owner, shown};

/// Something that happened on the way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Note {
    /// The cache has records, or that there are none.
    Known {
        /// The name.
        name: Owner,
        /// The type that was looked for.
        rtype: Rtype,
        /// The records, or the code and SOA record of a negative answer.
        found: Result<RrSet, (Rcode, RrSet)>,
    },
    /// Servers of this zone are asked next: those of the delegation in the cache, with the seconds that it stays, or the root's.
    Closest {
        /// The name that is looked for.
        name: Owner,
        /// The zone.
        zone: Owner,
        /// Its servers, in words.
        servers: String,
        /// The seconds that are left; None of the root.
        left: Option<u32>,
    },
    /// The address of a name server is looked up first.
    NeedsAddress {
        /// The name server.
        server: Owner,
        /// Its zone.
        zone: Owner,
    },
    /// The delegation in the cache is out of date: the zone above is asked again.
    OutOfDate(Owner),
    /// A fault, of a server or of a delegation.
    Fault(Option<SocketAddr>, Fault),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known { name, rtype, found } => match found {
                Ok(set) => write!(f, "the cache has {name} {rtype}: {}", words(set)),
                Err((code, soa)) => {
                    let what = match *code {
                        Rcode::NXDOMAIN => "NXDOMAIN".to_owned(),
                        _ => "no record of this type".to_owned(),
                    };
                    write!(f, "the cache has {name} {rtype}: {what}, for {} s", soa.ttl)
                }
            },
            Self::Closest {
                zone, left: None, ..
            } if zone.as_slice() == [0] => {
                f.write_str("the cache has no closer zone: the root server is asked")
            }
            Self::Closest {
                zone,
                servers,
                left,
                ..
            } => {
                write!(f, "the cache has the servers of {zone}: {servers}")?;
                left.map_or(Ok(()), |left| write!(f, ", for {left} s"))
            }
            Self::NeedsAddress { server, zone } => write!(
                f,
                "the address of {server}, a name server of {zone}, is looked up first"
            ),
            Self::OutOfDate(zone) => write!(
                f,
                "the delegation of {zone} in the cache is out of date: the zone above is asked again"
            ),
            Self::Fault(Some(server), fault) => write!(f, "{server}: {fault}"),
            Self::Fault(None, fault) => fault.fmt(f),
        }
    }
}

/// Records in words, with the seconds that are left.
fn words(set: &RrSet) -> String {
    let data = set.data.iter().take(4);
    let mut shown: Vec<_> = data.map(|data| shown::raw(set.rtype, data)).collect();
    if set.data.len() > 4 {
        shown.push(format!("and {} more", set.data.len() - 4));
    }
    format!("{}, for {} s", shown.join(", "), set.ttl)
}
