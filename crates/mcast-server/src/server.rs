//! The handout's multicast server: join, receive, print.

use std::time::Instant;

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary, why},
    journal::Journal,
    multicast::{Membership, Receiver, hearing::Hearing, stamp::Clock},
    shutdown::Shutdown,
};

/// Tells of every datagram until enough have come, the time is up, or a shutdown is requested.
///
/// # Errors
/// When the socket fails.
pub fn run(
    mut receiver: Receiver,
    membership: &Membership,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    journal.record(
        Event::new(Kind::Ready)
            .peer(receiver.group)
            .text(receiver.to_string()),
    );

    let until = membership
        .end_after
        .map(|end_after| Instant::now() + end_after);
    let mut hearing = Hearing::new(journal, Clock::default());
    while membership.wanting(hearing.received) > 0 {
        match receiver.receive(until, shutdown) {
            Ok(Some(batch)) => hearing.take(&batch, membership.wanting(hearing.received)),
            Ok(None) => break,
            Err(error) => return Err(Failure::could_not_run("receive", why(&error))),
        }
        hearing.look_at(&receiver);
    }

    let received = hearing.received;
    let summary = hearing.finish(&mut receiver, "");
    Ok(membership.judge(summary, received, shutdown.requested()))
}
