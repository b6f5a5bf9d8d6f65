//! The workers that answer over UDP: each takes the datagrams that wait in one batch, and reuses its memory for the
//! answers.

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
    rate_limit::RateLimit,
};
use nix::{
    errno::Errno,
    sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg},
};

use super::{
    context::Context,
    events::warning,
    handle::{Disposition, handle},
    job::ReplyTo,
};
use crate::dns::answer::{Next, Transport, UDP_MAX, answer, truncate};

/// How many datagrams are received and sent with one call.
const BATCH: usize = 32;

/// The longest datagram that is received: an update may be longer than a query.
const LONGEST: usize = 4096;

/// The memory of a worker.
struct Worker {
    buffers: Box<[[u8; LONGEST]; BATCH]>,
    incoming: MultiHeaders<SockaddrStorage>,
    outgoing: MultiHeaders<SockaddrStorage>,
    /// The length and the source of each datagram received.
    received: [(usize, Option<SockaddrStorage>); BATCH],
    answers: [Vec<u8>; BATCH],
    addresses: [Option<SockaddrStorage>; BATCH],
}

impl Worker {
    fn new() -> Self {
        Self {
            buffers: Box::new([[0; LONGEST]; BATCH]),
            incoming: MultiHeaders::preallocate(BATCH, None),
            outgoing: MultiHeaders::preallocate(BATCH, None),
            received: [(0, None); BATCH],
            answers: std::array::from_fn(|_| Vec::with_capacity(usize::from(UDP_MAX) * 2)),
            addresses: [None; BATCH],
        }
    }

    /// Receives the datagrams that wait; when there are none, waits briefly for one.
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
            // A datagram longer than the buffer is not answered.
            let whole = !message.flags.contains(MsgFlags::MSG_TRUNC);
            self.received[count] = (if whole { message.bytes } else { 0 }, message.address);
            count += 1;
        }
        Ok(count)
    }

    /// Sends the first `count` answers; one that the kernel refuses is lost, as a datagram may be.
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
                // This one cannot be sent; the others can.
                Err(_) => sent += 1,
            }
        }
    }
}

/// How long queries that arrived before a stop are still answered.
const GRACE: Duration = Duration::from_secs(1);

/// Answers until a stop is requested and no query is left.
pub(super) fn run(socket: &Arc<UdpSocket>, context: &Context) {
    let mut reader = context.snapshot.reader();
    let mut worker = Worker::new();
    let mut log_limit = RateLimit::new("queries were answered");
    while !context.shutdown.overdue(GRACE) {
        let count = match worker.receive(socket) {
            Ok(count) => count,
            Err(Errno::EAGAIN) => {
                log_limit.go_on(context.journal);
                match net::wait(
                    socket.as_ref(),
                    Interest::Read,
                    None,
                    Some(context.shutdown),
                ) {
                    Ok(Woken::Stopping) | Err(_) => break,
                    _ => continue,
                }
            }
            // The error of an earlier answer; the next call receives.
            Err(Errno::EINTR | Errno::ECONNREFUSED) => continue,
            Err(error) => {
                context.journal.record(warning(format!("receive: {error}")));
                context.shutdown.request();
                break;
            }
        };
        let zone = reader.zone();
        let (mut answered, mut unanswered) = (0, 0);
        for index in 0..count {
            let (length, Some(address)) = worker.received[index] else {
                continue;
            };
            let message = &worker.buffers[index][..length];
            let out = &mut worker.answers[answered];
            match answer(zone, message, Transport::Udp, out) {
                Next::Answer => {}
                Next::Ignore => {
                    unanswered += 1;
                    continue;
                }
                next => {
                    let Some(peer) = socket_address(&address) else {
                        continue;
                    };
                    match handle(
                        context,
                        zone,
                        message,
                        next,
                        peer,
                        ReplyTo::Udp(Arc::clone(socket)),
                    ) {
                        Disposition::Reply(reply) if reply.len() > usize::from(UDP_MAX) => {
                            truncate(message, out)
                        }
                        Disposition::Reply(reply) => *out = reply,
                        Disposition::Deferred => continue,
                        Disposition::Ignore | Disposition::Transfer(..) => {
                            unanswered += 1;
                            continue;
                        }
                    }
                }
            }
            if log_limit.one_more()
                && let Some(peer) = socket_address(&address)
            {
                context.log(Carrier::Udp, message, out, peer);
            }
            worker.addresses[answered] = Some(address);
            answered += 1;
        }
        worker.send(socket, answered);
        context.counts.add(|counts| &counts.udp, answered as u64);
        context.counts.add(|counts| &counts.unanswered, unanswered);
        log_limit.go_on(context.journal);
    }
    log_limit.finish(context.journal);
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(address) = address.as_sockaddr_in() {
        return Some(SocketAddr::V4((*address).into()));
    }
    address
        .as_sockaddr_in6()
        .map(|address| SocketAddr::V6((*address).into()))
}
