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
    cmsg_space,
    errno::Errno,
    libc,
    sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg},
};

use super::{
    context::{Client, Context},
    events::warning,
    handle::{Disposition, handle},
    job::ReplyTo,
    packet_info::{Source, is_wildcard},
};
use crate::dns::{
    answer::{Next, answer},
    request::{Transport, UDP_MAX},
};

/// How many datagrams are received and sent with one call.
const BATCH: usize = 32;

/// The room for a datagram, in bytes: the longest, as an update may be longer than a query. The last bytes have the buffers
/// begin in different lines of the processor's caches.
const ROOM: usize = 65_536 + 128;

/// The memory of a worker.
struct Worker {
    buffers: Box<[[u8; ROOM]]>,
    incoming: MultiHeaders<SockaddrStorage>,
    /// For answers that leave from the socket's address.
    outgoing: MultiHeaders<SockaddrStorage>,
    /// For answers that leave from the address that was asked; None when the socket has only one.
    outgoing_from: Option<MultiHeaders<SockaddrStorage>>,
    received: [Received; BATCH],
    answers: [Vec<u8>; BATCH],
    addresses: [Option<SockaddrStorage>; BATCH],
    sources: [Option<Source>; BATCH],
}

/// A datagram that was received.
#[derive(Clone, Copy, Default)]
struct Received {
    length: usize,
    peer: Option<SockaddrStorage>,
    /// Where it was sent to, when the socket has several addresses.
    source: Option<Source>,
}

impl Worker {
    fn new(listen: SocketAddr) -> Self {
        // The kernel leaves as much room for the control message of each datagram as the last one took, so all must have one.
        let control = is_wildcard(listen).then(|| match listen {
            SocketAddr::V4(_) => cmsg_space!(libc::in_pktinfo),
            SocketAddr::V6(_) => cmsg_space!(libc::in6_pktinfo),
        });
        Self {
            buffers: vec![[0; ROOM]; BATCH].into_boxed_slice(),
            incoming: MultiHeaders::preallocate(BATCH, control.clone()),
            outgoing: MultiHeaders::preallocate(BATCH, None),
            outgoing_from: control.map(|control| MultiHeaders::preallocate(BATCH, Some(control))),
            received: [Received::default(); BATCH],
            answers: std::array::from_fn(|_| Vec::with_capacity(usize::from(UDP_MAX) * 2)),
            addresses: [None; BATCH],
            sources: [None; BATCH],
        }
    }

    /// Receives the datagrams that wait; when there are none, waits briefly for one.
    fn receive(&mut self, socket: &UdpSocket) -> nix::Result<usize> {
        let mut buffers = self.buffers.iter_mut();
        let mut slices: [_; BATCH] = std::array::from_fn(|_| {
            let buffer = buffers.next().map_or(&mut [][..], |buffer| &mut buffer[..]);
            [IoSliceMut::new(buffer)]
        });
        let received = recvmmsg(
            socket.as_raw_fd(),
            &mut self.incoming,
            slices.iter_mut(),
            MsgFlags::MSG_WAITFORONE,
            None,
        )?;
        let mut count = 0;
        for message in received {
            let source = match self.outgoing_from {
                Some(_) => message
                    .cmsgs()
                    .ok()
                    .and_then(|mut messages| messages.find_map(|message| Source::of(&message))),
                None => None,
            };
            self.received[count] = Received {
                length: message.bytes,
                peer: message.address,
                source,
            };
            count += 1;
        }
        Ok(count)
    }

    /// Sends the first `count` answers; one that the kernel refuses is lost, as a datagram may be.
    fn send(&mut self, socket: &UdpSocket, count: usize) {
        let mut sent = 0;
        let slices = self.answers.each_ref().map(|answer| [IoSlice::new(answer)]);
        while sent < count {
            // Those that leave from one address are sent with one call.
            let source = self.sources[sent];
            let same = self.sources[sent..count].iter();
            let end = sent + same.take_while(|next| **next == source).count();
            let (slices, addresses) = (&slices[sent..end], &self.addresses[sent..end]);
            let done = match (source, &mut self.outgoing_from) {
                (Some(source), Some(headers)) => source
                    .with_control(|control| send_all(socket, headers, slices, addresses, control)),
                _ => send_all(socket, &mut self.outgoing, slices, addresses, &[]),
            };
            match done {
                Err(Errno::EINTR) => {}
                Ok(0) => return,
                Ok(more) => sent += more,
                // This one cannot be sent; the others can.
                Err(_) => sent += 1,
            }
        }
    }
}

/// Sends answers with one call, and returns how many the kernel took.
fn send_all<'a>(
    socket: &UdpSocket,
    headers: &'a mut MultiHeaders<SockaddrStorage>,
    slices: &'a [[IoSlice<'a>; 1]],
    addresses: &[Option<SockaddrStorage>],
    control: &'a [ControlMessage<'a>],
) -> nix::Result<usize> {
    let flags = MsgFlags::empty();
    sendmmsg(
        socket.as_raw_fd(),
        headers,
        slices,
        addresses,
        control,
        flags,
    )
    .map(Iterator::count)
}

/// How long queries that arrived before a stop are still answered.
const GRACE: Duration = Duration::from_secs(1);

/// Answers until a stop is requested and no query is left.
pub(super) fn run(socket: &Arc<UdpSocket>, context: &Context) {
    let mut reader = context.snapshot.reader();
    let mut worker = Worker::new(context.address);
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
            let Received {
                length,
                peer: Some(address),
                source,
            } = worker.received[index]
            else {
                continue;
            };
            let message = &worker.buffers[index][..length];
            let client = || client(&address, source, context.address);
            let out = &mut worker.answers[answered];
            match answer(zone, message, Transport::Udp, out) {
                Next::Answer => {}
                Next::Ignore => {
                    unanswered += 1;
                    continue;
                }
                next => {
                    let Some(client) = client() else {
                        continue;
                    };
                    let reply_to = ReplyTo::Udp {
                        socket: Arc::clone(socket),
                        from: source,
                        to: address,
                    };
                    match handle(context, zone, message, next, client, reply_to) {
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
                && let Some(client) = client()
            {
                context.log(Carrier::Udp, message, out, client);
            }
            worker.addresses[answered] = Some(address);
            worker.sources[answered] = source;
            answered += 1;
        }
        worker.send(socket, answered);
        context.counts.add(|counts| &counts.udp, answered as u64);
        context.counts.add(|counts| &counts.unanswered, unanswered);
        log_limit.go_on(context.journal);
    }
    log_limit.finish(context.journal);
}

/// The two ends of an exchange, as its client knows them.
fn client(peer: &SockaddrStorage, source: Option<Source>, listen: SocketAddr) -> Option<Client> {
    let peer = match (peer.as_sockaddr_in(), peer.as_sockaddr_in6()) {
        (Some(peer), _) => SocketAddr::V4((*peer).into()),
        (None, peer) => net::canonical(SocketAddr::V6((*peer?).into())),
    };
    let asked = source.map_or(listen, |source| SocketAddr::new(source.ip(), listen.port()));
    Some(Client { peer, asked })
}
