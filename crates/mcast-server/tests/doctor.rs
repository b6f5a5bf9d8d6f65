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
    assert!(words.contains("; remedy: "), "{words}");
    assert_eq!(
        verdict(&finished, "broadcast"),
        ("ok", "127.255.255.255 is every host on the network of lo")
    );
    for check in ["join", "membership", "ttl", "port", "self-test"] {
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
        words.contains(": end it, or use another port; remedy: --port "),
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
        words.ends_with("remedy: ip route replace 224.0.0.0/4 dev lo src 127.0.0.1"),
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
            "rules that may drop the datagrams: udp dport 5007 drop; remedy: nft insert rule inet f in udp dport 5007 accept"
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
    assert_eq!(
        verdict(&finished, "firewall"),
        ("ok", "no rule drops UDP to port 5007")
    );
}

#[test]
fn what_works_is_no_finding() {
    // A name of more than ten letters, two addresses, no broadcast address set, a firewall that drops what is forwarded.
    let fine = "sysctl -q net.ipv6.conf.default.accept_dad=0
        ip link add enx0242ac110002 type veth peer name net1; ip link set net1 up
        ip addr add 10.9.0.1/24 dev enx0242ac110002; ip addr add 10.9.0.2/24 dev enx0242ac110002
        ip link set enx0242ac110002 up
        ip route replace 224.0.0.0/4 dev enx0242ac110002\n";
    let flags = "--group 224.1.1.1 --group 232.1.1.1 --interface";
    let Some(finished) = doctor_after(fine, &format!("{flags} 10.9.0.2")) else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{finished:?}");
    for check in [
        "interface",
        "reach",
        "route",
        "rp_filter",
        "broadcast",
        "join",
        "membership",
        "self-test",
    ] {
        assert_eq!(verdict(&finished, check).0, "ok", "{check}: {finished:?}");
    }
    assert_eq!(
        verdict(&finished, "broadcast").1,
        "10.9.0.255 is every host on the network of enx0242ac110002"
    );
    let finished = doctor_after(fine, "--group ff02::5007 --interface enx0242ac110002").unwrap();
    assert!(
        finished
            .err
            .ends_with(" 0 warnings, 0 failures: multicast works here\n")
            || verdict(&finished, "firewall").0 == "open",
        "{finished:?}"
    );
    if testing::have_program("nft") {
        let forward = "nft 'add table ip f; add chain ip f forward { type filter hook forward priority 0; policy drop; }'";
        let finished = doctor_after(forward, "").unwrap();
        assert_eq!(verdict(&finished, "firewall").0, "ok");
    }
}

#[test]
fn what_cannot_be_checked_is_open() {
    let Some(finished) = doctor_after("PATH=", "--group 232.1.1.1 --source 10.1.2.3") else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let (word, words) = verdict(&finished, "firewall");
    assert_eq!(
        (word, words),
        (
            "open",
            "not checked: nft is not installed; remedy: install nftables, Debian's package of nft"
        )
    );
    let (word, words) = verdict(&finished, "self-test");
    assert!(
        word == "open" && words.contains("only datagrams from 10.1.2.3 are received"),
        "{words}"
    );
    assert!(
        finished
            .err
            .contains(" ok, 2 open, 1 warning, 0 failures: "),
        "{finished:?}"
    );
    // From this machine itself.
    let finished = doctor_after("", "--group 232.1.1.1 --source 127.0.0.1").unwrap();
    assert_eq!(verdict(&finished, "self-test").0, "ok", "{finished:?}");
}

#[test]
fn what_has_no_broadcast_address_says_why() {
    let link = "ip link add net0 type veth peer name net1; ip link set net1 up; ip link set net0 up; ip addr add";
    for (address, why) in [
        (
            "10.9.0.1/31",
            "net0 has no broadcast address: a network of two addresses, ",
        ),
        (
            "10.9.0.1/32",
            "net0 has no broadcast address: a network of one address, ",
        ),
    ] {
        let fault = format!("{link} {address} dev net0");
        let Some(finished) = doctor_after(&fault, "--interface net0") else {
            return;
        };
        let (word, words) = verdict(&finished, "broadcast");
        assert!(word == "warn" && words.starts_with(why), "{words}");
    }
}
