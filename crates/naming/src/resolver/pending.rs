//! A query that waits, and which messages are its reply (RFC 5452 section 9).

use std::net::SocketAddr;

use super::{fault::Fault, interface::Ask, message::Reply};

/// A query that waits for its reply.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) ask: Ask,
    pub(super) id: u16,
    pub(super) edns: bool,
    pub(super) wrong: u32,
}

impl Pending {
    /// The reply, None when it cannot be read; or why a message is no reply to the query.
    pub(super) fn check(&self, from: SocketAddr, message: &[u8]) -> Result<Option<Reply>, Fault> {
        let canonical = |address: SocketAddr| (address.ip().to_canonical(), address.port());
        if canonical(from) != canonical(self.ask.server) {
            return Err(Fault::OtherAddress(from));
        }
        if message.first_chunk() != Some(&self.id.to_be_bytes()) {
            return Err(Fault::OtherId);
        }
        let Some(reply) = Reply::read(message) else {
            return Ok(None);
        };
        let asked = Reply::read(&self.as_reply()).and_then(|asked| asked.question);
        // A server that could not read the question may leave it out.
        let lacks = reply.question.is_none() && reply.code != 0 && reply.answer.is_empty();
        match reply.question == asked || lacks {
            true => Ok(Some(reply)),
            false => Err(Fault::OtherQuestion),
        }
    }

    /// The query with the bit that makes it a reply.
    fn as_reply(&self) -> Vec<u8> {
        let mut message = self.ask.message.clone();
        message[2] |= 0x80;
        message
    }
}
