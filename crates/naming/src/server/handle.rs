//! What is not answered at once: signed messages, updates and transfers.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::Arc,
};

use common::{
    event::{Event, Kind},
    message::{Carrier, MessageId},
};
use crossbeam::channel::Sender;
use domain::{
    base::{
        Message, MessageBuilder,
        iana::{Rcode, TsigRcode},
    },
    rdata::tsig::{Time48, Tsig},
    tsig::{Key, ServerTransaction},
};

use super::{Job, Shared, registrar::Change};
use crate::dns::{
    answer::{self, Next, Transport},
    shown,
    transfer::sign,
    zone::Zone,
};

/// Who has verified a message.
pub(super) type Transaction = ServerTransaction<Arc<Key>>;

/// How an answer that comes later finds its way.
#[derive(Clone, Debug)]
pub(super) enum Back {
    /// From this socket.
    Udp(Arc<UdpSocket>),
    /// To the thread that has the connection.
    Tcp(Sender<Vec<u8>>),
}

/// What comes of a message.
pub(super) enum Handled {
    /// Nothing.
    Silence,
    /// This answer.
    Reply(Vec<u8>),
    /// The registrar answers.
    Later,
    /// A transfer, of the zones at this moment, of the message without its signature.
    Transfer(Vec<u8>, Option<Box<Transaction>>),
}

/// Deals with a message that [`answer::answer`] handed back.
pub(super) fn handle(
    shared: &Shared,
    zone: &Zone,
    message: &[u8],
    next: Next,
    peer: SocketAddr,
    back: Back,
) -> Handled {
    let transport = match back {
        Back::Udp(_) => Transport::Udp,
        Back::Tcp(_) => Transport::Tcp,
    };
    let refuse = |message: &[u8], rcode| Handled::Reply(answer::refusal(message, rcode));
    let Ok(mut whole) = Message::from_octets(message.to_vec()) else {
        return Handled::Silence;
    };
    let signature = signature(&whole);
    let transaction =
        match ServerTransaction::request(&shared.settings.keys, &mut whole, Time48::now()) {
            Ok(transaction) => transaction,
            Err(error) => {
                let code = error.error();
                let reply = error.build_message(&whole, MessageBuilder::new_vec());
                let (reply, code) = match reply {
                    Ok(reply) => with_right_code(reply.finish(), code),
                    Err(_) => return Handled::Silence,
                };
                shared.refused(peer, format_args!("signature from {peer} refused: {code}"));
                return Handled::Reply(reply);
            }
        };
    let last = answer::last_record(message);
    let mut message = whole.into_octets();
    if let (Some(_), Some(last)) = (&transaction, last) {
        // It is no longer counted, and still there.
        message.truncate(last);
    }
    let mut out = Vec::new();
    let next = match next {
        Next::Signed if transaction.is_none() => return refuse(&message, Rcode::FORMERR),
        Next::Signed => answer::answer(zone, &message, transport, &mut out),
        next => next,
    };
    let signed = |out: Vec<u8>, transaction: Option<Transaction>| match transaction {
        None => Handled::Reply(out),
        Some(transaction) => match sign(&out, transaction) {
            Ok(reply) => Handled::Reply(reply),
            Err(_) => refuse(&message, Rcode::SERVFAIL),
        },
    };
    match next {
        Next::Silence | Next::Signed => Handled::Silence,
        Next::Answer => signed(out, transaction),
        Next::Update => {
            if transaction.is_none() && !peer.ip().to_canonical().is_loopback() {
                shared.counts.add(|counts| &counts.refused, 1);
                shared.refused(
                    peer,
                    format_args!(
                        "update from {peer} refused: it is not signed and not from this machine"
                    ),
                );
                return refuse(&message, Rcode::REFUSED);
            }
            let carrier = match transport {
                Transport::Udp => Carrier::Udp,
                Transport::Tcp => Carrier::Tcp,
            };
            // An update is told as the registration that it makes, and that follows from this.
            let received = received(shared, carrier, &message, peer);
            shared.journal.record(received);
            let change = Change {
                answer: MessageId::new(carrier, shared.address, peer, shown::number(&message)),
                message,
                transaction,
                signature,
                peer,
                back,
            };
            match shared.jobs.try_send(Job::Change(Box::new(change))) {
                Ok(()) => Handled::Later,
                // Whoever gets no answer asks again.
                Err(_) => Handled::Silence,
            }
        }
        Next::Transfer => {
            let Some((apex, rtype)) = answer::transferred(zone, &message) else {
                return refuse(&message, Rcode::NOTAUTH);
            };
            let ip = peer.ip().to_canonical();
            if transaction.is_none() && !ip.is_loopback() && !shared.transfers_to.contains(&ip) {
                shared.refused(
                    peer,
                    format_args!(
                        "transfer to {peer} refused: neither signed, nor listed, nor this machine"
                    ),
                );
                return refuse(&message, Rcode::REFUSED);
            }
            match transport {
                Transport::Tcp => Handled::Transfer(message, transaction.map(Box::new)),
                // The newest SOA record: whoever has an older one comes back over TCP (RFC 1995 section 2).
                Transport::Udp if rtype == domain::base::iana::Rtype::IXFR => {
                    let soa = answer::soa(zone, apex.as_slice()).unwrap_or_default();
                    signed(soa_only(&message, zone.ttl, soa), transaction)
                }
                Transport::Udp => signed(answer::refusal(&message, Rcode::FORMERR), transaction),
            }
        }
    }
}

/// A wrong signature is BADSIG (RFC 8945 section 5.2.2), where `domain` says FORMERR in the record of the signature.
fn with_right_code(mut reply: Vec<u8>, code: TsigRcode) -> (Vec<u8>, TsigRcode) {
    let not_authentic = reply
        .get(3)
        .is_some_and(|flags| flags & 15 == Rcode::NOTAUTH.to_int());
    // The code is the last thing in the record but for the length of nothing.
    if let (TsigRcode::FORMERR, true, [.., high, low, 0, 0]) =
        (code, not_authentic, reply.as_mut_slice())
    {
        [*high, *low] = TsigRcode::BADSIG.to_int().to_be_bytes();
        return (reply, TsigRcode::BADSIG);
    }
    (reply, code)
}

/// An answer with the SOA record alone, under the name of the question.
fn soa_only(message: &[u8], ttl: u32, soa: &[u8]) -> Vec<u8> {
    let mut out = answer::refusal(message, Rcode::NOERROR);
    if out.len() > 12 {
        out[2] |= 4;
        out[7] = 1;
        out.extend([0xc0, 12, 0, 6, 0, 1]);
        out.extend(ttl.to_be_bytes());
        out.extend((soa.len() as u16).to_be_bytes());
        out.extend(soa);
    }
    out
}

/// When a message was signed, in seconds since 1970, and its signature.
fn signature(message: &Message<Vec<u8>>) -> Option<(u64, Vec<u8>)> {
    let last = message.get_last_additional::<Tsig<_, domain::base::ParsedName<_>>>()?;
    let signed_at: [u8; 6] = last.data().time_signed().into_octets();
    let signed_at = signed_at
        .iter()
        .fold(0, |time, byte| time << 8 | u64::from(*byte));
    Some((signed_at, last.data().mac().to_vec()))
}

/// A query and its answer as two events. It is called before the answer goes, so that no clock shows it received before.
pub(super) fn tell(
    shared: &Shared,
    carrier: Carrier,
    query: &[u8],
    reply: &[u8],
    peer: SocketAddr,
) {
    let received = received(shared, carrier, query, peer);
    let asked = received.text.clone().unwrap_or_default();
    let id = MessageId::new(carrier, shared.address, peer, shown::number(query));
    let sent = Event::new(Kind::Send)
        .peer(peer)
        .message(id)
        .resolved(asked, shown::outcome(reply));
    shared.journal.record(received);
    shared.journal.record(of_bytes(sent, reply));
}

/// A message that came.
fn received(shared: &Shared, carrier: Carrier, message: &[u8], peer: SocketAddr) -> Event {
    let (name, rtype) = shown::question(message)
        .unwrap_or_else(|| ("a malformed message".into(), domain::base::iana::Rtype::ANY));
    let id = MessageId::new(carrier, peer, shared.address, shown::number(message));
    let event = Event::new(Kind::Receive).peer(peer).message(id);
    of_bytes(event.text(format!("{name} {rtype}")), message)
}

/// The same event, of a message of this length.
pub(super) fn of_bytes(event: Event, message: &[u8]) -> Event {
    Event {
        bytes: Some(message.len() as u64),
        ..event
    }
}
