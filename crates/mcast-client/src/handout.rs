//! The handout's `multicast_client.py`: joins the group, and prints each message received.
//!
//! The comments in [`run`] are its statements. [`Receiver`] and [`ReceiveStats`] add what a real program needs: an
//! interface, an end, a log, and counts. The [`Typist`] is what the handout lacks: a sender.

use std::thread;

use common::{
    exit::{Failure, Summary},
    journal::Journal,
    multicast::{ReceiveStats, Receiver, view::Words},
    shutdown::Shutdown,
};

use crate::{
    config::Settings,
    typist::{Keyboard, Typist},
};

/// What the journal prints of each message: `received` and the text.
pub const WORDS: Words = Words {
    running: None,
    received: "Received message",
};

/// Joins the groups and receives until the run ends: after `--count` datagrams, after `--for`, or at Ctrl-C. Beside it a
/// thread sends each line typed; the end of the input ends that thread alone.
///
/// # Errors
/// When a group cannot be joined or the socket fails.
pub fn run(
    settings: &Settings,
    keyboard: impl Keyboard,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    // MULTICAST_GROUP = '224.1.1.1' and PORT = 5007 are the defaults of --group and --port.
    // client_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    // client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    // client_socket.bind(('', PORT))
    // client_socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + ...)
    let mut receiver = Receiver::join(&settings.membership)?;

    thread::scope(|scope| {
        let typist = Typist::start(scope, settings, keyboard, &mut receiver, journal, shutdown)?;
        let mut stats = ReceiveStats::new(&receiver, journal).with_clock(typist.clock());
        // while True: data, addr = client_socket.recvfrom(1024)
        while let Some(batch) = receiver.receive(shutdown)? {
            // print(f"Received message: {data.decode()}")
            stats.record(&batch);
        }
        Ok(typist.finish(stats, receiver))
    })
}
