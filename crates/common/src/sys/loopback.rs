//! What a load from this machine to itself has: ports, and addresses to connect from.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(target_os = "linux")]
use self::linux as system;
#[cfg(not(target_os = "linux"))]
use self::other as system;

pub use self::system::{is_whole_net, ports};

#[cfg(test)]
mod tests {
    use std::{
        io,
        net::{Ipv4Addr, TcpListener},
    };

    use super::*;

    #[test]
    fn addresses_to_connect_from_can_be_bound() {
        assert!(ports().is_none_or(|ports| ports > 1000));
        let bound = TcpListener::bind((Ipv4Addr::new(127, 0, 0, 250), 0));
        match bound {
            Err(error) if !is_whole_net() => {
                assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
            }
            bound => drop(bound.unwrap()),
        }
    }
}
