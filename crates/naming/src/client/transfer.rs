//! Zone transfers as a client (AXFR, RFC 5936): the whole zone, and from a server of this project the hard links in it.

use common::exit::Failure;
use domain::{
    base::{
        Message, MessageBuilder, ParsedName,
        iana::{Class, OptionCode, Rcode, Rtype},
        rdata::ComposeRecordData,
    },
    rdata::{AllRecordData, tsig::Time48},
    tsig::ClientSequence,
};

use super::Client;
use crate::dns::{answer::UDP_MAX, owner::Owner, shown, transfer::HARD_LINKS};

/// The most that a transfer takes, in bytes of its messages: a million names take about 50 MB.
const MOST_BYTES: usize = 512 << 20;

/// A record of a zone, of class IN.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZoneRecord {
    /// The owner.
    pub owner: Owner,
    /// The type.
    pub rtype: Rtype,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
    /// The data in canonical form (RFC 4034 section 6.2).
    pub data: Vec<u8>,
}

/// A zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transferred {
    /// Its SOA record.
    pub soa: ZoneRecord,
    /// Every other record.
    pub records: Vec<ZoneRecord>,
}

impl ZoneRecord {
    fn of(record: &domain::base::ParsedRecord<'_, &[u8]>) -> Option<Self> {
        let mut data = Vec::new();
        let whole = record
            .to_any_record::<AllRecordData<_, ParsedName<_>>>()
            .ok()?;
        whole
            .data()
            .compose_canonical_rdata(&mut data)
            .expect("a Vec has room for every record");
        (record.class() == Class::IN).then(|| Self {
            owner: Owner::of(&record.owner()),
            rtype: record.rtype(),
            ttl: record.ttl().as_secs(),
            data,
        })
    }
}

impl Client<'_> {
    /// Transfers a zone, with its hard links where the server knows them.
    ///
    /// # Errors
    /// When there is no answer, it is none, it is not signed as the query is, or the server refuses (exit code 2).
    pub fn transfer(&self, zone: &Owner) -> Result<Transferred, Failure> {
        let mut message = MessageBuilder::new_vec();
        message.header_mut().set_id(self.id()?);
        let full = "a Vec has room for every record";
        let mut question = message.question();
        question
            .push((zone.name(), Rtype::AXFR, Class::IN))
            .expect(full);
        let mut additional = question.additional();
        additional
            .opt(|opt| {
                opt.set_udp_payload_size(UDP_MAX);
                opt.push_raw_option(OptionCode::from_int(HARD_LINKS), 0, |_| Ok(()))
            })
            .expect(full);
        let mut signed = match &self.key {
            Some(key) => {
                let sequence = ClientSequence::request(key.clone(), &mut additional, Time48::now());
                Some(sequence.map_err(|_| self.failed("no room for a signature"))?)
            }
            None => None,
        };
        let query = additional.finish();
        let connection = self.connect_and_send(&query)?;
        let mut received = 0;
        let (mut soa, mut records) = (None, Vec::new());
        loop {
            let mut answer = self.receive(&connection, &query)?;
            received += answer.len();
            if received > MOST_BYTES {
                return Err(self.failed(format!("the zone is longer than {MOST_BYTES} bytes")));
            }
            if let Some(signed) = &mut signed {
                let mut message = Message::from_octets(answer)
                    .map_err(|_| self.failed("the answer is not a DNS message"))?;
                let rcode = message.header().rcode();
                signed
                    .answer(&mut message, Time48::now())
                    .map_err(|error| {
                        let rcode = shown::rcode(rcode);
                        self.failed(format!(
                            "the answer is not signed by the key: {rcode}; {error}"
                        ))
                    })?;
                answer = message.into_octets();
            }
            if self.take(zone, &answer, &mut soa, &mut records)? {
                break;
            }
        }
        if let Some(signed) = signed {
            let unsigned = |_| self.failed("the end of the answer is not signed by the key");
            signed.done().map_err(unsigned)?;
        }
        let soa = soa.ok_or_else(|| self.failed("a zone without a SOA record"))?;
        Ok(Transferred { soa, records })
    }

    /// Takes the records of a message; whether it is the last, which ends with the SOA record.
    fn take(
        &self,
        zone: &Owner,
        answer: &[u8],
        soa: &mut Option<ZoneRecord>,
        records: &mut Vec<ZoneRecord>,
    ) -> Result<bool, Failure> {
        let malformed = || self.failed(format!("a malformed transfer of {zone}"));
        let message = Message::from_octets(answer).map_err(|_| malformed())?;
        match message.header().rcode() {
            Rcode::NOERROR => {}
            Rcode::NOTAUTH => {
                return Err(self.failed(format!("it has no zone {zone}, or not the key")));
            }
            rcode => {
                let rcode = shown::rcode(rcode);
                return Err(self.failed(format!("it refuses the transfer of {zone}: {rcode}")));
            }
        }
        let section = message.answer().map_err(|_| malformed())?;
        let mut count = 0;
        for record in section {
            count += 1;
            let record = record.map_err(|_| malformed())?;
            let record = ZoneRecord::of(&record).ok_or_else(malformed)?;
            match soa {
                None if record.rtype == Rtype::SOA && record.owner == *zone => *soa = Some(record),
                None => return Err(malformed()),
                Some(first) if record.rtype == Rtype::SOA => {
                    return match record == *first {
                        true => Ok(true),
                        false => Err(malformed()),
                    };
                }
                Some(_) if !record.owner.is_in(zone) => return Err(malformed()),
                Some(_) => records.push(record),
            }
        }
        match count {
            0 => Err(malformed()),
            _ => Ok(false),
        }
    }
}
