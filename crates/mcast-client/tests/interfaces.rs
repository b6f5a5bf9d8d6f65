//! What becomes of interfaces: how broadcasts find their network, and what happens when an interface vanishes and returns.

use common::testing;

const CLIENT: &str = env!("CARGO_BIN_EXE_mcast-client");

/// A host at the other end of the interface `eth0`, in a namespace of its own: `there COMMAND` runs a command on it.
const TWO_HOSTS: &str = r#"
    mkfifo up
    unshare -n sh -c 'echo up >up; exec sleep 60' & far=$!
    trap 'kill $far' EXIT
    read -r _ <up
    there() { nsenter -t $far -n "$@"; }
    ip link add eth0 type veth peer name eth0 netns $far
    ip link set eth0 up; there ip link set eth0 up
"#;

/// Shell functions: `pair N` makes the interface netN with the addresses 10.9.N.1 and fe80::1, whose peer is farN;
/// `listen NAME FLAGS` starts a client with the outputs NAME.out and NAME.err; `until_says NAME N WORDS` waits until its
/// standard error has N lines with these words.
const TOOLS: &str = r#"
    pair() {
        number=$1; shift
        ip link add net$number "$@" type veth peer name far$number
        ip addr add 10.9.$number.1/24 dev net$number
        ip link set net$number up; ip link set far$number up
        ip -6 addr add fe80::1/64 dev net$number nodad
    }
    until_says() {
        tries=0
        until test "$(grep -c -- "$3" $1.err)" = $2; do
            tries=$((tries + 1)); test $tries -lt 500 || { cat $1.err >&2; exit 9; }
            sleep 0.02
        done
    }
    listen() {
        name=$1; shift
        : >$name.err
        "$CLIENT" --for 60s "$@" >$name.out 2>>$name.err </dev/null & eval "$name=$!"
        until_says $name 1 '^listening'
    }
"#;

#[test]
fn a_broadcast_goes_to_the_network_of_the_mask() {
    // No address has `brd`: Linux reports the interface's own address as its broadcast address.
    let script = r#"
        for net in 10.9.1.1/24=10.9.1.2/24 10.9.2.1/30=10.9.2.2/30 172.16.5.1/20=172.16.6.1/20; do
            ip addr flush dev eth0; there ip addr flush dev eth0
            ip addr add ${net%=*} dev eth0; there ip addr add ${net#*=} dev eth0
            : >far.err
            there "$CLIENT" --for 30s --count 1 --interface eth0 >far.out 2>far.err </dev/null & receiver=$!
            until_says far 1 '^listening'
            "$CLIENT" --interface eth0 --mode broadcast -m hello 2>&1
            wait $receiver
            cat far.out
        done
        ip addr add 10.9.3.1/24 dev eth0
        "$CLIENT" --interface eth0 --mode broadcast -m hello 2>&1
        "$CLIENT" --interface 10.9.3.1 --mode broadcast -m hello 2>&1
        "$CLIENT" --interface eth0 --mode broadcast --to :5009 -m hello 2>&1
        "$CLIENT" --mode broadcast -m hello 2>&1
    "#;
    let script = [TWO_HOSTS, TOOLS, script].concat();
    let Some(finished) = testing::in_namespace(&script, &[("CLIENT", CLIENT)]) else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let sent = |to: &str| format!("1 message, 1 datagram handed to the kernel, 1 network: {to}");
    let received = "Received message: hello [broadcast]";
    let lines: Vec<_> = finished.out.lines().collect();
    assert_eq!(
        lines,
        [
            &*sent("10.9.1.255:5007"),
            received,
            &sent("10.9.2.3:5007"),
            received,
            &sent("172.16.15.255:5007"),
            received,
            "mcast-client: eth0 has addresses of several networks; this goes to 172.16.15.255, and --interface 10.9.3.1 sends to 10.9.3.255",
            &sent("172.16.15.255:5007"),
            &sent("10.9.3.255:5007"),
            &sent("172.16.15.255:5009"),
            &sent("127.255.255.255:5007"),
        ]
    );
}

#[test]
fn an_interface_without_broadcast_is_refused_with_the_reason() {
    let script = r#"
        ip link add net0 type veth peer name net1
        ip link set net0 up; ip link set net1 up
        refused() { code=0; "$CLIENT" --mode broadcast -m hello "$@" 2>&1 || code=$?; test $code = 2; }
        refused --interface net0
        refused --interface nope
        refused --interface fe80::1
        ip addr add 10.9.0.1/31 dev net0
        refused --interface net0
        ip addr add 10.9.0.3 peer 10.9.0.4 dev net1
        refused --interface net1
        "$CLIENT" --mode broadcast -m hello --interface net1 --to 255.255.255.255 2>&1
        "$CLIENT" --mode broadcast -m hello --interface all 2>&1
    "#;
    let Some(finished) = testing::in_namespace(script, &[("CLIENT", CLIENT)]) else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let lines: Vec<_> = finished.out.lines().collect();
    let two =
        "a network of two addresses, with 31 bits of prefix, has no broadcast address (RFC 3021)";
    let one = "a network of one address, with 32 bits of prefix, has no broadcast address";
    let limited = "--to 255.255.255.255 reaches every host on the link";
    assert_eq!(
        lines,
        [
            "mcast-client: --interface net0: it has no IPv4 address; ip addr add ADDRESS/LENGTH dev net0 gives it one",
            "mcast-client: --interface nope: no such interface with an IPv4 address; there are lo (127.0.0.1)",
            "mcast-client: --interface fe80::1: an IPv6 address, and the group 224.1.1.1 is one of IPv4",
            &format!("mcast-client: --mode broadcast on net0 (10.9.0.1): {two}; {limited}"),
            &format!("mcast-client: --mode broadcast on net1 (10.9.0.3): {one}; {limited}"),
            "1 message, 1 datagram handed to the kernel, 1 network: 255.255.255.255:5007",
            // The end of a pair that was made first has the lower number.
            &format!("mcast-client: no broadcast on net1 (10.9.0.3): {one}"),
            &format!("mcast-client: no broadcast on net0 (10.9.0.1): {two}"),
            "1 message, 1 datagram handed to the kernel, 1 network: 127.255.255.255:5007",
        ]
    );
}

#[test]
fn a_receiver_joins_again_when_its_interface_is_back() {
    let script = r#"
        pair 0; pair 1
        listen four --interface net0
        listen address --interface 10.9.0.1 --group 224.1.1.2
        listen six --interface net0 --group ff02::5007 --group ff15::5007
        listen source --interface net0 --group 232.1.1.1 --source 10.9.0.1
        listen all --interface all --group 224.1.1.3
        # Each has a group of its own: the kernel lists a group while anyone is a member. Each receives it, and the last one on the other interface too.
        say() {
            for group in 224.1.1.1 224.1.1.2 ff02::5007 ff15::5007 232.1.1.1 224.1.1.3; do
                "$CLIENT" -q --interface net0 --group $group -m "$1"
            done
            "$CLIENT" -q --interface net1 --group 224.1.1.3 -m "$1"
        }
        round=0
        until_all() { for name in four address six source all; do until_says $name $round "$1"; done; }
        say first

        round=1
        ip link del net0; until_all ' is gone; the groups are joined again when it is back'
        pair 0; until_all ' is back: the groups are joined again'
        say 'link del'
        ip link set net0 down; until_all ' is down; the groups are joined again when it is back'
        ip link set net0 up; ip -6 addr add fe80::1/64 dev net0 nodad
        round=2; until_all ' is back: the groups are joined again'
        say 'link down'
        ip addr flush dev net0
        round=1; until_all ' has lost its address; the groups are joined again when it is back'
        ip addr add 10.9.0.1/24 dev net0; ip -6 addr add fe80::1/64 dev net0 nodad
        round=3; until_all ' is back: the groups are joined again'
        say 'addr del'
        # Away between two looks: with another number, and with the same.
        ip link del net0; pair 0
        say_again() { until_all ' \(is back\|was away\): the groups are joined again'; say "$1"; }
        round=4; say_again 'at once'
        index=$(ip -o link show net0 | cut -d: -f1)
        ip link del net0; pair 0 index $index
        round=5; say_again 'same number'
        for name in four address six source all; do
            eval "kill \$$name; wait \$$name"
            sed 's/Received message: //; s/ \[multicast\]//' $name.out | tr '\n' ','
            grep -c . $name.err
        done
    "#;
    let script = [TOOLS, script].concat();
    let Some(finished) = testing::in_namespace(&script, &[("CLIENT", CLIENT)]) else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let received = |times| {
        let all = [
            "first",
            "link del",
            "link down",
            "addr del",
            "at once",
            "same number",
        ];
        all.iter()
            .map(|word| format!("{word},").repeat(times))
            .collect::<String>()
    };
    let [once, twice] = [1, 2].map(received);
    let lines: Vec<_> = finished.out.lines().collect();
    for (line, expected) in lines.iter().zip([&once, &once, &twice, &once, &twice]) {
        assert!(line.starts_with(expected), "{line}\n{finished:?}");
    }
    assert_eq!(lines.len(), 5);
}

#[test]
fn a_sender_goes_on_when_its_interface_is_back() {
    let script = r#"
        pair 0
        mkfifo typed
        : >typist.err
        "$CLIENT" --interface net0 <typed >typist.out 2>>typist.err & typist=$!
        exec 3>typed
        until_says typist 1 '^listening'
        : >load.err
        "$CLIENT" --interface net0 --group ff02::5007 --size 5 --rate 100 --for 60s --log load.log 2>>load.err & load=$!
        until grep -qs '"send"' load.log; do sleep 0.01; done
        ip link del net0
        until_says typist 1 ' is gone; the groups'
        echo lost >&3
        until_says typist 1 'send to 224.1.1.1:5007: net0 (10.9.0.1) is gone; sending goes on when it is back'
        until_says load 1 'net0 (fe80::.*) is gone; sending goes on when it is back'
        pair 0
        until_says typist 1 ' is back: the groups'
        echo again >&3
        until_says typist 1 'net0 (10.9.0.1) is back: sending to 224.1.1.1:5007 goes on'
        until grep -q again typist.out; do sleep 0.01; done
        until_says load 1 'net0 (fe80::.*) is back: sending to .* goes on'
        kill $load $typist
        wait $load; wait $typist
        cat typist.out
    "#;
    let script = [TOOLS, script].concat();
    let Some(finished) = testing::in_namespace(&script, &[("CLIENT", CLIENT)]) else {
        return;
    };
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (Some(0), "Received message: again [multicast]\n"),
        "{finished:?}"
    );
}

#[test]
fn zones_names_and_ports_alone_are_destinations() {
    let script = r#"
        ip -6 addr add fe80::1/64 dev eth0 nodad; there ip -6 addr add fe80::2/64 dev eth0 nodad
        : >far.err
        there "$CLIENT" --group ff02::5007%eth0 --count 5 --for 30s --json --log far.log >far.out 2>far.err </dev/null & receiver=$!
        until_says far 1 '^listening'
        "$CLIENT" --group ff02::5007%eth0 -m 'by its zone' 2>&1
        number=$(ip -o link show eth0 | cut -d: -f1)
        for to in fe80::2%eth0 [fe80::2%eth0]:5007 [fe80::2%$number]:5007; do
            "$CLIENT" --mode unicast --to $to -m 'to one' 2>&1 | sed "s/%$number/%N/"
        done
        # With the interface given, the address needs no zone.
        "$CLIENT" --group ff02::5007 --interface eth0 --mode unicast --to fe80::2 -m 'to one' 2>&1 | sed "s/%$number/%N/"
        wait $receiver
        grep '"receive"' far.out | grep -c '"peer":"\[fe80::1%[0-9]*\]:'
        listen here --count 3
        "$CLIENT" --mode unicast --to localhost:5007 -m named 2>&1
        "$CLIENT" --mode unicast --to localhost -m named 2>&1
        "$CLIENT" --mode unicast --to :5007 -m named 2>&1
        wait $here; cat here.out
    "#;
    let script = [TWO_HOSTS, TOOLS, script].concat();
    let Some(finished) = testing::in_namespace(&script, &[("CLIENT", CLIENT)]) else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let sent = "1 message, 1 datagram handed to the kernel, 1";
    let one = format!("{sent} receiver: [fe80::2%N]:5007");
    let named = format!("{sent} receiver: 127.0.0.1:5007");
    let received = "Received message: named [unicast]";
    let lines: Vec<_> = finished.out.lines().collect();
    assert!(lines[0].starts_with(&format!("{sent} group: [ff02::5007%")));
    assert_eq!(
        lines[1..],
        [
            &*one, &one, &one, &one, "5", &named, &named, &named, received, received, received
        ]
    );
}

#[test]
fn an_invalid_address_is_one_line() {
    let to = |to: &'static str| ["--mode", "unicast", "-m", "x", "--to", to];
    let cases = [
        (
            "fe80::1%nope",
            "--to fe80::1%nope: no interface is called nope; ",
        ),
        (
            "[fe80::1%99999]:1",
            "--to [fe80::1%99999]:1: no interface has the number 99999; ",
        ),
        (
            "fe80::1",
            "--to fe80::1: a link-local address needs its zone, such as fe80::1%",
        ),
        (
            "no-such-host.invalid:1",
            "--to no-such-host.invalid:1: the name no-such-host.invalid does not resolve: ",
        ),
        (
            "127.0.0.1%lo",
            "usage: invalid value '127.0.0.1%lo' for '--to <ADDR[:PORT]>': 127.0.0.1 is no link-local address ",
        ),
        (
            "127.0.0.1:65536",
            "usage: invalid value '127.0.0.1:65536' for '--to <ADDR[:PORT]>': the port 65536 is not in 0 to 65535",
        ),
        (
            "[::1",
            "usage: invalid value '[::1' for '--to <ADDR[:PORT]>': a '[' without its ']'",
        ),
        ("", "usage: "),
        (":0", "send to port 0: "),
    ];
    for (text, why) in cases {
        testing::check_refusals(CLIENT, &[(&to(text), why)]);
    }
    let refused: &[(&[&str], &str)] = &[
        (
            &["--group", "ff02::1%nope"],
            "--group ff02::1%nope: no interface is called nope; ",
        ),
        (
            &["--group", "ff15::1%lo"],
            "usage: invalid value 'ff15::1%lo' for '--group <ADDR>': ff15::1 is no link-local address ",
        ),
        (
            &["--group", "224.1.1.1:5007"],
            "usage: invalid value '224.1.1.1:5007' for '--group <ADDR>': a group's port goes into --port 5007",
        ),
        (
            &["--interface", "fe80::1%nope", "--group", "ff02::1"],
            "--interface fe80::1%nope: no interface is called nope; ",
        ),
    ];
    testing::check_refusals(CLIENT, refused);
}
