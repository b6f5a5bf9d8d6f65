//! Servers with faults, beside one without.

use super::*;

#[test]
fn a_server_with_a_fault_is_passed_over() {
    let upward = Says::referral(&[ns("lab.", "ns.lab.")], &[]);
    let answers_from_a_cache = Says {
        aa: false,
        ..found()
    };
    let several = Says::answer(&[cname(WWW, "a.lab."), cname(WWW, "b.lab.")]);
    for (says, words) in [
        (
            Says::code(Rcode::REFUSED),
            "lame delegation: it refuses to answer for region1.lab.",
        ),
        (
            upward,
            "lame delegation: a server of region1.lab. refers to lab.",
        ),
        (
            Says::default(),
            "lame delegation: it has no authority over region1.lab.",
        ),
        (
            answers_from_a_cache,
            "lame delegation: it has no authority over region1.lab.",
        ),
        (
            to_region1(),
            "lame delegation: a server of region1.lab. refers to region1.lab.",
        ),
        (Says::code(Rcode::SERVFAIL), "SERVFAIL"),
        (Says::code(Rcode::masked_from_int(9)), "lame delegation"),
        (Says::code(Rcode::masked_from_int(11)), "the code"),
        (several, "has several CNAME records"),
    ] {
        let went = with_first(|ask| vec![Arrives::Message(ask.server, says.to(&ask.message))]);
        assert_eq!(
            (went.addresses(), went.servers()),
            (vec!["10.0.0.1".into()], vec![1, 2, 3]),
            "{words}"
        );
        assert!(went.has_fault(words), "{words}: {went:#?}");
    }
    let went = with_first(|ask| {
        vec![Arrives::Message(
            ask.server,
            [&ask.message[..2], &[0x80, 0, 0, 1, 0, 9]].concat(),
        )]
    });
    assert!(went.has_fault("a malformed reply") && went.addresses() == ["10.0.0.1"]);
    let went = with_first(|_| vec![Arrives::Unreachable]);
    assert!(went.has_fault("unreachable") && went.addresses() == ["10.0.0.1"]);
    assert!(went.took < Duration::from_millis(100), "{:?}", went.took);
    let went = with_first(|_| vec![Arrives::Silence]);
    assert!(went.has_fault("no reply in time") && went.addresses() == ["10.0.0.1"]);
    assert!(went.took < FIRST_WAIT * 2);
}

#[test]
fn a_server_that_was_silent_is_asked_last_for_a_while() {
    let mut world = Lab::new();
    let net = |ask: &Ask| match ask.server {
        server if server == at(1) => vec![Arrives::Message(server, two_servers().to(&ask.message))],
        server if server == at(2) => vec![Arrives::Silence],
        server => {
            let name = question(ask).0.to_string();
            vec![Arrives::Message(
                server,
                Says::answer(&[a(&name, "10.0.0.1")]).to(&ask.message),
            )]
        }
    };
    assert_eq!(world.resolve(WWW, Rtype::A, net).servers(), [1, 2, 3]);
    assert_eq!(
        world.resolve("ftp.region1.lab.", Rtype::A, net).servers(),
        [3]
    );
    world.now += Duration::from_secs(31);
    assert_eq!(
        world.resolve("irc.region1.lab.", Rtype::A, net).servers(),
        [2, 3]
    );
}

#[test]
fn wrong_replies_are_ignored_and_the_right_one_is_taken() {
    let forged = Says::answer(&[a(WWW, "6.6.6.6")]);
    for (wrong, words) in [
        (
            Box::new(|ask: &Ask, message: Vec<u8>| {
                (
                    SocketAddr::from(([127, 0, 0, 9], 5300)),
                    message,
                    ask.server,
                )
                    .into()
            }) as Box<dyn Fn(&Ask, Vec<u8>) -> Forged>,
            "a reply from another address, 127.0.0.9:5300: ignored",
        ),
        (
            Box::new(|ask, mut message| {
                message[1] ^= 1;
                (ask.server, message, ask.server).into()
            }),
            "a reply with another identifier: ignored",
        ),
        (
            Box::new(|ask, mut message| {
                message[13] = b'v';
                (ask.server, message, ask.server).into()
            }),
            "a reply to another question: ignored",
        ),
    ] {
        let went = with_first(|ask| {
            let Forged(from, message) = wrong(ask, forged.to(&ask.message));
            vec![
                Arrives::Message(from, message),
                Arrives::Message(ask.server, found().to(&ask.message)),
            ]
        });
        assert_eq!(
            (went.addresses(), went.servers()),
            (vec!["10.0.0.1".into()], vec![1, 2]),
            "{words}"
        );
        assert!(went.has_fault(words), "{words}: {went:#?}");
    }
    // Somebody who guesses gets no more than a few attempts.
    let went = with_first(|ask| match ask.transport {
        Transport::Tcp => vec![Arrives::Message(ask.server, found().to(&ask.message))],
        Transport::Udp => (0..100)
            .map(|guess| {
                let mut message = forged.to(&ask.message);
                message[0] = 0xff;
                message[1] = guess;
                Arrives::Message(ask.server, message)
            })
            .collect(),
    });
    assert_eq!(went.addresses(), ["10.0.0.1"]);
    assert!(went.has_fault("many wrong replies"));
}

struct Forged(SocketAddr, Vec<u8>);

impl From<(SocketAddr, Vec<u8>, SocketAddr)> for Forged {
    fn from((from, message, _): (SocketAddr, Vec<u8>, SocketAddr)) -> Self {
        Self(from, message)
    }
}

#[test]
fn a_truncated_reply_or_one_that_is_too_long_goes_over_tcp() {
    for truncated in [true, false] {
        let went = with_first(|ask| {
            let says = match (ask.transport, truncated) {
                (Transport::Tcp, _) => found(),
                (_, true) => Says {
                    tc: true,
                    ..Says::answer(&[])
                },
                _ => Says::answer(
                    &(0..100)
                        .map(|n| a(WWW, &format!("10.0.0.{n}")))
                        .collect::<Vec<_>>(),
                ),
            };
            vec![Arrives::Message(ask.server, says.to(&ask.message))]
        });
        assert_eq!(
            (went.addresses(), went.servers()),
            (vec!["10.0.0.1".into()], vec![1, 2, 2])
        );
        assert!(went.has_fault("asked over TCP"));
    }
    let went = with_first(|ask| {
        let says = Says {
            tc: true,
            ..Says::answer(&[])
        };
        vec![Arrives::Message(ask.server, says.to(&ask.message))]
    });
    assert!(went.has_fault("truncated over TCP, too") && went.addresses() == ["10.0.0.1"]);
}

#[test]
fn a_server_without_edns_is_asked_without() {
    let mut world = Lab::new();
    let net = |ask: &Ask| {
        let edns = ask.message[11] == 1;
        let says = match (ask.server == at(1), edns) {
            (true, _) => to_region1(),
            (_, true) => Says {
                no_question: true,
                ..Says::code(Rcode::FORMERR)
            },
            (_, false) => Says::answer(&[a(&question(ask).0.to_string(), "10.0.0.1")]),
        };
        vec![Arrives::Message(ask.server, says.to(&ask.message))]
    };
    let went = world.resolve(WWW, Rtype::A, net);
    assert_eq!(
        (went.addresses(), went.servers()),
        (vec!["10.0.0.1".into()], vec![1, 2, 2])
    );
    assert!(went.has_fault("does not know EDNS(0)"));
    // It is remembered.
    assert_eq!(
        world.resolve("ftp.region1.lab.", Rtype::A, net).servers(),
        [2]
    );
}

#[test]
fn an_alias_beside_other_records_wins() {
    let net = network(vec![
        (
            1,
            "www.lab.",
            Rtype::A,
            Says::answer(&[a("www.lab.", "6.6.6.6"), cname("www.lab.", "w.lab.")]),
        ),
        (
            1,
            "w.lab.",
            Rtype::A,
            Says::answer(&[a("w.lab.", "10.0.0.1")]),
        ),
    ]);
    let went = Lab::new().resolve("www.lab.", Rtype::A, net);
    assert_eq!(went.addresses(), ["10.0.0.1"]);
    assert!(went.has_fault("has a CNAME record and others"));
}
