//! What a client wants: a pure function of its message.

use domain::base::iana::{Class, Opcode, OptRcode, Rtype};

use crate::{
    dns::{
        owner::Owner,
        reply,
        request::Request,
        tsig::{Checked, SigningKeys, check, now},
    },
    resolver::Answer,
};

/// What is to be done with a message.
#[derive(Debug)]
pub(super) enum Wanted {
    /// This is the reply, with this code.
    Reply(Vec<u8>, OptRcode),
    /// These records are wanted; whether the server may ask others for them (RD).
    Records(Owner, Rtype, bool),
}

/// What a request wants.
pub(super) fn wanted(request: &Request<'_>, allowed: bool) -> Wanted {
    let code = |code: OptRcode| {
        let mut out = Vec::new();
        reply::code(request, code, None, &mut out);
        offer_recursion(&mut out);
        Wanted::Reply(out, code)
    };
    if request.signature.is_some() {
        // It has no keys.
        if let Checked::Refused(_, mut signer) = check(request, &SigningKeys::new(), now()) {
            let mut out = Vec::new();
            reply::code(request, OptRcode::NOTAUTH, Some(&mut signer), &mut out);
            return Wanted::Reply(out, OptRcode::NOTAUTH);
        }
        return code(OptRcode::NOTAUTH);
    }
    if !allowed {
        return code(OptRcode::REFUSED);
    }
    if request.opcode != Opcode::QUERY {
        return code(OptRcode::NOTIMP);
    }
    if !request.well_formed {
        return code(OptRcode::FORMERR);
    }
    if request.edns.is_some_and(|edns| edns.version > 0) {
        return code(OptRcode::BADVERS);
    }
    let rtype = request.rtype();
    let for_transfer = matches!(
        rtype,
        Rtype::AXFR | Rtype::IXFR | Rtype::MAILA | Rtype::MAILB | Rtype::OPT | Rtype::TSIG
    );
    if request.class() != Class::IN || for_transfer {
        return code(OptRcode::REFUSED);
    }
    let recursion = request.message[2] & 1 != 0;
    Wanted::Records(Owner::from_wire(request.name()), rtype, recursion)
}

/// The reply to a request for records.
pub(super) fn answered(request: &Request<'_>, answer: &Answer) -> Vec<u8> {
    let mut out = Vec::new();
    super::reply::write(request, answer, &mut out);
    offer_recursion(&mut out);
    out
}

/// The reply with this code alone.
pub(super) fn refused(request: &Request<'_>, code: OptRcode) -> Vec<u8> {
    let mut out = Vec::new();
    reply::code(request, code, None, &mut out);
    offer_recursion(&mut out);
    out
}

/// Sets RA: recursion is available.
fn offer_recursion(reply: &mut [u8]) {
    if let Some(flags) = reply.get_mut(3) {
        *flags |= 0x80;
    }
}
