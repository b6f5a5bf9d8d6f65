//! Which sockets are open here, of all programs, and what became of packets.
//!
//! | | Linux | macOS, Windows | BSD |
//! | --- | --- | --- | --- |
//! | source | `/proc/net` (proc_pid_net(5)) | the crate listeners | none |

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(windows, target_os = "macos"))]
mod listed;
#[cfg(not(any(target_os = "linux", windows, target_os = "macos")))]
mod unknown;

#[cfg(target_os = "linux")]
use self::linux as system;
#[cfg(any(windows, target_os = "macos"))]
use self::listed as system;
#[cfg(not(any(target_os = "linux", windows, target_os = "macos")))]
use self::unknown as system;

use std::net::{Ipv4Addr, SocketAddr};

/// Where something listens for TCP; None where the system does not say.
pub fn listeners() -> Option<Vec<SocketAddr>> {
    system::listeners()
}

/// The UDP ports that are bound here; None where the system does not say.
pub fn bound() -> Option<Vec<u16>> {
    system::bound()
}

/// The groups that sockets here are members of, without that of all systems; None where the system does not say.
pub fn joined() -> Option<Vec<Ipv4Addr>> {
    system::joined()
}

/// How many packets had no route since the network is there; None where the system does not say.
pub fn no_route() -> Option<u64> {
    system::no_route()
}

#[cfg(all(test, any(target_os = "linux", windows)))]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn what_listens_and_what_is_bound_is_listed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(listeners().unwrap().contains(&address));
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert!(bound().unwrap().contains(&port));
        drop(listener);
        assert!(!listeners().unwrap().contains(&address));
    }
}
