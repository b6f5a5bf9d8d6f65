//! The last form of replies: their address, OPT record, size, signature; signed updates that are sent again; and notices.

mod again;
#[path = "../support/copy.rs"]
mod copy;
mod frames;
mod messages;
mod notices;
mod secondaries;
#[path = "../support/serve.rs"]
mod serve;
mod signatures;
#[path = "../support/wire.rs"]
mod wire;

use std::net::SocketAddr;

use common::testing::{self, Folder, run};

use messages::{Signed, key};
use serve::serve;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

/// OPT of version 0, as a client sends it.
const EDNS: [u8; 2] = [0, 0];

const AXFR: u16 = 252;

/// A server with a key and names with much data.
struct WithKey {
    folder: Folder,
    server: testing::Running,
    at: SocketAddr,
}

fn with_key(arguments: &[&str]) -> WithKey {
    let folder = Folder::new();
    let key_file = folder.path("lab.key");
    assert_eq!(
        run(NAMING, &["keygen", "lab", "--key", &key_file]).code,
        Some(0)
    );
    let many = |count: usize| {
        let texts: Vec<_> = (0..count).map(|n| format!("\"10.0.1.{n}\"")).collect();
        texts.join(",")
    };
    let names = folder.write(
        "names.json",
        format!(
            "{{\"server1\": \"192.168.1.2\", {}}}",
            (1..50)
                .map(|count| format!("\"m{count}\": [{}]", many(count)))
                .collect::<Vec<_>>()
                .join(",")
        ),
    );
    let (server, at) = serve(&[&["--key", &key_file, "--names", &names], arguments].concat());
    WithKey { folder, server, at }
}

impl WithKey {
    fn sign(&self, message: &[u8]) -> Signed {
        Signed::new(&key(&self.folder.path("lab.key")), message, 0)
    }
}
