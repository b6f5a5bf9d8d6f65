//! Servers that lie.

use super::*;

#[test]
fn a_record_out_of_bailiwick_poisons_nothing() {
    let mut world = Lab::new();
    let victim = "www.region2.lab.";
    let net = network(vec![
        (1, WWW, Rtype::A, to_region1()),
        (
            2,
            WWW,
            Rtype::A,
            found()
                .with(0, a(victim, "6.6.6.6"))
                .with(1, ns("region2.lab.", "evil.region1.lab."))
                .with(2, a("ns.region2.lab.", "6.6.6.6")),
        ),
        (1, victim, Rtype::A, Says::answer(&[a(victim, "10.0.0.2")])),
    ]);
    let went = world.resolve(WWW, Rtype::A, net.clone());
    assert_eq!(went.addresses(), ["10.0.0.1"]);
    for owner in [victim, "region2.lab.", "ns.region2.lab."] {
        assert!(
            went.has_fault(&format!("out of bailiwick, {owner}")),
            "{went:#?}"
        );
    }
    let went = world.resolve(victim, Rtype::A, net);
    assert_eq!(
        (went.addresses(), went.servers()),
        (vec!["10.0.0.2".into()], vec![1])
    );
}

#[test]
fn an_alias_into_another_zone_brings_no_records_of_it() {
    let mut world = Lab::new();
    let net = network(vec![
        (1, WWW, Rtype::A, to_region1()),
        (
            2,
            WWW,
            Rtype::A,
            Says::answer(&[cname(WWW, "www.lab."), a("www.lab.", "6.6.6.6")]),
        ),
        (
            1,
            "www.lab.",
            Rtype::A,
            Says::answer(&[a("www.lab.", "10.0.0.2")]),
        ),
    ]);
    assert_eq!(world.resolve(WWW, Rtype::A, net).addresses(), ["10.0.0.2"]);
}

#[test]
fn glue_is_no_answer_and_answers_are_believed_more() {
    let mut world = Lab::new();
    let name = "ns.region1.lab.";
    let net = network(vec![
        (1, WWW, Rtype::A, to_region1()),
        (2, WWW, Rtype::A, found()),
        (2, name, Rtype::A, Says::answer(&[a(name, "127.0.0.3")])),
        (
            3,
            "ftp.region1.lab.",
            Rtype::A,
            Says::answer(&[a("ftp.region1.lab.", "10.0.0.5")]),
        ),
    ]);
    world.resolve(WWW, Rtype::A, net.clone());
    let went = world.resolve(name, Rtype::A, net.clone());
    assert_eq!(
        (went.addresses(), went.servers()),
        (vec!["127.0.0.3".into()], vec![2])
    );
    assert_eq!(
        world.resolve("ftp.region1.lab.", Rtype::A, net).servers(),
        [3]
    );
}

#[test]
fn a_delegation_to_many_names_causes_few_queries() {
    let many: Vec<_> = (0..16)
        .map(|n| ns("region1.lab.", &format!("n{n}.victim.lab.")))
        .collect();
    let net = |ask: &Ask| {
        let says = match question(ask).0.to_string().as_str() {
            WWW => Says::referral(&many, &[]),
            _ => Says::negative(Rcode::NXDOMAIN, soa("lab.", 60)),
        };
        vec![Arrives::Message(ask.server, says.to(&ask.message))]
    };
    let went = Lab::new().resolve(WWW, Rtype::A, net);
    assert!(went.why().contains("no server of region1.lab."), "{went:?}");
    assert!(went.asked.len() <= 6, "{}", went.asked.len());
}

#[test]
fn referrals_without_end_end() {
    // Each server refers one label further down, as a loop of referrals would; a name has no more labels than that.
    let deep = format!("{}lab.", "x.".repeat(100));
    let net = |ask: &Ask| {
        let zone = ask.zone.to_string();
        let labels = zone
            .trim_matches('.')
            .split('.')
            .filter(|label| !label.is_empty())
            .count();
        let below = match labels {
            0 => "lab.".to_owned(),
            n => format!("{}lab.", "x.".repeat(n)),
        };
        let server = format!("ns.{below}");
        let says = Says::referral(&[ns(&below, &server)], &[a(&server, "127.0.0.1")]);
        vec![Arrives::Message(ask.server, says.to(&ask.message))]
    };
    let went = Lab::new().resolve(&deep, Rtype::A, net);
    assert!(
        went.why().contains("64 queries did not find it"),
        "{went:?}"
    );
}

#[test]
fn any_bytes_are_read_without_a_panic() {
    let mut seed = 7_u64;
    let mut random = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    for _ in 0..20_000 {
        let went = with_first(|ask| {
            let says = [found(), two_servers(), to_region1()];
            let mut message = says[random() % 3].to(&ask.message);
            for _ in 0..1 + random() % 4 {
                let at = 2 + random() % (message.len() - 2);
                message[at] = random() as u8;
            }
            message.truncate(message.len() - random() % 2 * (random() % message.len()));
            vec![Arrives::Message(ask.server, message)]
        });
        assert!(went.asked.len() <= 64);
    }
}
