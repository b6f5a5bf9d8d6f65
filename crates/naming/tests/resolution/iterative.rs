//! `naming resolve --iterative`, and what it prints.

use common::{
    event::Kind,
    testing::{Folder, read_log, run},
};

use super::{
    NAMING,
    scripted::{Query, Says, Sends, scripted},
};

fn says(query: &Query) -> Vec<Sends> {
    let to_region1 = || {
        Says::referral(
            &["region1.lab. NS ns.region1.lab."],
            &["ns.region1.lab. A 127.0.0.2"],
        )
    };
    let missing = |zone| Says {
        code: 3,
        authority: vec![format!("{zone} SOA {zone}")],
        ..Says::answer(&[])
    };
    vec![Sends::Reply(match (query.server, query.name.as_str()) {
        (1, "mail.lab.") => Says::answer(&["mail.lab. CNAME www.region1.lab."]),
        (1, name) if name.ends_with("region1.lab.") => to_region1(),
        (1, _) => missing("lab."),
        (_, "www.region1.lab.") if query.rtype == 1 => {
            Says::answer(&["www.region1.lab. A 10.0.0.1"])
        }
        (_, "www.region1.lab.") => Says {
            code: 0,
            ..missing("region1.lab.")
        },
        _ => missing("region1.lab."),
    })]
}

fn resolve(root: &str, arguments: &[&str]) -> common::testing::Finished {
    run(
        NAMING,
        &[&["resolve", "--iterative", "--server", root], arguments].concat(),
    )
}

#[test]
fn every_message_is_printed_with_trace() {
    let root = scripted(2, says).to_string();
    let at = |server: u8| root.replace("127.0.0.1", &format!("127.0.0.{server}"));
    let (first, second) = (at(1), at(2));
    let finished = resolve(
        &root,
        &["mail.lab.", "region1/www", "--type", "A", "--trace"],
    );
    let expected = format!(
        "the cache has no closer zone: the root server is asked\n\
         query to {first}: mail.lab. A\n\
         reply from {first}: alias of www.region1.lab.\n\
         the cache has no closer zone: the root server is asked\n\
         query to {first}: www.region1.lab. A\n\
         reply from {first}: region1.lab. is delegated to 127.0.0.2\n\
         query to {second}: www.region1.lab. A\n\
         reply from {second}: 10.0.0.1\n\
         IP address of mail.lab.: 10.0.0.1\n\
         the cache has www.region1.lab. A: 10.0.0.1, for 60 s\n\
         IP address of region1 www: 10.0.0.1\n"
    );
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (Some(0), expected.as_str()),
        "{}",
        finished.err
    );
    assert!(
        finished
            .err
            .contains("mail.lab. took 3 queries to 2 servers in "),
        "{}",
        finished.err
    );
    assert!(
        finished
            .err
            .contains("www.region1.lab. took 0 queries to 0 servers in "),
        "{}",
        finished.err
    );
    // As JSON the same events.
    let events = resolve(&root, &["mail.lab.", "--type", "A", "--trace", "--json"]).events();
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    let exchange = [Kind::Send, Kind::Receive];
    let wanted = [
        &[Kind::Local],
        &exchange[..],
        &[Kind::Local],
        &exchange,
        &exchange,
        &[Kind::Resolve],
    ]
    .concat();
    assert_eq!(kinds, wanted);
    assert_eq!(
        events[5].value.as_deref(),
        Some("region1.lab. is delegated to 127.0.0.2")
    );
}

#[test]
fn each_message_has_the_same_identity_on_both_sides() {
    let root = scripted(2, says).to_string();
    let folder = Folder::new();
    let log = folder.path("log.jsonl");
    resolve(&root, &["region1/www", "--type", "A", "--log", &log]);
    let events = read_log(&log);
    let ids: Vec<_> = events
        .iter()
        .filter_map(|record| record.event.message.clone())
        .collect();
    assert_eq!(ids.len(), 4);
    for pair in ids.chunks(2) {
        assert_eq!((&pair[0].from, &pair[0].to), (&pair[1].to, &pair[1].from));
        assert_eq!(pair[0].number, pair[1].number);
    }
    assert_ne!(ids[0].from, ids[2].from, "each query has a port of its own");
}

#[test]
fn what_is_missing_is_no_failure_of_the_servers() {
    let root = scripted(2, says).to_string();
    let finished = resolve(
        &root,
        &["region1/nobody", "region1/www", "nobody.lab.", "--short"],
    );
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (Some(1), "10.0.0.1\n"),
        "{finished:?}"
    );
    assert!(
        finished
            .err
            .contains("region1/nobody: region1.lab. has no such name (NXDOMAIN)"),
        "{}",
        finished.err
    );
    assert!(
        finished
            .err
            .contains("nobody.lab.: lab. has no such name (NXDOMAIN)"),
        "{}",
        finished.err
    );
    let finished = resolve(&root, &["region1/www", "--type", "TXT"]);
    assert!(
        finished
            .err
            .contains("www.region1.lab. has no record of this type"),
        "{}",
        finished.err
    );
}

#[test]
fn contradictions_are_refused() {
    for (arguments, why) in [
        (
            &["resolve", "x", "--iterative", "--recursive"][..],
            "--iterative: and --recursive exclude each other",
        ),
        (
            &["serve", "--recursive"],
            "--recursive: needs --root HOST:PORT",
        ),
        (
            &["serve", "--root", ":53"],
            "--root: is of --recursive alone",
        ),
        (
            &["serve", "--recursive", "--root", ":53", "--zone", "x."],
            "--zone: a recursive server has no names of its own",
        ),
        (
            &["serve", "--recursive", "--root", ":53", "--cache", "0"],
            "--cache",
        ),
        (
            &["serve", "--recursive", "--root", ":53", "--allow", "lab"],
            "'lab' is no network",
        ),
    ] {
        let finished = run(NAMING, arguments);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.err.contains(why), "{why}: {}", finished.err);
    }
}
