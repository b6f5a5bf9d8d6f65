//! Names files as the world has them: of other owners, linked, mounted, left by killed processes, or no files at all.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
};

use common::testing::{self, Finished, Folder, run};

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

const NAMES: &str = "{\n  \"a\": \"10.0.0.1\"\n}\n";

const CHANGED: &str = "{\n  \"a\": \"10.0.0.1\",\n  \"b\": \"10.0.0.2\"\n}\n";

fn register(names: &str) -> Finished {
    run(NAMING, &["register", "b", "10.0.0.2", "--names", names])
}

fn changes(names: &str) {
    let finished = register(names);
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
    assert_eq!(fs::read_to_string(names).unwrap(), CHANGED);
}

fn is_root() -> bool {
    testing::have(
        "root",
        fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0),
    )
}

fn entries(folder: &Folder) -> Vec<String> {
    let names = fs::read_dir(folder.path("")).unwrap();
    let mut names: Vec<_> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_changed_file_keeps_its_mode_and_its_links() {
    let folder = Folder::new();
    for mode in [0o600, 0o640, 0o664] {
        let names = folder.write("names.json", NAMES);
        fs::set_permissions(&names, fs::Permissions::from_mode(mode)).unwrap();
        changes(&names);
        assert_eq!(fs::metadata(&names).unwrap().mode() & 0o7777, mode);
    }
    // A hard link is the same file before and after.
    let names = folder.write("names.json", NAMES);
    let second = folder.path("second.json");
    fs::hard_link(&names, &second).unwrap();
    let before = fs::metadata(&names).unwrap().ino();
    changes(&names);
    assert_eq!(fs::read_to_string(&second).unwrap(), CHANGED);
    assert_eq!(
        [&names, &second].map(|path| fs::metadata(path).unwrap().ino()),
        [before; 2]
    );
    fs::write(&second, NAMES).unwrap();
    // A shorter content leaves nothing of a longer one.
    let unregistered = run(NAMING, &["unregister", "a", "--names", &second]);
    assert_eq!(unregistered.code, Some(0));
    assert_eq!(fs::read_to_string(&names).unwrap(), "{\n}\n");
    fs::remove_file(&second).unwrap();
    // Symbolic links, one to the other, and one to nothing yet.
    fs::write(&names, NAMES).unwrap();
    let (link, far) = (folder.path("link.json"), folder.path("far.json"));
    symlink("names.json", &link).unwrap();
    symlink(&link, &far).unwrap();
    changes(&far);
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("names.json"));
    assert_eq!(fs::read_link(&far).unwrap(), Path::new(&link));
    assert!(fs::symlink_metadata(&names).unwrap().is_file());
    let (dangling, new) = (folder.path("dangling.json"), folder.path("new.json"));
    symlink("new.json", &dangling).unwrap();
    assert_eq!(register(&dangling).code, Some(0));
    assert!(fs::symlink_metadata(&dangling).unwrap().is_symlink());
    assert!(fs::symlink_metadata(&new).unwrap().is_file());
    let circle = folder.path("circle.json");
    symlink("circle.json", &circle).unwrap();
    let refused = register(&circle);
    assert_eq!((refused.code, refused.err.lines().count()), (Some(2), 1));
}

#[test]
fn a_changed_file_keeps_its_owner() {
    if !is_root() {
        return;
    }
    let folder = Folder::new();
    let names = folder.write("names.json", NAMES);
    std::os::unix::fs::chown(&names, Some(1234), Some(5678)).unwrap();
    fs::set_permissions(&names, fs::Permissions::from_mode(0o640)).unwrap();
    changes(&names);
    let after = fs::metadata(&names).unwrap();
    assert_eq!(
        (after.uid(), after.gid(), after.mode() & 0o7777),
        (1234, 5678, 0o640)
    );
    // A user who may write the file, but is not its owner, does not become it.
    fs::write(&names, NAMES).unwrap();
    fs::set_permissions(&names, fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o777)).unwrap();
    let as_another = |arguments: &str| {
        let script = format!(
            "exec setpriv --reuid 4321 --regid 4321 --clear-groups \"$0\" {arguments} --names \"$1\""
        );
        run("sh", &["-c", &script, NAMING, &names])
    };
    let changed = as_another("register b 10.0.0.2");
    if changed.err.contains("ermission denied") && !changed.err.starts_with("naming: ") {
        return;
    }
    assert_eq!(changed.code, Some(0), "{changed:?}");
    assert_eq!(fs::read_to_string(&names).unwrap(), CHANGED);
    assert_eq!(fs::metadata(&names).unwrap().uid(), 1234);
    assert_eq!(entries(&folder), ["names.json"]);
    // Neither the folder nor the file can be written.
    fs::set_permissions(&names, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let refused = as_another("unregister a");
    let why = format!(
        "naming: {names}: can neither be replaced nor be written: permission denied; the file or its folder must be writable\n"
    );
    assert_eq!((refused.code, refused.err), (Some(2), why));
    assert_eq!(fs::read_to_string(&names).unwrap(), CHANGED);
    // The file can, the folder cannot.
    fs::set_permissions(&names, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(as_another("unregister b").code, Some(0));
    assert_eq!(fs::read_to_string(&names).unwrap(), NAMES);
}

/// A file that is mounted by itself cannot be replaced by a rename.
#[test]
fn a_mounted_file_is_written_in_place() {
    let script = r#"
        unshare -m true 2>/dev/null || { echo none; exit 0; }
        printf '{"a": "10.0.0.1"}' >outside.json; echo '{}' >names.json; mkdir in; echo '{}' >in/names.json
        exec unshare -m sh -eu -c '
            mount --bind outside.json names.json 2>/dev/null || { echo none; exit 0; }
            mount --bind outside.json in/names.json
            for number in 1 2 3 4 5 6 7 8 9; do
                "$NAMING" register n$number 10.0.0.$number --names names.json >/dev/null &
                "$NAMING" register m$number 10.0.0.$number --names in/names.json >/dev/null &
            done
            wait
            "$NAMING" list --names outside.json | wc -l
            cmp names.json outside.json && ls . in
        '
    "#;
    let Some(finished) = testing::in_namespace(script, &[("NAMING", NAMING)]) else {
        return;
    };
    if !testing::have("mount --bind", finished.out != "none\n") {
        return;
    }
    let listed = "19\n.:\nin\nnames.json\noutside.json\n\nin:\nnames.json\n";
    assert_eq!(
        (finished.code, finished.out.as_str(), finished.err.as_str()),
        (Some(0), listed, "")
    );
}

#[test]
fn what_a_killed_run_left_is_cleaned_up() {
    let folder = Folder::new();
    let names = folder.write("names.json", NAMES);
    folder.write("names.json.4194305.new", "{\"b\": \"10.");
    folder.write("names.json.old.new", "mine");
    folder.write("other.json.7.new", "not of this file");
    let kept = ["names.json", "names.json.old.new", "other.json.7.new"];
    changes(&names);
    assert_eq!(entries(&folder), kept);
    // Also by a change that is refused.
    folder.write("names.json.4194305.new", "");
    assert_eq!(register(&names).code, Some(1));
    assert_eq!(entries(&folder), kept);
    // A file that was half overwritten: what was to be written is beside it.
    folder.write("names.json", "{\n  \"a\": \"10.0.");
    folder.write("names.json.4194305.new", NAMES);
    changes(&names);
    assert_eq!(entries(&folder), kept);
    // Without that it is refused, and unchanged.
    folder.write("names.json", "{\n  \"a\": \"10.0.");
    folder.write("names.json.4194305.new", "{");
    assert_eq!(register(&names).code, Some(2));
    assert_eq!(fs::read_to_string(&names).unwrap(), "{\n  \"a\": \"10.0.");
}

#[test]
fn only_a_regular_file_is_changed() {
    let folder = Folder::new();
    let pipe = folder.path("pipe");
    assert_eq!(run("mkfifo", &[&pipe]).code, Some(0));
    for (path, why) in [
        (
            pipe.as_str(),
            "not a regular file, and only those are changed",
        ),
        (
            "/dev/null",
            "not a regular file, and only those are changed",
        ),
        (folder.path("").as_str(), "is a directory"),
    ] {
        let finished = register(path);
        let err = format!("naming: {path}: {why}\n");
        assert_eq!((finished.code, finished.err), (Some(2), err));
    }
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    let finished = register("-");
    assert_eq!(
        finished.err,
        "naming: --names -: names are changed in a file; standard input cannot be changed\n"
    );
}

#[test]
fn names_are_read_from_standard_input() {
    let with_input = |arguments: &[&str], input: &str| {
        let mut running = testing::start(NAMING, arguments);
        running.type_in(input);
        running.close_stdin();
        running.finish()
    };
    assert_eq!(
        with_input(&["list", "--names", "-"], NAMES).out,
        "a 10.0.0.1\n"
    );
    assert_eq!(
        with_input(&["list", "--names", "-"], &format!("\u{feff}{NAMES}")).out,
        "a 10.0.0.1\n"
    );
    let mounted = with_input(
        &["structured", "eu/x", "--mount", "eu=-"],
        r#"{"/x": "10.0.0.9"}"#,
    );
    assert_eq!(mounted.out, "IP address of eu x: 10.0.0.9\n");
    let twice = with_input(&["list", "--names", "-", "--mount", "eu=-"], NAMES);
    assert_eq!(
        (twice.code, twice.err.as_str()),
        (
            Some(2),
            "naming: -: standard input has one reader, and another one is named\n"
        )
    );
    let exported = with_input(&["export", "--names", "-"], NAMES);
    assert!(
        exported.out.ends_with("a.flat.lab. IN A 10.0.0.1\n"),
        "{exported:?}"
    );
    let imported = with_input(&["import", "-", "--names", "-"], "b.flat.lab. A 10.0.0.2\n");
    assert_eq!(imported.out, "{\n  \"b\": \"10.0.0.2\"\n}\n");
    assert_eq!(
        with_input(&["list", "--names", "-"], "{\n\"a\": 1}")
            .err
            .lines()
            .count(),
        1
    );
}

#[test]
fn the_service_name_of_a_flat_name_is_written_below_flat() {
    let folder = Folder::new();
    let names = folder.write(
        "names.json",
        r#"{"a": "10.0.0.1", "a/_acme-challenge": "text:x"}"#,
    );
    let refused = run(NAMING, &["export", "--names", &names]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.err.contains("is 'flat/a/_acme-challenge'"),
        "{refused:?}"
    );
    let names = folder.write(
        "names.json",
        r#"{"a": "10.0.0.1", "flat/a/_acme-challenge": "text:x"}"#,
    );
    let taken = run(NAMING, &["export", "--names", &names]);
    assert!(taken.out.contains("_acme-challenge.a.flat"), "{taken:?}");
}
