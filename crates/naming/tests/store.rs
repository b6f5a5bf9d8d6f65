//! A store that is damaged, truncated, or none: the server and `naming store` end with one line, and what can be read is saved.

use common::testing::{self, Folder, run};

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

/// The length of the header of redb, which has the roots of its two states.
const HEADER: usize = 320;

/// The bytes of a store with a thousand names, and those names; `killed`: as `kill -9` leaves it.
fn store(folder: &Folder, killed: bool) -> (Vec<u8>, String) {
    let names: Vec<_> = (0..1000)
        .map(|number| {
            format!(
                "\"n{number:04}\": \"10.0.{}.{}\"",
                number / 250,
                number % 250
            )
        })
        .collect();
    let names = folder.write("names.json", format!("{{{}}}", names.join(", ")));
    let path = folder.path("made.redb");
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--names", &names];
    let mut server = testing::start(NAMING, &[&arguments[..], &["--store", &path]].concat());
    server.ready();
    match killed {
        true => {
            server.signal("KILL");
            assert_eq!(server.finish().code, None);
        }
        false => assert_eq!(server.interrupt().code, Some(0)),
    }
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    let list = run(NAMING, &["list", "--names", &names, "--quiet"]).out;
    (bytes, list)
}

/// What the commands make of a file: the exit code of the check, and the names that are exported.
fn examine(folder: &Folder, bytes: &[u8], case: &str) -> (i32, String) {
    let path = folder.write("store.redb", bytes);
    let exported = folder.path("exported.json");
    let _ = std::fs::remove_file(&exported);
    let mut codes = [0; 2];
    for (code, arguments) in codes.iter_mut().zip([
        &["store", "check", &path][..],
        &["store", "export", &path, &exported],
    ]) {
        let finished = run(NAMING, &[arguments, &["--quiet"]].concat());
        let lines = finished.err.lines().count();
        *code = finished.code.unwrap_or(-1);
        let expected = usize::from(*code != 0);
        assert!(
            (0..=2).contains(code) && lines == expected && !finished.err.contains("panicked"),
            "{case}: {arguments:?}: {finished:?}"
        );
        assert!(
            finished.err.is_empty() || finished.err.starts_with(&format!("naming: {path}: ")),
            "{case}: {finished:?}"
        );
    }
    assert_eq!(codes[0], codes[1], "{case}");
    assert!(
        std::fs::read(&path).unwrap() == bytes,
        "{case}: it is changed"
    );
    // No such address is here, so a server that can read the store ends there.
    let arguments = ["serve", "--listen", "192.0.2.1:0", "--store", &path];
    let finished = run(NAMING, &arguments);
    assert!(
        finished.code == Some(2) && !finished.err.contains("panicked"),
        "{case}: {finished:?}"
    );
    // A change that a crash left unfinished is no reason to stop; it is a warning.
    let back = finished.err.contains("the state before that change");
    let lines = finished.err.lines().count();
    assert_eq!(lines, 1 + usize::from(back), "{case}: {finished:?}");
    let opened = finished.err.contains("192.0.2.1");
    assert!(opened || codes[0] > 0, "{case}: {finished:?}");
    let list = match codes[0] {
        2 => String::new(),
        _ => run(NAMING, &["list", "--names", &exported, "--quiet"]).out,
    };
    (codes[0], list)
}

#[test]
fn a_sound_store_is_checked_and_exported() {
    let folder = Folder::new();
    for killed in [false, true] {
        let (bytes, names) = store(&folder, killed);
        let (code, list) = examine(&folder, &bytes, "sound");
        assert!(code == 0 && list == names, "{list}");
    }
    let (bytes, _) = store(&folder, false);
    let path = folder.write("store.redb", bytes);
    let finished = run(NAMING, &["store", "check", &path]);
    assert_eq!(finished.out, format!("{path}: sound, 1000 names\n"));
    let zone = ["--zone-file", "--zone", "example."];
    let zone = run(NAMING, &[&["store", "export", &path][..], &zone].concat());
    assert_eq!(zone.code, Some(0));
    assert!(zone.out.contains("n0007.flat.example. IN A 10.0.0.7\n"));
    let mut server = testing::start(
        NAMING,
        &["serve", "--listen", "127.0.0.1:0", "--store", &path],
    );
    server.ready();
    for action in ["check", "export"] {
        let finished = run(NAMING, &["store", action, &path]);
        let why = format!("naming: {path}: a server has it open\n");
        assert_eq!((finished.code, finished.err), (Some(2), why));
    }
    for (arguments, why) in [
        (
            &["store", "check", &path, "x.json"][..],
            "x.json: store check writes nothing".into(),
        ),
        (
            &["store", "export", &path, &path],
            format!("{path}: it is the store itself"),
        ),
        (
            &["store", "export", "-"],
            "store -: a store is a file, and no standard stream".into(),
        ),
    ] {
        let finished = run(NAMING, arguments);
        let why = format!("naming: {why}\n");
        assert_eq!((finished.code, finished.err), (Some(2), why));
    }
}

#[test]
fn a_damaged_store_ends_in_one_line_and_its_names_are_saved() {
    let folder = Folder::new();
    for killed in [false, true] {
        let (bytes, names) = store(&folder, killed);
        let all: Vec<_> = names.lines().collect();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        let (mut saved, mut damaged, mut lost) = (0, 0, 0);
        // Offsets without a pattern, the header among them.
        let mut offset = 9;
        let mut offsets: Vec<_> = (9..HEADER).step_by(24).collect();
        for _ in 0..25 {
            offset = (offset * 7919 + 104_729) % used;
            offsets.push(offset);
        }
        // In the middle of a name, and of the page that it is in.
        let middle = bytes.windows(5).position(|part| part == b"n0500").unwrap();
        offsets.push(middle);
        for (number, offset) in offsets.into_iter().enumerate() {
            let mut bytes = bytes.clone();
            let length = [1, 8, 500, 5000][number % 4].min(used - offset);
            for byte in &mut bytes[offset..][..length] {
                *byte ^= 0x5a;
            }
            let case = format!("{length} bytes from {offset}, killed {killed}");
            let (code, list) = examine(&folder, &bytes, &case);
            let count = list.lines().filter(|line| all.contains(line)).count();
            match code {
                0 => assert!(list == names, "{case}"),
                1 => {
                    damaged += 1;
                    saved += count;
                }
                _ => lost += 1,
            }
        }
        // One damaged page of many costs its names, and no others.
        assert!(
            damaged > 0 && saved / damaged > 500,
            "{saved} of {damaged}, {lost} lost"
        );
    }
}

#[test]
fn a_file_that_is_truncated_or_of_another_kind_ends_in_one_line() {
    let folder = Folder::new();
    let (bytes, _) = store(&folder, false);
    for length in [
        0,
        1,
        9,
        100,
        4095,
        4096,
        10_000,
        bytes.len() / 2,
        bytes.len() - 1,
    ] {
        let (code, _) = examine(&folder, &bytes[..length], &format!("{length} bytes"));
        assert!(code > 0, "{length}");
    }
    let mut other = bytes.clone();
    other[..4].copy_from_slice(b"blue");
    for bytes in [
        &b"{\"a\": \"10.0.0.1\"}"[..],
        &[0; 20_000],
        &[0xff; 20_000],
        &other,
    ] {
        assert_eq!(examine(&folder, bytes, "another kind").0, 2);
    }
    let pipe = folder.path("pipe");
    assert_eq!(run("mkfifo", &[&pipe]).code, Some(0));
    let directory = folder.path("");
    for path in [&pipe, &directory, "/dev/null", &folder.path("none/x")] {
        for arguments in [
            &["store", "check", path][..],
            &["store", "export", path],
            &["serve", "--listen", "127.0.0.1:0", "--store", path],
        ] {
            let finished = run(NAMING, arguments);
            assert!(
                finished.code == Some(2) && finished.err.lines().count() == 1,
                "{arguments:?}: {finished:?}"
            );
        }
    }
}
