#!/usr/bin/env bash
# Several hosts on one machine: network namespaces on a switch, for experiments that loopback cannot show.
#
#   scripts/netlab.sh up N [--snooping on|off] [--offload on|off]   hosts 10.77.0.1 to 10.77.0.N (fd77::1 …), one switch
#   scripts/netlab.sh exec I COMMAND…            runs COMMAND on host I (0 is the switch)
#   scripts/netlab.sh cut I | heal I             unplugs host I's cable, and plugs it in again (a network partition)
#   scripts/netlab.sh lose I PERCENT             drops PERCENT of the UDP packets to host I, evenly spread
#   scripts/netlab.sh duplicate I PERCENT        duplicates PERCENT of the UDP packets to host I, evenly spread
#   scripts/netlab.sh reorder I on|off           delays every tenth UDP packet that host I sends
#   scripts/netlab.sh down                       removes the hosts and the switch
#
# With IGMP snooping (the default) the switch learns which hosts joined which group, and copies a group's frames to
# those only. With offload (not the default) a piece of many datagrams crosses the cable as one frame, as between virtual
# machines; without, each datagram is a frame.
#
# Needs no root where the kernel lets users make namespaces. Needs ip (iproute2), unshare and nsenter (util-linux), nft
# (nftables) for lose and duplicate, and tc (iproute2) as well for reorder. For a second lab at the same time set the
# variable NETLAB to another folder.
set -euo pipefail

lab=${NETLAB:-${TMPDIR:-/tmp}/lab-netlab-$(id -u)}

fail() {
    echo "netlab: $1" >&2
    exit "${2-2}"
}
usage() {
    sed -n 's/^#   scripts/scripts/p' "$0" >&2
    exit 2
}
need() {
    command -v "$1" >/dev/null || fail "$1: not found; it is in Debian's package $2"
}

# Sets enter to the beginning of a command that runs in the network namespace of process $1.
enter_network() {
    local user=()
    [ "$(cat "$lab/user")" = root ] || user=(--user --preserve-credentials)
    enter=(nsenter --target "$1" "${user[@]}" --net --)
}
inside() {
    local enter
    enter_network "$1"
    "${enter[@]}" "${@:2}"
}
is_up() {
    [ -s "$lab/pids" ] && kill -0 "$(head -n 1 "$lab/pids")" 2>/dev/null
}
# Prints the process that holds host $1's network namespace.
host() {
    is_up || fail "no lab is up; scripts/netlab.sh up N makes one"
    [[ ${1-} =~ ^[0-9]+$ ]] || usage
    local pid
    pid=$(sed -n "$(($1 + 1))p" "$lab/pids")
    [ -n "$pid" ] || fail "$1: there are hosts 1 to $(($(wc -l <"$lab/pids") - 1))"
    echo "$pid"
}
a_host() {
    [ "${1-0}" != 0 ] || usage
    host "$1"
}
percent() {
    [[ ${1-} =~ ^[0-9]+$ ]] && [ "$1" -le 100 ] || fail "'${1-}': not a percentage, 0 to 100"
}
# Prints the entries of an nft map that does $2 for $1 of 100 numbers, evenly spread.
spread() {
    local k
    for ((k = 0; k < $1; k++)); do
        printf '%s%d : %s' "$([ "$k" = 0 ] || echo ', ')" $(((2 * k + 1) * 50 / $1)) "$2"
    done
}

# The rest of `up`, in the new namespace, which is the switch's: makes the hosts, and holds the namespace.
make_hosts() {
    local n=$1 snooping=$2 cable=gso_max_segs\ 1 i pid
    [ "$3" = 0 ] || cable=
    ip link set lo up
    ip link add br0 type bridge mcast_snooping "$snooping"
    ip link set br0 up
    echo $$ >"$lab/pids.new"
    for ((i = 1; i <= n; i++)); do
        unshare --net sleep 1d &
        pid=$!
        until [ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/$$/ns/net)" ]; do
            kill -0 "$pid"
            sleep 0.01
        done
        echo "$pid" >>"$lab/pids.new"
        ip link add "p$i" type veth peer name eth0 netns "$pid"
        # Without an address the switch only forwards.
        ip link set "p$i" addrgenmode none
        ip link set "p$i" master br0 up
        nsenter --target "$pid" --net -- sh -eu -c "
            ip link set lo up
            ip link set eth0 addrgenmode none $cable
            ip link set eth0 up
            ip addr add 10.77.0.$i/24 brd + dev eth0
            ip addr add fe80::$i/64 dev eth0 nodad
            ip addr add fd77::$i/64 dev eth0 nodad
            ip route add 224.0.0.0/4 dev eth0
            ip route add 255.255.255.255/32 dev eth0"
    done
    if [ "$snooping" = 1 ]; then
        # A switch sends a group's frames to all hosts until it has queried the members: here it queries often at first,
        # and gives the members 0.2 s to answer.
        ip link set br0 type bridge mcast_query_response_interval 20 mcast_startup_query_interval 50
        ip link set br0 type bridge mcast_querier 1
        sleep 1.2
    fi
    mv "$lab/pids.new" "$lab/pids"
    exec sleep 1d
}

up() {
    local n=${1-} snooping=1 offload=0 switch
    [[ $n =~ ^[0-9]+$ ]] && [ "$n" -ge 1 ] && [ "$n" -le 100 ] || fail "up N: N is 1 to 100"
    shift
    while [ $# -gt 0 ]; do
        case "$1 ${2-}" in
            "--snooping on") snooping=1 ;;
            "--snooping off") snooping=0 ;;
            "--offload on") offload=1 ;;
            "--offload off") offload=0 ;;
            *) usage ;;
        esac
        shift 2
    done
    need ip iproute2
    need unshare util-linux
    ! is_up || fail "a lab is up already; scripts/netlab.sh down ends it"
    mkdir -p "$lab"
    local unshare=(unshare --user --map-root-user --net)
    echo user >"$lab/user"
    if ! "${unshare[@]}" true 2>/dev/null; then
        [ "$(id -u)" = 0 ] || fail "this kernel lets only root make namespaces"
        unshare=(unshare --net)
        echo root >"$lab/user"
    fi
    : >"$lab/error"
    NETLAB=$lab setsid "${unshare[@]}" "$0" make-hosts "$n" "$snooping" "$offload" >/dev/null 2>"$lab/error" </dev/null &
    switch=$!
    until [ -s "$lab/pids" ]; do
        if ! kill -0 "$switch" 2>/dev/null; then
            down
            fail "$(tail -n 1 "$lab/error" | sed 's/^.*: line [0-9]*: //')" 1
        fi
        sleep 0.05
    done
    echo "netlab: $n hosts, 10.77.0.1 to 10.77.0.$n, snooping $([ $snooping = 1 ] && echo on || echo off)" >&2
}

down() {
    local file pid
    for file in "$lab/pids" "$lab/pids.new"; do
        [ -f "$file" ] || continue
        while read -r pid; do
            # Only a process of the lab: process ids are reused.
            [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != sleep ] || kill "$pid" 2>/dev/null || true
        done <"$file"
        rm -f "$file"
    done
}

lose() {
    local pid
    pid=$(a_host "${1-}")
    percent "${2-}"
    need nft nftables
    inside "$pid" nft 'add table netdev lose; delete table netdev lose'
    [ "$2" = 0 ] || inside "$pid" nft "
        table netdev lose {
            chain in {
                type filter hook ingress device eth0 priority 0;
                meta l4proto udp numgen inc mod 100 vmap { $(spread "$2" drop) }
            }
        }"
}

duplicate() {
    local i n pid others=
    pid=$(a_host "${1-}")
    percent "${2-}"
    need nft nftables
    n=$(($(wc -l <"$lab/pids") - 1))
    for ((i = 1; i <= n; i++)); do
        [ "$i" = "$1" ] || others+="${others:+, }p$i"
    done
    pid=$(host 0)
    inside "$pid" nft "add table netdev duplicate$1; delete table netdev duplicate$1"
    [ "$2" = 0 ] || [ -z "$others" ] || inside "$pid" nft "
        table netdev duplicate$1 {
            chain copy {
                dup to \"p$1\"
            }
            chain in {
                type filter hook ingress devices = { $others } priority 0;
                meta l4proto udp numgen inc mod 100 vmap { $(spread "$2" 'jump copy') }
            }
        }"
}

reorder() {
    local pid
    pid=$(a_host "${1-}")
    need tc iproute2
    need nft nftables
    inside "$pid" tc qdisc del dev eth0 root 2>/dev/null || true
    inside "$pid" nft 'add table inet reorder; delete table inet reorder'
    case ${2-} in
        off) ;;
        on)
            # Two queues, one of them slow, for every tenth packet.
            inside "$pid" sh -eu -c '
                tc qdisc add dev eth0 root handle 1: htb default 10
                tc class add dev eth0 parent 1: classid 1:10 htb rate 1gbit quantum 1514
                tc class add dev eth0 parent 1: classid 1:20 htb rate 20kbit quantum 1514 burst 110 cburst 110'
            inside "$pid" nft '
                table inet reorder {
                    chain out {
                        type route hook output priority 0;
                        meta l4proto udp numgen inc mod 10 5 meta priority set 1:20
                    }
                }'
            ;;
        *) usage ;;
    esac
}

command=${1-}
[ $# -eq 0 ] || shift
case $command in
    up) up "$@" ;;
    make-hosts) make_hosts "$@" ;;
    exec)
        [ $# -ge 2 ] || usage
        pid=$(host "$1")
        shift
        enter_network "$pid"
        # With exec, a signal to this process is one to the command.
        exec "${enter[@]}" "$@"
        ;;
    cut | heal)
        a_host "${1-}" >/dev/null
        inside "$(host 0)" ip link set "p$1" "$([ "$command" = cut ] && echo down || echo up)"
        ;;
    lose | duplicate | reorder) "$command" "$@" ;;
    down)
        is_up || [ -f "$lab/pids.new" ] || fail "no lab is up" 1
        down
        rm -rf "$lab"
        ;;
    *) usage ;;
esac
