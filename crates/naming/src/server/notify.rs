//! Telling the secondaries that the zones changed (NOTIFY, RFC 1996), so that they need not wait for their next question.

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

use super::{published::Published, warning};
use crate::dns::owner::Owner;

/// How long to wait for an answer before telling again; each time twice as long.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often a secondary is told of the same change.
const TRIES: u32 = 5;

/// How much time there is at least between two notices: a load of changes is told in few.
const PACE: Duration = Duration::from_millis(100);

/// One secondary that has not said yet that it knows of one zone's change.
struct Untold<'a> {
    secondary: SocketAddr,
    zone: &'a Owner,
    id: u16,
}

/// Tells every change until nobody is left who could make one.
pub(super) fn run(
    changes: &Receiver<()>,
    published: &Published,
    secondaries: &[SocketAddr],
    journal: &Journal,
    shutdown: &Shutdown,
) {
    let mut reader = published.reader();
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
        let mut untold: Vec<_> = secondaries
            .iter()
            .flat_map(|secondary| zones.all().map(|zone| (*secondary, zone)))
            .map(|(secondary, zone)| {
                next_id = next_id.wrapping_add(1);
                Untold {
                    secondary,
                    zone,
                    id: next_id,
                }
            })
            .collect();
        let begun = Instant::now();
        if let Err(error) = tell(&mut untold, changes, shutdown) {
            journal.record(warning(format!(
                "telling the secondaries: {}",
                common::exit::why(&error)
            )));
        }
        // A secondary that serves only the names has nothing to say of the addresses.
        for left in untold
            .iter()
            .filter(|left| *left.zone == zones.names && changes.is_empty() && !shutdown.requested())
        {
            journal.record(
                warning(format!(
                    "secondary {} does not answer: told {TRIES} times of a change",
                    left.secondary
                ))
                .peer(left.secondary),
            );
        }
        if shutdown.sleep(PACE.saturating_sub(begun.elapsed())) {
            return;
        }
    }
}

/// Tells those who have not answered, until all have, or there is something newer to tell.
fn tell(
    untold: &mut Vec<Untold>,
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
        for left in untold.iter() {
            if let Some(socket) = of(&left.secondary) {
                // A secondary that is not there refuses, and is told again.
                let _ = socket.send_to(&notice(left.zone, left.id), left.secondary);
            }
        }
        let until = Instant::now() + PATIENCE * 2_u32.pow(attempt);
        while Instant::now() < until {
            if untold.is_empty() || !changes.is_empty() || shutdown.requested() {
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
                        untold.retain(|left| {
                            left.id != answer.header().id() || left.secondary != from
                        });
                    }
                }
            }
        }
    }
    Ok(())
}

fn notice(zone: &Owner, id: u16) -> Vec<u8> {
    let mut message = MessageBuilder::new_vec();
    let header = message.header_mut();
    header.set_id(id);
    header.set_opcode(Opcode::NOTIFY);
    header.set_aa(true);
    let mut question = message.question();
    question
        .push((zone.name(), Rtype::SOA, Class::IN))
        .expect("a Vec takes all that is written");
    question.finish()
}
