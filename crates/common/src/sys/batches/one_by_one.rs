//! One datagram a call, where the system has no call for many.

use std::io;

use super::{MOST, Peer, Port, ROOM, Received, Source, system::Address};

/// Receives the datagrams that wait, each by `one`, which is told whether it is the first.
pub(super) fn receive(
    buffers: &mut [[u8; ROOM]],
    received: &mut [Received; MOST],
    mut one: impl FnMut(&mut [u8], bool) -> io::Result<Received>,
) -> io::Result<usize> {
    let mut count = 0;
    for (buffer, datagram) in buffers.iter_mut().zip(received) {
        match one(buffer, count == 0) {
            Ok(one) => *datagram = one,
            Err(error) if count == 0 => return Err(error),
            Err(_) => break,
        }
        count += 1;
    }
    Ok(count)
}

pub(super) struct Sender;

impl Sender {
    pub(super) fn new(_: &Port) -> Self {
        Self
    }

    /// Sends the first of these answers.
    pub(super) fn send(
        &mut self,
        port: &Port,
        answers: &[Vec<u8>],
        to: &[Option<Address>],
        from: Option<Source>,
    ) -> io::Result<usize> {
        let (Some(answer), Some(Some(to))) = (answers.first(), to.first()) else {
            return Ok(0);
        };
        port.send(from, answer, &Peer(*to))?;
        Ok(1)
    }
}
