//! The clock condition (Lamport 1978): if a happened before b, then C(a) < C(b).

/// No event.
const NONE: u32 = u32::MAX;

/// Whether a clock may show `time` after an event that follows from one at which a clock showed `before`.
pub fn advances(before: u64, time: u64) -> bool {
    before < time
}

/// Two events that break the condition: the earlier one, and what is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Regression {
    /// The event that the other one follows from.
    pub cause: usize,
    /// What is wrong, as the first part of a sentence.
    pub reason: &'static str,
}

/// Walks through events in causal order and compares each clock with the greatest that it follows from, also where events
/// without a clock stand between.
#[derive(Debug)]
pub struct ClockCondition {
    /// For each event the greatest clock that it has or follows from, and whose it is.
    greatest: Vec<(u64, u32)>,
    /// The last event of each thread of execution.
    last: Vec<u32>,
    /// How many messages were compared: a clock at the receive with one at the send.
    pub messages: u64,
    /// How many events were compared with one before on the same thread.
    pub steps: u64,
}

impl ClockCondition {
    /// Of so many events on so many threads of execution.
    pub fn new(events: usize, threads: usize) -> Self {
        Self {
            greatest: vec![(0, NONE); events],
            last: vec![NONE; threads],
            messages: 0,
            steps: 0,
        }
    }

    /// The next event of a thread, its clock, and the sends that it directly follows from. An event `is_same` as its
    /// predecessor where both are sends of one message, which has one time.
    pub fn see(
        &mut self,
        event: usize,
        thread: usize,
        clock: Option<u64>,
        causes: impl IntoIterator<Item = usize>,
        is_same: impl FnOnce(usize) -> bool,
    ) -> Option<Regression> {
        let before = std::mem::replace(&mut self.last[thread], event as u32);
        let mut known = (0, NONE);
        let mut by_message = false;
        for cause in causes {
            let (time, witness) = self.greatest[cause];
            if witness != NONE && (known.1 == NONE || time > known.0) {
                known = (time, witness);
                by_message = true;
            }
            self.messages += u64::from(clock.is_some() && witness != NONE);
        }
        if before != NONE {
            let (time, witness) = self.greatest[before as usize];
            self.steps += u64::from(clock.is_some() && witness != NONE);
            if witness != NONE && (known.1 == NONE || time > known.0) {
                known = (time, witness);
                by_message = false;
            }
        }
        let mut broken = None;
        if let Some(clock) = clock {
            if known.1 != NONE
                && !advances(known.0, clock)
                && !(clock == known.0 && is_same(known.1 as usize))
            {
                broken = Some(Regression {
                    cause: known.1 as usize,
                    reason: match by_message {
                        true => "a message must be received at a later time than it was sent",
                        false => "a clock must advance at every event",
                    },
                });
            }
            // The next clock is compared with this one, so that one fault is reported once.
            known = (clock, event as u32);
        }
        self.greatest[event] = known;
        broken
    }

    /// Why it holds; nothing where no two clocks were compared.
    pub fn holds(&self) -> Option<String> {
        match (self.messages, self.steps) {
            (0, 0) => None,
            (0, steps) => Some(format!("held for all {steps} steps of the processes")),
            (messages, steps) => Some(format!(
                "held for all {messages} messages and all {steps} steps of the processes"
            )),
        }
    }
}
