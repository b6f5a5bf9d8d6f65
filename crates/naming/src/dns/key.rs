//! Keys that sign messages (TSIG, RFC 8945): made, kept in a file.
//!
//! The format of the file is that of `nsupdate -k` and BIND:
//! `key "lab" { algorithm hmac-sha256; secret "…"; };`

use std::{
    collections::HashMap, fmt, fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt,
    path::Path, str::FromStr, sync::Arc,
};

use common::{
    exit::{Failure, why},
    json,
    text::{visible, visible_path},
};
use domain::{
    tsig::{Algorithm, Key, KeyName},
    utils::base64,
};
use ring::rand::SystemRandom;

/// The known keys, by name and algorithm.
pub type Keys = HashMap<(KeyName, Algorithm), Arc<Key>>;

/// The longest file of keys, in bytes.
const LONGEST_FILE: u64 = 64 << 10;

/// Makes a new key, and a file for it that only its owner may read. An existing file is not replaced.
///
/// # Errors
/// When the name is not valid, or the file exists or cannot be written (exit code 2).
pub fn generate(name: &str, path: Option<&Path>) -> Result<String, Failure> {
    let cannot =
        |why: String| Failure::could_not_run(format!("key {}", visible(name.as_bytes())), why);
    let key_name = KeyName::from_str(name).map_err(|error| cannot(error.to_string()))?;
    let random = SystemRandom::new();
    let (key, secret) = Key::generate(Algorithm::Sha256, &random, key_name, None, None)
        .map_err(|error| cannot(error.to_string()))?;
    let secret = base64::encode_string(&secret);
    let text = format!(
        "key \"{}\" {{\n    algorithm hmac-sha256;\n    secret \"{secret}\";\n}};\n",
        key.name()
    );
    if let Some(path) = path {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| Failure::could_not_run(visible_path(path), why(&error)))?;
    }
    Ok(text)
}

/// Reads a file of keys.
///
/// # Errors
/// `FILE: why` (exit code 2).
pub fn read(path: &Path) -> Result<Keys, Failure> {
    let text = json::read_file(path, LONGEST_FILE)?;
    parse(&String::from_utf8_lossy(&text))
        .map_err(|why| Failure::could_not_run(visible_path(path), why))
}

/// Reads a file of keys with their secrets, in order.
///
/// # Errors
/// `FILE: why` (exit code 2).
pub fn read_secrets(path: &Path) -> Result<Vec<Secret>, Failure> {
    let text = json::read_file(path, LONGEST_FILE)?;
    secrets(&String::from_utf8_lossy(&text))
        .map_err(|why| Failure::could_not_run(visible_path(path), why))
}

/// A key as its file has it.
pub struct Secret {
    /// The name.
    pub name: KeyName,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The secret itself.
    pub bytes: Vec<u8>,
}

/// Without the secret.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("name", &self.name)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl Secret {
    /// The key of the crate `domain`.
    ///
    /// # Errors
    /// When the secret cannot be used.
    pub fn key(&self) -> Result<Key, String> {
        Key::new(self.algorithm, &self.bytes, self.name.clone(), None, None)
            .map_err(|error| error.to_string())
    }
}

fn parse(text: &str) -> Result<Keys, String> {
    let keys = secrets(text)?.into_iter().map(|secret| {
        let key = Arc::new(secret.key()?);
        Ok(((key.name().clone(), secret.algorithm), key))
    });
    keys.collect()
}

fn secrets(text: &str) -> Result<Vec<Secret>, String> {
    let mut words = text
        .lines()
        // A comment has its own line; within a line // may be part of a secret.
        .filter(|line| !line.trim_start().starts_with(['#', '/']))
        .flat_map(|line| line.split_whitespace())
        .flat_map(|word| word.split_inclusive(['{', '}', ';']))
        .flat_map(|word| match word.strip_suffix(['{', '}', ';']) {
            Some("") => [word, ""],
            Some(rest) => [rest, &word[rest.len()..]],
            None => [word, ""],
        })
        .filter(|word| !word.is_empty());
    const SHAPE: &str = "not a key as `naming keygen` makes it: key \"NAME\" { algorithm hmac-sha256; secret \"…\"; };";
    let mut keys = Vec::new();
    while let Some(word) = words.next() {
        if word != "key" {
            return Err(SHAPE.into());
        }
        let name = words.next().ok_or(SHAPE)?.trim_matches('"');
        let (mut algorithm, mut secret) = (None, None);
        if words.next() != Some("{") {
            return Err(SHAPE.into());
        }
        loop {
            match words.next().ok_or(SHAPE)? {
                "algorithm" => {
                    let word = words.next().ok_or(SHAPE)?.trim_matches('"');
                    let known =
                        Algorithm::from_str(&word.trim_end_matches('.').to_ascii_lowercase());
                    algorithm = Some(known.map_err(|_| {
                        format!("algorithm {} is not one of hmac-sha1, hmac-sha256, hmac-sha384, hmac-sha512", visible(word.as_bytes()))
                    })?);
                }
                "secret" => {
                    let word = words.next().ok_or(SHAPE)?.trim_matches('"');
                    let bytes: Vec<u8> =
                        base64::decode(word).map_err(|_| "the secret is not base64")?;
                    secret = Some(bytes);
                }
                ";" => {}
                "}" => break,
                _ => return Err(SHAPE.into()),
            }
        }
        if words.next().is_some_and(|word| word != ";") {
            return Err(SHAPE.into());
        }
        let (Some(algorithm), Some(bytes)) = (algorithm, secret) else {
            return Err(SHAPE.into());
        };
        let name = KeyName::from_str(name)
            .map_err(|error| format!("key name {}: {error}", visible(name.as_bytes())))?;
        keys.push(Secret {
            name,
            algorithm,
            bytes,
        });
    }
    if keys.is_empty() {
        Err("no key in the file".into())
    } else {
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_made_is_read() {
        let text = generate("lab-key", None).unwrap();
        let keys = parse(&text).unwrap();
        let (name, algorithm) = keys.keys().next().unwrap();
        assert_eq!(
            (name.to_string().as_str(), *algorithm),
            ("lab-key", Algorithm::Sha256)
        );
        let second = generate("two", None).unwrap();
        assert_eq!(
            parse(&format!("{text}# comment\n{second}")).unwrap().len(),
            2
        );
        let compact =
            "key two{algorithm HMAC-SHA512;secret \"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0\";};";
        assert_eq!(parse(compact).unwrap().len(), 1);
    }

    #[test]
    fn an_invalid_key_file_is_refused() {
        for (text, why) in [
            ("", "no key in the file"),
            ("zone \"x\" {};", "not a key"),
            (
                "key \"x\" { algorithm hmac-md5; secret \"YQ==\"; };",
                "algorithm hmac-md5 is not one of",
            ),
            (
                "key \"x\" { algorithm hmac-sha256; secret \"*\"; };",
                "not base64",
            ),
            ("key \"x\" { algorithm hmac-sha256; };", "not a key"),
            (
                "key \"x\" { algorithm hmac-sha256; secret \"YQ==\";",
                "not a key",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
