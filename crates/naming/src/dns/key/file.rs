//! Files of keys, as `tsig-keygen` writes them and `nsupdate -k` and BIND's `named.conf` read them: any white space, comments
//! anywhere (`#`, `//`, `/* */`), quotes or none, any number of keys.

use common::text::visible;
use domain::{
    base::name::{Name as DomainName, ToName},
    tsig::{Algorithm, KeyName},
    utils::base64,
};

use crate::dns::presentation;

/// A key as its file has it.
pub struct Secret {
    /// The name.
    pub name: KeyName,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The length of its MACs in bytes, where they are cut.
    pub length: Option<usize>,
    /// The secret itself.
    pub bytes: Vec<u8>,
}

/// The shape of a file, for errors.
const SHAPE: &str = "key \"NAME\" { algorithm hmac-sha256; secret \"…\"; };";

/// Reads the keys of a file, in order.
///
/// # Errors
/// The line, from 1, and why: not such a file, an algorithm that is not known, a secret that is empty or not base64, the same
/// name twice.
pub(super) fn parse(text: &[u8]) -> Result<Vec<Secret>, (usize, String)> {
    let tokens = tokens(text)?;
    let mut reader = Reader {
        tokens: &tokens,
        line: 1,
    };
    let mut keys: Vec<Secret> = Vec::new();
    while !reader.tokens.is_empty() {
        let (line, key) = reader.key()?;
        if keys.iter().any(|known| known.name == key.name) {
            let shown = visible(key.name.to_string().as_bytes());
            return Err((line, format!("a second key with the name {shown}")));
        }
        keys.push(key);
    }
    if keys.is_empty() {
        return Err((1, format!("no key in the file: {SHAPE}")));
    }
    Ok(keys)
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Token<'t> {
    /// A word, in quotes or not.
    Word(&'t [u8]),
    /// `{`, `}` or `;`.
    Sign(u8),
}

/// The tokens, with their lines.
fn tokens(text: &[u8]) -> Result<Vec<(usize, Token<'_>)>, (usize, String)> {
    let (mut rest, mut line) = (text, 1);
    let mut tokens = Vec::new();
    while let Some((byte, after)) = rest.split_first() {
        let length = match (byte, after) {
            (b'#', _) | (b'/', [b'/', ..]) => {
                let end = rest.iter().position(|byte| *byte == b'\n');
                end.unwrap_or(rest.len())
            }
            (b'/', [b'*', inside @ ..]) => {
                let end = inside.windows(2).position(|pair| pair == b"*/");
                end.ok_or_else(|| (line, "a /* without its */".to_owned()))? + 4
            }
            (b'{' | b'}' | b';', _) => {
                tokens.push((line, Token::Sign(*byte)));
                1
            }
            (b'"', inside) => {
                // As in BIND, a long secret may be on several lines.
                let end = inside.iter().position(|byte| *byte == b'"');
                let end =
                    end.ok_or_else(|| (line, "a \" without the one that closes it".into()))?;
                tokens.push((line, Token::Word(&inside[..end])));
                end + 2
            }
            (blank, _) if blank.is_ascii_whitespace() => 1,
            _ => {
                let length = word(rest);
                tokens.push((line, Token::Word(&rest[..length])));
                length
            }
        };
        line += rest[..length].iter().filter(|byte| **byte == b'\n').count();
        rest = &rest[length..];
    }
    Ok(tokens)
}

/// The length of the word at the start of a text. As in BIND, a comment ends it.
fn word(text: &[u8]) -> usize {
    let ends = |at: &usize| match &text[*at..] {
        [b'{' | b'}' | b';' | b'"' | b'#', ..] | [b'/', b'/' | b'*', ..] => true,
        [byte, ..] => byte.is_ascii_whitespace(),
        [] => true,
    };
    (1..text.len()).find(ends).unwrap_or(text.len())
}

struct Reader<'t> {
    tokens: &'t [(usize, Token<'t>)],
    /// The line of the last token.
    line: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<Token<'t>> {
        let ((line, token), rest) = self.tokens.split_first()?;
        (self.tokens, self.line) = (rest, *line);
        Some(*token)
    }

    fn wrong<T>(&self, why: impl Into<String>) -> Result<T, (usize, String)> {
        Err((self.line, why.into()))
    }

    fn word(&mut self, what: &str) -> Result<&'t [u8], (usize, String)> {
        match self.next() {
            Some(Token::Word(word)) => Ok(word),
            Some(Token::Sign(sign)) => {
                self.wrong(format!("{} in place of {what}", char::from(sign)))
            }
            None => self.wrong(format!("the file ends before {what}")),
        }
    }

    fn sign(&mut self, sign: u8) -> Result<(), (usize, String)> {
        let expected = char::from(sign);
        match self.next() {
            Some(Token::Sign(found)) if found == sign => Ok(()),
            None => self.wrong(format!("the file ends before a {expected}: {SHAPE}")),
            Some(Token::Sign(found)) => {
                self.wrong(format!("{} in place of {expected}", char::from(found)))
            }
            Some(Token::Word(_)) => self.wrong(format!("a word in place of {expected}")),
        }
    }

    /// One key, and its line.
    fn key(&mut self) -> Result<(usize, Secret), (usize, String)> {
        if !self.word("a key")?.eq_ignore_ascii_case(b"key") {
            return self.wrong(format!("not a key: {SHAPE}"));
        }
        let text = self.word("the name of the key")?;
        let line = self.line;
        let name = presentation::name(text, &[0])
            .ok()
            .filter(|wire| wire.len() > 1);
        let name = name.and_then(|wire| {
            let wire = DomainName::from_octets(wire.to_ascii_lowercase()).ok()?;
            wire.try_to_name().ok()
        });
        let Some(name): Option<KeyName> = name else {
            return self.wrong(format!("'{}' is not a name of a key", visible(text)));
        };
        self.sign(b'{')?;
        let (mut algorithm, mut secret) = (None, None);
        loop {
            match self.next() {
                Some(Token::Sign(b'}')) => break,
                Some(Token::Word(word)) if word.eq_ignore_ascii_case(b"algorithm") => {
                    let text = self.word("an algorithm")?;
                    if algorithm.replace(self.algorithm(text)?).is_some() {
                        return self.wrong("a second algorithm");
                    }
                }
                Some(Token::Word(word)) if word.eq_ignore_ascii_case(b"secret") => {
                    let text = self.word("a secret")?;
                    if secret.replace(self.secret(text)?).is_some() {
                        return self.wrong("a second secret");
                    }
                }
                Some(_) => return self.wrong(format!("neither algorithm nor secret: {SHAPE}")),
                None => return self.wrong(format!("not a key; the file ends within it: {SHAPE}")),
            }
            self.sign(b';')?;
        }
        if !self.tokens.is_empty() {
            self.sign(b';')?;
        }
        match (algorithm, secret) {
            (Some((algorithm, length)), Some(bytes)) => Ok((
                line,
                Secret {
                    name,
                    algorithm,
                    length,
                    bytes,
                },
            )),
            (None, _) => Err((line, format!("a key without an algorithm: {SHAPE}"))),
            (_, None) => Err((line, format!("not a key, which has a secret: {SHAPE}"))),
        }
    }

    /// An algorithm, and where its MACs are cut (`hmac-sha256-128`) their length in bytes (RFC 8945 section 5.2.2.1).
    fn algorithm(&self, text: &[u8]) -> Result<(Algorithm, Option<usize>), (usize, String)> {
        let word = String::from_utf8_lossy(text).to_ascii_lowercase();
        let word = word.trim_end_matches('.');
        let whole = |word: &str| match word {
            "hmac-sha1" => Some((Algorithm::Sha1, 160)),
            "hmac-sha256" => Some((Algorithm::Sha256, 256)),
            "hmac-sha384" => Some((Algorithm::Sha384, 384)),
            "hmac-sha512" => Some((Algorithm::Sha512, 512)),
            _ => None,
        };
        if let Some((algorithm, _)) = whole(word) {
            return Ok((algorithm, None));
        }
        if let Some((word, bits)) = word.rsplit_once('-')
            && let (Some((algorithm, longest)), Ok(bits)) = (whole(word), bits.parse::<usize>())
        {
            let shortest = (longest / 2).max(80);
            if !(shortest..=longest).contains(&bits) || bits % 8 != 0 {
                return self.wrong(format!(
                    "{bits} bits of {word} are not {shortest} to {longest}, a multiple of 8"
                ));
            }
            return Ok((algorithm, Some(bits / 8)));
        }
        self.wrong(format!(
            "algorithm {} is not one of hmac-sha1, hmac-sha256, hmac-sha384, hmac-sha512",
            visible(text)
        ))
    }

    fn secret(&self, text: &[u8]) -> Result<Vec<u8>, (usize, String)> {
        let digits = text.iter().filter(|byte| !byte.is_ascii_whitespace());
        let digits: String = digits.map(|byte| char::from(*byte)).collect();
        match base64::decode::<Vec<u8>>(&digits) {
            Ok(bytes) if bytes.is_empty() => self.wrong("the secret is empty"),
            Ok(bytes) => Ok(bytes),
            Err(_) => self.wrong("the secret is not base64"),
        }
    }
}
