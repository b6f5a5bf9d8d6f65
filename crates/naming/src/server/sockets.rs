//! The server's sockets: one for TCP, and those for UDP of the workers, all on one port.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
    sync::Arc,
};

use common::{
    exit::{Failure, why},
    net,
    sys::batches::Port,
};

/// The size of the kernel's buffers of each UDP socket, in bytes; the kernel may give less.
const BUFFER: usize = 4 << 20;

/// The backlog of the TCP socket.
const BACKLOG: i32 = 1024;

/// The sockets, bound.
#[derive(Debug)]
pub struct Sockets {
    pub(crate) udp: Vec<Arc<Port>>,
    pub(crate) tcp: TcpListener,
    /// Their address.
    pub address: SocketAddr,
    /// Whether the port was left to the system.
    pub(crate) port_was_free: bool,
}

impl Sockets {
    /// Binds the TCP socket, and those for UDP of the workers.
    ///
    /// # Errors
    /// `listen on ADDRESS: why` (exit code 2).
    pub fn bind(address: SocketAddr, workers: usize) -> Result<Self, Failure> {
        let cannot = |address, error: &io::Error| {
            Failure::could_not_run(format!("listen on {address}"), why(error))
        };
        // With port 0, the free TCP port may be taken for UDP; then another one is tried.
        let mut tries = if address.port() == 0 { 20 } else { 1 };
        loop {
            tries -= 1;
            // TCP first: it fails when another server has the port, which UDP sockets that share a port do not.
            let tcp = net::listen(address, BACKLOG)?;
            let bound = tcp.local_addr().map_err(|error| cannot(address, &error))?;
            match Port::bind(bound, workers, BUFFER, net::BRIEFLY) {
                Ok(udp) => {
                    return Ok(Self {
                        udp,
                        tcp,
                        address: bound,
                        port_was_free: address.port() == 0,
                    });
                }
                Err(error) if tries == 0 => return Err(cannot(bound, &error)),
                Err(_) => {}
            }
        }
    }

    /// Whether they receive what is sent to this address: it is theirs, or, where they listen on every address, one of this
    /// machine, to which another socket can be bound.
    pub fn are_at(&self, ip: IpAddr) -> bool {
        let (listen, ip) = (net::canonical(self.address).ip(), ip.to_canonical());
        // [::] takes both families, 0.0.0.0 its own.
        let every = listen.is_unspecified() && (listen.is_ipv6() || ip.is_ipv4());
        match every {
            true => UdpSocket::bind((ip, 0)).is_ok(),
            false => listen == ip,
        }
    }
}
