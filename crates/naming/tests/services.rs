//! Services (SRV, RFC 2782), and the values of the zone itself.

#[path = "support/serve.rs"]
mod serve;

use std::net::SocketAddr;

use common::testing::{self, Folder, run};

use serve::serve;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

#[test]
fn services_and_the_zones_own_values_are_updated_and_stored() {
    if !testing::have_program("nsupdate") || !testing::have_program("dig") {
        return;
    }
    let folder = Folder::new();
    let store = folder.path("names.redb");
    let (mut server, mut address) = serve(&["--store", &store]);
    let update = |address: SocketAddr, lines: &str| {
        let script = format!(
            "server 127.0.0.1 {}\nzone lab.\n{lines}\nsend\n",
            address.port()
        );
        let script = folder.write("script", script);
        run("nsupdate", &["-u", "60", &script]).err
    };
    let short = |address: SocketAddr, name: &str, rtype: &str| {
        let port = address.port().to_string();
        run("dig", &["@127.0.0.1", "-p", &port, name, rtype, "+short"]).out
    };
    for (lines, error) in [
        (
            "update add _sip._tcp.region1.lab. 60 SRV 0 5 5060 Server1.Region1.lab.",
            "",
        ),
        (
            "update add _sip._tcp.lab. 60 SRV 10 5 5060 sip.example.org.",
            "",
        ),
        ("update add lab. 60 SRV 0 0 443 server1.flat.lab.", ""),
        (
            "update add lab. 60 TXT \"v=spf1\" \"-all\"\nupdate add lab. 60 TXT x",
            "",
        ),
        (
            "prereq yxrrset lab. TXT x\nprereq yxrrset lab. TXT \"v=spf1\" \"-all\"",
            "",
        ),
        ("prereq nxrrset lab. TXT", "YXRRSET"),
        (
            "prereq yxrrset _sip._tcp.region1.lab. SRV 0 5 5060 SERVER1.region1.LAB.",
            "",
        ),
        ("update add lab. 60 A 10.0.0.1", "REFUSED"),
        // Ignored beside other records (RFC 2136 section 3.4.2.2).
        ("update add lab. 60 CNAME x.lab.", ""),
        ("update add flat.lab. 60 TXT x", "REFUSED"),
        ("update delete lab. A\nupdate delete lab. NS", ""),
    ] {
        let expected = match error {
            "" => String::new(),
            error => format!("update failed: {error}\n"),
        };
        assert_eq!(update(address, lines), expected, "{lines}");
    }
    for _ in 0..2 {
        assert_eq!(
            short(address, "_sip._tcp.region1.lab", "SRV"),
            "0 5 5060 server1.region1.lab.\n"
        );
        assert_eq!(
            short(address, "_sip._tcp.lab", "SRV"),
            "10 5 5060 sip.example.org.\n"
        );
        assert_eq!(short(address, "lab", "SRV"), "0 0 443 server1.flat.lab.\n");
        let mut texts: Vec<_> = short(address, "lab", "TXT")
            .lines()
            .map(str::to_owned)
            .collect();
        texts.sort();
        assert_eq!(texts, ["\"v=spf1\" \"-all\"", "\"x\""]);
        assert_eq!(short(address, "lab", "A"), "127.0.0.1\n");
        assert_eq!(short(address, "lab", "NS"), "lab.\n");
        assert_eq!(server.interrupt().code, Some(0));
        (server, address) = serve(&["--store", &store]);
    }
    let deletions = "update delete _sip._tcp.region1.lab. SRV 0 5 5060 SERVER1.Region1.Lab.\nupdate delete lab. TXT x";
    assert_eq!(update(address, deletions), "");
    assert_eq!(short(address, "_sip._tcp.region1.lab", "SRV"), "");
    assert_eq!(short(address, "lab", "TXT"), "\"v=spf1\" \"-all\"\n");
    // Deleting everything leaves what the zone must have (RFC 2136 section 3.4.2.3).
    assert_eq!(update(address, "update delete lab."), "");
    assert_eq!(
        (short(address, "lab", "TXT"), short(address, "lab", "SRV")),
        (String::new(), String::new())
    );
    assert_eq!(short(address, "lab", "NS"), "lab.\n");
    assert!(!short(address, "lab", "SOA").is_empty());
    assert_eq!(server.interrupt().code, Some(0));
}

#[test]
fn files_have_services_and_the_zones_own_values() {
    let folder = Folder::new();
    let names = folder.write(
        "names.json",
        r#"{"/@": ["text:v=spf1 -all", "srv:0 0 443 www.lab."], "/_sip": {"_udp": "srv:1 2 3 Server1.region1.LAB."}}"#,
    );
    let list = run(NAMING, &["list", "--names", &names]);
    let expected = "/@ v=spf1 -all\n/@ 0 0 443 www.lab.\n/_sip/_udp 1 2 3 server1.region1.lab.\n";
    assert_eq!(list.out, expected, "{list:?}");
    let exported = run(NAMING, &["export", "--names", &names]).out;
    for line in [
        "lab. IN TXT \"v=spf1 -all\"",
        "lab. IN SRV 0 0 443 www.lab.",
        "_udp._sip.lab. IN SRV 1 2 3 server1.region1.lab.",
    ] {
        assert!(
            exported.lines().any(|found| found == line),
            "{line} in {exported}"
        );
    }
    let (zone, again) = (folder.write("zone", exported), folder.path("again.json"));
    let imported = run(NAMING, &["import", &zone, "--names", &again]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    assert_eq!(run(NAMING, &["list", "--names", &again]).out, expected);
    let (server, address) = serve(&["--names", &names]);
    let resolved = run(
        NAMING,
        &[
            "resolve",
            "/@",
            "--type",
            "SRV",
            "--short",
            "--server",
            &address.to_string(),
        ],
    );
    assert_eq!(resolved.out, "0 0 443 www.lab.\n");
    assert_eq!(server.interrupt().code, Some(0));
    for (arguments, why) in [
        (
            &["register", "/@", "10.0.0.1"][..],
            "naming: /@: the zone itself has texts and services, and no other values or links\n",
        ),
        (
            &["link", "/@", "/x", "--symbolic"],
            "naming: /@: the zone itself has texts and services, and no other values or links\n",
        ),
        (
            &["register", "/@/x", "text:x"],
            "naming: @/x: /@ is the zone itself and holds no names\n",
        ),
        (
            &["register", "/x", "srv:0 0 x"],
            "naming: register /x: 'srv:0 0 x': not PRIORITY WEIGHT PORT TARGET, three numbers up to 65535\n",
        ),
    ] {
        let file = folder.path("new.json");
        assert_eq!(
            run(NAMING, &[arguments, &["--names", &file]].concat()).err,
            why
        );
    }
    for (text, why) in [
        (
            r#"{"/@": "10.0.0.1"}"#,
            "the zone itself has texts and services",
        ),
        (
            r#"{"@": {"x": "10.0.0.1"}}"#,
            "/@ is the zone itself and holds no names",
        ),
        (
            r#"{"/@": "symlink:/x"}"#,
            "the zone itself has texts and services",
        ),
    ] {
        let bad = folder.write("bad.json", text);
        let finished = run(NAMING, &["list", "--names", &bad]);
        assert!(
            finished.code == Some(2) && finished.err.contains(why),
            "{finished:?}"
        );
    }
}
