//! A client on a thread that serves it alone: receive, send and close, which wait as long as it takes.

use std::{
    thread,
    time::{Duration, Instant},
};

use common::net::{self, Interest};

use crate::{
    exchange::{Exchange, Step},
    outcome::{Outcome, Unanswered},
    permits::Permit,
};

/// A client whose connection was accepted. The connection closes when it is dropped.
#[derive(Debug)]
pub struct Client<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// The exchange with it.
    pub exchange: Exchange<'a>,
    /// Its permit, where clients need one; released after the connection is closed.
    permit: Option<Permit>,
}

impl<'a> Client<'a> {
    /// A client with this number, from 1.
    pub fn new(number: u64, exchange: Exchange<'a>) -> Self {
        Self {
            number,
            exchange,
            permit: None,
        }
    }

    /// The same client, which holds this permit until its connection is closed.
    #[must_use]
    pub fn with_permit(mut self, permit: Permit) -> Self {
        self.permit = Some(permit);
        self
    }

    /// Receives the request: one read, of at most as many bytes as the buffer holds.
    ///
    /// # Errors
    /// When the client sends nothing in time, closes, or the connection fails.
    pub fn receive<'b>(&mut self, buffer: &'b mut [u8]) -> Result<&'b [u8], Unanswered> {
        self.exchange.block_briefly();
        let length = self.drive(buffer, &[])?;
        Ok(&buffer[..length])
    }

    /// Logs the request, which is printed as `Received: …`.
    pub fn log_received(&self, request: &[u8]) {
        self.exchange.log_received(request);
    }

    /// The reply to send, `Hello from server` unless the settings have another.
    pub fn reply(&self) -> &'a [u8] {
        self.exchange.context().settings.reply.as_bytes()
    }

    /// Sends the reply, once the settings' work on it is done.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn send(&mut self, reply: &[u8]) -> Outcome {
        self.drive(&mut [], reply).map(drop)
    }

    /// Records and counts how the exchange ended. To be called right before the client is dropped.
    pub fn record_close(&self, outcome: &Outcome) {
        self.exchange.record_close(outcome);
    }

    /// Advances the exchange to the request, and the next time to the end; the length of the request.
    fn drive(&mut self, buffer: &mut [u8], reply: &[u8]) -> Result<usize, Unanswered> {
        let shutdown = self.exchange.context().shutdown;
        loop {
            // Once a stop was requested, the exchange ends its waits in time itself.
            let stop = (!shutdown.requested()).then_some(shutdown);
            match self.exchange.advance(buffer, reply) {
                Step::AwaitInput(until) => {
                    net::wait(self.exchange.stream(), Interest::Read, Some(until), stop)?;
                }
                Step::Sleep(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    sleep(left, stop);
                }
                Step::Received(length) => return Ok(length),
                Step::Done(outcome) => return outcome.map(|()| 0),
            }
        }
    }
}

fn sleep(time: Duration, stop: Option<&common::shutdown::Shutdown>) {
    match stop {
        Some(shutdown) => drop(shutdown.sleep(time)),
        None => thread::sleep(time),
    }
}
