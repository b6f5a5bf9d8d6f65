//! From the tokens of a record to its data (RFC 1035 section 5.1; of any type RFC 3597 section 5).

use std::net::{Ipv4Addr, Ipv6Addr};

use common::text::visible;
use domain::base::iana::Rtype;

use super::lexer::Token;
use crate::dns::presentation;

/// The data of a record; None for a type whose data is not read here.
///
/// # Errors
/// When the data is malformed.
pub(super) fn data(
    rtype: Rtype,
    tokens: &[Token<'_>],
    origin: &[u8],
) -> Result<Option<Vec<u8>>, String> {
    if let [marker, rest @ ..] = tokens
        && !marker.quoted
        && marker.text == br"\#"
    {
        return any_type(rest).map(Some);
    }
    let name = |token: &Token<'_>| presentation::name(token.text, origin);
    let data = match rtype {
        Rtype::A => text::<Ipv4Addr>(&one(tokens, rtype)?, "an IPv4 address")?
            .octets()
            .to_vec(),
        Rtype::AAAA => text::<Ipv6Addr>(&one(tokens, rtype)?, "an IPv6 address")?
            .octets()
            .to_vec(),
        Rtype::CNAME | Rtype::DNAME | Rtype::NS => name(&one(tokens, rtype)?)?,
        Rtype::TXT => {
            let mut data = Vec::new();
            for token in tokens {
                let string = presentation::string(token.text)?;
                data.push(string.len() as u8);
                data.extend(string);
            }
            data
        }
        Rtype::SRV => {
            let [priority, weight, port, target] = tokens else {
                return Err(format!(
                    "{} values in an SRV record, and not 4",
                    tokens.len()
                ));
            };
            let mut data = Vec::new();
            for number in [priority, weight, port] {
                data.extend(text::<u16>(number, "a number up to 65535")?.to_be_bytes());
            }
            data.extend(name(target)?);
            data
        }
        Rtype::SOA => {
            let [server, contact, serial, times @ ..] = tokens else {
                return Err("an SOA record that is too short".into());
            };
            let mut data = [name(server)?, name(contact)?].concat();
            data.extend(text::<u32>(serial, "a serial")?.to_be_bytes());
            if times.len() != 4 {
                return Err(format!("{} times in an SOA record, and not 4", times.len()));
            }
            for time in times {
                let seconds = presentation::seconds(time.text).ok_or_else(|| {
                    format!("'{}' is not a time, such as 6h", visible(time.text))
                })??;
                data.extend(seconds.to_be_bytes());
            }
            data
        }
        _ => return Ok(None),
    };
    match data.len() {
        0 => Err(format!("{rtype} record without data")),
        1..=0xffff => Ok(Some(data)),
        length => Err(format!(
            "{length} bytes of data, and at most 65535 are possible"
        )),
    }
}

fn one<'t>(tokens: &[Token<'t>], rtype: Rtype) -> Result<Token<'t>, String> {
    match tokens {
        [token] => Ok(*token),
        tokens => Err(format!(
            "{} values in a record of type {rtype}, and not 1",
            tokens.len()
        )),
    }
}

fn text<T: std::str::FromStr>(token: &Token<'_>, what: &str) -> Result<T, String> {
    let parsed = str::from_utf8(token.text)
        .ok()
        .and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| format!("'{}' is not {what}", visible(token.text)))
}

/// `\# LENGTH HEX…`.
fn any_type(tokens: &[Token<'_>]) -> Result<Vec<u8>, String> {
    let [length, digits @ ..] = tokens else {
        return Err(r"\# without a length".into());
    };
    let length: u16 = text(length, "a length up to 65535")?;
    let digits: Vec<u8> = digits
        .iter()
        .flat_map(|token| token.text)
        .copied()
        .collect();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some((digit(*high)? * 16 + digit(*low)?) as u8),
        _ => None,
    };
    let data: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    match data {
        Some(data) if data.len() == usize::from(length) => Ok(data),
        Some(data) => Err(format!(r"{} bytes of data after \# {length}", data.len())),
        None => Err(r"the data after \# is not hexadecimal".into()),
    }
}
