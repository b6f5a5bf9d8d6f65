#!/usr/bin/env bash
# Several hosts on one machine: network namespaces on a switch, for experiments that loopback cannot show.
#
#   scripts/netlab.sh up N [--snooping on|off] [--offload on|off]   hosts 10.77.0.1 to 10.77.0.N (fd77::1 …), one switch
#   scripts/netlab.sh exec I COMMAND…            runs COMMAND on host I (0 is the switch)
#   scripts/netlab.sh cut I | heal I             unplugs host I's cable, and plugs it in again (a network partition)
#   scripts/netlab.sh lose I PERCENT             drops PERCENT of the UDP packets to host I, evenly spread
#   scripts/netlab.sh duplicate I PERCENT        duplicates PERCENT of the UDP packets to host I, evenly spread
#   scripts/netlab.sh reorder I on|off           delays every tenth UDP packet that host I sends
#   scripts/netlab.sh down                       ends the commands on the hosts, and removes hosts and switch
#
# With IGMP snooping (the default) the switch learns which hosts joined which group, and copies a group's frames to
# those only. With offload (not the default) a piece of many datagrams crosses the cable as one frame, as between virtual
# machines; without, each datagram is a frame.
#
# Needs no root where the kernel lets users make namespaces. Needs ip (iproute2), flock, unshare and nsenter (util-linux),
# nft (nftables) for lose and duplicate, and tc (iproute2) as well for reorder. For a second lab at the same time set the
# variable NETLAB to another folder. One netlab.sh at a time changes a lab; another waits for it, for NETLAB_WAIT seconds
# (90).
#
# The lab is one process that stands for the switch, in a process namespace of its own, and in it one for each host. When
# one of them ends, for whatever reason, the kernel ends all, and nothing is left of the lab but files that say nothing:
#   alive   locked (flock) by these processes for as long as they live: the lab is up while it is locked
#   pids    the processes, a line each, the switch first
#   id      marks the commands on the hosts, in their environment
#   lock    locked by the netlab.sh that is at work; `exec` shares it until its command has begun
set -euo pipefail

lab=${NETLAB:-${TMPDIR:-/tmp}/lab-netlab-$(id -u)}
[[ $lab = /* ]] || lab=$PWD/$lab
self=$(readlink -f "$0")

# How long `up` waits for the hosts, and any other wait, in seconds; and how long for another netlab.sh, longer than that.
limit=60
patience=${NETLAB_WAIT:-90}
checked=
lock=
locked=
# Of `up`, for when it is interrupted: whether it has begun to make the lab, and the lab's lock.
making=
held=
writer=
# How long commands on the hosts have to end by themselves, in tenths of a second.
grace=20

fail() {
    echo "netlab: $1" >&2
    exit "${2-2}"
}
usage() {
    sed -n 's/^#   scripts/scripts/p' "$self" >&2
    exit 2
}
need() {
    command -v "$1" >/dev/null || fail "$1: not found; it is in Debian's package $2"
}

[ "$(uname -s)" = Linux ] || fail "Linux only: no other system has network namespaces"

# Another user may have made a folder of this name, to have us write or read there.
check_folder() {
    [ -d "$lab" ] && [ ! -L "$lab" ] && [ -O "$lab" ] || fail "$lab: not a folder of yours; set NETLAB to another"
    case $(stat -c %a "$lab") in
        *[2367]? | *[2367]) fail "$lab: others may write there; set NETLAB to another folder" ;;
    esac
    checked=1
}
# Locks the lab for the command $1 until this process ends; with --shared as $2 together with others that share it.
# False where there is no lab, or it was removed meanwhile.
lock_lab() {
    local by='' flock=(flock "${2---exclusive}")
    [ -e "$lab" ] || [ -L "$lab" ] || return 1
    check_folder
    [ -z "$lock" ] || exec {lock}<&-
    { exec {lock}<>"$lab/lock"; } 2>/dev/null || return 1
    if ! "${flock[@]}" --nonblock "$lock"; then
        [ "$1" != abandon ] || return 1
        read -r by <"$lab/lock" || true
        echo "netlab: waiting for another netlab.sh${by:+: $by}" >&2
        "${flock[@]}" --wait "$patience" "$lock" ||
            fail "$lab: another netlab.sh has been at work on it for $patience s${by:+: $by}"
    fi
    [ "/proc/self/fd/$lock" -ef "$lab/lock" ] || return 1
    locked=1
    [ -n "${2-}" ] || echo "$1 (process $$)" >"$lab/lock"
}
# Makes the lab's folder where it is missing, and locks it for `up`.
lock_new_lab() {
    local why tries
    why=$(mkdir -p "$(dirname "$lab")" 2>&1) || fail "$(dirname "$lab"): ${why##*: }"
    # Between the two, another netlab.sh may remove it.
    for ((tries = 0; tries < 100; tries++)); do
        why=$(mkdir -m 700 "$lab" 2>&1) || true
        ! lock_lab up || return 0
    done
    fail "$lab: ${why##*: }"
}
# Locks a lab that is up, as lock_lab does.
lock_old_lab() {
    { lock_lab "$@" && is_up; } || fail "no lab is up; scripts/netlab.sh up N makes one"
}
# Whether processes of the lab live.
lives() {
    local alive free=0
    [ -e "$lab/alive" ] || return 1
    exec {alive}<"$lab/alive"
    flock --nonblock --shared "$alive" || free=$?
    exec {alive}<&-
    [ "$free" != 0 ]
}
is_up() {
    lives && [ -s "$lab/pids" ]
}
# Prints the lab's processes, up or half made: those that hold the file alive open.
processes() {
    # Some end while it looks.
    { find -L /proc/[0-9]*/fd -maxdepth 1 -samefile "$lab/alive" 2>/dev/null || true; } | cut -d / -f 3 | sort -u
}
# Prints the processes of commands on the hosts: marked by `exec`, or in the namespaces of a lab that is up.
commands() {
    local pid any=(-false)
    if is_up; then
        while read -r pid; do
            any+=(-o -lname "$(readlink "/proc/$pid/ns/net" | sed 's/[][]/\\&/g')")
        done <"$lab/pids"
    fi
    {
        [ ! -s "$lab/id" ] || grep -lzxF -- "NETLAB_ID=$(cat "$lab/id")" /proc/[0-9]*/environ
        find /proc/[0-9]*/ns/net "${any[@]}"
    } 2>/dev/null | cut -d / -f 3 | sort -u | grep -vxF "$(processes)" || true
}
# Ends the commands on the hosts.
end_commands() {
    local signal tries pids
    for signal in TERM KILL; do
        pids=$(commands)
        [ -n "$pids" ] || return 0
        # shellcheck disable=SC2086 # a word each
        kill -"$signal" $pids 2>/dev/null || true
        for ((tries = 0; tries < grace; tries++)); do
            [ -n "$(commands)" ] || return 0
            sleep 0.1
        done
    done
}
# Ends what there is of the lab, up or half made, and forgets it.
end_lab() {
    local pids until=$((SECONDS + limit))
    end_commands
    while lives; do
        [ "$SECONDS" -lt "$until" ] || fail "processes of the lab do not end: $(processes | xargs)"
        # More than once: one may have just begun another.
        pids=$(processes)
        # shellcheck disable=SC2086 # a word each
        [ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
        sleep 0.01
    done
    rm -f "$lab"/{pids,pids.new,id,alive,pipe,error}
}
remove_folder() {
    rm -f "$lab/lock"
    # It may hold what is not ours.
    rmdir "$lab" 2>/dev/null || true
}

# Sets enter to the beginning of a command that runs in the network namespace of process $1.
enter_network() {
    local user=(--user --preserve-credentials)
    [ ! "/proc/$1/ns/user" -ef /proc/self/ns/user ] || user=()
    enter=(nsenter --target "$1" "${user[@]}" --net --)
}
inside() {
    local enter
    enter_network "$1"
    "${enter[@]}" "${@:2}"
}
# Prints the process that holds host $1's network namespace.
host() {
    [[ ${1-} =~ ^[0-9]+$ ]] || usage
    local pid
    pid=$(sed -n "$((10#$1 + 1))p" "$lab/pids")
    [ -n "$pid" ] || fail "$1: there are hosts 1 to $(($(wc -l <"$lab/pids") - 1))"
    echo "$pid"
}
a_host() {
    [[ ! ${1-0} =~ ^0*$ ]] || usage
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

# Makes a pipe, whose ends are the descriptors $reader and $writer.
make_pipe() {
    local both
    mkfifo "$lab/pipe"
    # A pipe with a name opens only when both ends do.
    # shellcheck disable=SC2094 # it is a pipe
    exec {both}<>"$lab/pipe" {reader}<"$lab/pipe" {writer}>"$lab/pipe" {both}<&-
    rm "$lab/pipe"
}
# The process's number outside of the lab's process namespace, as /proc is still that of the machine.
my_pid() {
    read -r pid _ </proc/self/stat
}

# A host: makes its cable to the switch, sets its interface up, says so, and stays.
make_host() {
    local i=$1 switch=$2 pid cable=gso_max_segs\ 1
    [ "$3" = 0 ] || cable=
    my_pid
    ip link add eth0 type veth peer name "p$i" netns "/proc/$switch/ns/net"
    ip -batch - <<END
link set lo up
link set eth0 addrgenmode none $cable
link set eth0 up
addr add 10.77.0.$i/24 brd + dev eth0
addr add fe80::$i/64 dev eth0 nodad
addr add fd77::$i/64 dev eth0 nodad
route add 224.0.0.0/4 dev eth0
route add 255.255.255.255/32 dev eth0
END
    echo "$i $pid"
    exec >/dev/null 2>&1
    exec sleep infinity
}

# The rest of `up`, as process 1 of the lab's process namespace: the switch. It makes the hosts, prints the processes, and
# stays if it is told so and for as long as all hosts do; its end is theirs.
make_switch() {
    local n=$1 snooping=$2 offload=$3 i pid word pids
    trap 'exit 1' TERM
    my_pid
    pids=("$pid")
    ip -batch - <<END
link set lo up
link add br0 type bridge mcast_snooping $snooping
link set br0 up
END
    make_pipe
    for ((i = 1; i <= n; i++)); do
        unshare --net -- "$BASH" "$self" make-host "$i" "$pid" "$offload" </dev/null >&"$writer" &
    done
    exec {writer}>&-
    # The pipe ends early if a host does.
    while [ "${#pids[@]}" -le "$n" ] && read -r -t "$limit" -u "$reader" i pid; do
        pids[i]=$pid
    done
    [ "${#pids[@]}" -gt "$n" ] || fail "$((n + 1 - ${#pids[@]})) of $n hosts are not ready" 1
    for ((i = 1; i <= n; i++)); do
        # Without an address the switch only forwards.
        printf 'link set p%d %s\n' "$i" 'addrgenmode none' "$i" 'master br0 up'
    done | ip -batch -
    until [ "$(ip -o link show master br0 | grep -c 'state UP')" = "$n" ]; do
        read -r -t 0.01 word || [ $? -gt 128 ]
    done
    if [ "$snooping" = 1 ]; then
        # A switch sends a group's frames to all hosts until it has queried the members: here it queries often at first,
        # and gives the members 0.2 s to answer.
        ip link set br0 type bridge mcast_query_response_interval 20 mcast_startup_query_interval 50
        ip link set br0 type bridge mcast_querier 1
        # As long, unless `up` ends.
        read -r -t 1.2 word || [ $? -gt 128 ]
    fi
    echo "${pids[*]}"
    read -r -t "$limit" word
    [ "$word" = keep ]
    echo kept
    exec </dev/null >/dev/null 2>&1
    wait -n || true
}

# Removes what an `up` that did not finish has made: nothing where another netlab.sh is at work, or a lab was up before.
abandon() {
    trap '' INT TERM HUP
    trap - EXIT
    [ -z "$held" ] || exec {held}<&-
    [ -z "$writer" ] || exec {writer}<&-
    if [ -n "$locked" ] || { [ -n "$checked" ] && lock_lab abandon; }; then
        if [ -n "$making" ] || ! is_up; then
            end_lab
            remove_folder
        fi
    fi
}
interrupted() {
    abandon
    [ -n "$checked" ] || rmdir "$lab" 2>/dev/null || true
    echo "netlab: interrupted" >&2
    trap - "$1"
    kill -"$1" $$
}
up() {
    local n=${1-} snooping=1 offload=0 signal reader from to pids
    [[ $n =~ ^[0-9]{1,3}$ ]] && n=$((10#$n)) && [ "$n" -ge 1 ] && [ "$n" -le 100 ] || fail "up N: N is 1 to 100"
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
    need flock util-linux
    need unshare util-linux
    need nsenter util-linux
    local unshare=(unshare --net --pid --fork --kill-child)
    if "${unshare[@]}" --user --map-root-user true 2>/dev/null; then
        unshare+=(--user --map-root-user)
    else
        [ "$(id -u)" = 0 ] || fail "this kernel lets only root make namespaces"
    fi
    umask 077
    export NETLAB=$lab
    for signal in INT TERM HUP; do
        # shellcheck disable=SC2064 # now
        trap "interrupted $signal" "$signal"
    done
    trap abandon EXIT
    lock_new_lab
    ! is_up || fail "a lab is up already; scripts/netlab.sh down ends it"
    making=1
    end_lab
    cat /proc/sys/kernel/random/uuid >"$lab/id"
    exec {held}>"$lab/alive"
    flock --nonblock "$held"
    make_pipe
    from=$reader to=$writer
    make_pipe
    (
        cd /
        exec <&"$reader" >&"$to" 2>"$lab/error"
        # It lives on when this command has ended, and must not keep open what this one was given.
        for fd in /proc/"$BASHPID"/fd/*; do
            fd=${fd##*/}
            [ "$fd" -le 2 ] || [ "$fd" = "$held" ] || eval "exec $fd>&-"
        done
        exec setsid "${unshare[@]}" "$BASH" "$self" make-switch "$n" "$snooping" "$offload"
    ) &
    exec {to}>&- {reader}<&-
    read -r -t "$limit" -u "$from" -a pids || fail "$(why_not "$n")" 1
    printf '%s\n' "${pids[@]}" >"$lab/pids.new"
    mv "$lab/pids.new" "$lab/pids"
    echo keep >&"$writer"
    read -r -t "$limit" -u "$from" || fail "$(why_not "$n")" 1
    rm "$lab/error"
    trap - EXIT INT TERM HUP
    echo "netlab: $n hosts, 10.77.0.1 to 10.77.0.$n, snooping $([ $snooping = 1 ] && echo on || echo off)" >&2
}
# Prints why the hosts are not there: what failed first.
why_not() {
    local why
    why=$(grep -v '^Command failed' "$lab/error" | head -n 1 | sed 's/^.*: line [0-9]*: //; s/^netlab: //')
    echo "${why:-$1 hosts are not ready within $limit s}"
}

down() {
    local up=0
    lock_lab down || fail "no lab is up" 1
    [ "${NETLAB_ID-}" != "$(cat "$lab/id" 2>/dev/null)" ] || [ -z "${NETLAB_ID-}" ] ||
        fail "down: this command runs on a host of the lab; run it outside"
    ! is_up || up=1
    end_lab
    remove_folder
    [ "$up" = 1 ] || fail "no lab is up" 1
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
    make-switch) make_switch "$@" ;;
    make-host) make_host "$@" ;;
    exec)
        [ $# -ge 2 ] || usage
        lock_old_lab exec --shared
        pid=$(host "$1")
        shift
        enter_network "$pid"
        # With exec, a signal to this process is one to the command. It shares the lock until it is on the host, where
        # `down` finds it.
        export NETLAB=$lab NETLAB_ID
        NETLAB_ID=$(cat "$lab/id")
        # shellcheck disable=SC2016 # for the other shell
        exec "${enter[@]}" "$BASH" -c "exec $lock<&-"'; exec "$@"' netlab "$@"
        ;;
    cut | heal)
        lock_old_lab "$command"
        a_host "${1-}" >/dev/null
        inside "$(host 0)" ip link set "p$((10#$1))" "$([ "$command" = cut ] && echo down || echo up)"
        ;;
    lose | duplicate | reorder)
        lock_old_lab "$command"
        "$command" "$@"
        ;;
    down) down ;;
    *) usage ;;
esac
