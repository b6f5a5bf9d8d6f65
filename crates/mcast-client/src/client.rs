//! The handout's multicast client, join, receive, print; and beside it what the handout lacks, a sender.

use std::{io::Read, os::fd::AsFd, thread, time::Instant};

use common::{
    event::{Event, Kind, Level},
    exit::{Exit, Failure, Summary, why},
    journal::Journal,
    multicast::{LONGEST, Membership, Receiver, hearing::Hearing},
    shutdown::Shutdown,
    typed::{Line, Lines},
};

use crate::sending::Senders;

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
    journal.record(Event::new(Kind::Ready).peer(receiver.group).text(joined));

    let clock = senders.clock.clone();
    let (hearing, typed, interrupted) = thread::scope(|scope| {
        let typing = || send_typed(Lines::new(input, LONGEST), &mut senders, journal, shutdown);
        let typist = thread::Builder::new()
            .name("typist".into())
            .spawn_scoped(scope, typing)
            .map_err(|error| Failure::could_not_run("start a thread", why(&error)))?;
        let heard = receive(
            &mut receiver,
            membership,
            Hearing::new(journal, clock),
            shutdown,
        );
        let interrupted = shutdown.requested();
        // The typist stops too.
        shutdown.request();
        let typed = typist
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        heard.map(|hearing| (hearing, typed, interrupted))
    })?;

    let exit = if interrupted { Exit::Done } else { typed };
    let received = hearing.received;
    let summary = hearing.finish(&mut receiver, &format!("{}; ", senders.cost()));
    Ok(membership.judge(senders.count(summary).exit(exit), received, interrupted))
}

fn receive<'a>(
    receiver: &mut Receiver,
    membership: &Membership,
    mut hearing: Hearing<'a>,
    shutdown: &Shutdown,
) -> Result<Hearing<'a>, Failure> {
    let until = membership
        .end_after
        .map(|end_after| Instant::now() + end_after);
    while membership.wanting(hearing.received) > 0 {
        match receiver.receive(until, shutdown) {
            Ok(Some(batch)) => hearing.take(&batch, membership.wanting(hearing.received)),
            Ok(None) => break,
            Err(error) => return Err(Failure::could_not_run("receive", why(&error))),
        }
        hearing.look_at(receiver);
    }
    Ok(hearing)
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
            Ok(Some(Line::Text(message))) => {
                if let Err(failure) = senders.send(&message, journal) {
                    senders.failed += 1;
                    journal.record(Event::failure(&failure));
                }
            }
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
