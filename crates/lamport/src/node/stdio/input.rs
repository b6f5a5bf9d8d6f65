//! What a process gets. One with a hardware clock gets each input with a reading of that, for which it has to ask the service `clock`;
//! the inputs wait, in their order, until the answer comes.

use std::collections::VecDeque;

use common::process::{
    TimerKind, detector::Detection, engine::Packet, ids::ProcessId, reliable_link::Frame,
};
use serde_json::json;

use crate::harness::message::{Body, Message, number};

/// How many inputs may wait for a reading.
pub(super) const MOST: usize = 4096;

/// What a process gets.
pub(super) enum Input<M> {
    /// A frame of another process.
    Frame(ProcessId, Frame<Packet<M>>),
    /// A timer has expired.
    Timer(TimerKind),
    /// Its failure detector says something.
    Detect(Detection),
    /// Its application asks.
    Request(Message),
}

/// The inputs that wait, each with the number of its request to the clock.
pub(super) struct Inputs<M> {
    pub(super) waiting: VecDeque<(u64, Input<M>)>,
    /// How often the clock was asked.
    pub(super) asked: u64,
}

impl<M> Default for Inputs<M> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            asked: 0,
        }
    }
}

/// The frame in a body. A message of another program has only its clock, and no text.
pub(super) fn frame<M: serde::de::DeserializeOwned>(
    body: &Body,
) -> serde_json::Result<Frame<Packet<M>>> {
    if let Some(frame) = body.get("frame") {
        return serde_json::from_value(frame.clone());
    }
    let clock = number(body, "clock").unwrap_or_default();
    let bare = json!({"number": 0, "to_all": false, "message": {"time": clock, "content": ""}});
    let packet = body.get("packet").cloned().unwrap_or(bare);
    Ok(Frame {
        sequence: 0,
        acknowledged: 0,
        packet: Some(serde_json::from_value(packet)?),
    })
}
