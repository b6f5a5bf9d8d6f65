//! `mcast-server doctor` where multicast works, and where it does not, for each reason that a test can cause.

use std::net::UdpSocket;

use common::{
    event::{Kind, Verdict},
    testing::{self, Finished, run},
};

const SERVER: &str = env!("CARGO_BIN_EXE_mcast-server");

/// The verdict and the text of one check.
fn verdict<'a>(finished: &'a Finished, check: &str) -> (&'a str, &'a str) {
    let line = finished
        .out
        .lines()
        .find(|line| line[6..].starts_with(&format!("{check} ")));
    let line = line.unwrap_or_else(|| panic!("no {check} in {finished:?}"));
    (line[..4].trim_end(), line[6 + 16..].trim_start())
}

/// Runs the doctor in a network namespace after these commands.
fn doctor_after(commands: &str, flags: &str) -> Option<Finished> {
    let script = format!("{commands}\n\"$SERVER\" doctor {flags}");
    testing::in_namespace(&script, &[("SERVER", SERVER)])
}

#[test]
fn on_loopback_every_check_passes() {
    let finished = run(SERVER, &["doctor", "--port", "0"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(
        verdict(&finished, "interface"),
        ("ok", "lo (127.0.0.1) is up")
    );
    let (word, words) = verdict(&finished, "reach");
    assert_eq!(word, "warn");
    assert!(words.ends_with("remedy: --interface default goes on the network"));
    for check in ["membership", "ttl", "port", "self-test"] {
        assert_eq!(verdict(&finished, check).0, "ok", "{finished:?}");
    }
    assert!(
        finished.err.contains(" 0 failures: multicast works here"),
        "{finished:?}"
    );

    let finished = run(SERVER, &["doctor", "--port", "0", "--json"]);
    let events = finished.events();
    let (stop, checks) = events.split_last().unwrap();
    assert!(checks.iter().all(|event| event.kind == Kind::Check));
    assert_eq!(checks[0].check.as_deref(), Some("interface"));
    assert_eq!(checks[0].verdict, Some(Verdict::Ok));
    let warned = checks
        .iter()
        .filter(|event| event.verdict == Some(Verdict::Warn));
    assert_eq!(stop.counts["warnings"], warned.count() as u64);
    assert_eq!((stop.kind, stop.counts["failures"]), (Kind::Stop, 0));
}

#[test]
fn a_port_that_another_program_holds() {
    let held = UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = held.local_addr().unwrap().port().to_string();
    let finished = run(SERVER, &["doctor", "--port", &port]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let (word, words) = verdict(&finished, "port");
    assert_eq!(word, "FAIL");
    // It names the process: this test.
    let by = format!("{port} is held by ");
    assert!(
        words.starts_with(&by) && words.contains(&std::process::id().to_string()),
        "{words}"
    );
    assert!(
        words.ends_with("; remedy: end it, or choose another --port"),
        "{words}"
    );
    assert_eq!(verdict(&finished, "join").0, "FAIL");
    assert!(
        finished
            .err
            .ends_with("2 failures: multicast does not work here\n"),
        "{finished:?}"
    );
}

#[test]
fn a_missing_interface_is_a_finding_and_an_invalid_option_an_error() {
    let finished = run(SERVER, &["doctor", "--interface", "nosuch0"]);
    assert_eq!(finished.code, Some(1));
    let (word, words) = verdict(&finished, "interface");
    assert!(
        word == "FAIL" && words.contains("no such interface"),
        "{words}"
    );
    testing::check_refusals(
        SERVER,
        &[(
            &["doctor", "--group", "10.0.0.1"][..],
            "--group: 10.0.0.1 is not in ",
        )],
    );
}

#[test]
fn settings_of_the_run_do_not_concern_it() {
    let folder = testing::Folder::new();
    let lab = folder.write("lab.json", r#"{"mcast-server": {"count": 0, "port": 0}}"#);
    assert_eq!(run(SERVER, &["--config", &lab]).code, Some(2));
    let finished = run(SERVER, &["doctor", "--config", &lab]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(verdict(&finished, "port"), ("ok", "a free one"));
}

#[test]
fn no_route_and_an_interface_that_is_down() {
    let Some(finished) = doctor_after("ip route del 224.0.0.0/4 dev lo", "") else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let (word, words) = verdict(&finished, "route");
    assert!(
        word == "warn" && words.starts_with("no route leads to 224.1.1.1 "),
        "{words}"
    );
    assert!(
        words.ends_with("remedy: ip route add 224.0.0.0/4 dev lo"),
        "{words}"
    );

    let down = "ip link add net0 type veth peer name net1; ip link set net1 up; ip addr add 10.9.0.1/24 dev net0";
    let finished = doctor_after(down, "--interface net0").unwrap();
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let (word, words) = verdict(&finished, "interface");
    assert!(
        word == "FAIL" && words.ends_with("ip link set net0 up"),
        "{words}"
    );

    // The cable is unplugged at the other end.
    let no_carrier = "ip link add net0 type veth peer name net1
        ip addr add 10.9.0.1/24 dev net0; ip link set net0 up";
    let finished = doctor_after(no_carrier, "--interface net0").unwrap();
    let (word, words) = verdict(&finished, "interface");
    assert!(word == "FAIL" && words.contains("no carrier"), "{words}");
}

#[test]
fn a_strict_reverse_path_filter_and_an_interface_without_multicast() {
    let strict =
        "ip link add net0 type veth peer name net1; ip link set net1 up; ip addr add 10.9.0.1/24 dev net0; ip link set net0 up
        echo 1 >/proc/sys/net/ipv4/conf/net0/rp_filter";
    let Some(finished) = doctor_after(strict, "--interface net0") else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let (word, words) = verdict(&finished, "rp_filter");
    assert!(
        word == "warn" && words.starts_with("strict on net0: "),
        "{words}"
    );
    assert!(words.contains("net.ipv4.conf.net0.rp_filter=2"), "{words}");

    let no_multicast = "ip link add net0 type veth peer name net1; ip link set net1 up; ip addr add 10.9.0.1/24 dev net0
        ip link set net0 up multicast off";
    let finished = doctor_after(no_multicast, "--interface net0").unwrap();
    let (word, words) = verdict(&finished, "interface");
    assert!(
        word == "FAIL"
            && words.contains("does not support multicast; remedy: ip link set net0 multicast on"),
        "{words}"
    );
}

#[test]
fn a_firewall_that_drops_the_datagrams() {
    if !testing::have_program("nft") {
        return;
    }
    let firewall =
        "nft 'add table inet f; add chain inet f in { type filter hook input priority 0; }
        add rule inet f in udp dport 5007 drop'";
    let Some(finished) = doctor_after(firewall, "") else {
        return;
    };
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert_eq!(
        verdict(&finished, "firewall"),
        (
            "warn",
            "rules that drop packets: udp dport 5007 drop; remedy: see nft list ruleset; the self-test shows whether they matter here"
        )
    );
    let (word, words) = verdict(&finished, "self-test");
    assert!(
        word == "FAIL" && words.contains("not received within 1 s"),
        "{words}"
    );
    // One that drops other packets is no reason.
    let other = firewall.replace("5007", "53");
    let finished = doctor_after(&other, "").unwrap();
    assert_eq!(
        (finished.code, verdict(&finished, "self-test").0),
        (Some(0), "ok")
    );
}
