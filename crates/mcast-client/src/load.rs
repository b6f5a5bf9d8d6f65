//! Sends a load and ends, without joining the group.

use std::time::{Duration, Instant};

use common::{
    exit::{Exit, Failure, Summary},
    journal::Journal,
    shutdown::Shutdown,
    sys::clock,
    text::whole_micros,
};

use crate::{datagrams::Datagrams, schedule::Load, sending::Senders};

/// Sends the messages. The exit code is 1 when one could not be sent.
///
/// # Errors
/// When a message and its stamp do not fit into a datagram.
pub fn run(
    mut senders: Senders,
    load: &Load,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    senders.report_to(journal);
    let (begun, before) = (Instant::now(), processor_time());
    if load.is_brief() {
        for message in &load.messages {
            if shutdown.requested() {
                break;
            }
            senders.send(message, journal)?;
        }
    } else {
        send_load(&mut senders, load, begun, journal, shutdown)?;
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

/// The processor time that this process has used so far; the kernel uses most of it, for sending.
fn processor_time() -> Duration {
    clock::of_process().unwrap_or_default()
}

/// Sends each message when it is due.
fn send_load(
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
    let mut datagrams: Vec<_> = messages
        .iter()
        .map(|message| Datagrams::new(senders.stamp_writer.clone(), message, load.size))
        .collect();
    let only_one = messages.len() == 1;
    let (burst, piece) = (load.burst(), load.piece());
    let mut sent = 0;
    while !shutdown.requested() && load.total.is_none_or(|total| sent < total) {
        let due = load.due(sent);
        if let Some(end) = load.end_after
            && due.max(begun.elapsed()) >= end
        {
            // A message that is due after the end is not sent, and the load does not end before its time.
            shutdown.sleep(end.saturating_sub(begun.elapsed()));
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
            let most = if only_one { (end - sent).min(piece) } else { 1 };
            let (datagrams, message) = (&mut datagrams[turn], &messages[turn]);
            sent += senders.send_many(datagrams, message, most as usize, journal)?;
        }
    }
    Ok(())
}
