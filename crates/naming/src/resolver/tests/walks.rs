//! The walk from zone to zone, and through aliases.

use super::*;

#[test]
fn referrals_are_followed_and_the_cache_keeps_what_they_say() {
    let mut world = Lab::new();
    let net = network(vec![
        (1, WWW, Rtype::A, to_region1()),
        (2, WWW, Rtype::A, found()),
        (
            2,
            WWW,
            Rtype::TXT,
            Says::negative(Rcode::NOERROR, soa("region1.lab.", 30)),
        ),
        (
            2,
            "x.region1.lab.",
            Rtype::A,
            Says::negative(Rcode::NXDOMAIN, soa("region1.lab.", 30)),
        ),
    ]);
    let went = world.resolve(WWW, Rtype::A, net.clone());
    assert_eq!(
        (went.addresses(), went.servers()),
        (vec!["10.0.0.1".into()], vec![1, 2])
    );
    assert!(went.faults().is_empty(), "{went:#?}");
    // Records by their TTL, which counts down.
    world.now += Duration::from_secs(20);
    let went = world.resolve(WWW, Rtype::A, net.clone());
    assert!(went.asked.is_empty());
    let Outcome::Answer(answer) = &went.outcome else {
        panic!()
    };
    assert_eq!(answer.records[0].ttl, 40);
    // The delegation, and negative answers by their SOA record.
    let went = world.resolve(WWW, Rtype::TXT, net.clone());
    assert_eq!(went.servers(), [2]);
    for (name, rtype, code) in [
        (WWW, Rtype::TXT, Rcode::NOERROR),
        ("x.region1.lab.", Rtype::A, Rcode::NXDOMAIN),
    ] {
        let went = world.resolve(name, rtype, net.clone());
        let Outcome::Answer(answer) = went.outcome else {
            panic!()
        };
        assert_eq!((answer.rcode, answer.soa.unwrap().ttl), (code, 30));
    }
    // No name has no type.
    assert!(
        world
            .resolve("x.region1.lab.", Rtype::MX, net.clone())
            .asked
            .is_empty()
    );
    world.now += Duration::from_secs(30);
    assert_eq!(world.resolve(WWW, Rtype::TXT, net.clone()).servers(), [2]);
    world.now += Duration::from_secs(60);
    assert_eq!(world.resolve(WWW, Rtype::A, net).servers(), [1, 2]);
}

#[test]
fn aliases_lead_across_zones() {
    let mut world = Lab::new();
    let net = network(vec![
        (
            1,
            "mail.lab.",
            Rtype::A,
            Says::answer(&[cname("mail.lab.", "m.east.lab.")]),
        ),
        (
            1,
            "m.east.lab.",
            Rtype::A,
            Says::answer(&[
                named("east.lab.", Rtype::DNAME, "region1.lab."),
                cname("m.east.lab.", "m.region1.lab."),
            ]),
        ),
        (1, "m.region1.lab.", Rtype::A, to_region1()),
        (
            2,
            "m.region1.lab.",
            Rtype::A,
            Says::answer(&[cname("m.region1.lab.", WWW), a(WWW, "10.0.0.1")]),
        ),
    ]);
    let went = world.resolve("mail.lab.", Rtype::A, net.clone());
    assert_eq!(went.addresses(), ["10.0.0.1"]);
    let Outcome::Answer(answer) = &went.outcome else {
        panic!()
    };
    let chain: Vec<_> = answer
        .records
        .iter()
        .map(|set| format!("{} {}", set.owner, set.rtype))
        .collect();
    assert_eq!(
        chain,
        [
            "mail.lab. CNAME",
            "east.lab. DNAME",
            "m.east.lab. CNAME",
            "m.region1.lab. CNAME",
            "www.region1.lab. A"
        ]
    );
    assert!(
        world
            .resolve("mail.lab.", Rtype::A, net.clone())
            .asked
            .is_empty()
    );
    // Another name below the DNAME record needs its owner's zone no more.
    let went = world.resolve("other.east.lab.", Rtype::A, net);
    assert_eq!(question(&went.asked[0]).0, owner("other.region1.lab."));
}

#[test]
fn a_circle_of_aliases_ends() {
    let net = network(vec![
        (
            1,
            "a.lab.",
            Rtype::A,
            Says::answer(&[cname("a.lab.", "b.lab.")]),
        ),
        (
            1,
            "b.lab.",
            Rtype::A,
            Says::answer(&[cname("b.lab.", "a.lab.")]),
        ),
    ]);
    let went = Lab::new().resolve("a.lab.", Rtype::A, net);
    assert_eq!(went.why(), "the aliases of a.lab. form a circle");
    let long = |ask: &Ask| {
        let (name, _) = question(ask);
        let next = format!("x{}", name.to_string().len()) + &name.to_string();
        vec![Arrives::Message(
            ask.server,
            Says::answer(&[cname(&name.to_string(), &next)]).to(&ask.message),
        )]
    };
    let went = Lab::new().resolve("a.lab.", Rtype::A, long);
    assert_eq!(went.why(), "more than 16 aliases lead on from a.lab.");
}

#[test]
fn the_address_of_a_name_server_is_looked_up() {
    let without_glue = Says::referral(&[ns("region1.lab.", "dns.region2.lab.")], &[]);
    let net = network(vec![
        (1, WWW, Rtype::A, without_glue),
        (
            1,
            "dns.region2.lab.",
            Rtype::A,
            Says::referral(
                &[ns("region2.lab.", "ns.region2.lab.")],
                &[a("ns.region2.lab.", "127.0.0.3")],
            ),
        ),
        (
            3,
            "dns.region2.lab.",
            Rtype::A,
            Says::answer(&[a("dns.region2.lab.", "127.0.0.2")]),
        ),
        (2, WWW, Rtype::A, found()),
    ]);
    let went = Lab::new().resolve(WWW, Rtype::A, net);
    assert_eq!(
        (went.addresses(), went.servers()),
        (vec!["10.0.0.1".into()], vec![1, 1, 3, 2])
    );
}

#[test]
fn name_servers_that_need_one_another_end_the_resolution() {
    let net = network(vec![
        (
            1,
            WWW,
            Rtype::A,
            Says::referral(&[ns("region1.lab.", "ns.region2.lab.")], &[]),
        ),
        (
            1,
            "ns.region2.lab.",
            Rtype::A,
            Says::referral(&[ns("region2.lab.", "ns.region1.lab.")], &[]),
        ),
        (
            1,
            "ns.region2.lab.",
            Rtype::AAAA,
            Says::referral(&[ns("region2.lab.", "ns.region1.lab.")], &[]),
        ),
        (
            1,
            "ns.region1.lab.",
            Rtype::A,
            Says::referral(&[ns("region1.lab.", "ns.region2.lab.")], &[]),
        ),
        (
            1,
            "ns.region1.lab.",
            Rtype::AAAA,
            Says::referral(&[ns("region1.lab.", "ns.region2.lab.")], &[]),
        ),
    ]);
    let went = Lab::new().resolve(WWW, Rtype::A, net);
    assert!(
        went.why().starts_with("no server of region1.lab. answers"),
        "{went:?}"
    );
    assert!(
        went.has_fault("is needed to find that address"),
        "{went:#?}"
    );
    assert!(went.asked.len() < 20, "{}", went.asked.len());
    // Within its own zone.
    let net = network(vec![(
        1,
        WWW,
        Rtype::A,
        Says::referral(&[ns("region1.lab.", "ns.region1.lab.")], &[]),
    )]);
    let went = Lab::new().resolve(WWW, Rtype::A, net);
    assert!(
        went.has_fault("the delegation lacks its address"),
        "{went:#?}"
    );
}

#[test]
fn a_zone_that_has_moved_is_found_again() {
    let mut world = Lab::new();
    let long = |says: Says| Says {
        ttl: Some(3600),
        ..says
    };
    let before = network(vec![
        (1, WWW, Rtype::A, long(to_region1())),
        (2, WWW, Rtype::A, found()),
    ]);
    assert_eq!(
        world.resolve(WWW, Rtype::A, before).addresses(),
        ["10.0.0.1"]
    );
    world.now += Duration::from_secs(61);
    let moved = Says::referral(
        &[ns("region1.lab.", "ns.region1.lab.")],
        &[a("ns.region1.lab.", "127.0.0.3")],
    );
    let after = network(vec![
        (1, WWW, Rtype::A, long(moved)),
        (2, WWW, Rtype::A, Says::code(Rcode::REFUSED)),
        (3, WWW, Rtype::A, found()),
    ]);
    let went = world.resolve(WWW, Rtype::A, after);
    assert_eq!(
        (went.addresses(), went.servers()),
        (vec!["10.0.0.1".into()], vec![2, 1, 3])
    );
    assert!(went.notes.contains(&Note::OutOfDate(owner("region1.lab."))));
}

#[test]
fn a_resolution_ends_in_time() {
    let went = Lab::new().resolve(WWW, Rtype::A, |_| vec![Arrives::Silence]);
    assert!(
        went.why().contains("127.0.0.1:5300: no reply in time"),
        "{went:?}"
    );
    assert_eq!(went.servers(), [1, 1, 1]);
    assert!(went.took <= Duration::from_secs(5), "{:?}", went.took);
    let went = Lab::new().resolve(
        WWW,
        Rtype::A,
        network(vec![(1, WWW, Rtype::A, Says::code(Rcode::REFUSED))]),
    );
    assert_eq!(
        went.why(),
        "no server of the root answers (127.0.0.1:5300: it refuses to answer (REFUSED))"
    );
}

#[test]
fn a_name_server_may_have_an_address_of_ipv6_alone() {
    let v6: SocketAddr = "[::1]:5300".parse().unwrap();
    let glue = Line(
        owner("ns.region1.lab."),
        Rtype::AAAA,
        [[0; 15].as_slice(), &[1]].concat(),
    );
    let went = Lab::new().resolve(WWW, Rtype::A, |ask| {
        let says = match ask.server == v6 {
            true => found(),
            false => Says::referral(
                &[ns("region1.lab.", "ns.region1.lab.")],
                std::slice::from_ref(&glue),
            ),
        };
        vec![Arrives::Message(ask.server, says.to(&ask.message))]
    });
    assert_eq!(
        (went.addresses(), went.servers()),
        (vec!["10.0.0.1".into()], vec![1, 0])
    );
}
