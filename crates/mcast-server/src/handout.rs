//! The handout's `multicast_server.py`: joins the group, prints that it runs, and prints each datagram received.
//!
//! The comments in [`run`] are its statements. [`Receiver`] and [`ReceiveStats`] add what a real program needs: an
//! interface, an end, a log, and counts.

use common::{
    exit::{Failure, Summary},
    journal::Journal,
    multicast::{Membership, ReceiveStats, Receiver, view::Words},
    shutdown::Shutdown,
};

/// What the journal prints of an event: `running` and the group, and `received` and the text for each datagram.
pub const WORDS: Words = Words {
    running: Some("Multicast server running on"),
    received: "Received data",
};

/// Joins the groups and receives until the run ends: after `--count` datagrams, after `--for`, or at Ctrl-C.
///
/// # Errors
/// When a group cannot be joined or the socket fails.
pub fn run(
    membership: &Membership,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    // MULTICAST_GROUP = '224.1.1.1' and PORT = 5007 are the defaults of --group and --port.
    // server_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    // server_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    // server_socket.bind(('', PORT))
    // server_socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + ...)
    let mut receiver = Receiver::join(membership)?;

    // print(f"Multicast server running on {MULTICAST_GROUP}:{PORT}")
    let ready = receiver.ready();
    receiver.announce(ready, journal)?;

    let mut stats = ReceiveStats::new(&receiver, journal);
    // while True: data, addr = server_socket.recvfrom(1024)
    while let Some(batch) = receiver.receive(shutdown)? {
        // print(f"Received data: {data.decode()}")
        stats.record(&batch);
    }
    Ok(stats.finish(receiver))
}
