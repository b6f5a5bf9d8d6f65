//! DNS messages in words.

use std::net::IpAddr;

use common::text::visible;
use domain::{
    base::{
        Message, ParsedName, Record,
        iana::{Class, Rcode, Rtype, TsigRcode},
        rdata::{ComposeRecordData, ParseAnyRecordData},
    },
    dep::octseq::Parser,
    rdata::{AllRecordData, Tsig},
};

use super::owner::Owner;
use crate::value::{Service, Text};

/// A record of any type.
pub type AnyRecord<'a> =
    Record<ParsedName<&'a [u8]>, AllRecordData<&'a [u8], ParsedName<&'a [u8]>>>;

/// The records of a message's answer; none when it cannot be read.
pub fn answers(message: &[u8]) -> Vec<AnyRecord<'_>> {
    let read = || {
        let message = Message::from_octets(message).ok()?;
        let records = message.answer().ok()?;
        records
            .map(|record| record.ok()?.into_any_record().ok())
            .collect::<Option<Vec<_>>>()
    };
    read().unwrap_or_default()
}

/// The records of authority of a message; none when they cannot be read.
fn authority(message: &[u8]) -> Vec<AnyRecord<'_>> {
    let read = || {
        let message = Message::from_octets(message).ok()?;
        let records = message.authority().ok()?;
        records
            .map(|record| record.ok()?.into_any_record().ok())
            .collect::<Option<Vec<_>>>()
    };
    read().unwrap_or_default()
}

/// The records of an answer that are about the name asked for, and their owner: from the name through CNAME and DNAME
/// records (RFC 1034 section 3.6.2, RFC 6672 section 3.4) to the last name. Every record must belong to that chain.
///
/// # Errors
/// When the answer cannot be read, has a record of another name or class, or goes round in a circle.
pub fn chain<'m>(
    message: &'m [u8],
    asked: &Owner,
    rtype: Rtype,
) -> Result<Vec<AnyRecord<'m>>, String> {
    let read = || {
        let message = Message::from_octets(message).ok()?;
        let records = message.answer().ok()?;
        records
            .map(|record| record.ok()?.into_any_record().ok())
            .collect::<Option<Vec<AnyRecord<'m>>>>()
    };
    let records = read().ok_or("a malformed answer")?;
    let owners: Vec<Owner> = records
        .iter()
        .map(|record| Owner::of(record.owner()))
        .collect();
    let mut explained = vec![false; records.len()];
    let mut name = asked.clone();
    // Every step uses a CNAME record, or a DNAME record and a shorter or a different name: more steps are a circle.
    for _ in 0..=records.len().max(1) * 2 {
        let here = |index: &usize| owners[*index] == name;
        let (mut found, mut alias) = (false, None);
        for index in (0..records.len()).filter(here) {
            explained[index] = true;
            found |= records[index].rtype() == rtype || rtype == Rtype::ANY;
            if let AllRecordData::Cname(target) = records[index].data() {
                alias = Some(Owner::of(target.cname()));
            }
        }
        let dname = (0..records.len()).find_map(|index| match records[index].data() {
            AllRecordData::Dname(target) if name != owners[index] => {
                let to = Owner::of(target.dname());
                name.rebased(&owners[index], &to).map(|to| (index, to))
            }
            _ => None,
        });
        if let Some((index, target)) = dname {
            explained[index] = true;
            if alias.as_ref().is_some_and(|alias| *alias != target) {
                return Err(format!(
                    "{name} is not the alias that its DNAME record says"
                ));
            }
            alias = alias.or((!found).then_some(target));
        }
        match alias {
            Some(target) if !found => name = target,
            _ => {
                if let Some(other) = (0..records.len()).find(|index| !explained[*index]) {
                    return Err(format!(
                        "the answer has a record of {}, which was not asked for",
                        owners[other]
                    ));
                }
                if records.iter().any(|record| record.class() != Class::IN) {
                    return Err("the answer has a record of another class".into());
                }
                let wanted = |record: &AnyRecord<'_>| {
                    Owner::of(record.owner()) == name
                        && (record.rtype() == rtype || rtype == Rtype::ANY)
                };
                return Ok(records.into_iter().filter(wanted).collect());
            }
        }
    }
    Err("the aliases of the answer form a circle".into())
}

/// The data of a record: `192.168.1.2`, a text without its quotes, or as zone files write it.
pub fn data(record: &AnyRecord<'_>) -> String {
    words(record.data())
}

/// The same, of data of this type whose names are uncompressed.
pub fn raw(rtype: Rtype, data: &[u8]) -> String {
    let mut parser = Parser::from_ref(data);
    let parsed = AllRecordData::parse_any_rdata(rtype, &mut parser);
    parsed.map_or_else(|_| "malformed".into(), |data| words(&data))
}

fn words(data: &AllRecordData<&[u8], ParsedName<&[u8]>>) -> String {
    let text = match data {
        AllRecordData::Txt(text) => {
            let text = Text::from_record(&composed(text));
            return text.map_or_else(String::new, |text| text.shown());
        }
        AllRecordData::Srv(service) => {
            let service = Service::from_record(&composed(service));
            service.map_or_else(String::new, |service| service.to_string())
        }
        AllRecordData::Cname(name) => format!("alias of {}.", name.cname()),
        AllRecordData::Dname(name) => format!("alias of {}.", name.dname()),
        AllRecordData::Ptr(name) => format!("{}.", name.ptrdname()),
        AllRecordData::Ns(name) => format!("{}.", name.nsdname()),
        other => other.to_string(),
    };
    visible(text.as_bytes())
}

/// The data of a record, with its names uncompressed.
fn composed(data: &impl ComposeRecordData) -> Vec<u8> {
    let mut composed = Vec::new();
    data.compose_canonical_rdata(&mut composed)
        .expect("a Vec has room for every record");
    composed
}

/// The zone cut that an answer refers to, and the addresses of its servers in the answer (RFC 1034 section 4.3.1): it has no answer
/// and no authority, but an NS record. None when it is no referral.
pub fn referral(answer: &[u8]) -> Option<(Owner, Vec<IpAddr>)> {
    let message = Message::from_octets(answer).ok()?;
    let header = message.header();
    if header.aa() || header.rcode() != Rcode::NOERROR || message.header_counts().ancount() > 0 {
        return None;
    }
    let first = message.authority().ok()?.next()?.ok()?;
    let cut = (first.rtype() == Rtype::NS).then(|| Owner::of(&first.owner()))?;
    let additional = message.additional().ok()?;
    let addresses = additional.filter_map(|record| {
        let record: AnyRecord<'_> = record.ok()?.into_any_record().ok()?;
        match record.data() {
            AllRecordData::A(address) => Some(address.addr().into()),
            AllRecordData::Aaaa(address) => Some(address.addr().into()),
            _ => None,
        }
    });
    Some((cut, addresses.collect()))
}

/// The result of a query, in a few words: `192.168.1.2`, `NXDOMAIN`, `no record of this type`.
pub fn outcome(answer: &[u8]) -> String {
    let Ok(message) = Message::from_octets(answer) else {
        return "not a message".into();
    };
    let header = message.header();
    if header.rcode() != Rcode::NOERROR {
        return rcode(header.rcode());
    }
    if header.tc() {
        return "too long for UDP".into();
    }
    if let Some((cut, servers)) = referral(answer) {
        let mut servers: Vec<_> = servers.iter().map(ToString::to_string).collect();
        if servers.is_empty() {
            // Without glue, the names of the servers.
            servers = authority(answer).iter().map(data).collect();
        }
        return format!("{cut} is delegated to {}", servers.join(", "));
    }
    let records: Vec<_> = answers(answer).iter().map(data).collect();
    match records.len() {
        0 => "no record of this type".into(),
        1..=4 => records.join(", "),
        count => format!("{}, and {} more", records[..3].join(", "), count - 3),
    }
}

/// The word for a code: `NXDOMAIN`.
pub fn rcode(rcode: Rcode) -> String {
    rcode.to_string()
}

/// The code of TSIG in a message whose last record is a signature (RFC 8945 section 3).
pub fn tsig_error(message: &[u8]) -> Option<TsigRcode> {
    let message = Message::from_octets(message).ok()?;
    let last = message.get_last_additional::<Tsig<_, ParsedName<_>>>()?;
    Some(last.data().error())
}

/// The identifier in a message's header.
pub fn number(message: &[u8]) -> u64 {
    let number = message.first_chunk().copied();
    number.map_or(0, |number| u64::from(u16::from_be_bytes(number)))
}

/// The question of a message: `server1.flat.lab. A`.
pub fn question(message: &[u8]) -> Option<(String, Rtype)> {
    let message = Message::from_octets(message).ok()?;
    let question = message.first_question()?;
    let name = question.qname().to_string();
    let dot = if name.ends_with('.') { "" } else { "." };
    Some((visible(format!("{name}{dot}").as_bytes()), question.qtype()))
}
