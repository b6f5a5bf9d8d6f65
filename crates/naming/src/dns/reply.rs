//! The last form of every reply: header, OPT record, size limit, signature. Without an allocation unless it is signed.
//!
//! A reply is begun with [`begin`], gets its records behind the question, and is ended with [`finish`]:
//!
//! | part | rule |
//! | --- | --- |
//! | header | identifier and opcode of the request, of a query RD and CD too; QR |
//! | question | as it was written, when it could be read |
//! | OPT | when the request has one, with its DO bit (RFC 6891 section 7, RFC 3225 section 3) |
//! | size | 512 bytes over UDP, with EDNS(0) what the client takes up to 1,232; signature and OPT included |
//! | TC | when the records do not fit; then there are none |
//! | signature | when that of the request was verified, and where an error of TSIG is reported (RFC 8945 section 5.3) |

use domain::base::iana::OptRcode;

use super::{
    request::{HEADER, Request, UDP_MAX},
    tsig::Signer,
};

/// The length of the OPT record, in bytes.
const OPT: usize = 11;

/// The code and the sections of a reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Content {
    /// The code, with the bits that only OPT has room for.
    pub rcode: OptRcode,
    /// The number of records in the answer.
    pub answers: u16,
    /// The number of records of authority.
    pub authority: u16,
    /// The number of additional records, without OPT and the signature.
    pub additional: u16,
    /// Whether the server is authoritative for them.
    pub authoritative: bool,
}

impl Content {
    /// No records, but a code.
    pub fn code(rcode: impl Into<OptRcode>) -> Self {
        Self {
            rcode: rcode.into(),
            answers: 0,
            authority: 0,
            additional: 0,
            authoritative: false,
        }
    }
}

/// Begins a reply, with header and question; it replaces the content of `out`.
pub fn begin(request: &Request, out: &mut Vec<u8>) {
    out.clear();
    out.extend(request.beginning());
}

/// Ends a reply whose records are in `out`, behind header and question.
pub fn finish(
    request: &Request,
    content: Content,
    mut signer: Option<&mut Signer>,
    out: &mut Vec<u8>,
) {
    let Content {
        rcode,
        mut answers,
        mut authority,
        mut additional,
        authoritative,
    } = content;
    let opt = if request.edns.is_some() { OPT } else { 0 };
    let room = |signer: &Option<&mut Signer>| {
        let signature = signer.as_ref().map_or(0, |signer| signer.length());
        request.limit().saturating_sub(opt + signature)
    };
    let question = request.beginning().len();
    let truncated = out.len() > room(&signer);
    if truncated {
        out.truncate(question);
        (answers, authority, additional) = (0, 0, 0);
        // A name and a key of 255 bytes each leave no room for both; the signature is what the client cannot do without.
        if out.len() > room(&signer) {
            out.truncate(HEADER);
        }
        // Only a key that is not known can have so long a name and algorithm.
        if out.len() > room(&signer) {
            signer = None;
        }
    }
    let questions = u8::from(question > HEADER && out.len() > HEADER);
    let (low, extended) = rcode.to_parts();
    if let Some(edns) = request.edns {
        let [size, more] = UDP_MAX.to_be_bytes();
        let flags = u8::from(edns.dnssec_ok) << 7;
        out.extend([0, 0, 41, size, more, extended, 0, flags, 0, 0, 0]);
    }
    let flags = request.message;
    // Only queries have flags to be copied; those of an UPDATE are zero (RFC 2136 section 2.2).
    let is_query = flags[2] & 0x78 == 0;
    let (copied, checking) = if is_query { (0x79, 0x10) } else { (0x78, 0) };
    out[2] = flags[2] & copied | 0x80 | u8::from(authoritative) << 2 | u8::from(truncated) << 1;
    out[3] = flags[3] & checking | low.to_int();
    out[4..6].copy_from_slice(&[0, questions]);
    out[6..8].copy_from_slice(&answers.to_be_bytes());
    out[8..10].copy_from_slice(&authority.to_be_bytes());
    out[10..12].copy_from_slice(&(additional + u16::from(opt > 0)).to_be_bytes());
    if let Some(signer) = signer {
        signer.sign(out);
    }
}

/// A reply with only a code; it replaces the content of `out`.
pub fn code(
    request: &Request,
    rcode: impl Into<OptRcode>,
    signer: Option<&mut Signer>,
    out: &mut Vec<u8>,
) {
    begin(request, out);
    finish(request, Content::code(rcode), signer, out);
}
