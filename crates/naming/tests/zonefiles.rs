//! Zone files as BIND and NSD read and write them, and what BIND does with an exported one.

use common::testing::{self, Finished, Folder, run};

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

/// The beginning of every zone file, so that BIND and NSD take it.
const HEAD: &str =
    "$ORIGIN lab.\n$TTL 60\n@ SOA ns host 1 6h 1h30m 1w 1d\n@ NS ns.lab.\nns.lab. A 127.0.0.1\n";

/// `owner TTL type data` of each record of the zone, in order; without the apex and the name server.
fn records(text: &str) -> Vec<String> {
    let mut records: Vec<_> = text
        .lines()
        .map(|line| line.replace('\t', " "))
        .filter(|line| !line.starts_with([';', '$']) && line.contains(" IN "))
        .map(|line| {
            let (before, data) = line.split_once(" IN ").unwrap();
            let before: Vec<_> = before.split_whitespace().collect();
            let (owner, ttl) = (before[0].to_lowercase(), before.get(1).unwrap_or(&"60"));
            let (rtype, data) = data.trim_start().split_once(' ').unwrap();
            let data = data.trim_start();
            match rtype {
                "CNAME" | "DNAME" => format!("{owner} {ttl} {rtype} {}", data.to_lowercase()),
                _ => format!("{owner} {ttl} {rtype} {data}"),
            }
        })
        .filter(|line| !line.starts_with("lab. ") && !line.starts_with("ns.lab. "))
        .collect();
    records.sort();
    records
}

/// The zone file as naming reads it, written again.
fn imported(folder: &Folder, zone: &str, flags: &[&str]) -> (Finished, Vec<String>) {
    let names = folder.path("imported.json");
    let _ = std::fs::remove_file(&names);
    let finished = run(
        NAMING,
        &[&["import", zone, "--names", &names], flags].concat(),
    );
    let exported = match finished.code {
        Some(0) => records(&run(NAMING, &["export", "--names", &names]).out),
        _ => Vec::new(),
    };
    (finished, exported)
}

/// What BIND and NSD both read, or one of them does.
const READ: &[(&str, &str)] = &[
    ("a 6h A 10.0.0.1\n", "both"),
    ("a 1W2d3H4m5s IN A 10.0.0.1\n", "both"),
    ("a IN 1h A 10.0.0.1\n", "both"),
    ("a 1h30 A 10.0.0.1\n", "nsd-checkzone"),
    ("$TTL 1d\na A 10.0.0.1\n", "both"),
    ("$ttl 2H30M\na A 10.0.0.1\n", "both"),
    ("\"a\" A 10.0.0.1\n\"b c\" A 10.0.0.2\n", "both"),
    ("\"a.lab.\" A 10.0.0.1\n", "named-checkzone"),
    ("gr\u{fc}\u{df}e A 10.0.0.1\n", "both"),
    ("a\\046b A 10.0.0.1\na\\.c A 10.0.0.2\n", "both"),
    ("a TXT x\"y\"z\nb TXT \"x;(y\"\"\" ; c\n", "both"),
    ("a TXT \"x\ny\"\n", "nsd-checkzone"),
    ("a TXT \\\"x\\ y\\;\\\\ \"\\255\\000\" gr\u{fc}\n", "both"),
    ("a A \"10.0.0.1\"\n", "nsd-checkzone"),
    ("a CLASS1 TYPE1 \\# 4 0a00 0001\nb TXT \\# 2 0161\n", "both"),
    ("a ( A ; x\n\n 10.0.0.1\n)\n\n ; y\n\tAAAA ::1\n", "both"),
    ("(a A 10.0.0.1)\n", "named-checkzone"),
    ("a A 10.0.0.1\r\nb TXT \"x\"\r\n\tA 10.0.0.2\r\n", "both"),
    ("a A 10.0.0.1\nb A 10.0.0.2", "both"),
    ("A A 10.0.0.1\nIN IN A 10.0.0.2\n60 60 A 10.0.0.3\n", "both"),
    ("$ORIGIN sub\na A 10.0.0.1\n", "named-checkzone"),
    (
        "$ORIGIN Sub.LAB.\nx A 10.0.0.1\n\\@ A 10.0.0.2\nb CNAME x\n",
        "both",
    ),
    (
        "a CNAME b\na CNAME B.lab.\nb A 10.0.0.1\nb A 10.0.0.1\n",
        "named-checkzone",
    ),
    ("d DNAME e\nx.e A 10.0.0.1\n", "both"),
    ("$GENERATE 1-3 host$ A 10.0.0.$\n", "named-checkzone"),
    (
        "$generate 1-10/4 h${0,3} 6h IN A 10.0.0.$ ; x\n",
        "named-checkzone",
    ),
    (
        "$GENERATE 10-11 h${-1}-${0,3,x}${0,0,X}${0,0,o} AAAA 2001:db8::${0,4,x}\n",
        "named-checkzone",
    ),
    (
        "$GENERATE 171-172 ${0,6,n}x A 10.0.0.$\n$GENERATE 171-171 ${0,0,N}.y A 10.0.0.$\n",
        "named-checkzone",
    ),
    (
        "$GENERATE 0-1 t$.lab. TXT \"\\\"text $\\\" $$ \\$ \\065\"\n$GENERATE 1-2 c$ CNAME t$\n",
        "named-checkzone",
    ),
    (
        "a A 10.0.0.1\n$INCLUDE inc\n AAAA ::1\nb A 10.0.0.2\n",
        "both",
    ),
    ("$INCLUDE \"inc\" sub ; x\n", "named-checkzone"),
];

#[test]
fn zone_files_are_read_as_other_servers_read_them() {
    if !testing::have_program("named-checkzone") || !testing::have_program("nsd-checkzone") {
        return;
    }
    let folder = Folder::new();
    folder.write(
        "inc",
        "inc A 10.9.9.9\n$ORIGIN other.lab.\ninc2 A 10.9.9.8\n",
    );
    for (body, reader) in READ {
        let zone = folder.write("z", format!("{HEAD}{body}"));
        let (finished, ours) = imported(&folder, &zone, &[]);
        assert_eq!(finished.code, Some(0), "{body}: {finished:?}");
        assert!(!ours.is_empty(), "{body}");
        let in_folder = |program: &str, arguments: &str| {
            let script = format!("cd \"$1\" && exec {program} {arguments}");
            run("sh", &["-c", &script, "sh", &folder.path("")])
        };
        if *reader != "nsd-checkzone" {
            let theirs = in_folder("named-checkzone", "-k ignore -D -o - lab. z");
            assert_eq!(theirs.code, Some(0), "{body}: {theirs:?}");
            // A name beyond ASCII is its A-label, and BIND keeps the bytes.
            let text = theirs.out.replace(r"gr\195\188\195\159e", "xn--gre-6ka8l");
            assert_eq!(ours, records(&text), "{body}: {text}");
        }
        if *reader != "named-checkzone" {
            let theirs = in_folder("nsd-checkzone", "lab. z");
            assert_eq!(theirs.code, Some(0), "{body}: {theirs:?}");
        }
    }
}

/// What neither reads; it is refused with its line.
#[test]
fn a_zone_file_that_no_server_reads_is_refused_with_its_line() {
    let folder = Folder::new();
    let refused: &[(&str, usize, &str)] = &[
        (
            "a A 10.0.0.1\nb A 10.0.0\n",
            7,
            "'10.0.0' is not an IPv4 address",
        ),
        ("a 60 60 A 10.0.0.1\n", 6, "'60' is not a type of records"),
        ("a CH A 10.0.0.1\n", 6, "class CH is not IN"),
        ("a..b A 10.0.0.1\n", 6, "'a..b': a label of 0 bytes"),
        ("a TXT\n", 6, "TXT record without data"),
        ("a\\256 A 10.0.0.1\n", 6, "not \\000 to \\255"),
        (
            "a TXT \"x\n\nb A 10.0.0.1\n",
            6,
            "a \" without the one that closes it",
        ),
        ("a A (10.0.0.1\n\n", 6, "a ( without its )"),
        ("a A 10.0.0.1 )\n", 6, "a ) without its ("),
        (
            "a A 10.0.0.1 10.0.0.2\n",
            6,
            "2 values in a record of type A, and not 1",
        ),
        ("a CNAME b\na CNAME c\n", 7, "a.lab. has two aliases"),
        ("a CNAME b\na A 10.0.0.1\n", 6, "exists already"),
        ("$TTL 1x\n", 6, "$TTL: '1x' is not a time, such as 6h"),
        ("$UNKNOWN x\n", 6, "$UNKNOWN is not supported"),
        ("$GENERATE 3-1 h$ A 10.0.0.$\n", 6, "$GENERATE: not a range"),
        (
            "$GENERATE 1-3 h${0,3 A 10.0.0.$\n",
            6,
            "$GENERATE: not ${OFFSET",
        ),
        (
            "$GENERATE 1-300 h$ A 10.0.0.$\n",
            6,
            "'10.0.0.256' is not an IPv4 address",
        ),
        (
            "$GENERATE 0-2147483647 h$ A 10.0.0.1\n",
            6,
            "$GENERATE: more than 1,000,000 records",
        ),
        ("$INCLUDE nofile\n", 6, "$INCLUDE nofile: no such file"),
        ("\n$INCLUDE z\n", 7, "$INCLUDE: files are included 10 deep"),
        ("a TYPE1 \\# 4 0a0000\n", 6, "3 bytes of data after \\# 4"),
        ("a TXT \\\n", 6, "a \\ at the end of a line"),
    ];
    for (body, line, why) in refused {
        let zone = folder.write("z", format!("{HEAD}{body}"));
        let (finished, _) = imported(&folder, &zone, &["--skip-unsupported"]);
        let expected = format!("z:{line}: ");
        let is_alias = why.contains("exists already");
        let finished = match is_alias {
            true => imported(&folder, &zone, &[]).0,
            false => finished,
        };
        assert_eq!(finished.code, Some(2), "{body}: {finished:?}");
        assert!(
            finished.err.contains(&expected) && finished.err.contains(why),
            "{body}: {finished:?}"
        );
        assert_eq!(finished.err.lines().count(), 1, "{finished:?}");
    }
}

/// What `named` checks of a primary's zone where its configuration says nothing else.
const DEFAULT: &[&str] = &["-k", "fail", "-n", "fail", "-i", "full"];

const WORLD: &str = "$ORIGIN example.com.\n$TTL 1d\n\
    @ IN SOA ns1 hostmaster ( 2024010101 ; serial\n 6h 1h 2w 1h )\n\
    \tNS ns1\n\tNS ns.example.net.\n\tMX 10 mail\n\tA 192.0.2.1\n\
    ns1 A 192.0.2.53\nmail A 192.0.2.25\n_sip._tcp.x CAA 0 issue \"ca.example.net\"\n\
    sub NS ns.sub\nns.sub A 192.0.2.99\nwww CNAME www.example.net.\nftp CNAME mail\n\
    mail.example.org. A 192.0.2.9\nlua LUA A \"x\"\nx.mail A 192.0.2.26\n";

/// Without `$TTL` a record has the TTL of the one before (RFC 1035 section 5.1), or all have the last number of the SOA record.
#[test]
fn records_without_a_ttl_have_that_of_others() {
    if !testing::have_program("named-checkzone") {
        return;
    }
    let folder = Folder::new();
    for (soa, body) in [
        (
            "@ SOA ns host 1 2 3 4 1h",
            "a A 10.0.0.1\nb 2h A 10.0.0.2\nc A 10.0.0.3\n$TTL 3h\nd A 10.0.0.4\n",
        ),
        (
            "@ 5m SOA ns host 1 2 3 4 1h",
            "a A 10.0.0.1\nb CNAME a\nc 0 A 10.0.0.1\nd 2147483647 A 10.0.0.1\n",
        ),
        (
            "$TTL 7\n@ 5m SOA ns host 1 2 3 4 1h",
            "a A 10.0.0.1\na 9 A 10.0.0.2\na 9 TXT x\nb 60 A 10.0.0.3\n",
        ),
    ] {
        let zone = folder.write("z", format!("{soa}\n NS ns\nns A 127.0.0.1\n{body}"));
        let (finished, ours) = imported(&folder, &zone, &[]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let theirs = run(
            "named-checkzone",
            &["-k", "ignore", "-D", "-o", "-", "lab.", &zone],
        );
        assert_eq!(ours, records(&theirs.out), "{body}: {}", theirs.out);
    }
}

/// Wildcards and service names, which a directory and a leaf can have.
#[test]
fn names_of_every_kind_survive_a_zone_file() {
    let folder = Folder::new();
    let body = "_s._tcp SRV 1 2 3 a\\;b\\\"\\(\\032\n@ TXT \"of the zone\"\n*.w A 10.0.0.1\nhost A 10.0.0.2\n_acme-challenge.host TXT \"token\"\n*.flat TXT \"\" \"\\255\"\n";
    let zone = folder.write("z", format!("{HEAD}{body}"));
    let (finished, records) = imported(&folder, &zone, &[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(
        records,
        [
            "*.flat.lab. 60 TXT \"\" \"\\255\"",
            "*.w.lab. 60 A 10.0.0.1",
            "_acme-challenge.host.lab. 60 TXT \"token\"",
            "_s._tcp.lab. 60 SRV 1 2 3 a\\059b\\034\\040\\032.lab.",
            "host.lab. 60 A 10.0.0.2"
        ]
    );
}

/// `named` itself, whose configuration has nothing but the zone, answers for an exported zone.
#[test]
fn named_is_a_primary_of_an_exported_zone() {
    if !testing::have_program("named") || !testing::have_program("dig") {
        return;
    }
    let script = r#"
        cat >names.json <<END
{"server1": "192.168.1.2", "alias": "symlink:server1", "note": ["text:a_b", "txt:\"x\" \"\\\\255\""],
 "region1": {"rack": {"a": ["10.0.0.1", "2001:db8::1"]}, "web": "link:region1/rack/a"}, "/east": "symlink:/region1"}
END
        "$NAMING" export --names names.json >lab.zone
        cat >named.conf <<END
options { directory "$PWD"; pid-file "$PWD/pid"; session-keyfile none; listen-on port 5300 { 127.0.0.1; };
    listen-on-v6 { none; }; recursion no; };
controls { };
zone lab. { type primary; file "lab.zone"; };
END
        named -g -c named.conf 2>named.err &
        named=$!
        trap 'kill $named 2>/dev/null || true' EXIT
        tries=0
        until grep -q 'running$\|exiting' named.err; do
            tries=$((tries + 1)); [ $tries -lt 500 ] || { cat named.err; exit 3; }
            sleep 0.02
        done
        grep 'zone lab' named.err | sed 's/.*zone lab/zone lab/; s/serial .*//'
        for name in server1.flat alias.flat a.rack.east web.region1; do
            dig @127.0.0.1 -p 5300 +short $name.lab A
        done
        dig @127.0.0.1 -p 5300 +short note.flat.lab TXT | sort
    "#;
    let Some(finished) = testing::in_namespace(script, &[("NAMING", NAMING)]) else {
        return;
    };
    let expected = "zone lab/IN: loaded \n192.168.1.2\nserver1.flat.lab.\n192.168.1.2\nregion1.lab.\na.rack.region1.lab.\n10.0.0.1\n10.0.0.1\n\"a_b\"\n\"x\" \"\\255\"\n";
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (Some(0), expected),
        "{finished:?}"
    );
}

#[test]
fn what_a_name_space_cannot_hold_is_left_out_by_line() {
    let folder = Folder::new();
    let zone = folder.write("world.zone", WORLD);
    let names = folder.path("names.json");
    let import = |flags: &[&str]| {
        let all = [
            &["import", &zone, "--zone", "example.com.", "--names", &names],
            flags,
        ]
        .concat();
        run(NAMING, &all)
    };
    let refused = import(&[]);
    assert_eq!(refused.code, Some(2));
    let why = format!("naming: {zone}:11: records of type CAA are not supported");
    assert!(refused.err.starts_with(&why), "{refused:?}");
    assert!(
        refused
            .err
            .ends_with("; --skip-unsupported leaves it out\n"),
        "{refused:?}"
    );
    assert!(!std::path::Path::new(&names).exists());
    let taken = import(&["--skip-unsupported"]);
    assert_eq!(taken.code, Some(0), "{taken:?}");
    let lines: Vec<_> = taken.err.lines().collect();
    let left_out = [
        (
            7,
            "the zone itself has texts and services, and no MX record",
        ),
        (8, "the zone itself has texts and services, and no A record"),
        (11, "records of type CAA are not supported"),
        (
            14,
            "www.example.com. is an alias of a name outside the zone",
        ),
        (16, "mail.example.org. is not in the zone example.com."),
        (17, "'LUA' is not a type of records"),
        (18, "is a leaf and holds no names"),
    ];
    assert_eq!(lines.len(), left_out.len() + 1, "{taken:?}");
    for ((line, why), found) in left_out.iter().zip(&lines) {
        let beginning = format!("{zone}:{line}: left out: ");
        assert!(
            found.contains(&beginning) && found.contains(why),
            "{found} is not {beginning}{why}"
        );
    }
    let list = run(NAMING, &["list", "--names", &names]).out;
    assert_eq!(
        list,
        "/ftp alias of /mail\n/mail 192.0.2.25\n/ns1 192.0.2.53\n/sub delegated to 192.0.2.99\n"
    );
}

#[test]
fn a_name_keeps_as_many_values_as_it_can_have() {
    let folder = Folder::new();
    let zone = folder.write("many.zone", "$GENERATE 1-60 a.lab. A 10.0.0.$\n");
    let (refused, _) = imported(&folder, &zone, &[]);
    assert!(
        refused.err.contains("51 values, and a name has at most 50"),
        "{refused:?}"
    );
    let (taken, records) = imported(&folder, &zone, &["--skip-unsupported"]);
    assert_eq!((taken.code, records.len()), (Some(0), 50));
    assert_eq!(taken.err.lines().count(), 11, "{taken:?}");
}

#[test]
fn a_zone_file_is_read_from_standard_input() {
    let mut import = testing::start(NAMING, &["import", "-"]);
    import.type_in("server1.flat.lab. 6h IN A 10.0.0.1\n");
    import.close_stdin();
    let finished = import.finish();
    let expected = "{\n  \"server1\": [\"10.0.0.1\", \"ttl:21600\"]\n}\n";
    assert_eq!((finished.code, finished.out.as_str()), (Some(0), expected));
    let mut import = testing::start(NAMING, &["import", "-"]);
    import.type_in("x 6h IN A 10.0.0\n");
    import.close_stdin();
    let finished = import.finish();
    assert_eq!(
        finished.err,
        "naming: -:1: '10.0.0' is not an IPv4 address\n"
    );
}

/// BIND as a primary, with its default checks, loads what `export` writes, or `export` says what it refuses.
#[test]
fn bind_loads_an_exported_zone_or_the_export_says_what_it_refuses() {
    if !testing::have_program("named-checkzone") {
        return;
    }
    let folder = Folder::new();
    let export = |names: &str, flags: &[&str]| {
        let names = folder.write("names.json", names);
        let finished = run(NAMING, &[&["export", "--names", &names], flags].concat());
        assert_eq!(finished.code, Some(0), "{finished:?}");
        folder.write("lab.zone", &finished.out);
        finished
    };
    let zone = folder.path("lab.zone");
    let check =
        |flags: &[&str], name: &str| run("named-checkzone", &[flags, &[name, &zone]].concat()).code;
    let plain = r#"{"server1": "192.168.1.2", "alias": "symlink:server1", "note": ["text:a_b", "text:x"],
        "a_b": "text:only a text", "region1": {"rack": {"a": ["10.0.0.1", "2001:db8::1"]}, "web": "link:region1/rack/a"},
        "/east": "symlink:/region1"}"#;
    let exported = export(plain, &[]);
    assert_eq!(
        (exported.err.as_str(), check(DEFAULT, "lab.")),
        ("", Some(0))
    );
    for (names, flags, why) in [
        (
            r#"{"a_b": "10.0.0.1"}"#,
            &[][..],
            "a_b.flat.lab. is not a host name",
        ),
        (
            "{\"gr\u{fc}\u{df}e\": \"10.0.0.1\", \"r\": {\"a b\": \"::1\", \"x-\": \"::2\", \"-\": \"::2\"}}",
            &[],
            "3 names, such as ",
        ),
        (
            r#"{"a.b": "10.0.0.1"}"#,
            &[],
            "a\\.b.flat.lab. is not a host name",
        ),
        (
            r#"{"/_sip": {"_udp": "srv:1 2 3 my_host.lab."}}"#,
            &[],
            "my_host.lab. is not a host name",
        ),
        (
            r#"{"r_1": {"a": "10.0.0.1"}}"#,
            &[],
            "a.r_1.lab. is not a host name",
        ),
    ] {
        let exported = export(names, flags);
        assert!(
            exported.err.contains(why) && exported.err.contains("check-names ignore"),
            "{exported:?}"
        );
        assert!(exported.out.starts_with("; "), "{exported:?}");
        assert_eq!(check(DEFAULT, "lab."), Some(1), "{names}");
        assert_eq!(check(&["-k", "ignore"], "lab."), Some(0), "{names}");
    }
    let exported = export(plain, &["--zone", "my_lab."]);
    assert!(
        exported.err.contains("my_lab. is not a host name"),
        "{exported:?}"
    );
    assert_eq!(check(DEFAULT, "my_lab."), Some(1));
    assert_eq!(check(&["-k", "ignore"], "my_lab."), Some(0));
    // An address that no server answers from is none.
    for listen in ["0.0.0.0:5300", "[::]:5300", "[::ffff:0.0.0.0]:5300"] {
        let exported = export(plain, &["--listen", listen]);
        assert!(
            !exported
                .out
                .lines()
                .any(|line| line.starts_with("lab. IN A")),
            "{exported:?}"
        );
        assert!(
            exported.err.contains("the name server has no address")
                && exported.err.contains("--listen ADDR:PORT"),
            "{exported:?}"
        );
        assert_eq!(check(DEFAULT, "lab."), Some(1));
    }
    let exported = export(plain, &["--listen", "[2001:db8::5]:53"]);
    assert!(
        exported.out.contains("lab. IN AAAA 2001:db8::5\n"),
        "{exported:?}"
    );
    assert_eq!(
        (exported.err.as_str(), check(DEFAULT, "lab.")),
        ("", Some(0))
    );
}
