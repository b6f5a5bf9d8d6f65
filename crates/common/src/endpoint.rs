//! Addresses as people write them: `HOST:PORT`, an address alone, a port alone, IPv6 addresses with a zone.
//!
//! | written | means |
//! | --- | --- |
//! | `192.0.2.1:80`, `[2001:db8::1]:80` | that address and port |
//! | `192.0.2.1`, `2001:db8::1` | that address, with the flag's default port |
//! | `fe80::1%eth0`, `[fe80::1%2]:80` | a link-local address in its zone: the interface's name or number (RFC 4007) |
//! | `server.lab:80`, `localhost:80` | the addresses that the system's resolver finds; a name goes with its port |
//! | `:80` | that port of the flag's default address |

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    str::FromStr,
};

use serde::{Deserialize, Deserializer};

use crate::{
    exit::{Failure, why},
    json,
    text::visible,
    zone::Scoped,
};

/// The longest host name, in bytes (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;

/// An address as it was written; nothing is looked up yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    text: String,
    host: Host,
    port: Option<u16>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Host {
    /// It was left out.
    Default,
    Address(Scoped),
    Name(String),
}

/// What stands in for the parts that were left out.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// The address of `:PORT`.
    pub address: Option<IpAddr>,
    /// The port of an address alone.
    pub port: Option<u16>,
}

impl From<SocketAddr> for Defaults {
    fn from(default: SocketAddr) -> Self {
        Self {
            address: Some(default.ip()),
            port: Some(default.port()),
        }
    }
}

impl Defaults {
    /// Neither part may be left out.
    pub const NONE: Self = Self {
        address: None,
        port: None,
    };
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let endpoint = Self::with_any_name(text)?;
        match &endpoint.host {
            Host::Name(name) if endpoint.port.is_none() => Err(format!(
                "not HOST:PORT, such as {}:12345",
                visible(name.as_bytes())
            )),
            _ => Ok(endpoint),
        }
    }
}

impl Endpoint {
    /// Reads an address as [`FromStr`] does, but a name may stand without a port, too.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn with_any_name(text: &str) -> Result<Self, String> {
        let (host, port) = split(text)?;
        let port = port.map(parse_port).transpose()?;
        let host = match host {
            Text::Bracketed(host) => match host.parse::<Scoped>() {
                Ok(address) if address.ip().is_ipv6() => Host::Address(address),
                Ok(_) => return Err("brackets are for IPv6 addresses".into()),
                Err(why) => return Err(why),
            },
            Text::Plain("") if port.is_some() => Host::Default,
            Text::Plain(host) => plain_host(host)?,
        };
        Ok(Self {
            text: text.to_owned(),
            host,
            port,
        })
    }
}

/// The host of an address, in brackets or not.
enum Text<'t> {
    Bracketed(&'t str),
    Plain(&'t str),
}

/// The host and the port of an address.
fn split(text: &str) -> Result<(Text<'_>, Option<&str>), String> {
    if text.is_empty() {
        return Err("an empty text is no address".into());
    }
    if let Some(rest) = text.strip_prefix('[') {
        let Some((host, rest)) = rest.split_once(']') else {
            return Err("a '[' without its ']'".into());
        };
        return match rest.strip_prefix(':') {
            Some(port) => Ok((Text::Bracketed(host), Some(port))),
            None if rest.is_empty() => Ok((Text::Bracketed(host), None)),
            None => Err(format!(
                "after the ']' comes :PORT and not '{}'",
                visible(rest.as_bytes())
            )),
        };
    }
    if text.contains(['[', ']']) {
        return Err(
            "a bracket without its counterpart: an IPv6 address is written [::1]:PORT".into(),
        );
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Ok((Text::Plain(text), None));
    };
    if !host.contains(':') {
        return Ok((Text::Plain(host), Some(port)));
    }
    // Two colons: an IPv6 address, which takes brackets where a port follows.
    let zone = text.split_once('%').map(|(_, zone)| zone);
    if zone.is_some_and(|zone| zone.contains(':')) {
        return Err(format!(
            "an IPv6 address and its port are written [{}]:{}",
            visible(host.as_bytes()),
            visible(port.as_bytes())
        ));
    }
    Ok((Text::Plain(text), None))
}

fn parse_port(port: &str) -> Result<u16, String> {
    if port.is_empty() {
        return Err("no port after the ':'".into());
    }
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "the port '{}' is no number",
            visible(port.as_bytes())
        ));
    }
    port.parse()
        .map_err(|_| format!("the port {} is not in 0 to 65535", visible(port.as_bytes())))
}

/// A host without brackets.
fn plain_host(host: &str) -> Result<Host, String> {
    if host.contains([':', '%']) {
        return host.parse().map(Host::Address);
    }
    if let Ok(address) = host.parse::<Scoped>() {
        return Ok(Host::Address(address));
    }
    let shown = || visible(host.as_bytes());
    if !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "'{0}' is no address; a port alone is written :{0}",
            shown()
        ));
    }
    if host
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return Err(format!("'{}' is no IPv4 address", shown()));
    }
    let strange =
        |letter: char| !(letter.is_alphanumeric() || ".-_".contains(letter)) || letter.is_control();
    match host.chars().find(|letter| strange(*letter)) {
        Some(letter) => Err(format!(
            "'{}' is no host: '{}' stands in no name",
            shown(),
            visible(letter.to_string().as_bytes())
        )),
        None if host.len() > LONGEST_NAME => Err(format!(
            "a name of {} bytes is no host; {LONGEST_NAME} are the most",
            host.len()
        )),
        None => Ok(Host::Name(host.to_owned())),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(self.text.as_bytes()))
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}

impl Endpoint {
    /// Its port, where one was written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Its address, where one was written and not a name.
    pub fn address(&self) -> Option<&Scoped> {
        match &self.host {
            Host::Address(address) => Some(address),
            _ => None,
        }
    }

    /// Its socket addresses; those of a name in the order of the system's resolver.
    ///
    /// # Errors
    /// `FLAG TEXT: why` (exit code 2).
    pub fn resolve(&self, flag: &str, defaults: Defaults) -> Result<Vec<SocketAddr>, Failure> {
        let fail = |why: String| Failure::could_not_run(format!("{flag} {self}"), why);
        let Some(port) = self.port.or(defaults.port) else {
            return Err(fail("not HOST:PORT, such as localhost:12345".into()));
        };
        match &self.host {
            Host::Address(address) => address.at(port).map(|at| vec![at]).map_err(fail),
            Host::Default => match defaults.address {
                Some(address) => Ok(vec![SocketAddr::new(address, port)]),
                None => Err(fail("not HOST:PORT, such as localhost:12345".into())),
            },
            Host::Name(name) => {
                let unknown = |error: &io::Error| {
                    fail(format!(
                        "the name {} does not resolve: {}",
                        visible(name.as_bytes()),
                        resolver_says(error)
                    ))
                };
                let found = (name.as_str(), port).to_socket_addrs();
                let found: Vec<_> = found.map_err(|error| unknown(&error))?.collect();
                if found.is_empty() {
                    return Err(fail(format!("the name {name} has no address")));
                }
                Ok(found)
            }
        }
    }

    /// The address to listen on; of a name with several, the first of IPv4, else the first of IPv6.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn listen(&self, flag: &str, default: SocketAddr) -> Result<SocketAddr, Failure> {
        let found = self.resolve(flag, default.into())?;
        let v4 = found.iter().find(|address| address.is_ipv4());
        Ok(*v4.unwrap_or(&found[0]))
    }

    /// The addresses to connect to; all of them are tried, in this order.
    ///
    /// # Errors
    /// As [`Self::resolve`], and for port 0.
    pub fn connect(
        &self,
        flag: &str,
        defaults: impl Into<Defaults>,
    ) -> Result<Vec<SocketAddr>, Failure> {
        let found = self.resolve(flag, defaults.into())?;
        if found.iter().any(|address| address.port() == 0) {
            let why = "no program listens on port 0";
            return Err(Failure::could_not_run(format!("{flag} {self}"), why));
        }
        Ok(found)
    }
}

/// The addresses to connect to, as [`Endpoint::connect`].
///
/// # Errors
/// `FLAG TEXT: why` (exit code 2).
pub fn connect(
    flag: &str,
    text: &str,
    defaults: impl Into<Defaults>,
) -> Result<Vec<SocketAddr>, Failure> {
    let fail =
        |why: String| Failure::could_not_run(format!("{flag} {}", visible(text.as_bytes())), why);
    let endpoint: Endpoint = text.parse().map_err(fail)?;
    endpoint.connect(flag, defaults)
}

/// The reason that the system's resolver gives.
fn resolver_says(error: &io::Error) -> String {
    let text = why(error);
    let reason = text.rsplit_once("information: ");
    reason.map_or(&*text, |(_, reason)| reason).to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddrV6};

    use super::*;
    use crate::zone;

    const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 12345);

    fn listen(text: &str) -> Result<SocketAddr, String> {
        let endpoint: Endpoint = text.parse()?;
        let listen = endpoint.listen("--listen", SERVER);
        listen.map_err(|failure| failure.to_string())
    }

    #[test]
    fn what_is_left_out_is_the_default() {
        for (text, expected) in [
            ("192.0.2.1:80", "192.0.2.1:80"),
            ("192.0.2.1", "192.0.2.1:12345"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            (":0", "127.0.0.1:0"),
            (":8080", "127.0.0.1:8080"),
            ("[2001:db8::1]:80", "[2001:db8::1]:80"),
            ("[2001:db8::1]", "[2001:db8::1]:12345"),
            ("2001:db8::1", "[2001:db8::1]:12345"),
            ("::", "[::]:12345"),
            ("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:12345"),
            // IPv4 before IPv6.
            ("localhost:80", "127.0.0.1:80"),
            ("LOCALHOST:080", "127.0.0.1:80"),
        ] {
            assert_eq!(listen(text), Ok(expected.parse().unwrap()), "{text}");
        }
        let lo = zone::index("lo").unwrap();
        for (text, port) in [
            ("fe80::1%lo", 12345),
            ("[fe80::1%lo]", 12345),
            ("[fe80::1%lo]:80", 80),
            (&format!("[fe80::1%{lo}]:80"), 80),
        ] {
            let expected = SocketAddrV6::new("fe80::1".parse().unwrap(), port, 0, lo);
            assert_eq!(listen(text), Ok(expected.into()), "{text}");
            // What is printed can be given back.
            assert_eq!(listen(&expected.to_string()), Ok(expected.into()));
        }
    }

    #[test]
    fn what_is_no_address_is_told() {
        for (text, why) in [
            ("", "an empty text is no address"),
            (":", "no port after the ':'"),
            ("localhost:", "no port after the ':'"),
            ("127.0.0.1:65536", "the port 65536 is not in 0 to 65535"),
            (
                "127.0.0.1:99999999999999999999",
                "the port 99999999999999999999 is not in 0 to 65535",
            ),
            ("127.0.0.1:-1", "the port '-1' is no number"),
            ("127.0.0.1:http", "the port 'http' is no number"),
            ("localhost: 80", "the port ' 80' is no number"),
            (
                "12345",
                "'12345' is no address; a port alone is written :12345",
            ),
            ("127.0.0.256:80", "'127.0.0.256' is no IPv4 address"),
            ("127.1:80", "'127.1' is no IPv4 address"),
            ("[::1:80", "a '[' without its ']'"),
            ("::1]:80", "a bracket without its counterpart"),
            ("[[::1]]:80", "after the ']' comes :PORT and not ']:80'"),
            ("[]:80", "'' is no IP address"),
            ("[::1]80", "after the ']' comes :PORT and not '80'"),
            ("[::1]:", "no port after the ':'"),
            ("[127.0.0.1]:80", "brackets are for IPv6 addresses"),
            ("[localhost]:80", "'localhost' is no IP address"),
            (
                "fe80::1%lo:80",
                "an IPv6 address and its port are written [fe80::1%lo]:80",
            ),
            ("1:2:3", "'1:2:3' is no IPv6 address"),
            (
                "http://localhost:80",
                "'http://localhost:80' is no IPv6 address",
            ),
            (
                "localhost/x:80",
                "'localhost/x' is no host: '/' stands in no name",
            ),
            (
                "local host:80",
                "'local host' is no host: ' ' stands in no name",
            ),
            ("\x1b[2J:80", "a bracket without its counterpart"),
            ("a\x1b:80", "'a\\x1b' is no host: '\\x1b' stands in no name"),
            ("localhost", "not HOST:PORT, such as localhost:12345"),
            (
                "fe80::1%nope",
                "--listen fe80::1%nope: no interface is called nope; ",
            ),
            (
                "[fe80::1]:80",
                "--listen [fe80::1]:80: a link-local address needs its zone, ",
            ),
            (
                "127.0.0.1%lo:80",
                "127.0.0.1 is no link-local address and has no zone; ",
            ),
            (
                "no-such-host.invalid:80",
                "--listen no-such-host.invalid:80: the name no-such-host.invalid does not resolve: ",
            ),
        ] {
            let told = listen(text).unwrap_err();
            assert!(told.starts_with(why), "{text}: {told}");
            assert_eq!(told.lines().count(), 1);
        }
        let long = "a".repeat(254) + ":80";
        assert!(
            listen(&long)
                .unwrap_err()
                .starts_with("a name of 254 bytes")
        );
    }

    #[test]
    fn all_addresses_are_for_connecting() {
        let to = |text: &str, defaults| {
            connect("--connect", text, defaults).map_err(|failure| failure.to_string())
        };
        let found = to("localhost:80", SERVER.into()).unwrap();
        assert!(
            found
                .iter()
                .all(|address| address.ip().is_loopback() && address.port() == 80)
        );
        assert_eq!(
            to(":80", SERVER.into()),
            Ok(vec!["127.0.0.1:80".parse().unwrap()])
        );
        assert_eq!(
            to("::1", SERVER.into()),
            Ok(vec!["[::1]:12345".parse().unwrap()])
        );
        for (text, why) in [
            (":0", "--connect :0: no program listens on port 0"),
            (
                "localhost:0",
                "--connect localhost:0: no program listens on port 0",
            ),
            (
                "localhost",
                "--connect localhost: not HOST:PORT, such as localhost:12345",
            ),
        ] {
            assert_eq!(to(text, SERVER.into()), Err(why.into()));
        }
        for text in [":80", "::1", "127.0.0.1"] {
            let expected = format!("--connect {text}: not HOST:PORT, such as localhost:12345");
            assert_eq!(to(text, Defaults::NONE), Err(expected));
        }
    }
}
