//! Notifies the secondaries that the zones changed (NOTIFY, RFC 1996), so that they need not wait for their next refresh.

use std::{
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use common::{
    journal::Journal,
    net::{self, Interest},
    shutdown::Shutdown,
};
use crossbeam::{channel::Receiver, select};
use domain::base::{
    Message, MessageBuilder,
    iana::{Class, Opcode, Rtype},
};

use super::{events::warning, snapshot::ZoneSnapshot};
use crate::dns::owner::Owner;

/// How long to wait for an answer before the first retransmission; the wait doubles with each.
const TIMEOUT: Duration = Duration::from_millis(500);

/// How often a notice of the same change is sent.
const TRIES: u32 = 5;

/// The least time between two rounds of notices: many changes share one.
const INTERVAL: Duration = Duration::from_millis(100);

/// A notice that its secondary has not acknowledged yet.
struct Unacknowledged<'a> {
    secondary: SocketAddr,
    zone: &'a Owner,
    id: u16,
}

/// Sends notices until the registrar ends or a stop is requested.
pub(super) fn run(
    changes: &Receiver<()>,
    snapshot: &ZoneSnapshot,
    secondaries: &[SocketAddr],
    journal: &Journal,
    shutdown: &Shutdown,
) {
    let mut reader = snapshot.reader();
    let mut next_id = 1_u16;
    loop {
        select! {
            recv(changes) -> change => if change.is_err() { return },
            recv(shutdown.channel()) -> _ => return,
        }
        if secondaries.is_empty() {
            continue;
        }
        let zones = std::sync::Arc::clone(&reader.zone().zones);
        let mut pending: Vec<_> = secondaries
            .iter()
            .flat_map(|secondary| zones.all().map(|zone| (*secondary, zone)))
            .map(|(secondary, zone)| {
                next_id = next_id.wrapping_add(1);
                Unacknowledged {
                    secondary,
                    zone,
                    id: next_id,
                }
            })
            .collect();
        let begun = Instant::now();
        if let Err(error) = send(&mut pending, changes, shutdown) {
            journal.record(warning(format!(
                "notifying the secondaries: {}",
                common::exit::why(&error)
            )));
        }
        // A secondary that serves only the zone of the names does not answer for those of the addresses.
        for notice in pending.iter().filter(|notice| {
            *notice.zone == zones.names && changes.is_empty() && !shutdown.requested()
        }) {
            journal.record(
                warning(format!(
                    "secondary {} does not answer: notified {TRIES} times of a change",
                    notice.secondary
                ))
                .peer(notice.secondary),
            );
        }
        if shutdown.sleep(INTERVAL.saturating_sub(begun.elapsed())) {
            return;
        }
    }
}

/// Sends the pending notices until all are acknowledged, or there is a newer change.
fn send(
    pending: &mut Vec<Unacknowledged>,
    changes: &Receiver<()>,
    shutdown: &Shutdown,
) -> std::io::Result<()> {
    let bind = |any: &str| {
        let socket = UdpSocket::bind(any)?;
        socket.set_nonblocking(true)?;
        Ok::<_, std::io::Error>(socket)
    };
    let (v4, v6) = (bind("0.0.0.0:0")?, bind("[::]:0").ok());
    let of = |secondary: &SocketAddr| match secondary {
        SocketAddr::V4(_) => Some(&v4),
        SocketAddr::V6(_) => v6.as_ref(),
    };
    for attempt in 0..TRIES {
        for notice in pending.iter() {
            if let Some(socket) = of(&notice.secondary) {
                // An error of the last notice, such as a refused one, is no reason to stop: it is sent again.
                let _ = socket.send_to(&message(notice.zone, notice.id), notice.secondary);
            }
        }
        let until = Instant::now() + TIMEOUT * 2_u32.pow(attempt);
        while Instant::now() < until {
            if pending.is_empty() || !changes.is_empty() || shutdown.requested() {
                return Ok(());
            }
            let soon = until.min(Instant::now() + Duration::from_millis(20));
            net::wait(&v4, Interest::Read, Some(soon), Some(shutdown))?;
            for socket in [Some(&v4), v6.as_ref()].into_iter().flatten() {
                let mut buffer = [0; 512];
                while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                    if let Ok(answer) = Message::from_octets(&buffer[..length])
                        && answer.header().qr()
                    {
                        pending.retain(|notice| {
                            notice.id != answer.header().id() || notice.secondary != from
                        });
                    }
                }
            }
        }
    }
    Ok(())
}

fn message(zone: &Owner, id: u16) -> Vec<u8> {
    let mut message = MessageBuilder::new_vec();
    let header = message.header_mut();
    header.set_id(id);
    header.set_opcode(Opcode::NOTIFY);
    header.set_aa(true);
    let mut question = message.question();
    question
        .push((zone.name(), Rtype::SOA, Class::IN))
        .expect("a Vec has room for every record");
    question.finish()
}
