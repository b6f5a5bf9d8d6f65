//! The jobs of the registrar, and the queue in which they wait.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::Arc,
};

use common::message::MessageId;
use crossbeam::channel::{Receiver, Sender, bounded};
use domain::tsig::{Key, ServerTransaction};

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
    pub(super) transaction: Option<Transaction>,
    /// When the message was signed, in seconds since 1970, and its signature.
    pub(super) signature: Option<(u64, Vec<u8>)>,
    pub(super) peer: SocketAddr,
    /// The identity of the answer in the log.
    pub(super) answer: MessageId,
    pub(super) reply_to: ReplyTo,
}

/// The verified signature of a message, which signs the answer as well.
pub(super) type Transaction = ServerTransaction<Arc<Key>>;

/// Where the answer to an update goes.
#[derive(Clone, Debug)]
pub(super) enum ReplyTo {
    /// To the client, from this socket.
    Udp(Arc<UdpSocket>),
    /// To the thread of the client's connection.
    Tcp(Sender<Vec<u8>>),
}

/// The queue of jobs.
pub(super) fn queue() -> (Sender<Job>, Receiver<Job>) {
    bounded(QUEUE)
}
