//! DNS messages in words.

use common::text::visible;
use domain::{
    base::{
        Message, ParsedName, Record,
        iana::{Rcode, Rtype},
        rdata::ComposeRecordData,
    },
    rdata::AllRecordData,
};

use crate::value::Text;

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

/// The data of a record: `192.168.1.2`, a text without its quotes, or as zone files write it.
pub fn data(record: &AnyRecord<'_>) -> String {
    let text = match record.data() {
        AllRecordData::Txt(text) => {
            let mut data = Vec::new();
            text.compose_rdata(&mut data)
                .expect("a Vec has room for every record");
            return Text::from_record(&data).map_or_else(String::new, |text| text.shown());
        }
        AllRecordData::Cname(name) => format!("alias of {}.", name.cname()),
        AllRecordData::Dname(name) => format!("alias of {}.", name.dname()),
        AllRecordData::Ptr(name) => format!("{}.", name.ptrdname()),
        AllRecordData::Ns(name) => format!("{}.", name.nsdname()),
        other => other.to_string(),
    };
    visible(text.as_bytes())
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
