//! Delegations: what the command line, files, stores and updates make of them, and what is refused.

#[path = "support/serve.rs"]
mod serve;
#[path = "support/wire.rs"]
mod wire;

use std::{net::UdpSocket, path::Path, sync::Arc, time::Duration};

use common::testing::{Finished, Folder, run};
use naming::{
    delegation::Delegation,
    dns::{
        owner::Zones,
        publish::{self, publish},
        update::{DELEGATION, Update, to_data},
    },
    file,
    space::{Reason, Space},
};

use serve::serve;
use wire::wire;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

const NAMES: &str =
    r#"{"server1": "192.168.1.2", "region1": {"server1": "192.168.1.2"}, "/leaf": "10.0.0.1"}"#;

fn naming(arguments: &[&str]) -> Finished {
    run(NAMING, arguments)
}

/// Far longer than an answer on this machine takes.
const LONG: Duration = Duration::from_secs(20);

/// The names as `naming list` prints them.
fn list(space: &Space) -> Vec<String> {
    let meanings = space.meanings();
    let line = meanings
        .iter()
        .map(|(place, meaning)| format!("{place} {meaning}"));
    line.collect()
}

fn read(text: &str) -> Space {
    file::parse(Path::new("names.json"), text.as_bytes()).unwrap()
}

#[test]
fn every_command_shows_a_delegation() {
    let folder = Folder::new();
    let names = folder.write("names.json", NAMES);
    let with = |command: &[&str]| {
        let flags = [
            "--names",
            &names,
            "--delegate",
            "europe/berlin=127.0.0.2,::1",
        ];
        let finished = naming(&[command, &flags].concat());
        (finished.code, finished.out + &finished.err)
    };
    let (code, list) = with(&["list"]);
    assert!(
        code == Some(0) && list.contains("europe/berlin delegated to 127.0.0.2, ::1\n"),
        "{list}"
    );
    let (_, tree) = with(&["tree"]);
    assert!(
        tree.contains("── berlin  delegated to 127.0.0.2, ::1\n"),
        "{tree}"
    );
    let (code, explained) = with(&["explain", "europe/berlin/www"]);
    assert_eq!(code, Some(1));
    for line in [
        "3. europe has berlin: delegated to 127.0.0.2, ::1\n",
        "europe/berlin/www: europe/berlin is delegated to 127.0.0.2, ::1, where the names below it are\n",
    ] {
        assert!(explained.contains(line), "{explained}");
    }
    let (_, exported) = with(&["export"]);
    assert!(exported.contains("berlin.europe.lab. IN NS berlin.europe.lab.\nberlin.europe.lab. IN A 127.0.0.2\nberlin.europe.lab. IN AAAA ::1\n"), "{exported}");
    // Of the handout's dictionaries, a region is delegated with its names.
    let built_in = naming(&["list", "--delegate", "region1=127.0.0.2"]).out;
    assert!(
        built_in.contains("/region1 delegated to 127.0.0.2\n") && !built_in.contains("region1/"),
        "{built_in}"
    );
}

#[test]
fn regions_without_a_server_of_their_own_stay_with_their_names() {
    let folder = Folder::new();
    let names = folder.write(
        "names.json",
        r#"{"region1": {"server1": "192.168.1.1"}, "region2": {"server1": "192.168.2.1"}, "region3": {"server1": "192.168.3.1"}}"#,
    );
    // One server for two regions, and none for the third.
    let delegated = ["region4=127.0.0.2", "region5=127.0.0.2"];
    let flags = delegated.iter().flat_map(|text| ["--delegate", text]);
    let flags: Vec<_> = ["--names", &names].into_iter().chain(flags).collect();
    let list = naming(&[&["list"], &flags[..]].concat()).out;
    for line in [
        "region1/server1 192.168.1.1\n",
        "region3/server1 192.168.3.1\n",
        "/region4 delegated to 127.0.0.2\n",
        "/region5 delegated to 127.0.0.2\n",
    ] {
        assert!(list.contains(line), "{line:?}: {list}");
    }
    // A region whose names are in the file has them here, and cannot be another server's at the same time.
    let both = [&["list"], &flags[..], &["--delegate", "region3=127.0.0.3"]].concat();
    let finished = naming(&both);
    assert_eq!(
        (finished.code, finished.err.as_str()),
        (
            Some(2),
            "naming: --delegate region3=127.0.0.3: /region3: a directory; it has server1; a delegated name has them at its own server, and none here\n"
        )
    );
}

#[test]
fn a_wrong_delegation_is_one_line() {
    let folder = Folder::new();
    let names = folder.write("names.json", NAMES);
    let long = format!("{0}/{0}/{0}/{0}=127.0.0.2", "x".repeat(63));
    let service = "leaf/_tcp=127.0.0.2";
    for (delegations, why) in [
        (&["/=127.0.0.2"][..], "the root has no name"),
        (&["=127.0.0.2"], "a component is empty"),
        (&["flat=127.0.0.2"], "the name flat in the root is reserved"),
        (
            &["flat/x=127.0.0.2"],
            "the name flat in the root is reserved",
        ),
        (&["@=127.0.0.2"], "the zone itself is not delegated"),
        (&["a/*=127.0.0.2"], "a wildcard is not delegated"),
        (
            &[service],
            "a service name is delegated with the name that it belongs to",
        ),
        (
            &["region1=127.0.0.2"],
            "a directory; it has server1; a delegated name has them at its own server",
        ),
        (&["leaf=127.0.0.2"], "exists already: 10.0.0.1"),
        (&["leaf/x=127.0.0.2"], "leaf is a leaf and holds no names"),
        (&["a=127.0.0.2", "/a=127.0.0.3"], "/a is delegated twice"),
        (
            &["a=127.0.0.2", "a/b=127.0.0.3"],
            "a is delegated to 127.0.0.2",
        ),
        (&["a/b=127.0.0.2", "a=127.0.0.3"], "a directory; it has b"),
        (&["a=127.0.0.2,127.0.0.2"], "127.0.0.2 is a duplicate"),
        (&["a="], "'' is not an IP address"),
        (&["a"], "not PATH=ADDRESS, such as region1=127.0.0.2"),
        (&["a=127.0.0.2:5300"], "a delegation has none"),
        (&["a=localhost"], "'localhost' is not an IP address"),
        (&["a=0.0.0.0"], "0.0.0.0 stands for every address"),
        (&["a=127.0.0.1"], "127.0.0.1 is this server itself"),
        (&[&long], "bytes long"),
    ] {
        let flags: Vec<_> = delegations
            .iter()
            .flat_map(|text| ["--delegate", text])
            .collect();
        let serve = ["serve", "--listen", "127.0.0.1:0", "--names", &names];
        let finished = naming(&[serve.as_slice(), &flags].concat());
        let line = finished.err.lines().last().unwrap_or_default();
        assert_eq!(
            (finished.code, finished.err.lines().count()),
            (Some(2), 1),
            "{delegations:?}: {finished:?}"
        );
        assert!(
            line.starts_with("naming: ") && line.contains(why),
            "{delegations:?}: {line}"
        );
    }
    // The same in a names file, with its line; the server's own address too, once it is known.
    let itself = folder.write("itself.json", r#"{"/a": "delegate:127.0.0.1"}"#);
    let finished = naming(&["serve", "--listen", "127.0.0.1:0", "--names", &itself]);
    assert_eq!(
        (finished.code, finished.err.as_str()),
        (
            Some(2),
            "naming: /a: delegated to 127.0.0.1, which is this server itself\n"
        )
    );
    let everywhere = naming(&[
        "serve",
        "--listen",
        "0.0.0.0:0",
        "--delegate",
        "a=127.0.0.9",
        "--names",
        &names,
    ]);
    assert!(
        everywhere.err.contains("127.0.0.9 is this server itself"),
        "{everywhere:?}"
    );
}

#[test]
fn a_delegation_is_kept_by_a_store_and_moves_the_serial() {
    let folder = Folder::new();
    let (names, store) = (folder.write("names.json", NAMES), folder.path("lab.redb"));
    let state = |flags: &[&str]| {
        let (server, address) = serve(&[&["--store", &store, "--names", &names], flags].concat());
        let at = address.to_string();
        let ask = |name: &str, rtype: &str| {
            naming(&["resolve", name, "--type", rtype, "--short", "--server", &at]).out
        };
        let serial: u32 = ask("lab.", "SOA")
            .split_whitespace()
            .nth(2)
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(server.interrupt().code, Some(0));
        serial
    };
    let first = state(&[]);
    let second = state(&["--delegate", "region2=127.0.0.2"]);
    assert_eq!(second, first + 1);
    let exported = || naming(&["store", "export", &store]).out;
    assert!(
        exported().contains("\"/region2\": \"delegate:127.0.0.2\""),
        "{}",
        exported()
    );
    // The same again, and without the flag: nothing changes. Another address does.
    assert_eq!(state(&["--delegate", "region2=127.0.0.2"]), second);
    assert_eq!(state(&[]), second);
    assert_eq!(state(&["--delegate", "region2=127.0.0.3"]), second + 1);
    assert!(
        exported().contains("\"/region2\": \"delegate:127.0.0.3\""),
        "{}",
        exported()
    );
    // What the store has is not dropped.
    let refused = naming(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--store",
        &store,
        "--delegate",
        "region1=127.0.0.2",
    ]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
}

/// Makes an update of lab. of these records: owner, type, class, TTL and data.
fn update(space: &mut Space, records: &[(&str, u16, u16, u32, Vec<u8>)]) -> Result<(), String> {
    let mut message = vec![0, 7, 0x28, 0, 0, 1, 0, 0, 0, records.len() as u8, 0, 0];
    message.extend([wire("lab"), vec![0, 6, 0, 1]].concat());
    for (owner, rtype, class, ttl, data) in records {
        message.extend(wire(owner));
        message.extend([rtype.to_be_bytes(), class.to_be_bytes()].concat());
        message.extend(ttl.to_be_bytes());
        message.extend((data.len() as u16).to_be_bytes());
        message.extend(data);
    }
    let settings = publish::Settings {
        zones: Arc::new(Zones::new("lab.").unwrap()),
        ttl: 60,
        address: Some([127, 0, 0, 1].into()),
    };
    let zone = publish(space, 1, &settings).unwrap();
    space.begin();
    let savepoint = space.savepoint();
    let made =
        Update::parse(&message, &settings.zones).and_then(|update| update.apply(space, &zone));
    if made.is_err() {
        space.rollback(savepoint);
    }
    space.commit();
    made.map_err(|refused| format!("{}: {}", refused.rcode, refused.why))
}

const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const RENAME: u16 = 65_281;
const IN: u16 = 1;
const NONE: u16 = 254;
const ANY: u16 = 255;

/// An update of lab. with these prerequisites and changes.
fn message(number: u8, prerequisites: &[Vec<u8>], changes: &[Vec<u8>]) -> Vec<u8> {
    let (before, count) = (prerequisites.len() as u8, changes.len() as u8);
    let mut message = vec![0, number, 0x28, 0, 0, 1, 0, before, 0, count, 0, 0];
    message.extend([wire("lab"), vec![0, 6, 0, 1]].concat());
    message.extend([prerequisites.concat(), changes.concat()].concat());
    message
}

fn record(owner: &str, rtype: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut record = wire(owner);
    record.extend([rtype.to_be_bytes(), [0, 1]].concat());
    record.extend(ttl.to_be_bytes());
    record.extend((data.len() as u16).to_be_bytes());
    record.extend(data);
    record
}

/// Updates that wait share one write. One whose prerequisite is the serial is compared with that of the updates before it.
#[test]
fn a_prerequisite_is_the_serial_after_all_updates_before() {
    let folder = Folder::new();
    let (names, store) = (folder.write("names.json", NAMES), folder.path("lab.redb"));
    let arguments = ["--names", &names, "--store", &store, "--workers", "1"];
    let (_server, address) = serve(&arguments);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(address).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    let mut buffer = [0; 512];
    let mut query = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend([wire("lab"), vec![0, 6, 0, 1]].concat());
    for round in 0..20 {
        socket.send(&query).unwrap();
        let length = socket.recv(&mut buffer).unwrap();
        // The data of the SOA record: two names and five numbers.
        let names = wire("lab").len() + wire("hostmaster.lab").len();
        let soa = buffer[length - 20 - names..length].to_vec();
        // While the first is written, which changes nothing, the second waits with the third.
        let add = |name: &str, last| record(name, A, 60, &[10, 0, 0, last]);
        for update in [
            message(1, &[], &[add("leaf.lab", 1)]),
            message(2, &[], &[add("two.flat.lab", round)]),
            message(
                3,
                &[record("lab", 6, 0, &soa)],
                &[add("three.flat.lab", round)],
            ),
        ] {
            socket.send(&update).unwrap();
        }
        for code in [0, 0, 8] {
            socket.recv(&mut buffer).unwrap();
            assert_eq!(buffer[3] & 15, code, "the answer to update {}", buffer[1]);
        }
    }
}

#[test]
fn ns_records_and_addresses_make_and_end_a_delegation() {
    let mut space = read(r#"{"/leaf": ["10.0.0.1", "ttl:9"]}"#);
    let ns = |ttl| ("r.lab", NS, IN, ttl, wire("R.LAB"));
    let a = |last| ("r.lab", A, IN, 60, vec![127, 0, 0, last]);
    update(&mut space, &[ns(60), a(3)]).unwrap();
    update(&mut space, &[a(2), a(2)]).unwrap();
    assert_eq!(
        list(&space),
        [
            "/leaf 10.0.0.1, ttl:9",
            "/r delegated to 127.0.0.2, 127.0.0.3"
        ]
    );
    // In any order, with a TTL of its own, and of what was a leaf before.
    update(
        &mut space,
        &[
            ("x.y.lab", AAAA, IN, 300, vec![1; 16]),
            ("x.y.lab", NS, IN, 300, wire("x.y.lab")),
        ],
    )
    .unwrap();
    update(&mut space, &[("leaf.lab", NS, IN, 60, wire("leaf.lab"))]).unwrap();
    assert_eq!(list(&space)[0..1], ["/leaf delegated to 10.0.0.1"]);
    assert_eq!(
        list(&space)[2],
        "y/x delegated to 101:101:101:101:101:101:101:101, ttl:300"
    );
    // An address that goes, and one that is not there.
    update(
        &mut space,
        &[
            ("r.lab", A, NONE, 0, vec![127, 0, 0, 3]),
            ("r.lab", A, NONE, 0, vec![9; 4]),
        ],
    )
    .unwrap();
    assert_eq!(list(&space)[1], "/r delegated to 127.0.0.2");
    // Without its NS record the addresses are those of the name; another NS record is not there.
    update(&mut space, &[("r.lab", NS, NONE, 0, wire("x.lab"))]).unwrap();
    update(&mut space, &[("x.y.lab", NS, ANY, 0, vec![])]).unwrap();
    update(&mut space, &[("leaf.lab", NS, NONE, 0, wire("Leaf.lab"))]).unwrap();
    assert_eq!(
        list(&space),
        [
            "/leaf 10.0.0.1",
            "/r delegated to 127.0.0.2",
            "y/x 101:101:101:101:101:101:101:101, ttl:300"
        ]
    );
    update(
        &mut space,
        &[("r.lab", A, ANY, 0, vec![]), ("r.lab", NS, ANY, 0, vec![])],
    )
    .unwrap();
    assert_eq!(list(&space).len(), 2);
    update(&mut space, &[ns(60), a(2)]).unwrap();
    update(&mut space, &[("r.lab", ANY, ANY, 0, vec![])]).unwrap();
    assert_eq!(list(&space).len(), 2);
}

#[test]
fn updates_at_a_cut_and_below_it_are_refused() {
    let names = r#"{"x": "10.0.0.1", "/r": "delegate:127.0.0.2", "d": {"y": "10.0.0.1"}, "/s": "symlink:x"}"#;
    let mut space = read(names);
    let before = list(&space);
    let ns = |owner, target| (owner, NS, IN, 60, wire(target));
    for (records, why) in [
        (
            vec![("a.r.lab", A, IN, 60, vec![10, 0, 0, 1])],
            "REFUSED: r/a: /r is delegated to 127.0.0.2; change the names below it there",
        ),
        (
            vec![("a.r.lab", A, ANY, 0, vec![])],
            "REFUSED: r/a: /r is delegated",
        ),
        (
            vec![("a.b.r.lab", CNAME, IN, 60, wire("x.lab"))],
            "REFUSED: r/b/a: /r is delegated",
        ),
        (
            vec![("_tcp.r.lab", TXT, IN, 60, b"\x01x".to_vec())],
            "REFUSED: /r/_tcp: /r is delegated",
        ),
        (
            vec![("r.lab", TXT, IN, 60, b"\x01x".to_vec())],
            "REFUSED: /r: delegated to 127.0.0.2, and a record of type TXT belongs there",
        ),
        (
            vec![("r.lab", A, ANY, 0, vec![])],
            "REFUSED: /r: an NS record without an address",
        ),
        (
            vec![("r.lab", A, IN, 60, vec![127, 0, 0, 1])],
            "REFUSED: /r: delegated to 127.0.0.1, which is this server itself",
        ),
        (
            vec![("r.lab", RENAME, IN, 60, wire("q.lab"))],
            "REFUSED: /r: delegated to 127.0.0.2, which has the zone under this name",
        ),
        (
            vec![("r.lab", NS, IN, 60, wire("ns.r.lab"))],
            "REFUSED: /r: an NS record of another server than r.lab.",
        ),
        (
            vec![ns("n.lab", "n.lab")],
            "REFUSED: /n: an NS record without an address; one update has both",
        ),
        (
            vec![ns("d.lab", "d.lab")],
            "REFUSED: /d: a directory; it has y",
        ),
        (vec![ns("x.flat.lab", "x.flat.lab")], "REFUSED: x: "),
        (
            vec![ns("*.lab", "*.lab")],
            "REFUSED: /*: a wildcard is not delegated",
        ),
        (
            vec![("r.lab", A, IN, 60, vec![0; 4])],
            "REFUSED: /r: 0.0.0.0 stands for every address",
        ),
        (
            vec![("d.lab", DELEGATION.to_int(), IN, 60, vec![4, 127])],
            "REFUSED: /d: a malformed TYPE65282 record",
        ),
        (
            vec![("lab", DELEGATION.to_int(), IN, 60, vec![4, 127, 0, 0, 2])],
            "REFUSED: lab. has the records of the zone itself",
        ),
    ] {
        let refused = update(&mut space, &records).unwrap_err();
        assert!(refused.starts_with(why), "{refused}, and not {why}");
        assert_eq!(list(&space), before, "{why}");
    }
    // What RFC 2136 says to ignore.
    for record in [
        ("r.lab", CNAME, IN, 60, wire("x.lab")),
        ("s.lab", NS, IN, 60, wire("s.lab")),
        ("r.lab", TXT, ANY, 0, vec![]),
    ] {
        update(&mut space, &[record]).unwrap();
        assert_eq!(list(&space), before);
    }
}

fn to(address: &str) -> Delegation {
    Delegation::parse([address]).unwrap()
}

#[test]
fn a_subtree_is_replaced_at_once_or_not_at_all() {
    let names = r#"{"region1": {"rack1": {"a": "10.0.0.1", "b": "link:region1/rack1/a"}, "gw": "symlink:region1/rack1/a"},
        "region2": {"x": "10.0.0.3"}, "/region1/_tcp": "text:x",
        "/www": "symlink:region1/rack1/a", "/east": "symlink:/region1", "/old": "symlink:/east"}"#;
    let mut space = read(names);
    let record = |owner| {
        (
            owner,
            DELEGATION.to_int(),
            IN,
            60,
            to_data(&to("127.0.0.2")),
        )
    };
    update(&mut space, &[record("region1.lab")]).unwrap();
    assert_eq!(
        list(&space),
        [
            "/east alias of /region1",
            "/old alias of /east",
            "/region1 delegated to 127.0.0.2",
            "region2/x 10.0.0.3",
            "/www alias of region1/rack1/a"
        ]
    );
    // Another server, a name that does not exist, and one that is a leaf.
    space
        .hand_over(&"/region1".parse().unwrap(), to("127.0.0.3"))
        .unwrap();
    space
        .hand_over(&"new/er".parse().unwrap(), to("::2"))
        .unwrap();
    assert_eq!(
        list(&space)[1..4],
        [
            "new/er delegated to ::2",
            "/old alias of /east",
            "/region1 delegated to 127.0.0.3"
        ]
    );
    let refused = space
        .hand_over(&"region2/x".parse().unwrap(), to("127.0.0.2"))
        .unwrap_err();
    assert_eq!(refused.reason, Reason::Exists);
}

#[test]
fn links_across_a_cut_are_refused_with_their_names() {
    for (names, across) in [
        (
            r#"{"/www": "10.0.0.1", "region1": {"web": "link:/www"}}"#,
            "region1/web, the same leaf as /www",
        ),
        (
            r#"{"x": "10.0.0.1", "region1": {"gw": "symlink:x"}}"#,
            "region1/gw, an alias of x",
        ),
        (
            r#"{"region1": {"up": "symlink:/region1", "x": "10.0.0.1"}}"#,
            "region1/up, an alias of /region1",
        ),
        (
            r#"{"region1": {"rack1": {"a": "10.0.0.1"}}, "/r": "symlink:region1/rack1"}"#,
            "/r, an alias of the directory region1/rack1",
        ),
        // Through another alias, which alone would stay.
        (
            r#"{"region1": {"rack1": {"a": "10.0.0.1"}}, "/e": "symlink:/region1", "/r": "symlink:e/rack1"}"#,
            "/r, an alias of the directory e/rack1",
        ),
    ] {
        let mut space = read(names);
        let before = list(&space);
        let refused = space
            .hand_over(&"/region1".parse().unwrap(), to("127.0.0.2"))
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("/region1: links lead across the cut, and would no longer resolve: {across}")
        );
        assert_eq!(list(&space), before);
    }
}
