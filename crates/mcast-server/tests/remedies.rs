//! Every remedy that the doctor prints leads somewhere: in a network namespace with a fault, the command or the flags that
//! a line names, and nothing else, make that line ok.

use std::{net::UdpSocket, thread};

use common::testing::{self, Finished, run};

const SERVER: &str = env!("CARGO_BIN_EXE_mcast-server");

/// Two ends of a cable, of which net0 is this machine's.
const CABLE: &str = "sysctl -q net.ipv6.conf.default.accept_dad=0
    ip link add net0 type veth peer name net1; ip link set net1 up; ip addr add 10.9.0.1/24 dev net0
    ip link set net0 up; until ip -o link show net0 | grep -q 'state UP'; do sleep 0.01; done\n";

/// Runs the doctor, does what the line of `check` says, and runs the doctor again.
const FOLLOW: &str = r#"
    first() { sed -n "s/^....  $check  *//p" | head -n 1; }
    "$SERVER" doctor $flags >before 2>&1 || true
    line=$(first <before)
    case $line in *'; remedy: '*) ;; *) echo "no remedy: $(cat before)"; exit 3 ;; esac
    remedy=${line##*'; remedy: '}
    echo "remedy: $remedy"
    case $remedy in
        --*) flags="$(echo "$flags" | sed "s/${remedy%% *} [^ ]*//") $remedy" ;;
        *) eval "$remedy" ;;
    esac
    # The kernel notices a cable a moment after the interface is up.
    for wait in $(seq 40); do
        after=$("$SERVER" doctor $flags 2>&1) || true
        case $after in *'has no carrier'*) sleep 0.05 ;; *) break ;; esac
    done
    echo "$after"
"#;

/// The lines of one check.
fn lines<'o>(out: &'o str, check: &str) -> Vec<&'o str> {
    let of = |line: &&str| {
        line.get(6..)
            .is_some_and(|rest| rest.starts_with(&format!("{check} ")))
    };
    out.lines().filter(of).collect()
}

/// Makes the fault, follows the remedy of this check's first line, and returns it; the lines of the check must be ok then.
fn follow(fault: &str, flags: &str, check: &str) -> Option<String> {
    let script = format!("{fault}\n{FOLLOW}");
    let variables = [("SERVER", SERVER), ("flags", flags), ("check", check)];
    let finished = testing::in_namespace(&script, &variables)?;
    assert_eq!(finished.code, Some(0), "{fault} {flags}: {finished:?}");
    let (remedy, after) = finished.out.split_once('\n').unwrap();
    let found = lines(after, check);
    assert!(
        !found.is_empty() && found.iter().all(|line| line.starts_with("ok ")),
        "{fault} {flags}: {remedy}: {found:?} of {finished:?}"
    );
    Some(remedy.trim_start_matches("remedy: ").to_owned())
}

/// Follows the remedy of each, which must be the one that is expected; all at once, as they wait more than they work.
fn follow_each(cases: &[(&str, &str, &str, &str)]) {
    thread::scope(|scope| {
        for (fault, flags, check, expected) in cases {
            scope.spawn(move || {
                if let Some(remedy) = follow(fault, flags, check) {
                    assert_eq!(remedy, *expected, "{fault} {flags}");
                }
            });
        }
    });
}

#[test]
fn of_routes() {
    let cable = |more: &str| format!("{CABLE}{more}");
    let elsewhere = cable("ip route replace 224.0.0.0/4 dev net0");
    let no_broadcast = cable("ip route del broadcast 10.9.0.255 dev net0 table local");
    let lo = "ip route replace 224.0.0.0/4 dev lo src 127.0.0.1";
    let this_group = "ip route replace 224.1.1.1 dev lo src 127.0.0.1";
    follow_each(&[
        ("ip route del 224.0.0.0/4", "", "route", lo),
        // Its source address is none.
        ("ip route replace 224.0.0.0/4 dev lo", "", "route", lo),
        ("ip route add prohibit 224.1.1.1", "", "route", this_group),
        (
            "ip route add unreachable 224.1.0.0/16",
            "",
            "route",
            this_group,
        ),
        ("ip route add blackhole 224.1.1.1", "", "route", this_group),
        (&elsewhere, "", "route", "--interface default"),
        (
            "ip route del 224.0.0.0/4",
            "--interface default",
            "interface",
            lo,
        ),
        (
            "ip route replace 224.0.0.0/4 dev lo",
            "--interface default",
            "interface",
            lo,
        ),
        (
            &no_broadcast,
            "--interface net0",
            "broadcast",
            "ip route replace broadcast 10.9.0.255 dev net0 src 10.9.0.1 table local",
        ),
        (
            &cable("ip route del 224.0.0.0/4"),
            "",
            "reach",
            "--interface net0",
        ),
        (&elsewhere, "", "reach", "--interface default"),
    ]);
    let v6 = "ip -6 route replace local ff00::/8 dev lo";
    for check in ["route", "self-test"] {
        follow_each(&[("", "--group ff15::5007", check, v6)]);
    }
    // The kernel chooses no interface for a group of one link.
    let other_type = "ip -6 route add ff00::/8 dev lo";
    follow_each(&[
        ("", "--group ff02::5007", "self-test", v6),
        (other_type, "--group ff15::5007", "self-test", v6),
        (
            "",
            "--group ff02::5007 --interface default",
            "interface",
            "--interface lo",
        ),
    ]);
}

#[test]
fn of_interfaces() {
    let cable = |more: &str| format!("{CABLE}{more}");
    let [net0, v6] = ["--interface net0", "--interface net0 --group ff02::5007"];
    let up = "ip link set net0 up";
    let down = cable("ip link set net0 down");
    let no_multicast = cable("ip link set net0 multicast off");
    let strict = cable("sysctl -q net.ipv4.conf.net0.rp_filter=1");
    let dotted = cable(
        "ip link set net0 down; ip link set net0 name net0.7; ip link set net0.7 up
        sysctl -q net/ipv4/conf/net0.7/rp_filter=1",
    );
    let no_v6 = cable("sysctl -q net.ipv6.conf.net0.disable_ipv6=1");
    let no_v6_and_down = format!("{no_v6}; ip link set net0 down");
    let no_link_local =
        cable("ip link set net0 down; ip link set net0 addrgenmode none; ip link set net0 up");
    let shell = cable("ip link set net0 down; ip link set net0 name 'n;0'");
    follow_each(&[
        (&down, net0, "interface", up),
        (&down, "--interface 10.9.0.1", "interface", up),
        (&down, v6, "interface", up),
        (
            &shell,
            "--interface n;0",
            "interface",
            "ip link set 'n;0' up",
        ),
        (
            &no_multicast,
            net0,
            "interface",
            "ip link set net0 multicast on",
        ),
        (
            &strict,
            net0,
            "rp_filter",
            "sysctl net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.net0.rp_filter=2",
        ),
        (
            &dotted,
            "--interface net0.7",
            "rp_filter",
            "sysctl net.ipv4.conf.all.rp_filter=2 net/ipv4/conf/net0.7/rp_filter=2",
        ),
        (
            &no_v6,
            v6,
            "interface",
            "sysctl net.ipv6.conf.net0.disable_ipv6=0 && ip link set net0 up",
        ),
        (
            &no_v6_and_down,
            v6,
            "interface",
            "sysctl net.ipv6.conf.net0.disable_ipv6=0 && ip link set net0 up",
        ),
        (
            &no_link_local,
            v6,
            "interface",
            "sysctl net.ipv6.conf.net0.addr_gen_mode=0 && ip link set net0 up",
        ),
        ("ip link set lo down", "", "interface", "ip link set lo up"),
        (
            "sysctl -q net.ipv6.conf.lo.disable_ipv6=1",
            "--group ff02::5007",
            "interface",
            "sysctl net.ipv6.conf.lo.disable_ipv6=0 && ip link set lo up",
        ),
        (
            CABLE,
            "--interface nosuch0",
            "interface",
            "--interface net0",
        ),
        (
            CABLE,
            "--interface 10.1.2.3",
            "interface",
            "--interface net0",
        ),
        ("", "--interface nosuch0", "interface", "--interface lo"),
    ]);
}

#[test]
fn of_the_firewall() {
    if !testing::have_program("nft") {
        return;
    }
    let accept = "nft insert rule inet f in udp dport 5007 accept";
    let reports = "nft insert rule inet f in meta l4proto igmp accept";
    let both = format!("{accept} && {reports}");
    let input = |policy: &str, rules: &[&str]| {
        let rules = rules.iter().map(|rule| format!("add rule inet f {rule}\n"));
        let rules = rules.collect::<String>();
        format!(
            "nft 'add table inet f; add chain inet f in {{ type filter hook input priority 0; policy {policy}; }}
            add chain inet f other
            {rules}'"
        )
    };
    let drop = input("accept", &["in udp dport 5007 drop"]);
    let policy = input(
        "drop",
        &["in ct state invalid drop", "in tcp dport 22 accept"],
    );
    let jump = input(
        "accept",
        &["in meta l4proto udp jump other", "other counter reject"],
    );
    let on_net0 = format!("{CABLE}{}", input("accept", &["in ip protocol igmp drop"]));
    let v6 = format!("ip -6 route replace local ff00::/8 dev lo; {policy}");
    for check in ["firewall", "self-test"] {
        follow_each(&[
            (&drop, "", check, accept),
            (&policy, "", check, accept),
            (&jump, "", check, accept),
            (&v6, "--group ff15::5007", check, accept),
        ]);
    }
    follow_each(&[(&on_net0, "--interface net0", "firewall", &both)]);
    // On its way out, and at the card.
    let out = "nft 'add table ip g; add chain ip g out { type filter hook output priority 0; }
        add rule ip g out ip daddr 224.0.0.0/4 drop'";
    let card = "nft 'add table netdev n; add chain netdev n in { type filter hook ingress device lo priority 0; }
        add rule netdev n in udp dport 5000-5010 drop'";
    follow_each(&[
        (
            out,
            "",
            "self-test",
            "nft insert rule ip g out udp dport 5007 accept",
        ),
        (
            card,
            "",
            "self-test",
            "nft insert rule netdev n in udp dport 5007 accept",
        ),
    ]);
}

#[test]
fn of_limits() {
    let groups = |prefix: &str, count: usize| -> String {
        let group = |number| format!(" --group {prefix}{number:x}");
        (1..=count).map(group).collect()
    };
    let v4 = |count: usize| -> String {
        let group = |number| format!(" --group 224.1.2.{number}");
        (1..=count).map(group).collect()
    };
    let sources: String = (1..=15)
        .map(|source| format!(" --source 127.0.0.{source}"))
        .collect();
    let little = "sysctl -q net.core.optmem_max=1000";
    let many = format!("{little} net.ipv4.igmp_max_memberships=500");
    follow_each(&[
        (
            "",
            &v4(25),
            "join",
            "sysctl net.ipv4.igmp_max_memberships=25",
        ),
        (&many, &v4(100), "join", "sysctl net.core.optmem_max=7424"),
        (
            little,
            &v4(100),
            "join",
            "sysctl net.core.optmem_max=7424 net.ipv4.igmp_max_memberships=100",
        ),
        (
            little,
            &groups("ff15::", 60),
            "join",
            "sysctl net.core.optmem_max=4864",
        ),
        (
            "",
            &format!("--group 232.1.1.1{sources}"),
            "join",
            "sysctl net.ipv4.igmp_max_msf=15",
        ),
    ]);
    let Some(remedy) = follow("", "--receive-buffer 1000000000", "receive buffer") else {
        return;
    };
    let limit = std::fs::read_to_string("/proc/sys/net/core/rmem_max").unwrap();
    assert_eq!(remedy, format!("--receive-buffer {}", limit.trim()));
}

#[test]
fn of_the_port() {
    // Held by this test, in two ways.
    for address in ["0.0.0.0:0", "[::]:0"] {
        let Ok(held) = UdpSocket::bind(address) else {
            continue;
        };
        let port = held.local_addr().unwrap().port().to_string();
        for check in ["port", "join"] {
            let before = run(SERVER, &["doctor", "--port", &port]);
            let remedy = lines(&before.out, check)[0]
                .split_once("; remedy: ")
                .unwrap()
                .1;
            let (flag, free) = remedy.split_once(' ').unwrap();
            assert_eq!(flag, "--port");
            let after = run(SERVER, &["doctor", "--port", free]);
            assert!(lines(&after.out, check)[0].starts_with("ok "), "{after:?}");
        }
    }
}

#[test]
fn where_no_command_helps_the_words_say_what_to_do() {
    let case = |fault: &str, flags: &str, deed: &str| {
        let script = format!(
            "{fault}\n\"$SERVER\" doctor {flags} || true\n{deed}\necho then\n\"$SERVER\" doctor {flags} || true"
        );
        testing::in_namespace(&script, &[("SERVER", SERVER)])
    };
    let check = |finished: &Finished, check: &str, words: &str| {
        let (before, after) = finished.out.split_once("then\n").unwrap();
        let [before, after] = [before, after].map(|out| lines(out, check)[0]);
        assert!(before.ends_with(words), "{before}");
        assert!(after.starts_with("ok "), "{finished:?}");
    };
    let unplugged = format!("{CABLE}ip link set net1 down");
    let Some(finished) = case(&unplugged, "--interface net0", "ip link set net1 up") else {
        return;
    };
    let words = "; remedy: plug the cable in, or join the wireless network";
    check(&finished, "interface", words);

    let no_address = format!("{CABLE}ip addr flush dev net0");
    let words = "; remedy: give it an address of your network: ip addr add ADDRESS/LENGTH dev net0";
    let deed = "ip addr add 10.9.0.1/24 dev net0";
    check(
        &case(&no_address, "--interface net0", deed).unwrap(),
        "interface",
        words,
    );

    let twice = "--group 224.1.1.1 --group 224.1.1.1";
    let script = format!("\"$SERVER\" doctor {twice} || true\necho then\n\"$SERVER\" doctor");
    let finished = testing::in_namespace(&script, &[("SERVER", SERVER)]).unwrap();
    check(&finished, "join", "; remedy: name each group once");

    let host = format!("{CABLE}ip addr flush dev net0; ip addr add 10.9.0.1/32 dev net0");
    let words = "; remedy: --to 255.255.255.255 reaches every host on the link";
    check(
        &case(
            &host,
            "--interface net0",
            &format!("ip addr flush dev net0; {deed}"),
        )
        .unwrap(),
        "broadcast",
        words,
    );
}
