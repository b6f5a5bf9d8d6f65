//! Files of keys as `tsig-keygen` writes them and `nsupdate -k` reads them.

use common::testing::{self, Folder, run};

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

const SECRET: &str = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";

/// Every one is a file that `nsupdate -k` takes.
const LAYOUTS: &[&str] = &[
    "key \"NAME\" {\n\talgorithm hmac-sha256; // comment\n\tsecret \"SECRET\"; # another\n}; /* and\none */\n",
    "/* key x { */ KEY NAME{Secret SECRET;ALGORITHM HMAC-SHA384;};",
    "key\n\"NAME\"\n{\nalgorithm\n\t\"hmac-sha512\"\n;\nsecret\r\n\"c2VjcmV0c2VjcmV0 c2VjcmV0c2VjcmV0\"\n;\n}\n;\n",
    "key NAME { algorithm hmac-sha256; secret \"c2VjcmV0c2VjcmV0\n\tc2VjcmV0c2VjcmV0\"; };\n",
    "key NAME. { algorithm hmac-sha256-128; secret \"SECRET\"; };\n",
];

#[test]
fn one_file_of_keys_serves_nsupdate_and_the_client() {
    if !testing::have_program("nsupdate") || !testing::have_program("tsig-keygen") {
        return;
    }
    let folder = Folder::new();
    let mut files = Vec::new();
    for (number, layout) in LAYOUTS.iter().enumerate() {
        let name = format!("layout{number}");
        let text = layout.replace("NAME", &name).replace("SECRET", SECRET);
        files.push(text);
    }
    for algorithm in ["hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"] {
        files.push(run("tsig-keygen", &["-a", algorithm, algorithm]).out);
    }
    // The server has all keys in one file.
    let all = folder.write("all.key", files.join("# the next\n"));
    let mut server = testing::start(NAMING, &["serve", "--listen", "127.0.0.1:0", "--key", &all]);
    let address = server.ready();
    let server = address.to_string();
    for (number, text) in files.iter().enumerate() {
        let key = folder.write(&format!("{number}.conf"), text);
        let script = folder.write(
            "script",
            format!(
                "server {} {}\nzone lab.\nupdate add n{number}.flat.lab. 60 A 10.0.0.{number}\nsend\n",
                address.ip(),
                address.port()
            ),
        );
        let finished = run("nsupdate", &["-u", "60", "-k", &key, &script]);
        assert_eq!(
            (finished.code, finished.err.as_str()),
            (Some(0), ""),
            "{text}"
        );
        let name = format!("c{number}");
        let ours = &[
            "register", &name, "10.0.1.1", "--server", &server, "--key", &key,
        ];
        assert_eq!(run(NAMING, ours).code, Some(0), "{text}");
    }
    // Of several keys the client takes the first.
    let first = &[
        "register", "x", "10.0.1.1", "--server", &server, "--key", &all,
    ];
    assert_eq!(run(NAMING, first).code, Some(0));
    let other =
        "key other { algorithm hmac-sha256; secret \"SECRET\"; };".replace("SECRET", SECRET);
    let other = folder.write("other.key", other + &files[0]);
    let refused = run(
        NAMING,
        &[
            "register", "y", "10.0.1.1", "--server", &server, "--key", &other,
        ],
    );
    assert_ne!(refused.code, Some(0), "{refused:?}");
}

#[test]
fn a_key_file_is_read_from_standard_input() {
    let key = format!("key lab {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\n");
    let mut server = testing::start(NAMING, &["serve", "--listen", "127.0.0.1:0", "--key", "-"]);
    server.type_in(&key);
    server.close_stdin();
    let address = server.ready().to_string();
    let mut client = testing::start(
        NAMING,
        &[
            "register", "x", "10.0.0.1", "--server", &address, "--key", "-",
        ],
    );
    client.type_in(&key);
    client.close_stdin();
    let finished = client.finish();
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (Some(0), "x is 10.0.0.1\n")
    );
    let made = run(NAMING, &["keygen", "lab", "--key", "-"]);
    assert!(
        made.code == Some(0) && made.out.starts_with("key \"lab\" {\n"),
        "{made:?}"
    );
}

#[test]
fn what_is_no_key_is_refused_with_its_line() {
    let folder = Folder::new();
    let secret = "key lab {\n algorithm hmac-sha256;\n secret \"\";\n};\n";
    let key = folder.write("empty.key", secret);
    for arguments in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["resolve", "x", "--server", "127.0.0.1:1"],
        &["register", "x", "10.0.0.1", "--server", "127.0.0.1:1"],
    ] {
        let finished = run(NAMING, &[arguments, &["--key", &key]].concat());
        let why = format!("naming: {key}:3: the secret is empty\n");
        assert_eq!(
            (finished.code, finished.err),
            (Some(2), why),
            "{arguments:?}"
        );
    }
}
