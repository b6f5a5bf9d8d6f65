//! The handout's multicast client, join, receive, print; and beside it what the handout lacks, a sender.

use std::{io::Read, net::SocketAddr, os::fd::AsFd, thread, time::Instant};

use common::{
    event::{Event, Kind, Level},
    exit::{Exit, Failure, Summary, why},
    journal::Journal,
    multicast::{LONGEST, Membership, Receiver},
    shutdown::Shutdown,
    text::plural,
};

use crate::{
    sending::Senders,
    typed::{Line, Lines},
};

/// Tells of every datagram, and sends every line typed, until enough datagrams have come, the time is up, or a
/// shutdown is requested. The end of the input only ends the sending.
///
/// # Errors
/// When the socket fails.
pub fn run(
    mut receiver: Receiver,
    mut senders: Senders,
    input: impl Read + AsFd + Send,
    membership: &Membership,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let joined = format!(
        "{receiver}; each line typed goes to {}",
        senders.destinations()
    );
    journal.record(
        Event::new(Kind::Ready)
            .peer(SocketAddr::from(receiver.group))
            .text(joined),
    );

    let (received, typed, interrupted) = thread::scope(|scope| {
        let typing = || send_typed(Lines::new(input), &mut senders, journal, shutdown);
        let typist = thread::Builder::new()
            .name("typist".into())
            .spawn_scoped(scope, typing)
            .map_err(|error| Failure::could_not_run("start a thread", why(&error)))?;
        let received = receive(&mut receiver, membership, journal, shutdown);
        let interrupted = shutdown.requested();
        // The typist stops too.
        shutdown.request();
        let typed = typist
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        received.map(|received| (received, typed, interrupted))
    })?;

    let exit = if interrupted { Exit::Done } else { typed };
    let (heard, sent) = (
        plural(received, "datagram"),
        plural(senders.datagrams, "datagram"),
    );
    let summary = Summary::done(format!("stopped: {sent} sent, {heard} received")).exit(exit);
    Ok(membership
        .judge(summary, received, interrupted)
        .count("received", received)
        .count("sent", senders.datagrams)
        .count("failed", senders.failed))
}

fn receive(
    receiver: &mut Receiver,
    membership: &Membership,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<u64, Failure> {
    let until = membership
        .end_after
        .map(|end_after| Instant::now() + end_after);
    let mut received = 0;
    while !membership.satisfied(received) {
        match receiver.receive(until, shutdown) {
            Ok(Some((message, sender))) => {
                journal.record(Event::new(Kind::Receive).peer(sender).content(message));
                received += 1;
            }
            Ok(None) => break,
            Err(error) => return Err(Failure::could_not_run("receive", why(&error))),
        }
    }
    Ok(received)
}

/// Sends every line; the worst that happened to one, or to the input, is the exit code.
fn send_typed(
    mut lines: Lines<impl Read + AsFd>,
    senders: &mut Senders,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Exit {
    let tell = |text| journal.record(Event::error(Level::Error, text));
    loop {
        match lines.next(shutdown) {
            Ok(Some(Line::Text(message))) => senders.send(&message, journal),
            Ok(Some(Line::TooLong)) => {
                senders.failed += 1;
                tell(format!(
                    "standard input: a line too long to send; a datagram carries at most {LONGEST} bytes"
                ));
            }
            Ok(None) if senders.failed > 0 => return Exit::No,
            Ok(None) => return Exit::Done,
            Err(error) => {
                tell(format!(
                    "standard input: {}; nothing more is sent",
                    why(&error)
                ));
                return Exit::CouldNotRun;
            }
        }
    }
}

/// Sends these messages and ends, without joining the group.
///
/// # Errors
/// Never; a message that could not be sent is told and counted (exit code 1).
pub fn send_and_end(
    mut senders: Senders,
    messages: &[String],
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    for message in messages {
        if shutdown.requested() {
            break;
        }
        senders.send(message.as_bytes(), journal);
    }
    let exit = if senders.failed > 0 && !shutdown.requested() {
        Exit::No
    } else {
        Exit::Done
    };
    let (datagrams, to) = (
        plural(senders.datagrams, "datagram"),
        senders.destinations(),
    );
    Ok(Summary::done(format!("{datagrams} sent to {to}"))
        .exit(exit)
        .count("sent", senders.datagrams)
        .count("failed", senders.failed))
}
