//! The messages that need more than a look-up: signed messages, updates and transfers.

use common::message::{Carrier, MessageId};
use domain::base::iana::{Rcode, Rtype};

use super::{
    context::{Client, Context},
    events,
    job::{Job, ReplyTo, UpdateJob},
};
use crate::dns::{
    answer::{self, Next, respond},
    owner::Owner,
    reply,
    request::{Request, Transport},
    shown, transfer,
    tsig::{self, Checked, Signer, check},
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
    /// It asks for the transfer of a zone; the message without its signature, and what signs the answers.
    Transfer(Owner, Vec<u8>, Option<Box<Signer>>),
}

/// Handles a message that [`answer::answer`] does not answer itself.
pub(super) fn handle(
    context: &Context,
    zone: &Zone,
    message: &[u8],
    next: Next,
    client: Client,
    reply_to: ReplyTo,
) -> Disposition {
    let (transport, peer) = (reply_to.transport(), client.peer);
    let Some(request) = Request::read(message, transport) else {
        return Disposition::Ignore;
    };
    let mut out = Vec::new();
    let (message, mut signed) = match next {
        Next::Signed => match check(&request, &context.settings.keys, tsig::now()) {
            Checked::Verified(verified) => {
                let identity = (verified.signed_at, verified.mac);
                (verified.message, Some((verified.signer, identity)))
            }
            Checked::Malformed => {
                context.log_refusal(peer, format_args!("signature from {peer} refused: FORMERR"));
                reply::code(&request, Rcode::FORMERR, None, &mut out);
                return Disposition::Reply(out);
            }
            Checked::Refused(code, mut signer) => {
                context.log_refusal(peer, format_args!("signature from {peer} refused: {code}"));
                reply::code(&request, Rcode::NOTAUTH, Some(&mut signer), &mut out);
                return Disposition::Reply(out);
            }
        },
        _ => (message.to_vec(), None),
    };
    let Some(request) = Request::read(&message, transport) else {
        return Disposition::Ignore;
    };
    let mut signer = signed.as_mut().map(|(signer, _)| signer);
    let next = match next {
        Next::Signed => respond(zone, &request, signer.as_deref_mut(), &mut out),
        next => next,
    };
    let ip = peer.ip().to_canonical();
    let refused = match next {
        Next::Ignore | Next::Signed => return Disposition::Ignore,
        Next::Answer => return Disposition::Reply(out),
        Next::Update if signer.is_none() && !ip.is_loopback() => {
            context.counts.add(|counts| &counts.refused, 1);
            context.log_refusal(
                peer,
                format_args!(
                    "update from {peer} refused: it is not signed and not from this machine"
                ),
            );
            Rcode::REFUSED
        }
        Next::Update => {
            let carrier = match transport {
                Transport::Udp => Carrier::Udp,
                Transport::Tcp => Carrier::Tcp,
            };
            // The registration that follows is logged by the registrar.
            let received = events::received(client.asked, carrier, &message, peer);
            context.journal.record(received);
            let number = shown::number(&message);
            let update = UpdateJob {
                answer: MessageId::new(carrier, client.asked, peer, number),
                message,
                signed,
                peer,
                reply_to,
            };
            return match context.jobs.try_send(Job::Update(Box::new(update))) {
                Ok(()) => Disposition::Deferred,
                // A client without an answer sends the update again.
                Err(_) => Disposition::Ignore,
            };
        }
        Next::Transfer => match answer::transferred(zone, &request) {
            None => Rcode::NOTAUTH,
            Some(_) if signer.is_none() && !ip.is_loopback() && !context.may_transfer(peer) => {
                context.log_refusal(
                    peer,
                    format_args!(
                        "transfer to {peer} refused: neither signed, nor listed, nor this machine"
                    ),
                );
                Rcode::REFUSED
            }
            Some(apex) if transport == Transport::Tcp => {
                let signer = signed.map(|(signer, _)| Box::new(signer));
                return Disposition::Transfer(apex.clone(), message, signer);
            }
            // A secondary that gets no more than a newer SOA record asks again over TCP (RFC 1995 section 2).
            Some(apex) if request.rtype() == Rtype::IXFR => {
                transfer::over_udp(zone, apex, &request, signer, &mut out);
                return Disposition::Reply(out);
            }
            Some(_) => Rcode::FORMERR,
        },
    };
    reply::code(&request, refused, signer, &mut out);
    Disposition::Reply(out)
}
