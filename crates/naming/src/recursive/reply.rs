//! Answers in DNS: records with their names compressed (RFC 1035 section 4.1.4).

use std::collections::HashMap;

use domain::base::iana::Class;

use crate::{
    dns::{
        owner::parent,
        reply::{Content, begin, finish},
        request::Request,
    },
    resolver::{Answer, RrSet},
};

/// Where the question's name begins in a message.
const QUESTION: u16 = 12;

/// Writes the reply to a request; it replaces the content of `out`.
pub(super) fn write(request: &Request<'_>, answer: &Answer, out: &mut Vec<u8>) {
    begin(request, out);
    let mut names = Names::default();
    names.remember(&request.name().to_ascii_lowercase(), QUESTION.into());
    let mut count = 0;
    for set in &answer.records {
        count += names.write(set, out);
    }
    let authority = answer.soa.as_ref().map_or(0, |soa| names.write(soa, out));
    let content = Content {
        rcode: answer.rcode.into(),
        answers: count,
        authority,
        additional: 0,
        authoritative: false,
    };
    finish(request, content, None, out);
}

/// The names that a message has already, and where.
#[derive(Default)]
struct Names(HashMap<Box<[u8]>, u16>);

impl Names {
    /// Remembers a name that was written there, and those above it.
    fn remember(&mut self, name: &[u8], at: usize) {
        let mut rest = name;
        while let Some(above) = parent(rest) {
            let here = at + name.len() - rest.len();
            // A pointer has 14 bits.
            if let Ok(here @ 0..0x4000) = u16::try_from(here) {
                self.0.entry(rest.into()).or_insert(here);
            }
            rest = above;
        }
    }

    /// Writes records; how many there are.
    fn write(&mut self, set: &RrSet, out: &mut Vec<u8>) -> u16 {
        for data in &*set.data {
            self.write_name(set.owner.as_slice(), out);
            out.extend(set.rtype.to_int().to_be_bytes());
            out.extend(Class::IN.to_int().to_be_bytes());
            out.extend(set.ttl.to_be_bytes());
            let length = u16::try_from(data.len()).expect("the data of a record");
            out.extend(length.to_be_bytes());
            out.extend(&**data);
        }
        u16::try_from(set.data.len()).unwrap_or(u16::MAX)
    }

    fn write_name(&mut self, name: &[u8], out: &mut Vec<u8>) {
        let begins = out.len();
        let mut rest = name;
        loop {
            if let Some(at) = self.0.get(rest) {
                out.extend((0xc000 | at).to_be_bytes());
                break;
            }
            match parent(rest) {
                None => {
                    out.push(0);
                    break;
                }
                Some(above) => {
                    out.extend(&rest[..rest.len() - above.len()]);
                    rest = above;
                }
            }
        }
        self.remember(name, begins);
    }
}
