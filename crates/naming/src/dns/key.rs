//! Keys that sign messages (TSIG, RFC 8945): made, kept in a file.
//!
//! The format of the file is that of `nsupdate -k` and BIND:
//! `key "lab" { algorithm hmac-sha256; secret "…"; };`

mod file;

use std::{
    collections::HashMap,
    fmt,
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    str::FromStr,
    sync::Arc,
};

use common::{
    exit::{Failure, why},
    json,
    sys::replacing::private,
    text::{visible, visible_path},
};
use domain::{
    tsig::{Algorithm, Key, KeyName},
    utils::base64,
};
use ring::rand::SystemRandom;

pub use self::file::Secret;

/// The keys of a file, by name and algorithm.
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
        let file = private(OpenOptions::new().write(true).create_new(true)).open(path);
        file.and_then(|mut file| {
            let written = file.write_all(text.as_bytes());
            // Half a key would keep the next one from being made.
            written.inspect_err(|_| drop(fs::remove_file(path)))
        })
        .map_err(|error| Failure::could_not_run(visible_path(path), why(&error)))?;
    }
    Ok(text)
}

/// Reads a file of keys.
///
/// # Errors
/// As [`read_secrets`].
pub fn read(path: &Path) -> Result<Keys, Failure> {
    let secrets = read_secrets(path)?;
    let keys = secrets.iter().map(|secret| {
        let key = secret.key();
        let key = key.map_err(|why| Failure::could_not_run(visible_path(path), why))?;
        Ok(((key.name().clone(), key.algorithm()), Arc::new(key)))
    });
    keys.collect()
}

/// Reads a file of keys with their secrets, in order; at least one.
///
/// # Errors
/// `FILE:LINE: why` (exit code 2).
pub fn read_secrets(path: &Path) -> Result<Vec<Secret>, Failure> {
    parse(path, &json::read_file(path, LONGEST_FILE)?)
}

/// Reads the text of a file of keys; `path` is its name in errors.
///
/// # Errors
/// As [`read_secrets`].
pub fn parse(path: &Path, text: &[u8]) -> Result<Vec<Secret>, Failure> {
    file::parse(text).map_err(|(line, why)| {
        Failure::could_not_run(format!("{}:{line}", visible_path(path)), why)
    })
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
        let (name, length) = (self.name.clone(), self.length);
        Key::new(self.algorithm, &self.bytes, name, length, length)
            .map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";

    #[test]
    fn a_key_that_was_made_is_read() {
        let text = generate("lab-key", None).unwrap();
        let second = generate("two", None).unwrap();
        let keys = file::parse(format!("{text}# comment\n{second}").as_bytes()).unwrap();
        let names: Vec<_> = keys.iter().map(|key| key.name.to_string()).collect();
        assert_eq!(names, ["lab-key", "two"]);
        assert_eq!(keys[0].algorithm, Algorithm::Sha256);
    }

    #[test]
    fn a_key_file_is_read_however_it_is_laid_out() {
        for text in [
            "key two{algorithm HMAC-SHA512;secret \"SECRET\";};",
            "key \"two\" {\n\talgorithm \"hmac-sha512\"; // comment\n\tsecret SECRET; # another\n}; /* and\n one */",
            "/* key x { */ KEY Two { Secret \"SECRET\"; ALGORITHM hmac-sha512; }",
            "key\r\ntwo\r\n{\r\nalgorithm\r\nhmac-sha512\r\n;\r\nsecret\r\nSECRET\r\n;\r\n}\r\n;\r\n",
            "key two.{algorithm/**/hmac-sha512;secret \"c2VjcmV0c2Vj cmV0c2VjcmV0\tc2VjcmV0\";};//",
        ] {
            let keys = file::parse(text.replace("SECRET", SECRET).as_bytes());
            let keys = keys.unwrap_or_else(|(line, why)| panic!("{text}: {line}: {why}"));
            assert_eq!(keys.len(), 1, "{text}");
            assert_eq!(keys[0].name.to_string(), "two", "{text}");
            assert_eq!(
                (keys[0].algorithm, keys[0].bytes.as_slice()),
                (Algorithm::Sha512, &b"secretsecretsecretsecret"[..]),
                "{text}"
            );
            assert!(!format!("{keys:?}").contains("115, 101"), "{keys:?}");
        }
        let cut = "key x { algorithm hmac-sha256-128; secret \"YQ==\"; };";
        let cut = file::parse(cut.as_bytes()).unwrap();
        assert_eq!(cut[0].key().unwrap().signing_len(), 16);
        // `tsig-keygen 'a b'`.
        assert!(file::parse(b"key \"a b\" { algorithm hmac-sha1; secret \"YQ==\"; };").is_ok());
    }

    #[test]
    fn an_invalid_key_file_is_refused_with_its_line() {
        for (text, line, why) in [
            ("", 1, "no key in the file"),
            ("// nothing\n", 1, "no key in the file"),
            ("\nzone \"x\" {};", 2, "not a key"),
            (
                "key \"x\" {\n algorithm hmac-md5; secret \"YQ==\"; };",
                2,
                "algorithm hmac-md5 is not one of",
            ),
            (
                "key x { algorithm hmac-sha256-8; secret \"YQ==\"; };",
                1,
                "8 bits of hmac-sha256 are not 128 to 256",
            ),
            (
                "key \"x\" { algorithm hmac-sha256;\n secret \"*\"; };",
                2,
                "not base64",
            ),
            (
                "key x { algorithm hmac-sha256; secret \"\"; };",
                1,
                "the secret is empty",
            ),
            (
                "key x { algorithm hmac-sha256; secret \" \"; };",
                1,
                "the secret is empty",
            ),
            (
                "key x { algorithm hmac-sha256; secret ; };",
                1,
                "; in place of a secret",
            ),
            ("key \"x\" { algorithm hmac-sha256; };", 1, "not a key"),
            ("key \"x\" { secret \"YQ==\"; };", 1, "without an algorithm"),
            (
                "key \"x\" { algorithm hmac-sha256; secret \"YQ==\";",
                1,
                "not a key",
            ),
            (
                "key x { algorithm hmac-sha256; secret \"YQ==\" };",
                1,
                "} in place of ;",
            ),
            (
                "key x { algorithm hmac-sha256; secret abc//def=; };",
                1,
                "not base64",
            ),
            (
                "key \"\" { algorithm hmac-sha256; secret \"YQ==\"; };",
                1,
                "is not a name of a key",
            ),
            (
                "key x { algorithm hmac-sha256; secret \"YQ==\"; };\nkey X { algorithm hmac-sha512; secret \"YQ==\"; };",
                2,
                "a second key with the name x",
            ),
            (
                "key x { algorithm hmac-sha256; algorithm hmac-sha1; };",
                1,
                "a second algorithm",
            ),
            ("key x { /* }", 1, "a /* without its */"),
            (
                "key x {\n secret \"YQ==\n}",
                2,
                "without the one that closes it",
            ),
        ] {
            let (at, error) = file::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(why) && at == line, "{text}: {at}: {error}");
        }
    }
}
