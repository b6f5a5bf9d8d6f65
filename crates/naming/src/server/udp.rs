//! Answering over UDP: as many datagrams at a time as there are, each answer composed into the same memory again.

use std::{
    io::{IoSlice, IoSliceMut},
    net::{SocketAddr, UdpSocket},
    os::fd::AsRawFd,
    sync::Arc,
    time::Duration,
};

use common::{
    message::Carrier,
    net::{self, Interest, Woken},
    telling::Telling,
};
use nix::{
    errno::Errno,
    sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg},
};

use super::{
    Shared,
    handle::{Back, Handled, handle, tell},
    warning,
};
use crate::dns::answer::{Next, Transport, UDP_MAX, answer, truncate};

/// How many datagrams are taken at once.
const BATCH: usize = 32;

/// The longest datagram that is taken: updates may be longer than queries.
const LONGEST: usize = 4096;

/// One worker's memory.
struct Worker {
    buffers: Box<[[u8; LONGEST]; BATCH]>,
    incoming: MultiHeaders<SockaddrStorage>,
    outgoing: MultiHeaders<SockaddrStorage>,
    /// Of each datagram that came: its length, and from where.
    came: [(usize, Option<SockaddrStorage>); BATCH],
    answers: [Vec<u8>; BATCH],
    addresses: [Option<SockaddrStorage>; BATCH],
}

impl Worker {
    fn new() -> Self {
        Self {
            buffers: Box::new([[0; LONGEST]; BATCH]),
            incoming: MultiHeaders::preallocate(BATCH, None),
            outgoing: MultiHeaders::preallocate(BATCH, None),
            came: [(0, None); BATCH],
            answers: std::array::from_fn(|_| Vec::with_capacity(usize::from(UDP_MAX) * 2)),
            addresses: [None; BATCH],
        }
    }

    /// Takes what there is; waits a moment when there is nothing.
    fn receive(&mut self, socket: &UdpSocket) -> nix::Result<usize> {
        let mut slices = self
            .buffers
            .each_mut()
            .map(|buffer| [IoSliceMut::new(buffer)]);
        let received = recvmmsg(
            socket.as_raw_fd(),
            &mut self.incoming,
            slices.iter_mut(),
            MsgFlags::MSG_WAITFORONE,
            None,
        )?;
        let mut count = 0;
        for message in received {
            // A datagram longer than the buffer is no message of ours.
            let whole = !message.flags.contains(MsgFlags::MSG_TRUNC);
            self.came[count] = (if whole { message.bytes } else { 0 }, message.address);
            count += 1;
        }
        Ok(count)
    }

    /// Sends so many answers; those that the kernel does not take are lost, as datagrams are.
    fn send(&mut self, socket: &UdpSocket, count: usize) {
        let mut sent = 0;
        let slices = self.answers.each_ref().map(|answer| [IoSlice::new(answer)]);
        while sent < count {
            let addresses = &self.addresses[sent..count];
            let slices = slices[sent..count].iter();
            let done = sendmmsg(
                socket.as_raw_fd(),
                &mut self.outgoing,
                slices,
                addresses,
                [],
                MsgFlags::empty(),
            );
            match done.map(Iterator::count) {
                Err(Errno::EINTR) => {}
                Ok(0) => return,
                Ok(more) => sent += more,
                // This one cannot be sent; the others may.
                Err(_) => sent += 1,
            }
        }
    }
}

/// How long queries that came before a stop are still answered.
const GRACE: Duration = Duration::from_secs(1);

/// Answers until a stop is requested and no query is left.
pub(super) fn run(socket: &Arc<UdpSocket>, shared: &Shared) {
    let mut reader = shared.published.reader();
    let mut worker = Worker::new();
    let mut telling = Telling::new("queries were answered");
    while !shared.shutdown.overdue(GRACE) {
        let count = match worker.receive(socket) {
            Ok(count) => count,
            Err(Errno::EAGAIN) => {
                telling.go_on(shared.journal);
                match net::wait(socket.as_ref(), Interest::Read, None, Some(shared.shutdown)) {
                    Ok(Woken::Stopping) | Err(_) => break,
                    _ => continue,
                }
            }
            // What an earlier answer came to; the next receive is another one.
            Err(Errno::EINTR | Errno::ECONNREFUSED) => continue,
            Err(error) => {
                shared.journal.record(warning(format!("receive: {error}")));
                shared.shutdown.request();
                break;
            }
        };
        let zone = reader.zone();
        let (mut answered, mut silent) = (0, 0);
        for index in 0..count {
            let (length, Some(address)) = worker.came[index] else {
                continue;
            };
            let message = &worker.buffers[index][..length];
            let out = &mut worker.answers[answered];
            match answer(zone, message, Transport::Udp, out) {
                Next::Answer => {}
                Next::Silence => {
                    silent += 1;
                    continue;
                }
                next => {
                    let Some(peer) = socket_address(&address) else {
                        continue;
                    };
                    match handle(
                        shared,
                        zone,
                        message,
                        next,
                        peer,
                        Back::Udp(Arc::clone(socket)),
                    ) {
                        Handled::Reply(reply) if reply.len() > usize::from(UDP_MAX) => {
                            truncate(message, out)
                        }
                        Handled::Reply(reply) => *out = reply,
                        Handled::Later => continue,
                        Handled::Silence | Handled::Transfer(..) => {
                            silent += 1;
                            continue;
                        }
                    }
                }
            }
            if telling.one_more()
                && let Some(peer) = socket_address(&address)
            {
                tell(shared, Carrier::Udp, message, out, peer);
            }
            worker.addresses[answered] = Some(address);
            answered += 1;
        }
        worker.send(socket, answered);
        shared.counts.add(|counts| &counts.udp, answered as u64);
        shared.counts.add(|counts| &counts.unanswered, silent);
        telling.go_on(shared.journal);
    }
    telling.finish(shared.journal);
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(address) = address.as_sockaddr_in() {
        return Some(SocketAddr::V4((*address).into()));
    }
    address
        .as_sockaddr_in6()
        .map(|address| SocketAddr::V6((*address).into()))
}
