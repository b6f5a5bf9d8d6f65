//! Whether this machine's firewalls drop the datagrams: each kind of firewall has a check, which reads what its own program
//! prints.
//!
//! | module | firewall |
//! | --- | --- |
//! | `netfilter` | nft(8) and iptables(8) of Linux |
//! | `desktop` | those of Windows, macOS and the BSDs |

mod desktop;
mod netfilter;

use super::{finding::Finding, traffic::Traffic};
use crate::sys::commands::{FIREWALLS, Firewall};

/// What each firewall of this system does to the traffic.
pub(super) fn check(traffic: Traffic) -> impl Iterator<Item = Finding> {
    FIREWALLS.iter().map(move |firewall| match firewall {
        Firewall::Netfilter => netfilter::check(traffic),
        Firewall::Windows => desktop::windows(traffic),
        Firewall::Application => desktop::application(traffic),
        Firewall::Pf => desktop::pf(traffic),
    })
}
