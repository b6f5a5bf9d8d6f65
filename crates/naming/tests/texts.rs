//! Texts keep their strings and bytes on every way: over the wire, in names files, in zone files and in the store.

#[path = "support/serve.rs"]
mod serve;

use std::{net::SocketAddr, path::Path, sync::Arc};

use common::testing::{self, Folder, run};
use naming::{
    dns::{owner::Zones, publish},
    file,
    store::Store,
    value::{Text, Value},
    zonefile,
};

use serve::serve;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

/// Texts by their strings: empty ones, one of the most bytes, bytes that are no UTF-8, a text far over 1,024 bytes.
fn texts() -> Vec<Text> {
    let all: Vec<u8> = (0..=254).collect();
    let strings: [&[&[u8]]; 8] = [
        &[b""],
        &[b"", b"", b""],
        &[b"one", b"two"],
        &[b"onetwo"],
        &[b"\xff\xfe"],
        &[&all],
        &[&[b'x'; 255], b"x", &[b'y'; 255]],
        &[b"\"quoted\" \\ ; ( $ @"],
    ];
    let text = |strings: &&[&[u8]]| {
        let data: Vec<u8> = strings
            .iter()
            .flat_map(|string| [&[string.len() as u8], *string].concat())
            .collect();
        Text::from_record(&data).unwrap()
    };
    let mut texts: Vec<_> = strings.iter().map(text).collect();
    texts.push(Text::new(&vec![0xe4; 20_000]));
    texts
}

#[test]
fn files_and_the_store_keep_texts_as_they_are() {
    let folder = Folder::new();
    let settings = publish::Settings {
        zones: Arc::new(Zones::new("lab.").unwrap()),
        ttl: 60,
        address: None,
    };
    let mut space = naming::names::built_in();
    for (number, text) in texts().into_iter().enumerate() {
        let value = Value::of_text(text).unwrap();
        let place = format!("text{number}").parse().unwrap();
        space.register(&place, value.into()).unwrap();
    }
    let names = file::write(&space);
    assert_eq!(
        file::parse(Path::new("names"), names.as_bytes()).unwrap(),
        space
    );
    let mut zone = String::new();
    zonefile::export(&space, 1, &settings, |line| {
        zone.extend([line.as_str(), "\n"])
    })
    .unwrap();
    assert_eq!(
        zonefile::parse(Path::new("zone"), zone.as_bytes(), &settings.zones).unwrap(),
        space
    );
    let path = folder.path("names.redb");
    Store::open(path.as_ref())
        .unwrap()
        .keep(
            &space,
            &space.own_places(),
            &Zones::new("lab.").unwrap(),
            &Default::default(),
            &[],
        )
        .unwrap();
    assert_eq!(Store::open(path.as_ref()).unwrap().load().unwrap(), space);
}

#[test]
fn nsupdate_and_dig_have_the_strings_that_were_added() {
    if !testing::have_program("nsupdate") || !testing::have_program("dig") {
        return;
    }
    let folder = Folder::new();
    let store = folder.path("names.redb");
    let (mut server, mut address) = serve(&["--store", &store]);
    let update = |address: SocketAddr, lines: &[String]| {
        let script = format!(
            "server {} {}\nzone lab.\n{}\nsend\n",
            address.ip(),
            address.port(),
            lines.join("\n")
        );
        let script = folder.write("script", script);
        run("nsupdate", &["-v", &script])
    };
    let lookup = |address: SocketAddr, name: &str| {
        let (ip, port) = (format!("@{}", address.ip()), address.port().to_string());
        run("dig", &[&ip, "-p", &port, name, "TXT", "+short", "+tcp"]).out
    };
    let texts = texts();
    for (number, text) in texts.iter().enumerate() {
        let line = format!("update add text{number}.lab. 60 TXT {}", text.to_strings());
        assert_eq!(update(address, &[line]).err, "");
    }
    // The server has them, and has them again when it has been restarted.
    for _ in 0..2 {
        for (number, text) in texts.iter().enumerate() {
            let found = lookup(address, &format!("text{number}.lab"));
            assert_eq!(found, format!("{}\n", text.to_strings()));
        }
        assert_eq!(server.interrupt().code, Some(0));
        (server, address) = serve(&["--store", &store]);
    }
    for (number, text) in texts.iter().enumerate() {
        let (name, strings) = (format!("text{number}.lab"), text.to_strings());
        let other = format!("update delete {name}. TXT {strings} \"\"");
        assert_eq!(update(address, &[other]).err, "");
        assert_eq!(lookup(address, &name), format!("{strings}\n"));
        let condition = format!("prereq yxrrset {name}. TXT {strings}");
        let deletion = format!("update delete {name}. TXT {strings}");
        assert_eq!(update(address, &[condition, deletion]).err, "");
        assert_eq!(lookup(address, &name), "");
    }
    assert_eq!(server.interrupt().code, Some(0));
}

#[test]
fn the_client_registers_and_shows_any_text() {
    let (server, address) = serve(&[]);
    let address = address.to_string();
    for (name, value, shown) in [
        ("empty", "text:", "\"\""),
        ("two", "txt:one two", "\"one\" \"two\""),
        ("bytes", r#"txt:"\255\000""#, r#""\255\000""#),
        ("plain", "text:in the hall", "in the hall"),
    ] {
        let registered = run(NAMING, &["register", name, value, "--server", &address]);
        assert_eq!(registered.code, Some(0), "{registered:?}");
        let found = run(NAMING, &["resolve", name, "--short", "--server", &address]);
        assert_eq!(found.out, format!("{shown}\n"));
    }
    let long = format!("text:{}", "x".repeat(60_000));
    let registered = run(NAMING, &["register", "long", &long, "--server", &address]);
    assert_eq!(registered.code, Some(0), "{registered:?}");
    let found = run(
        NAMING,
        &["resolve", "long", "--short", "--server", &address],
    );
    assert_eq!(found.out, format!("{}\n", "x".repeat(60_000)));
    testing::check_refusals(
        NAMING,
        &[
            (
                &["register", "x", "txt:", "--server", &address],
                "register x: 'txt:': a text has at least one string, such as \"\"",
            ),
            (
                &["register", "x", "txt:\"y", "--server", &address],
                "register x: 'txt:\"y': a string without its closing quote",
            ),
        ],
    );
    assert_eq!(server.interrupt().code, Some(0));
}
