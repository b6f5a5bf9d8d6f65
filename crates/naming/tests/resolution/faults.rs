//! Each fault is refused or worked around, and logged with its reason.

use std::time::{Duration, Instant};

use common::{
    event::{Kind, Level},
    testing::{Folder, read_log, run},
};

use super::{
    NAMING, recursive,
    scripted::{Query, Says, Sends, scripted},
};

/// The name that is looked for: the root at 1 delegates region1 to the servers at 2, which has a fault, and at 3.
const WWW: &str = "www.region1.lab.";

fn found() -> Says {
    Says::answer(&["www.region1.lab. A 10.0.0.1"])
}

fn forged() -> Says {
    Says::answer(&["www.region1.lab. A 6.6.6.6"])
}

fn two_servers() -> Says {
    Says::referral(
        &[
            "region1.lab. NS ns1.region1.lab.",
            "region1.lab. NS ns2.region1.lab.",
        ],
        &[
            "ns1.region1.lab. A 127.0.0.2",
            "ns2.region1.lab. A 127.0.0.3",
        ],
    )
}

/// A fault, and what is logged of it.
struct Fault {
    logged: &'static str,
    first: fn(&Query) -> Vec<Sends>,
    /// Whether the answer comes from the server with the fault all the same.
    is_worked_around: bool,
}

fn refused(logged: &'static str, first: fn(&Query) -> Vec<Sends>) -> Fault {
    Fault {
        logged,
        first,
        is_worked_around: false,
    }
}

fn worked_around(logged: &'static str, first: fn(&Query) -> Vec<Sends>) -> Fault {
    Fault {
        is_worked_around: true,
        ..refused(logged, first)
    }
}

fn faults() -> Vec<Fault> {
    let says = Sends::Reply;
    let _ = says;
    vec![
        refused(
            "lame delegation: it refuses to answer for region1.lab.",
            |_| vec![Sends::Reply(Says::code(5))],
        ),
        refused(
            "lame delegation: a server of region1.lab. refers to lab., which is not below region1.lab.",
            |_| {
                vec![Sends::Reply(Says::referral(
                    &["lab. NS ns.lab."],
                    &["ns.lab. A 127.0.0.1"],
                ))]
            },
        ),
        refused(
            "lame delegation: it has no authority over region1.lab.",
            |_| {
                vec![Sends::Reply(Says {
                    aa: false,
                    ..forged()
                })]
            },
        ),
        refused("SERVFAIL", |_| vec![Sends::Reply(Says::code(2))]),
        refused("a malformed reply", |query| {
            vec![Sends::Bytes(
                [&query.message[..2], &[0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0, 9]].concat(),
            )]
        }),
        refused("no reply in time", |_| vec![]),
        refused("has several CNAME records", |_| {
            vec![Sends::Reply(Says::answer(&[
                "www.region1.lab. CNAME a.region1.lab.",
                "www.region1.lab. CNAME b.region1.lab.",
            ]))]
        }),
        refused("a reply that is truncated over TCP, too", |_| {
            vec![Sends::Reply(Says {
                tc: true,
                ..Says::answer(&[])
            })]
        }),
        worked_around("a reply from another address, 127.0.0.4:", |_| {
            vec![Sends::From(4, forged()), Sends::Reply(found())]
        }),
        worked_around("a reply with another identifier: ignored", |query| {
            let mut message = forged().to(&query.message);
            message[0] ^= 0x55;
            vec![Sends::Bytes(message), Sends::Reply(found())]
        }),
        worked_around("a reply to another question: ignored", |query| {
            let mut message = forged().to(&query.message);
            message[13] = b'v';
            vec![Sends::Bytes(message), Sends::Reply(found())]
        }),
        worked_around(
            "many wrong replies, as from somebody who guesses: asked over TCP",
            |query| {
                if query.tcp {
                    return vec![Sends::Reply(found())];
                }
                let guess = |number: u16| {
                    let mut message = forged().to(&query.message);
                    let id = u16::from_be_bytes([message[0], message[1]]);
                    message[..2].copy_from_slice(&id.wrapping_add(number).to_be_bytes());
                    Sends::Bytes(message)
                };
                (1..40).map(guess).collect()
            },
        ),
        worked_around(
            "a record out of bailiwick, www.region2.lab. A from a server of region1.lab.: ignored",
            |_| {
                let mut says = found();
                says.additional.push("www.region2.lab. A 6.6.6.6".into());
                vec![Sends::Reply(says)]
            },
        ),
        worked_around(
            "a record out of bailiwick, region2.lab. NS from a server of region1.lab.: ignored",
            |_| {
                let mut says = found();
                says.authority
                    .push("region2.lab. NS evil.region1.lab.".into());
                says.additional.push("evil.region1.lab. A 127.0.0.4".into());
                vec![Sends::Reply(says)]
            },
        ),
        worked_around("the reply is truncated: asked over TCP", |query| {
            vec![Sends::Reply(match query.tcp {
                true => found(),
                false => Says {
                    tc: true,
                    ..Says::answer(&[])
                },
            })]
        }),
        worked_around("longer than the query permits: asked over TCP", |query| {
            let lines: Vec<_> = (0..80)
                .map(|n| format!("www.region1.lab. A 6.6.6.{n}"))
                .collect();
            vec![Sends::Reply(match query.tcp {
                true => found(),
                false => Says {
                    answer: lines,
                    ..found()
                },
            })]
        }),
        worked_around("it does not know EDNS(0): asked without", |query| {
            vec![Sends::Reply(match query.edns {
                true => Says::code(1),
                false => found(),
            })]
        }),
        worked_around(
            "has a CNAME record and others: the others are ignored",
            |query| {
                vec![Sends::Reply(match query.name.as_str() {
                    WWW => Says::answer(&[
                        "www.region1.lab. A 6.6.6.6",
                        "www.region1.lab. CNAME w.region1.lab.",
                    ]),
                    _ => Says::answer(&["w.region1.lab. A 10.0.0.1"]),
                })]
            },
        ),
    ]
}

fn script(fault: &Fault) -> impl Fn(&Query) -> Vec<Sends> + Send + Sync + 'static {
    let (first, is_worked_around) = (fault.first, fault.is_worked_around);
    move |query| match (query.server, query.name.as_str()) {
        (1, "www.region2.lab.") => {
            vec![Sends::Reply(Says::answer(&["www.region2.lab. A 10.0.0.2"]))]
        }
        (1, _) => vec![Sends::Reply(two_servers())],
        (2, _) => first(query),
        (3, _) if is_worked_around => vec![Sends::Reply(Says::code(2))],
        (3, _) => vec![Sends::Reply(found())],
        _ => vec![],
    }
}

#[test]
fn the_client_refuses_each_fault_or_works_around_it() {
    for fault in faults() {
        let root = scripted(4, script(&fault)).to_string();
        let folder = Folder::new();
        let log = folder.path("log.jsonl");
        let begun = Instant::now();
        let finished = run(
            NAMING,
            &[
                "resolve",
                WWW,
                "www.region2.lab.",
                "--type",
                "A",
                "--iterative",
                "--server",
                &root,
                "--short",
                "--log",
                &log,
            ],
        );
        assert_eq!(
            finished.out, "10.0.0.1\n10.0.0.2\n",
            "{}: {finished:?}",
            fault.logged
        );
        assert!(begun.elapsed() < Duration::from_secs(5), "{}", fault.logged);
        let events = read_log(&log);
        let logged = events.iter().find(|record| {
            let text = record.event.text.as_deref().unwrap_or_default();
            matches!(record.event.kind, Kind::Error | Kind::Local) && text.contains(fault.logged)
        });
        let logged = logged.unwrap_or_else(|| panic!("{} is not in {events:#?}", fault.logged));
        let is_harmless = fault.logged.contains("is truncated: asked over TCP");
        assert_eq!(
            logged.event.level,
            if is_harmless {
                Level::Info
            } else {
                Level::Warn
            }
        );
    }
}

#[test]
fn a_recursive_server_refuses_each_fault_or_works_around_it() {
    for fault in faults() {
        let root = scripted(4, script(&fault));
        let folder = Folder::new();
        let log = folder.path("log.jsonl");
        let (server, address) = recursive(root, &["--log", &log]);
        let address = address.to_string();
        let finished = run(
            NAMING,
            &[
                "resolve",
                WWW,
                "www.region2.lab.",
                "--type",
                "A",
                "--recursive",
                "--server",
                &address,
                "--short",
            ],
        );
        assert_eq!(
            finished.out, "10.0.0.1\n10.0.0.2\n",
            "{}: {finished:?}",
            fault.logged
        );
        assert_eq!(server.interrupt().code, Some(0));
        let events = read_log(&log);
        let logged = events.iter().any(|record| {
            let text = record.event.text.as_deref().unwrap_or_default();
            text.contains(fault.logged)
        });
        assert!(logged, "{} is not in {events:#?}", fault.logged);
    }
}

/// What the client says when there is no answer.
fn failure(last: u8, script: impl Fn(&Query) -> Vec<Sends> + Send + Sync + 'static) -> String {
    let root = scripted(last, script).to_string();
    let begun = Instant::now();
    let finished = run(
        NAMING,
        &[
            "resolve",
            WWW,
            "--type",
            "A",
            "--iterative",
            "--server",
            &root,
            "--timeout",
            "2s",
        ],
    );
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (Some(1), ""),
        "{finished:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(4));
    finished.err
}

#[test]
fn what_leads_nowhere_ends() {
    let err = failure(2, |query| match query.server {
        1 => vec![Sends::Reply(Says::referral(
            &["region1.lab. NS ns.region1.lab."],
            &["ns.region1.lab. A 127.0.0.2"],
        ))],
        _ => vec![Sends::Reply(Says::answer(&[
            "www.region1.lab. CNAME a.region1.lab.",
            "a.region1.lab. CNAME www.region1.lab.",
        ]))],
    });
    assert!(
        err.contains("the aliases of www.region1.lab. form a circle"),
        "{err}"
    );
    // Two zones whose name servers are in one another.
    let err = failure(1, |query| {
        let region2 = query.name.ends_with("region2.lab.");
        let (zone, server) = match region2 {
            true => ("region2.lab. NS", "ns.region1.lab."),
            false => ("region1.lab. NS", "ns.region2.lab."),
        };
        vec![Sends::Reply(Says::referral(
            &[&format!("{zone} {server}")],
            &[],
        ))]
    });
    assert!(err.contains("is needed to find that address"), "{err}");
    // A loop of referrals: the child refers to its parent, which refers to the child.
    let err = failure(2, |query| match query.server {
        1 => vec![Sends::Reply(Says::referral(
            &["region1.lab. NS ns.region1.lab."],
            &["ns.region1.lab. A 127.0.0.2"],
        ))],
        _ => vec![Sends::Reply(Says::referral(
            &["lab. NS ns.lab."],
            &["ns.lab. A 127.0.0.1"],
        ))],
    });
    assert!(
        err.contains("refers to lab., which is not below region1.lab."),
        "{err}"
    );
    // Nobody listens at the only server; another is silent for as long as it is waited for.
    let err = failure(1, |_| {
        vec![Sends::Reply(Says::referral(
            &["region1.lab. NS ns.region1.lab."],
            &["ns.region1.lab. A 127.0.0.9"],
        ))]
    });
    assert!(
        err.contains("127.0.0.9") && err.contains("unreachable"),
        "{err}"
    );
    let err = failure(1, |_| vec![]);
    assert!(err.contains("no reply in time"), "{err}");
    // Glue of a foreign zone is no address of a name server.
    let err = failure(2, |query| match (query.server, query.name.as_str()) {
        (1, WWW) => vec![Sends::Reply(Says::referral(
            &["region1.lab. NS ns.region1.lab."],
            &["ns.region1.lab. A 127.0.0.2"],
        ))],
        _ => vec![Sends::Reply(Says::referral(
            &["www.region1.lab. NS ns.lab."],
            &["ns.lab. A 127.0.0.2"],
        ))],
    });
    assert!(err.contains("region1.lab."), "{err}");
}
