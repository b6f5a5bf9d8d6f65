//! The messages that need more than a look-up: signed messages, updates and transfers.

use std::net::SocketAddr;

use common::message::{Carrier, MessageId};
use domain::{
    base::{
        Message, MessageBuilder,
        iana::{Rcode, TsigRcode},
    },
    rdata::tsig::{Time48, Tsig},
    tsig::ServerTransaction,
};

use super::{
    context::Context,
    events,
    job::{Job, ReplyTo, Transaction, UpdateJob},
};
use crate::dns::{
    answer::{self, Next, Transport},
    shown,
    transfer::sign,
    zone::Zone,
};

/// How a message is disposed of.
pub(super) enum Disposition {
    /// It is not answered.
    Ignore,
    /// This is the answer.
    Reply(Vec<u8>),
    /// The registrar answers it.
    Deferred,
    /// It asks for a transfer; the message without its signature.
    Transfer(Vec<u8>, Option<Box<Transaction>>),
}

/// Handles a message that [`answer::answer`] does not answer itself.
pub(super) fn handle(
    context: &Context,
    zone: &Zone,
    message: &[u8],
    next: Next,
    peer: SocketAddr,
    reply_to: ReplyTo,
) -> Disposition {
    let transport = match reply_to {
        ReplyTo::Udp(_) => Transport::Udp,
        ReplyTo::Tcp(_) => Transport::Tcp,
    };
    let refuse = |message: &[u8], rcode| Disposition::Reply(answer::refusal(message, rcode));
    let Ok(mut whole) = Message::from_octets(message.to_vec()) else {
        return Disposition::Ignore;
    };
    let signature = signature(&whole);
    let transaction =
        match ServerTransaction::request(&context.settings.keys, &mut whole, Time48::now()) {
            Ok(transaction) => transaction,
            Err(error) => {
                let code = error.error();
                let reply = error.build_message(&whole, MessageBuilder::new_vec());
                let (reply, code) = match reply {
                    Ok(reply) => with_badsig(reply.finish(), code),
                    Err(_) => return Disposition::Ignore,
                };
                context.log_refusal(peer, format_args!("signature from {peer} refused: {code}"));
                return Disposition::Reply(reply);
            }
        };
    let last = answer::last_record(message);
    let mut message = whole.into_octets();
    if let (Some(_), Some(last)) = (&transaction, last) {
        // The signature is no longer counted, but its bytes are still there.
        message.truncate(last);
    }
    let mut out = Vec::new();
    let next = match next {
        Next::Signed if transaction.is_none() => return refuse(&message, Rcode::FORMERR),
        Next::Signed => answer::answer(zone, &message, transport, &mut out),
        next => next,
    };
    let signed = |out: Vec<u8>, transaction: Option<Transaction>| match transaction {
        None => Disposition::Reply(out),
        Some(transaction) => match sign(&out, transaction) {
            Ok(reply) => Disposition::Reply(reply),
            Err(_) => refuse(&message, Rcode::SERVFAIL),
        },
    };
    match next {
        Next::Ignore | Next::Signed => Disposition::Ignore,
        Next::Answer => signed(out, transaction),
        Next::Update => {
            if transaction.is_none() && !peer.ip().to_canonical().is_loopback() {
                context.counts.add(|counts| &counts.refused, 1);
                context.log_refusal(
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
            // The registration that follows is logged by the registrar.
            let received = events::received(context.address, carrier, &message, peer);
            context.journal.record(received);
            let update = UpdateJob {
                answer: MessageId::new(carrier, context.address, peer, shown::number(&message)),
                message,
                transaction,
                signature,
                peer,
                reply_to,
            };
            match context.jobs.try_send(Job::Update(Box::new(update))) {
                Ok(()) => Disposition::Deferred,
                // A client without an answer sends the update again.
                Err(_) => Disposition::Ignore,
            }
        }
        Next::Transfer => {
            let Some((apex, rtype)) = answer::transferred(zone, &message) else {
                return refuse(&message, Rcode::NOTAUTH);
            };
            let ip = peer.ip().to_canonical();
            if transaction.is_none() && !ip.is_loopback() && !context.transfers_to.contains(&ip) {
                context.log_refusal(
                    peer,
                    format_args!(
                        "transfer to {peer} refused: neither signed, nor listed, nor this machine"
                    ),
                );
                return refuse(&message, Rcode::REFUSED);
            }
            match transport {
                Transport::Tcp => Disposition::Transfer(message, transaction.map(Box::new)),
                // The newest SOA record: a secondary with an older one asks again over TCP (RFC 1995 section 2).
                Transport::Udp if rtype == domain::base::iana::Rtype::IXFR => {
                    let soa = answer::soa(zone, apex.as_slice()).unwrap_or_default();
                    signed(soa_only(&message, zone.ttl, soa), transaction)
                }
                Transport::Udp => signed(answer::refusal(&message, Rcode::FORMERR), transaction),
            }
        }
    }
}

/// A wrong signature is BADSIG (RFC 8945 section 5.2.2); `domain` writes FORMERR to the record of the signature instead.
fn with_badsig(mut reply: Vec<u8>, code: TsigRcode) -> (Vec<u8>, TsigRcode) {
    let not_authentic = reply
        .get(3)
        .is_some_and(|flags| flags & 15 == Rcode::NOTAUTH.to_int());
    // The code comes last in the record, before the length of the other data, which is 0.
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
