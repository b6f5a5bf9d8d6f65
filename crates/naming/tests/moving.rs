//! `naming delegate`: a subtree moves to its own server while names are looked up and changed, and none is lost.

#[path = "support/walk.rs"]
mod walk;

use std::{
    collections::BTreeSet,
    net::UdpSocket,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use common::testing::{Finished, Folder, Running, run};

use walk::{port, serve_at, walk};

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

/// The parent's address and that of the child.
const PARENT: &str = "127.0.0.1";
const CHILD: &str = "127.0.0.2";
/// A further server of the child.
const FURTHER: &str = "127.0.0.4";

/// Names of every kind below region1, and aliases of them.
const NAMES: &str = r#"{"server1": "192.168.1.2", "gate": "symlink:region1/rack1/a",
    "region1": {
        "rack1": {"a": ["10.0.0.1", "2001:db8::1", "text:a", "ttl:TXT=5"], "b": "link:region1/rack1/a",
            "gw": ["symlink:region1/rack1/a", "ttl:300"], "_sip": {"_tcp": "srv:0 5 5060 a.rack1.region1.lab."}},
        "ways": "symlink:region1/rack1", "*": "10.0.0.9", "grüße": "10.0.0.7",
        "cell": ["delegate:127.0.0.9", "ttl:300"]
    },
    "/region1/_tcp": "text:of the region", "region2": {"x": "10.0.0.3"},
    "/east": "symlink:/region1", "/www": "symlink:region1/rack1/b"}"#;

/// What a walk finds of each name, before the move and after it.
const FOUND: [(&str, &str); 9] = [
    ("a.rack1.region1.lab.", "10.0.0.1"),
    ("b.rack1.region1.lab.", "10.0.0.1"),
    ("gw.rack1.region1.lab.", "10.0.0.1"),
    ("b.ways.region1.lab.", "10.0.0.1"),
    ("any.thing.region1.lab.", "10.0.0.9"),
    ("xn--gre-6ka8l.region1.lab.", "10.0.0.7"),
    ("x.region2.lab.", "10.0.0.3"),
    ("server1.flat.lab.", "192.168.1.2"),
    ("nobody.region2.lab.", "NXDOMAIN"),
];

/// Both servers, and the file of the parent's names.
struct Family {
    folder: Folder,
    parent: Running,
    child: Running,
    port: u16,
}

/// A parent with these names, and a child with those.
fn family(names: &str, childs: &str, arguments: &[&str]) -> Family {
    let folder = Folder::new();
    let names = folder.write("names.json", names);
    let childs = folder.write("childs.json", childs);
    let port = port(&[PARENT, CHILD, FURTHER]);
    let parent = [&["--names", &names], arguments].concat();
    let child = [&["--names", &childs, "--zone", "region1.lab."], arguments].concat();
    Family {
        parent: serve_at(PARENT, port, &parent),
        child: serve_at(CHILD, port, &child),
        folder,
        port,
    }
}

impl Family {
    fn at(&self, address: &str) -> String {
        format!("{address}:{}", self.port)
    }

    fn delegate(&self, arguments: &[&str]) -> Finished {
        let server = self.at(PARENT);
        let command = ["delegate", "region1", CHILD, "--server", &server];
        run(NAMING, &[&command, arguments].concat())
    }

    fn change(&self, address: &str, arguments: &[&str]) -> Finished {
        let server = self.at(address);
        run(NAMING, &[arguments, &["--server", &server]].concat())
    }

    /// The value of a name at one of the servers.
    fn resolve(&self, address: &str, name: &str, rtype: &str) -> String {
        let finished = self.change(address, &["resolve", name, "--short", "--type", rtype]);
        let shown = if finished.code == Some(0) {
            finished.out
        } else {
            finished.err
        };
        shown.trim_end().to_owned()
    }
}

#[test]
fn every_name_moves_as_it_is() {
    // The child has names of its own, and another TTL.
    let family = family(NAMES, r#"{"own": "10.9.9.9", "/mine": "10.9.9.8"}"#, &[]);
    let moved = family.delegate(&[]);
    assert_eq!(
        (moved.code, moved.out.as_str()),
        (
            Some(0),
            "/region1 is delegated to 127.0.0.2: 9 names moved\n"
        ),
        "{moved:?}"
    );
    let aliases: BTreeSet<_> = moved.err.lines().collect();
    for alias in ["gate", "/www", "/east"] {
        let line = format!("{alias} stays, and leads to the new server");
        assert!(aliases.contains(line.as_str()), "{moved:?}");
    }
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let parent = family.at(PARENT).parse().unwrap();
    for (name, found) in FOUND {
        let answer = walk(&socket, parent, name);
        let answer = answer.map_or_else(|why| why, |found| format!("{found:?}"));
        assert!(answer.contains(found), "{name}: {answer}");
    }
    for (name, rtype, value) in [
        ("a.rack1.region1.lab.", "TXT", "a"),
        ("a.rack1.region1.lab.", "AAAA", "2001:db8::1"),
        (
            "_tcp._sip.rack1.region1.lab.",
            "SRV",
            "0 5 5060 a.rack1.region1.lab.",
        ),
        ("_tcp.region1.lab.", "TXT", "of the region"),
        ("mine.region1.lab.", "A", "10.9.9.8"),
        ("own.flat.region1.lab.", "A", "10.9.9.9"),
    ] {
        assert_eq!(family.resolve(CHILD, name, rtype), value, "{name}");
    }
    // Hard links are still one leaf, and the delegation below is one.
    let set = [
        "register",
        "/rack1/b",
        "10.0.0.2",
        "--add",
        "--zone",
        "region1.lab.",
    ];
    assert_eq!(family.change(CHILD, &set).code, Some(0));
    assert_eq!(
        family.resolve(CHILD, "a.rack1.region1.lab.", "A"),
        "10.0.0.1\n10.0.0.2"
    );
    // Again, it is done already; and what is delegated is changed at its server.
    let again = family.delegate(&[]);
    assert_eq!(again.out, "/region1 is delegated to 127.0.0.2 already\n");
    let refused = family.change(PARENT, &["register", "region1/new", "10.0.0.8"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
}

#[test]
fn no_look_up_is_lost_meanwhile() {
    let regions: Vec<_> = (0..300)
        .map(|number| format!("\"n{number}\": \"10.1.{}.{}\"", number / 200, number % 200))
        .collect();
    let names = format!(
        "{{\"region1\": {{{}}}, \"region2\": {{\"x\": \"::1\"}}}}",
        regions.join(",")
    );
    let family = family(&names, "{}", &[]);
    let (done, walks) = (AtomicBool::new(false), AtomicU64::new(0));
    let parent = family.at(PARENT).parse().unwrap();
    let registered = thread::scope(|scope| {
        let walking: Vec<_> = (0..2)
            .map(|thread| {
                let (done, walks) = (&done, &walks);
                scope.spawn(move || {
                    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
                    // Until every name was looked up after the move, too.
                    let mut left = None;
                    for number in (0..300).cycle().skip(thread * 150) {
                        let name = format!("n{number}.region1.lab.");
                        let found = walk(&socket, parent, &name).unwrap();
                        let address = format!("10.1.{}.{}", number / 200, number % 200);
                        assert_eq!(found, [address.parse::<std::net::IpAddr>().unwrap()]);
                        walks.fetch_add(1, Ordering::Relaxed);
                        if done.load(Ordering::Acquire) {
                            let left = left.get_or_insert(300);
                            *left -= 1;
                            if *left == 0 {
                                return;
                            }
                        }
                    }
                })
            })
            .collect();
        // Meanwhile names are registered in the subtree, until it is delegated.
        let server = family.at(PARENT);
        let registering = scope.spawn(move || {
            let register = |number: u32| {
                let name = format!("region1/late{number}");
                let register = ["register", &name, "10.2.0.1", "--server", &server];
                run(NAMING, &register).code == Some(0)
            };
            // Fewer than the move tries, so that it comes to its end.
            (0..12).take_while(|number| register(*number)).count()
        });
        let moved = family.delegate(&[]);
        done.store(true, Ordering::Release);
        assert_eq!(moved.code, Some(0), "{moved:?}");
        for walking in walking {
            walking.join().unwrap();
        }
        registering.join().unwrap()
    });
    assert!(walks.load(Ordering::Relaxed) > 600);
    // What was acknowledged is at the child.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    for number in 0..registered {
        let found = walk(&socket, parent, &format!("late{number}.region1.lab."));
        assert_eq!(
            found.map(|found| found.len()),
            Ok(1),
            "late{number} of {registered}"
        );
    }
}

#[test]
fn signed_messages_move_a_subtree() {
    let folder = Folder::new();
    let key = folder.path("lab.key");
    assert_eq!(run(NAMING, &["keygen", "lab", "--key", &key]).code, Some(0));
    let family = family(NAMES, "{}", &["--key", &key]);
    let other = folder.path("other.key");
    assert_eq!(
        run(NAMING, &["keygen", "lab", "--key", &other]).code,
        Some(0)
    );
    let forged = family.delegate(&["--key", &other]);
    assert_eq!(
        (forged.code, forged.err.lines().count()),
        (Some(2), 1),
        "{forged:?}"
    );
    assert_eq!(family.delegate(&["--key", &key]).code, Some(0));
}

/// The names of the parent, as it transfers them.
fn names_of_parent(family: &Family) -> String {
    [
        "server1.flat.lab.",
        "a.rack1.region1.lab.",
        "x.region2.lab.",
    ]
    .map(|name| family.resolve(PARENT, name, "A"))
    .join(" ")
}

#[test]
fn what_fails_leaves_the_parent_as_it_was() {
    let family = family(NAMES, r#"{"/rack1": {"a": "10.9.9.9"}}"#, &[]);
    let before = names_of_parent(&family);
    assert_eq!(before, "192.168.1.2 10.0.0.1 10.0.0.3");
    let parent = family.at(PARENT);
    let child = family.at(CHILD);
    let own = format!("{parent} is the server that has the names");
    let kept = format!("{parent} has all names as before");
    let nobody = format!("server 127.0.0.3:{}: no server listens there", family.port);
    let other = format!("{child} has other values for 1 name, rack1/a first");
    let delegate = |arguments: &[&str]| {
        let arguments = [&["delegate"], arguments, &["--server", &parent]].concat();
        run(NAMING, &arguments)
    };
    for (arguments, code, why) in [
        (&["region1", "127.0.0.2"][..], 1, other.as_str()),
        (&["region1", "127.0.0.3"], 2, &nobody),
        (&["region1", "127.0.0.1"], 2, &own),
        (
            &["region1", "127.0.0.2", "127.0.0.2"],
            2,
            "127.0.0.2 is a duplicate",
        ),
        (
            &["region1", "localhost"],
            2,
            "'localhost' is not an IP address",
        ),
        (&["region1", &child], 2, "has a port"),
        (&["region1", "0.0.0.0"], 2, "stands for every address"),
        (&["/", CHILD], 2, "the root has no name"),
        (
            &["flat", CHILD],
            2,
            "it has the flat names, which are not delegated",
        ),
        (&["@", CHILD], 2, "the zone itself is not delegated"),
        (&["region1/*", CHILD], 2, "a wildcard is not delegated"),
        (
            &["region2", CHILD],
            2,
            "it has no zone region2.lab., or not the key",
        ),
        (&["region2/x", CHILD], 1, "exists already: 10.0.0.3"),
        (&["region1/cell", CHILD], 1, "delegated to 127.0.0.9"),
        (
            &["region1/cell/below", CHILD],
            1,
            "region1/cell is delegated to 127.0.0.9",
        ),
        (
            &["region1", CHILD, "--zone", "other."],
            2,
            "it has no zone other., or not the key",
        ),
    ] {
        let finished = delegate(arguments);
        let line = finished.err.as_str();
        assert_eq!(
            (finished.code, line.lines().count()),
            (Some(code), 1),
            "{arguments:?}: {finished:?}"
        );
        assert!(line.contains(why), "{arguments:?}: {line}");
        assert!(code == 2 || line.contains(&kept), "{line}");
    }
    assert_eq!(names_of_parent(&family), before);
    // A further server of the child that is no copy of the first.
    let other = family.folder.write("other.json", "{}");
    let zone = ["--zone", "region1.lab.", "--names", &other];
    let _other = serve_at(FURTHER, family.port, &zone);
    let waited = family.delegate(&[FURTHER, "--replace", "--timeout", "300ms"]);
    let why = format!(
        "{FURTHER}:{} does not have the names that {child} has",
        family.port
    );
    assert_eq!(waited.code, Some(1), "{waited:?}");
    assert!(
        waited.err.contains(&why) && waited.err.contains(&kept),
        "{waited:?}"
    );
    assert_eq!(names_of_parent(&family), before);
    // What the child has otherwise is replaced on request.
    let replaced = family.delegate(&["--replace"]);
    assert_eq!(replaced.code, Some(0), "{replaced:?}");
    assert_eq!(
        family.resolve(CHILD, "a.rack1.region1.lab.", "A"),
        "10.0.0.1"
    );
    family.parent.signal("TERM");
}

#[test]
fn links_across_the_cut_are_named_and_nothing_moves() {
    let names = r#"{"server1": "192.168.1.2", "region1": {"rack1": {"a": "10.0.0.1"}, "gw": "symlink:server1"},
        "region2": {"x": "10.0.0.3", "same": "link:region1/rack1/a"}, "/r": "symlink:region1/rack1"}"#;
    let family = family(names, "{}", &[]);
    let refused = family.delegate(&[]);
    assert_eq!(
        (refused.code, refused.err.lines().count()),
        (Some(1), 1),
        "{refused:?}"
    );
    for link in [
        "region1/gw, an alias of server1",
        "region1/rack1/a, the same leaf as region2/same",
        "/r, an alias of the directory region1/rack1",
    ] {
        assert!(refused.err.contains(link), "{link}: {refused:?}");
    }
    assert_eq!(
        family.resolve(PARENT, "a.rack1.region1.lab.", "A"),
        "10.0.0.1"
    );
    assert!(
        family
            .resolve(CHILD, "a.rack1.region1.lab.", "A")
            .contains("has no")
    );
}

#[test]
fn a_child_that_is_killed_leaves_the_parent_as_it_was() {
    // So many names that the child is at work when it is killed, at the first of them.
    let regions: Vec<_> = (0..60_000)
        .map(|number| {
            format!(
                "\"n{number}\": \"10.{}.{}.{}\"",
                1 + number / 50_000,
                number / 200 % 250,
                number % 200
            )
        })
        .collect();
    let names = format!("{{\"region1\": {{{}}}}}", regions.join(","));
    let mut family = family(&names, "{}", &[]);
    let server = family.at(PARENT);
    let running =
        common::testing::start(NAMING, &["delegate", "region1", CHILD, "--server", &server]);
    // The child logs each name that it registers.
    family.child.out_line_with("/n");
    family.child.signal("KILL");
    let finished = running.finish();
    assert!(matches!(finished.code, Some(1 | 2)), "{finished:?}");
    assert_eq!(finished.err.lines().count(), 1, "{finished:?}");
    assert!(
        finished.err.contains("has all names as before"),
        "{finished:?}"
    );
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let parent = server.parse().unwrap();
    for number in [0, 7_777, 59_999] {
        let found = walk(&socket, parent, &format!("n{number}.region1.lab."));
        assert_eq!(found.map(|found| found.len()), Ok(1));
    }
    let _ = &family.folder;
}
