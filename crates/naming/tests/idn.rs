//! Internationalised names (RFC 5890): a name and its A-label are one name, in every command and in DNS.

#[path = "support/serve.rs"]
mod serve;

use common::testing::{self, Folder, run};

use serve::serve;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

const NAMES: &str = r#"{"grüße": "10.0.0.1", "köln": {"straße": ["10.0.1.1", "text:ä"], "xn--bcher-kva": "10.0.1.2"},
    "/west": "symlink:/köln", "/dürer": "symlink:köln/straße"}"#;

#[test]
fn a_name_and_its_a_label_resolve_alike() {
    let folder = Folder::new();
    let names = folder.write("names.json", NAMES);
    for name in ["grüße", "GRÜßE", "xn--gre-6ka8l", "XN--gre-6ka8l"] {
        let found = run(NAMING, &["flat", name, "--short", "--names", &names]);
        assert_eq!(found.out, "10.0.0.1\n", "{name}: {found:?}");
    }
    for path in [
        "köln/bücher",
        "xn--kln-sna/bücher",
        "KÖLN/xn--bcher-kva",
        "west/Bücher",
    ] {
        let found = run(NAMING, &["structured", path, "--short", "--names", &names]);
        assert_eq!(found.out, "10.0.1.2\n", "{path}: {found:?}");
    }
    let list = run(NAMING, &["list", "--names", &names]).out;
    assert!(list.contains("köln/bücher 10.0.1.2\n"), "{list}");
    let twice = folder.write(
        "twice.json",
        r#"{"grüße": "10.0.0.1", "xn--gre-6ka8l": "10.0.0.2"}"#,
    );
    let refused = run(NAMING, &["list", "--names", &twice]);
    assert!(
        refused.code == Some(2) && refused.err.contains("name 'grüße' is a duplicate"),
        "{refused:?}"
    );
    // A zone file has the A-labels, which BIND takes for host names, and is read in either form.
    let zone = run(NAMING, &["export", "--names", &names]).out;
    assert!(
        zone.contains("xn--gre-6ka8l.flat.lab. IN A 10.0.0.1\n"),
        "{zone}"
    );
    for zone in [zone.clone(), zone.replace("xn--gre-6ka8l", "grüße")] {
        let (zone, again) = (folder.write("zone", zone), folder.path("again.json"));
        assert_eq!(
            run(NAMING, &["import", &zone, "--names", &again]).code,
            Some(0)
        );
        assert_eq!(run(NAMING, &["list", "--names", &again]).out, list);
    }
}

#[test]
fn dns_answers_for_both_forms() {
    if !testing::have_program("nsupdate") || !testing::have_program("dig") {
        return;
    }
    let folder = Folder::new();
    let names = folder.write("names.json", NAMES);
    let store = folder.path("names.redb");
    let (server, address) = serve(&["--names", &names, "--store", &store]);
    let port = address.port().to_string();
    let dig = |arguments: &[&str]| {
        let asked = ["@127.0.0.1", "-p", &port, "+noidnin", "+noidnout"];
        run("dig", &[&asked, arguments].concat()).out
    };
    for (name, rtype, expected) in [
        ("grüße.flat.lab", "A", "10.0.0.1\n"),
        ("xn--gre-6ka8l.flat.lab", "A", "10.0.0.1\n"),
        ("XN--GRE-6KA8L.flat.LAB", "A", "10.0.0.1\n"),
        ("straße.köln.lab", "A", "10.0.1.1\n"),
        ("straße.xn--kln-sna.lab", "TXT", "\"\\195\\164\"\n"),
        (
            "dürer.lab",
            "A",
            "xn--strae-oqa.xn--kln-sna.lab.\n10.0.1.1\n",
        ),
        (
            "straße.west.lab",
            "A",
            "xn--kln-sna.lab.\nxn--strae-oqa.xn--kln-sna.lab.\n10.0.1.1\n",
        ),
    ] {
        assert_eq!(dig(&[name, rtype, "+short"]), expected, "{name}");
    }
    // The owner is the name that was asked for, and the SOA record of a negative answer that of the zone.
    let negative = dig(&["grüße.nobody.lab", "A", "+norecurse"]);
    assert!(
        negative.contains("NXDOMAIN") && negative.contains("\nlab.\t\t\t60\tIN\tSOA\t"),
        "{negative}"
    );
    let nothing = dig(&["grüße.flat.lab", "AAAA", "+norecurse"]);
    assert!(
        nothing.contains("NOERROR") && nothing.contains("\nlab.\t\t\t60\tIN\tSOA\t"),
        "{nothing}"
    );
    assert!(dig(&["-x", "10.0.0.1", "+short"]).contains("xn--gre-6ka8l.flat.lab.\n"));
    let address = address.to_string();
    for name in ["grüße", "xn--gre-6ka8l", "grüße.flat.lab."] {
        let found = run(NAMING, &["resolve", name, "--short", "--server", &address]);
        assert_eq!(found.out, "10.0.0.1\n", "{name}: {found:?}");
    }
    let registered = run(
        NAMING,
        &[
            "register",
            "xn--gre-6ka8l",
            "::1",
            "--add",
            "--server",
            &address,
        ],
    );
    assert_eq!(registered.code, Some(0), "{registered:?}");
    let script = format!(
        "server 127.0.0.1 {port}\nzone lab.\nupdate delete gr\\195\\188\\195\\159e.flat.lab. A\nsend\n"
    );
    assert_eq!(
        run("nsupdate", &["-u", "60", &folder.write("script", script)]).err,
        ""
    );
    assert_eq!(dig(&["xn--gre-6ka8l.flat.lab", "ANY", "+short"]), "::1\n");
    assert_eq!(server.interrupt().code, Some(0));
}
