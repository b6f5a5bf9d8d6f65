//! Zone transfers: AXFR (RFC 5936) and IXFR (RFC 1995), signed when the query is.
//!
//! A zone does not say which names are hard links of one leaf. A client that has to know asks with an option of EDNS(0).

use std::{cmp::Ordering, io};

use super::{
    difference::compare_serials,
    history::Change,
    mark::with_serial,
    own_case::OwnCase,
    owner::{Owner, suffix_at},
    reply::{self, Content},
    request::Request,
    tsig::Signer,
    update::HARD_LINK,
    zone::{Records, Zone},
};
use domain::{
    base::{
        Message, MessageBuilder, Name, ParsedName, Record, Ttl,
        iana::{Class, OptionCode, Rcode, Rtype},
        opt::UnknownOptData,
        rdata::UnknownRecordData,
    },
    rdata::Soa,
};

/// The size of a transfer's messages, in bytes: the pointers of name compression reach the first 16,384.
const MESSAGE: usize = 16_000;

/// The room for an OPT record and a signature.
const SIGNATURE: usize = 512;

/// The option of EDNS(0), from the range for local use (RFC 6891 section 9), by which a client asks for the hard links with the
/// zone. They follow the other records, each as [`HARD_LINK`].
pub const HARD_LINKS: u16 = 65_280;

/// Names that are hard links, each with the first name of its leaf.
pub type HardLinks = Vec<(Owner, Owner)>;

type Building = domain::base::message_builder::AnswerBuilder<OwnCase>;

/// Writes a zone as a series of messages, each passed to `send`: the SOA record, every other record, and the SOA record
/// again. An IXFR gets the SOA record alone, or the recent changes between two of them, where that is possible. Returns the number of records.
///
/// # Errors
/// When `send` fails, or a record does not fit in a message.
pub fn transfer(
    zone: &Zone,
    apex: &Owner,
    request: &Request,
    signer: Option<&mut Signer>,
    send: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<u64> {
    transfer_with(zone, apex, &HardLinks::new(), request, signer, send)
}

/// Whether the client asks for the hard links of the zone.
pub fn asks_for_hard_links(request: &Request) -> bool {
    if request.rtype() != Rtype::AXFR || request.edns.is_none() {
        return false;
    }
    let opt = Message::from_slice(request.message).map(Message::opt);
    let Ok(Some(opt)) = opt else { return false };
    let mut options = opt.opt().iter::<UnknownOptData<_>>();
    options
        .any(|option| option.is_ok_and(|option| option.code() == OptionCode::from_int(HARD_LINKS)))
}

/// The same with these hard links behind the other records of a whole zone.
///
/// # Errors
/// As [`transfer`].
pub fn transfer_with(
    zone: &Zone,
    apex: &Owner,
    links: &HardLinks,
    request: &Request,
    signer: Option<&mut Signer>,
    mut send: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<u64> {
    let question = Message::from_slice(request.message).map_err(io::Error::other)?;
    let mut sending = Sending {
        building: Some(begin(question)?),
        question,
        request,
        signer,
        send: &mut send,
        count: 0,
    };
    let soa = super::answer::soa(zone, apex.as_slice()).unwrap_or_default();
    sending.push(apex.as_slice(), Rtype::SOA, zone.ttl, soa)?;
    match step(zone, apex, request) {
        Step::Whole => {}
        Step::Nothing => {
            sending.flush()?;
            return Ok(sending.count);
        }
        Step::Changes(changes) => {
            for change in changes {
                for (serial, all) in [
                    (change.from, &change.difference.removed),
                    (change.to, &change.difference.added),
                ] {
                    let soa = with_serial(soa, serial);
                    sending.push(apex.as_slice(), Rtype::SOA, zone.ttl, &soa)?;
                    for (owner, records) in all {
                        for (rtype, ttl, data) in Records(records).timed(zone.ttl) {
                            sending.push(owner.as_slice(), rtype, ttl, data)?;
                        }
                    }
                }
            }
            sending.push(apex.as_slice(), Rtype::SOA, zone.ttl, soa)?;
            sending.flush()?;
            return Ok(sending.count);
        }
    }
    let mut failed = None;
    zone.each(|name, records| {
        if failed.is_none() && suffix_at(name, apex.as_slice()).is_some() {
            let mut others = records
                .timed(zone.ttl)
                .filter(|(rtype, ..)| *rtype != Rtype::SOA);
            failed = others
                .try_for_each(|(rtype, ttl, data)| sending.push(name, rtype, ttl, data))
                .err();
        }
    });
    failed.map_or(Ok(()), Err)?;
    for (name, first) in links {
        sending.push(name.as_slice(), HARD_LINK, zone.ttl, first.as_slice())?;
    }
    sending.push(apex.as_slice(), Rtype::SOA, zone.ttl, soa)?;
    sending.flush()?;
    Ok(sending.count)
}

/// Answers an IXFR over UDP: the recent changes where one message has room for them, otherwise the SOA record alone (RFC 1995
/// section 2). The answer replaces the content of `out`.
pub fn over_udp(
    zone: &Zone,
    apex: &Owner,
    request: &Request,
    signer: Option<&mut Signer>,
    out: &mut Vec<u8>,
) {
    let signature = signer.as_ref().map_or(0, |signer| signer.length());
    if let Step::Changes(changes) = step(zone, apex, request)
        && changes
            .iter()
            .map(|change| change.difference.size())
            .sum::<usize>()
            <= MOST_OVER_UDP
    {
        // What is sent has to be known before it is signed.
        let mut parts = Vec::new();
        let collected = transfer(zone, apex, request, None, |part| {
            parts.push(part.to_vec());
            Ok(())
        });
        let fits = |part: &[u8]| part[2] & 2 == 0 && part.len() + signature <= request.limit();
        if let (Ok(_), [part]) = (collected, parts.as_slice())
            && fits(part)
        {
            let sent = transfer(zone, apex, request, signer, |part| {
                out.clear();
                out.extend(part);
                Ok(())
            });
            debug_assert!(sent.is_ok(), "it was composed before");
            return;
        }
    }
    super::answer::soa_alone(zone, request, apex.as_slice(), signer, out);
}

/// Above this size, as [`Difference::size`](super::difference::Difference::size) has it, changes are too long for UDP in any
/// case.
const MOST_OVER_UDP: usize = 8 << 10;

/// What a transfer consists of, behind the first SOA record.
enum Step<'z> {
    /// The whole zone.
    Whole,
    /// Nothing: the client has this serial, or a newer one (RFC 1995 section 2).
    Nothing,
    /// What has changed since the client's serial.
    Changes(&'z [std::sync::Arc<Change>]),
}

fn step<'z>(zone: &'z Zone, apex: &Owner, request: &Request) -> Step<'z> {
    let Some(serial) = client_serial(request) else {
        return Step::Whole;
    };
    let index = zone.zones.index(apex.as_slice()).unwrap_or(0);
    match compare_serials(serial, zone.serials[index]) {
        Some(Ordering::Equal | Ordering::Greater) => Step::Nothing,
        _ => zone.histories[index]
            .since(serial)
            .map_or(Step::Whole, Step::Changes),
    }
}

/// The serial that the client of an IXFR has: that of the SOA record in the authority section (RFC 1995 section 3).
fn client_serial(request: &Request) -> Option<u32> {
    if request.rtype() != Rtype::IXFR {
        return None;
    }
    let message = Message::from_slice(request.message).ok()?;
    let mut soas = message
        .authority()
        .ok()?
        .limit_to::<Soa<ParsedName<&[u8]>>>();
    Some(soas.next()?.ok()?.data().serial().into_int())
}

/// A transfer in progress.
struct Sending<'a, S> {
    question: &'a Message<[u8]>,
    request: &'a Request<'a>,
    /// The message that is being written.
    building: Option<Building>,
    signer: Option<&'a mut Signer>,
    send: &'a mut S,
    count: u64,
}

impl<S: FnMut(&[u8]) -> io::Result<()>> Sending<'_, S> {
    fn push(&mut self, owner: &[u8], rtype: Rtype, ttl: u32, data: &[u8]) -> io::Result<()> {
        let owner = Name::from_octets(owner).map_err(io::Error::other)?;
        let data = UnknownRecordData::from_octets(rtype, data).map_err(io::Error::other)?;
        let record = Record::new(owner, Class::IN, Ttl::from_secs(ttl), data);
        self.count += 1;
        if let Some(building) = &mut self.building
            && building.push(&record).is_ok()
        {
            return Ok(());
        }
        self.flush()?;
        let building = self.building.insert(begin(self.question)?);
        // A record larger than MESSAGE gets a larger message.
        building.set_push_limit(usize::from(u16::MAX) - SIGNATURE);
        let pushed = building.push(&record);
        building.set_push_limit(MESSAGE);
        pushed.map_err(|_| io::Error::other("a record does not fit in a message"))
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(building) = self.building.take() else {
            return Ok(());
        };
        let content = Content {
            answers: building.counts().ancount(),
            authoritative: true,
            ..Content::code(Rcode::NOERROR)
        };
        let mut whole = building.finish().into_target();
        reply::finish(
            self.request,
            content,
            self.signer.as_deref_mut(),
            &mut whole,
        );
        (self.send)(&whole)
    }
}

fn begin(question: &Message<[u8]>) -> io::Result<Building> {
    let target = OwnCase::with_capacity(MESSAGE + SIGNATURE);
    let mut builder = MessageBuilder::from_target(target).map_err(io::Error::other)?;
    builder.set_push_limit(MESSAGE);
    builder
        .start_answer(question, Rcode::NOERROR)
        .map_err(io::Error::other)
}
