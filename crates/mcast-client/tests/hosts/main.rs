//! What loopback cannot show: IPv6 groups, several interfaces, and several hosts on a switch that loses, duplicates and
//! reorders datagrams.

mod lab;
mod netlab;

use common::testing::{self, Running};

use lab::{CLIENT, Lab};

fn received(listener: Running) -> Vec<String> {
    let finished = listener.finish();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let lines = finished.out.lines();
    lines
        .map(|line| line.trim_start_matches("Received message: ").to_owned())
        .collect()
}

#[test]
fn each_addressing_mode_reaches_its_hosts_on_a_switch() {
    let Some(lab) = Lab::up("4", "on") else {
        return;
    };
    let listen = |host, group: &str, count| lab.listen(host, &["--group", group, "--count", count]);

    // Hosts 2 and 3 are members, host 4 is a member of another group: broadcast reaches it, multicast does not.
    let listeners = [
        listen("2", "224.1.1.1", "4"),
        listen("3", "224.1.1.1", "3"),
        listen("4", "224.1.1.2", "2"),
    ];
    let cost = lab.send(&["-m", "to the group"]).err;
    assert!(
        cost.ends_with("1 message, 1 datagram handed to the kernel, 1 group: 224.1.1.1:5007\n"),
        "{cost}"
    );
    lab.send(&["--mode", "unicast", "--to", "10.77.0.2", "-m", "to one"]);
    let cost = lab.send(&["--mode", "broadcast", "-m", "to all hosts"]).err;
    assert!(cost.ends_with("1 network: 10.77.0.255:5007\n"), "{cost}");
    lab.send(&[
        "--mode",
        "broadcast",
        "--to",
        "255.255.255.255",
        "-m",
        "to all hosts here",
    ]);
    let group = "to the group [multicast]";
    let all_hosts = ["to all hosts [broadcast]", "to all hosts here [broadcast]"];
    let [second, third, fourth] = listeners.map(received);
    assert_eq!(
        second,
        [group, "to one [unicast]", all_hosts[0], all_hosts[1]]
    );
    assert_eq!(third, [group, all_hosts[0], all_hosts[1]]);
    assert_eq!(fourth, all_hosts);

    // Programs on the sender's machine receive it, except with --loop off.
    let listeners = [listen("1", "224.1.1.1", "1"), listen("2", "224.1.1.1", "2")];
    lab.send(&["--loop", "off", "-m", "not to myself"]);
    lab.send(&["-m", "to myself too"]);
    let sent = ["not to myself [multicast]", "to myself too [multicast]"];
    let [own, other] = listeners.map(received);
    assert_eq!(
        (own, other),
        (
            sent[1..].iter().map(ToString::to_string).collect(),
            sent.map(String::from).to_vec()
        )
    );

    // With a time to live of 0 a message does not leave the machine.
    let listeners = [listen("1", "224.1.1.1", "2"), listen("2", "224.1.1.1", "1")];
    lab.send(&["--ttl", "0", "-m", "to myself alone"]);
    lab.send(&["--ttl", "1", "-m", "to all"]);
    let sent = ["to myself alone [multicast]", "to all [multicast]"];
    let [own, other] = listeners.map(received);
    assert_eq!(
        (own, other),
        (sent.map(String::from).to_vec(), vec![sent[1].to_owned()])
    );

    // Source-specific multicast.
    let from = |source| {
        let flags = ["--group", "232.1.1.1", "--source", source, "--count", "1"];
        lab.listen("3", &flags)
    };
    let listeners = [from("10.77.0.1"), from("10.77.0.2")];
    for host in ["1", "2"] {
        let text = format!("from host {host}");
        let flags = ["--interface", "eth0", "--group", "232.1.1.1", "-m", &text];
        lab.must(&[["exec", host, CLIENT].as_slice(), &flags].concat());
    }
    assert_eq!(
        listeners.map(received),
        [["from host 1 [multicast]"], ["from host 2 [multicast]"]]
    );

    // IPv6, of link scope and of site scope.
    for group in ["ff02::5007", "ff15::5007"] {
        let listeners = [listen("2", group, "1"), listen("3", group, "1")];
        let cost = lab.send(&["--group", group, "-m", "over IPv6"]).err;
        assert!(cost.contains(&format!("1 group: [{group}")), "{cost}");
        assert_eq!(
            listeners.map(received),
            [["over IPv6 [multicast]"], ["over IPv6 [multicast]"]]
        );
    }
}

#[test]
fn lost_duplicate_and_reordered_datagrams_are_counted_exactly() {
    let Some(lab) = Lab::up("3", "off") else {
        return;
    };
    assert_eq!(lab.count("1000", "1000"), [0, 0, 0]);
    lab.must(&["lose", "2", "10"]);
    assert_eq!(lab.count("900", "1000"), [100, 0, 0]);
    lab.must(&["lose", "2", "0"]);
    lab.must(&["duplicate", "2", "10"]);
    assert_eq!(lab.count("1100", "1000"), [0, 100, 0]);
    lab.must(&["duplicate", "2", "0"]);
    lab.must(&["reorder", "1", "on"]);
    let [lost, duplicates, reordered] = lab.count("100", "100");
    assert_eq!((lost, duplicates), (0, 0));
    // Every tenth is held up; no datagram follows the last of them.
    assert!((5..=10).contains(&reordered), "{reordered}");
    lab.must(&["reorder", "1", "off"]);

    // A partitioned host receives nothing of what is sent meanwhile.
    let mut listener = lab.listen("3", &[]);
    lab.must(&["cut", "3"]);
    lab.send(&["-m", "during the partition"]);
    lab.must(&["heal", "3"]);
    let mut sent = 0;
    let line = loop {
        lab.send(&["-m", "healed"]);
        sent += 1;
        if sent == 20 {
            break listener.out_line("Received message: ");
        }
    };
    assert_eq!(line, "Received message: healed [multicast]");
    assert_eq!(lab.count("1000", "1000"), [0, 0, 0]);
}

#[test]
fn ipv6_and_several_interfaces_on_one_machine() {
    let script = r#"
        ip -6 route add local ff00::/8 dev lo
        for pair in 0 1; do
            ip link add net$pair type veth peer name far$pair
            ip addr add 10.9.$pair.1/24 dev net$pair
            ip link set net$pair up; ip link set far$pair up
        done
        listen() {
            name=$1; shift
            "$CLIENT" --for 60s "$@" >$name.out 2>$name.err </dev/null & eval "$name=$!"
            tries=0; until grep -q '^listening' $name.err; do tries=$((tries + 1)); test $tries -lt 100; sleep 0.05; done
        }
        listen six --group ff02::5007 --group ff15::5007 --count 2
        "$CLIENT" --group ff02::5007 -m 'on the link'
        "$CLIENT" --group ff15::5007 -m 'on the site' -q
        wait $six

        listen all --interface all --count 5 --port 5008
        listen one --interface net1 --count 2 --port 5008
        "$CLIENT" --interface net0 --port 5008 -m 'net0 only' -q
        "$CLIENT" --interface all --port 5008 -m 'everywhere'
        "$CLIENT" --interface 10.9.1.1 --port 5008 -m 'net1 only' -q
        wait $one; wait $all
        sed 's/; each line typed.*//' all.err | head -n 1
        sed 's/.*: //' six.out; sed 's/.*: //' one.out; sed 's/.*: //' all.out
    "#;
    let Some(finished) = testing::in_namespace(script, &[("CLIENT", CLIENT)]) else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let sent = "1 message, 3 datagrams handed to the kernel, 1 group on 3 interfaces: \
                224.1.1.1:5008 on lo, 224.1.1.1:5008 on net0, 224.1.1.1:5008 on net1\n";
    assert!(finished.err.ends_with(sent), "{finished:?}");
    let lines: Vec<_> = finished.out.lines().collect();
    assert_eq!(
        lines[0],
        "listening on 224.1.1.1:5008, joined on lo (127.0.0.1), net0 (10.9.0.1), net1 (10.9.1.1): on the network"
    );
    let received = lines[1..]
        .iter()
        .map(|line| line.trim_end_matches(" [multicast]"));
    let everywhere = "everywhere";
    let expected = [
        &["on the link", "on the site"][..],
        &[everywhere, "net1 only"],
        &["net0 only", everywhere, everywhere, everywhere, "net1 only"],
    ];
    assert_eq!(received.collect::<Vec<_>>(), expected.concat());
}
