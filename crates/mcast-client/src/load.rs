//! Messages sent without a person: a few and done, or a load at a given rate.

use std::time::{Duration, Instant};

use common::{
    exit::{Exit, Failure, Summary},
    journal::Journal,
    multicast::sender::piece,
    shutdown::Shutdown,
    text::whole_micros,
};
use nix::time::{ClockId, clock_gettime};

use crate::{datagrams::Datagrams, sending::Senders};

/// How long what is sent at a time is to take at the given rate.
const AT_A_TIME: f64 = 0.001;

/// What to send before ending.
#[derive(Clone, Debug)]
pub struct Load {
    /// The messages, sent in turn; none: filler.
    pub messages: Vec<Vec<u8>>,
    /// The length of each datagram.
    pub size: Option<usize>,
    /// How many messages in all; None: until the time is over.
    pub total: Option<u64>,
    /// After what time to end.
    pub end_after: Option<Duration>,
    /// Messages a second; None: as fast as the kernel takes them.
    pub rate: Option<f64>,
    /// How many at a time.
    pub burst: Option<u64>,
    /// Whether the kernel takes many in one piece.
    pub offload: bool,
}

impl Load {
    /// Whether it ends by itself at once: a message or two, and no load.
    fn is_brief(&self) -> bool {
        self.size.is_none()
            && self.rate.is_none()
            && self.end_after.unwrap_or(Duration::ZERO).is_zero()
            && self.total == Some(self.messages.len() as u64)
    }

    fn burst(&self) -> u64 {
        let default = match self.rate {
            Some(rate) => (rate * AT_A_TIME) as u64,
            None => self.piece(),
        };
        self.burst.unwrap_or(default).max(1)
    }

    /// How many datagrams are made and stamped at a time: as many as the kernel takes in one piece.
    fn piece(&self) -> u64 {
        if self.offload {
            piece(self.size.unwrap_or(1)) as u64
        } else {
            1
        }
    }

    /// How long after the beginning the message after so many others is due.
    fn due(&self, before: u64) -> Duration {
        self.rate.map_or(Duration::ZERO, |rate| {
            Duration::try_from_secs_f64(before as f64 / rate).unwrap_or(Duration::MAX)
        })
    }
}

/// Sends the messages and ends, without joining the group.
///
/// # Errors
/// When a message and its stamp do not fit into a datagram; one that could not be sent is told and counted (exit
/// code 1).
pub fn run(
    mut senders: Senders,
    load: &Load,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let (begun, before) = (Instant::now(), processor_time());
    if load.is_brief() {
        for message in &load.messages {
            if shutdown.requested() {
                break;
            }
            senders.send(message, journal)?;
        }
    } else {
        drive(&mut senders, load, begun, journal, shutdown)?;
    }
    let (elapsed, processor) = (begun.elapsed(), processor_time().saturating_sub(before));
    senders.finish(journal);
    let exit = if senders.failed > 0 && !shutdown.requested() {
        Exit::No
    } else {
        Exit::Done
    };
    let mut text = format!("{}: {}", senders.cost(), senders.destinations());
    let mut summary = Summary::done("").exit(exit);
    if !load.is_brief() {
        let rate = senders.messages as f64 / elapsed.as_secs_f64().max(1e-9);
        text += &format!("; {rate:.0} messages a second");
        summary = summary
            .count("elapsed_us", whole_micros(elapsed))
            .count("per_second", rate as u64)
            .count("cpu_us", whole_micros(processor));
    }
    if senders.failed > 0 {
        text += &format!("; {} could not be sent", senders.failed);
    }
    summary.text = text;
    Ok(senders.count(summary))
}

/// The processor time that this process has taken so far; most of it is the kernel's, for sending.
fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

fn drive(
    senders: &mut Senders,
    load: &Load,
    begun: Instant,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<(), Failure> {
    let filler = vec![Vec::new()];
    let messages = if load.messages.is_empty() {
        &filler
    } else {
        &load.messages
    };
    let mut turns: Vec<_> = messages
        .iter()
        .map(|message| Datagrams::new(senders.stamper.clone(), message, load.size))
        .collect();
    let alone = messages.len() == 1;
    let (burst, piece) = (load.burst(), load.piece());
    let mut sent = 0;
    while !shutdown.requested() && load.total.is_none_or(|total| sent < total) {
        let due = load.due(sent);
        if load
            .end_after
            .is_some_and(|end| due.max(begun.elapsed()) >= end)
        {
            // What would be due after the end is not sent, and the end is not before its time.
            shutdown.sleep(
                load.end_after
                    .unwrap_or_default()
                    .saturating_sub(begun.elapsed()),
            );
            break;
        }
        if let Some(early) = due.checked_sub(begun.elapsed())
            && !early.is_zero()
            && shutdown.sleep(early)
        {
            break;
        }
        let end = load
            .total
            .unwrap_or(u64::MAX)
            .min(sent.saturating_add(burst));
        while sent < end && !shutdown.requested() {
            let turn = (sent % messages.len() as u64) as usize;
            let most = if alone { (end - sent).min(piece) } else { 1 };
            sent += senders.send_many(&mut turns[turn], &messages[turn], most as usize, journal)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(rate: Option<f64>, burst: Option<u64>) -> Load {
        Load {
            messages: Vec::new(),
            size: Some(64),
            total: None,
            end_after: None,
            rate,
            burst,
            offload: true,
        }
    }

    #[test]
    fn what_is_due_when() {
        assert_eq!(load(None, None).due(1_000_000), Duration::ZERO);
        assert_eq!(
            load(Some(1000.0), None).due(500),
            Duration::from_millis(500)
        );
        assert_eq!(load(Some(0.5), None).due(3), Duration::from_secs(6));
        let burst = |rate, burst| load(rate, burst).burst();
        assert_eq!(
            [
                burst(None, None),
                burst(Some(10.0), None),
                burst(Some(200_000.0), None),
                burst(Some(10.0), Some(5))
            ],
            [64, 1, 200, 5]
        );
        let piece = |size| {
            Load {
                size,
                ..load(None, None)
            }
            .piece()
        };
        assert_eq!(
            [None, Some(64), Some(1400), Some(65_507)].map(piece),
            [64, 64, 46, 1]
        );
    }
}
