//! The jobs of the registrar, and the queue in which they wait.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::Arc,
};

use common::message::MessageId;
use crossbeam::channel::{Receiver, Sender, bounded};
use nix::sys::socket::SockaddrStorage;

use super::packet_info::Source;
use crate::dns::{replay::Identity, request::Transport, tsig::Signer};

/// How many jobs can wait. An update that finds the queue full is dropped; its client sends it again.
const QUEUE: usize = 4096;

/// A job for the registrar.
#[derive(Debug)]
pub(super) enum Job {
    /// To make an update.
    Update(Box<UpdateJob>),
    /// To read the names file again.
    Reload,
}

/// An update, with its signature verified and removed.
#[derive(Debug)]
pub(super) struct UpdateJob {
    pub(super) message: Vec<u8>,
    /// Signs the answer, when the update is signed.
    pub(super) signed: Option<(Signer, Identity)>,
    pub(super) peer: SocketAddr,
    /// The identity of the answer in the log.
    pub(super) answer: MessageId,
    pub(super) reply_to: ReplyTo,
}

/// Where the answer to an update goes.
#[derive(Clone, Debug)]
pub(super) enum ReplyTo {
    /// To the client, from this socket, and from the address that the client asked.
    Udp {
        socket: Arc<UdpSocket>,
        from: Option<Source>,
        to: SockaddrStorage,
    },
    /// To the thread of the client's connection.
    Tcp(Sender<Vec<u8>>),
}

impl ReplyTo {
    pub(super) fn transport(&self) -> Transport {
        match self {
            Self::Udp { .. } => Transport::Udp,
            Self::Tcp(_) => Transport::Tcp,
        }
    }
}

/// The queue of jobs.
pub(super) fn queue() -> (Sender<Job>, Receiver<Job>) {
    bounded(QUEUE)
}
