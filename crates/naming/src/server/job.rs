//! The jobs of the registrar, and the queue in which they wait.

use std::{net::SocketAddr, sync::Arc};

use common::{
    message::MessageId,
    sys::batches::{Peer, Port, Source},
};
use crossbeam::channel::{Receiver, Sender, bounded};

use crate::dns::{
    replay::Identity, request::Transport, transfer::HardLinks, tsig::Signer, zone::Zone,
};

/// How many jobs can wait. An update that finds the queue full is dropped; its client sends it again.
const QUEUE: usize = 4096;

/// A job for the registrar.
#[derive(Debug)]
pub(super) enum Job {
    /// To make an update.
    Update(Box<UpdateJob>),
    /// To read the names file again.
    Reload,
    /// To report the zones, and which names in them are hard links.
    HardLinks(Sender<WithHardLinks>),
}

/// The zones, and the hard links at the same moment.
#[derive(Debug)]
pub(super) struct WithHardLinks {
    pub(super) zone: Zone,
    pub(super) links: HardLinks,
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
        port: Arc<Port>,
        from: Option<Source>,
        to: Peer,
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
