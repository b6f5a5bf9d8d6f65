//! Signatures (TSIG, RFC 8945) as a server has them: the check of a request's, and those of its replies.
//!
//! The crate `domain` signs as a client. It is not used here, because it computes the signature of a BADTIME reply over eight
//! bytes of other data, of which six are sent; because it cannot sign BADTRUNC; and because it writes FORMERR for BADSIG.

use std::{hint::black_box, sync::Arc};

use domain::{
    base::iana::TsigRcode,
    tsig::{Algorithm, Key},
};
use ring::hmac;

use super::{
    key::Secret,
    owner::LONGEST,
    request::{HEADER, Record, Request, name_end, u16_at},
};

/// For how many seconds a reply is valid, before and after its time (RFC 8945 section 10).
const FUDGE: u16 = 300;

/// The shortest MAC that is one at all, in bytes (RFC 8945 section 5.2.2.1).
const SHORTEST: usize = 10;

/// A key of the server.
#[derive(Debug)]
pub struct SigningKey {
    /// In wire format and lowercase, as the algorithm's name.
    name: Vec<u8>,
    algorithm: Vec<u8>,
    hmac: hmac::Key,
    /// The length of its MACs, in bytes.
    length: usize,
    /// The same key for the crate `domain`.
    pub client: Arc<Key>,
}

/// The keys of the server, in the order of their file.
pub type SigningKeys = Vec<Arc<SigningKey>>;

impl SigningKey {
    /// The key with this secret.
    ///
    /// # Errors
    /// When the secret cannot be used.
    pub fn new(secret: &Secret) -> Result<Self, String> {
        let client = secret.key()?;
        let algorithm = match secret.algorithm {
            Algorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Algorithm::Sha256 => hmac::HMAC_SHA256,
            Algorithm::Sha384 => hmac::HMAC_SHA384,
            Algorithm::Sha512 => hmac::HMAC_SHA512,
        };
        Ok(Self {
            name: secret.name.as_slice().to_ascii_lowercase(),
            algorithm: secret.algorithm.to_name().as_slice().to_vec(),
            hmac: hmac::Key::new(algorithm, &secret.bytes),
            length: client.signing_len(),
            client: Arc::new(client),
        })
    }

    /// The length of a whole MAC, in bytes.
    fn whole(&self) -> usize {
        self.client.native_len()
    }
}

/// Signs the replies to one request.
#[derive(Clone, Debug)]
pub struct Signer {
    name: Vec<u8>,
    algorithm: Vec<u8>,
    /// The key; None where an error of the key or the MAC is reported, without a signature.
    key: Option<Arc<SigningKey>>,
    /// The MAC of the request, and then of the last reply.
    last: Vec<u8>,
    /// Whether no reply was signed yet.
    first: bool,
    error: TsigRcode,
    /// When the replies are signed, and how long they are valid; None: now.
    time: Option<(u64, u16)>,
    /// The server's time, which a BADTIME reply reports.
    other: Option<u64>,
}

impl Signer {
    /// The length of the record with the signature, in bytes.
    pub fn length(&self) -> usize {
        let mac = self.key.as_ref().map_or(0, |key| key.length);
        let other = if self.other.is_some() { 6 } else { 0 };
        self.name.len() + 10 + self.algorithm.len() + 16 + mac + other
    }

    /// Signs as of this time, in seconds since 1970, and not as of now.
    pub fn at(&mut self, time: u64) {
        self.time = Some((time, FUDGE));
    }

    /// Appends the record with the signature to a whole message (RFC 8945 sections 4.2 and 5.3).
    pub(super) fn sign(&mut self, message: &mut Vec<u8>) {
        let (time, fudge) = self.time.unwrap_or_else(|| (now(), FUDGE));
        let timers = [&time.to_be_bytes()[2..], &fudge.to_be_bytes()].concat();
        let other = self.other.map(|time| time.to_be_bytes()[2..].to_vec());
        let other = other.unwrap_or_default();
        let errors = [
            &self.error.to_int().to_be_bytes()[..],
            &(other.len() as u16).to_be_bytes(),
            &other,
        ]
        .concat();
        let mut mac = Vec::new();
        if let Some(key) = &self.key {
            let mut context = hmac::Context::with_key(&key.hmac);
            context.update(&(self.last.len() as u16).to_be_bytes());
            context.update(&self.last);
            context.update(message);
            if self.first {
                variables(&mut context, key, &timers, &errors);
            } else {
                // The replies after the first are signed with their times alone (RFC 8945 section 5.3.1).
                context.update(&timers);
            }
            mac.extend(&context.sign().as_ref()[..key.length]);
            self.first = false;
            self.last.clone_from(&mac);
        }
        let length = self.algorithm.len() + 16 + mac.len() + other.len();
        let id = [message[0], message[1]];
        message.extend(&self.name);
        // TSIG, ANY, and a TTL of 0.
        message.extend([0, 250, 0, 255, 0, 0, 0, 0]);
        message.extend((length as u16).to_be_bytes());
        message.extend(&self.algorithm);
        message.extend(timers);
        message.extend((mac.len() as u16).to_be_bytes());
        message.extend(mac);
        message.extend(id);
        message.extend(errors);
        let additional = u16_at(message, 10).unwrap_or(0) + 1;
        message[10..HEADER].copy_from_slice(&additional.to_be_bytes());
    }
}

/// The variables that are signed beside the message (RFC 8945 section 4.3.3).
fn variables(context: &mut hmac::Context, key: &SigningKey, timers: &[u8], errors: &[u8]) {
    context.update(&key.name);
    // ANY, and a TTL of 0.
    context.update(&[0, 255, 0, 0, 0, 0]);
    context.update(&key.algorithm);
    context.update(timers);
    context.update(errors);
}

/// What the check of a signature finds.
#[derive(Debug)]
pub enum Checked {
    /// It is that of a key.
    Verified(Box<Verified>),
    /// It is none: FORMERR, and nothing else.
    Malformed,
    /// It is not accepted: NOTAUTH, with the code of TSIG and, where it is due, with a signature.
    Refused(TsigRcode, Signer),
}

/// A request with a valid signature.
#[derive(Debug)]
pub struct Verified {
    /// The request without the signature.
    pub message: Vec<u8>,
    /// Signs the replies.
    pub signer: Signer,
    /// When it was signed, in seconds since 1970.
    pub signed_at: u64,
    /// Its MAC.
    pub mac: Vec<u8>,
}

/// The fields of a TSIG record (RFC 8945 section 4.2).
struct Fields<'m> {
    name: Vec<u8>,
    algorithm: Vec<u8>,
    /// The time and the fudge.
    timers: &'m [u8],
    mac: &'m [u8],
    original_id: &'m [u8],
    /// The error, and the other data after their length.
    errors: &'m [u8],
}

impl<'m> Fields<'m> {
    fn read(message: &'m [u8], at: usize) -> Option<Self> {
        let data = Record::read(message, at)?.data;
        let name = expand(message, at)?;
        let message = &message[..data.end];
        // The algorithm's name must not be compressed.
        let end = name_end(message, data.start)?;
        let algorithm = &message[data.start..end];
        if expand(algorithm, 0)?.len() != algorithm.len() {
            return None;
        }
        let size = usize::from(u16_at(message, end + 8)?);
        let timers = message.get(end..end + 8)?;
        let mac = message.get(end + 10..end + 10 + size)?;
        let rest = message.get(end + 10 + size..)?;
        let (original_id, errors) = rest.split_at_checked(2)?;
        let other = usize::from(u16_at(errors, 2)?);
        (errors.len() == 4 + other).then_some(Self {
            name,
            algorithm: algorithm.to_ascii_lowercase(),
            timers,
            mac,
            original_id,
            errors,
        })
    }

    fn time(&self) -> u64 {
        self.timers[..6]
            .iter()
            .fold(0, |time, byte| time << 8 | u64::from(*byte))
    }

    fn fudge(&self) -> u16 {
        u16::from_be_bytes([self.timers[6], self.timers[7]])
    }

    /// Reports an error, signed by the key if there is one.
    fn refusal(self, error: TsigRcode, key: Option<&Arc<SigningKey>>) -> Checked {
        let times = (self.time(), self.fudge());
        let signer = Signer {
            key: key.cloned(),
            last: self.mac.to_vec(),
            first: true,
            error,
            // Only BADTIME and errors without a signature repeat the times of the request.
            time: (error != TsigRcode::BADTRUNC).then_some(times),
            other: (error == TsigRcode::BADTIME).then(now),
            name: self.name,
            algorithm: self.algorithm,
        };
        Checked::Refused(error, signer)
    }
}

/// Checks the signature of a request, which has one, at this time (RFC 8945 section 5.2).
pub fn check(request: &Request, keys: &[Arc<SigningKey>], now: u64) -> Checked {
    let message = request.message;
    let Some((at, fields)) = request
        .signature
        .and_then(|at| Some((at, Fields::read(message, at)?)))
    else {
        return Checked::Malformed;
    };
    let key = keys
        .iter()
        .find(|key| key.name == fields.name && key.algorithm == fields.algorithm);
    let Some(key) = key else {
        return fields.refusal(TsigRcode::BADKEY, None);
    };
    let whole = key.whole();
    if !(SHORTEST.max(whole / 2)..=whole).contains(&fields.mac.len()) {
        return Checked::Malformed;
    }
    let mut stripped = message[..at].to_vec();
    let additional = u16_at(message, 10).unwrap_or(1) - 1;
    stripped[10..HEADER].copy_from_slice(&additional.to_be_bytes());
    let mut context = hmac::Context::with_key(&key.hmac);
    context.update(fields.original_id);
    context.update(&stripped[2..]);
    variables(&mut context, key, fields.timers, fields.errors);
    if !same(&context.sign().as_ref()[..fields.mac.len()], fields.mac) {
        return fields.refusal(TsigRcode::BADSIG, None);
    }
    if fields.time().abs_diff(now) > u64::from(fields.fudge()) {
        return fields.refusal(TsigRcode::BADTIME, Some(key));
    }
    if fields.mac.len() < key.length {
        return fields.refusal(TsigRcode::BADTRUNC, Some(key));
    }
    Checked::Verified(Box::new(Verified {
        message: stripped,
        signed_at: fields.time(),
        mac: fields.mac.to_vec(),
        signer: Signer {
            name: key.name.clone(),
            algorithm: key.algorithm.clone(),
            key: Some(Arc::clone(key)),
            last: fields.mac.to_vec(),
            first: true,
            error: TsigRcode::NOERROR,
            time: None,
            other: None,
        },
    }))
}

/// Whether two MACs of one length are the same; how long it takes does not depend on where they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    let bytes = one.iter().zip(other);
    black_box(bytes.fold(0, |all, (one, other)| black_box(all | (one ^ other)))) == 0
}

/// The name at `at`, without compression and in lowercase. A pointer must lead to an earlier name.
fn expand(message: &[u8], mut at: usize) -> Option<Vec<u8>> {
    let (mut name, mut limit) = (Vec::new(), at);
    loop {
        match *message.get(at)? {
            0 => {
                name.push(0);
                return (name.len() <= LONGEST).then_some(name);
            }
            length @ 1..=63 => {
                let next = at + 1 + usize::from(length);
                name.extend(message.get(at..next)?.iter().map(u8::to_ascii_lowercase));
                at = next;
            }
            192.. => {
                at = usize::from(u16_at(message, at)? & 0x3fff);
                if at >= limit || name.len() > LONGEST {
                    return None;
                }
                limit = at;
            }
            _ => return None,
        }
    }
}

/// The seconds since 1970.
pub fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}
