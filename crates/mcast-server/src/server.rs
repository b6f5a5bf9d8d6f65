//! The handout's multicast server: join, receive, print.

use std::{net::SocketAddr, time::Instant};

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary, why},
    journal::Journal,
    multicast::{Membership, Receiver},
    shutdown::Shutdown,
    text::plural,
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
            .peer(SocketAddr::from(receiver.group))
            .text(receiver.to_string()),
    );

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

    let summary = Summary::done(format!(
        "stopped: {} received",
        plural(received, "datagram")
    ));
    Ok(membership
        .judge(summary, received, shutdown.requested())
        .count("received", received))
}
