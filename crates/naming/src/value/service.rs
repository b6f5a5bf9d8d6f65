//! A service: where it is reached, as an SRV record says (RFC 2782).

use std::{
    fmt::{self, Write},
    str::FromStr,
};

use domain::base::Name;

/// How many bytes priority, weight and port take.
const NUMBERS: usize = 6;

/// A priority, a weight, a port, and the domain name of a host; the name is in lowercase.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Service(Box<[u8]>);

impl Service {
    /// The service in the data of an SRV record; None when it is malformed.
    pub fn from_record(data: &[u8]) -> Option<Self> {
        let (numbers, target) = data.split_at_checked(NUMBERS)?;
        Name::from_octets(target).ok()?;
        // The lengths of labels are below 64, where there are no letters.
        Some(Self(
            [numbers, &target.to_ascii_lowercase()].concat().into(),
        ))
    }

    /// The data of its SRV record.
    pub fn as_record(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for Service {
    type Err = String;

    /// Reads `PRIORITY WEIGHT PORT TARGET`, the target as zone files write it, from the root.
    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let [numbers @ .., target] = words.as_slice() else {
            return Err("not PRIORITY WEIGHT PORT TARGET".into());
        };
        let numbers: Result<Vec<u16>, _> =
            numbers.iter().map(|number| number.parse::<u16>()).collect();
        let numbers = numbers.ok().filter(|numbers| numbers.len() == 3);
        let numbers =
            numbers.ok_or("not PRIORITY WEIGHT PORT TARGET, three numbers up to 65535")?;
        let mut data: Vec<u8> = numbers.into_iter().flat_map(u16::to_be_bytes).collect();
        let target = Name::<Vec<u8>>::from_str(target).map_err(|error| error.to_string())?;
        data.extend(target.as_slice());
        Self::from_record(&data).ok_or_else(|| "not a domain name".into())
    }
}

/// As zone files write it: `0 5 5060 server1.region1.lab.`.
impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (numbers, target) = self.0.split_at(NUMBERS);
        for number in numbers.chunks_exact(2) {
            write!(f, "{} ", u16::from_be_bytes([number[0], number[1]]))?;
        }
        if target == [0] {
            return f.write_str(".");
        }
        let mut rest = target;
        while let Some((length, after)) = rest.split_first()
            && *length > 0
        {
            let (label, after) = after.split_at(usize::from(*length));
            for byte in label {
                match byte {
                    b'.' | b'\\' => write!(f, "\\{}", char::from(*byte))?,
                    b'!'..=b'~' if !b"\";()@$".contains(byte) => f.write_char(char::from(*byte))?,
                    // What has a meaning of its own in a zone file, or cannot be seen.
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
            f.write_char('.')?;
            rest = after;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_read_and_written() {
        for text in [
            "0 5 5060 server1.region1.lab.",
            "65535 0 1 .",
            "1 2 3 a\\.b.lab.",
            r"1 2 3 a\032\059\034\255\\b.lab.",
        ] {
            let service: Service = text.parse().unwrap();
            assert_eq!(service.to_string(), text);
            assert_eq!(Service::from_record(service.as_record()), Some(service));
        }
        assert_eq!(
            "1 2 3 A.Lab".parse::<Service>().unwrap().to_string(),
            "1 2 3 a.lab."
        );
        for bad in [
            "",
            "1 2 a.",
            "1 2 3",
            "1 2 65536 a.",
            "1 2 3 4 a.",
            "1 2 3 a..b.",
            "1 2 x a.",
        ] {
            assert!(bad.parse::<Service>().is_err(), "{bad}");
        }
        for data in [
            &b""[..],
            b"\0\0\0\0\0\0",
            b"\0\0\0\0\0\0\x01a",
            b"\0\0\0\0\0\0\0\0",
        ] {
            assert_eq!(Service::from_record(data), None);
        }
    }
}
