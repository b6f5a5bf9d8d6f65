//! The inputs of a process, each with a reading of its hardware clock where it has one.

use std::time::Duration;

use common::process::{
    Process,
    physical::{HardwareClock, nanos},
};

use super::{
    Stdio,
    input::{Input, MOST},
};
use crate::{
    bug::Bug,
    harness::message::{Body, CLOCK, CLOCK_UNIT, body, integer, number},
};

impl<P: Process<Settings = Option<Bug>>> Stdio<'_, P> {
    /// The process gets this, once its hardware clock is read if it has one. One that gets no readings loses what comes.
    pub(super) fn input(&mut self, input: Input<P::Message>) {
        if !P::READS_CLOCK {
            return self.take(self.start.elapsed(), input);
        }
        let inputs = &mut self.inputs;
        if inputs.waiting.len() < MOST {
            inputs.asked += 1;
            inputs.waiting.push_back((inputs.asked, input));
            let read = body("read", [("msg_id", inputs.asked.into())]);
            self.out.write(CLOCK, read);
        }
    }

    /// The clock has answered: the input that waits for it.
    ///
    /// # Errors
    /// When the answer has no time, or comes out of order.
    pub(super) fn read(&mut self, answer: &Body) -> Result<(), String> {
        let time = integer(answer, "time");
        let waiting = self.inputs.waiting.front().map(|(number, _)| *number);
        let (Some(time), true) = (time, waiting == number(answer, "in_reply_to")) else {
            return Err("expected the time in reply to the first read of the clock".to_owned());
        };
        let hardware = time.saturating_mul(CLOCK_UNIT);
        self.out.reading = hardware;
        let now = self.start.elapsed();
        if let Some(engine) = &mut self.engine {
            let origin = hardware.saturating_sub(nanos(now));
            let clock = HardwareClock {
                origin,
                ..HardwareClock::default()
            };
            engine.set_hardware_clock(now, clock);
        }
        if let Some((_, input)) = self.inputs.waiting.pop_front() {
            self.take(now, input);
        }
        Ok(())
    }

    fn take(&mut self, now: Duration, input: Input<P::Message>) {
        let Some(engine) = &mut self.engine else {
            return;
        };
        match input {
            Input::Frame(from, frame) => {
                let sent = frame.packet.as_ref().map(|packet| packet.message.time);
                self.out.receiving = sent.map(|sent| (from, sent));
                engine.receive(now, from, frame, &mut self.out);
            }
            Input::Timer(kind) => engine.timer(now, kind, &mut self.out),
            Input::Detect(detection) => engine.detect(now, detection, &mut self.out),
            Input::Request(message) => self.request(now, &message),
        }
    }
}
