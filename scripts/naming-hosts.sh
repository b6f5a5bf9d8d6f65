#!/usr/bin/env bash
# Names on several hosts of scripts/netlab.sh, step by step: three name servers on port 53 hold one name space, clients walk from
# server to server, a subtree moves to its own server while look-ups go on, and three nodes form a Chord ring.
#
#   scripts/naming-hosts.sh [--programs FOLDER] [--into FOLDER]
#
# Without --programs it builds the programs. Prints each command behind its host, and stops with exit code 1 where something is not
# as it should be. What the programs write, the logs of the ring and its picture are in target/naming-hosts, or --into another
# folder, which is emptied. Needs what netlab.sh needs, and dig.
set -euo pipefail
cd "$(dirname "$0")/.."

programs= folder=${CARGO_TARGET_DIR:-target}/naming-hosts
while [ $# -gt 0 ]; do
    case "$1 ${2:+value}" in
        "--programs value") programs=$2 ;;
        "--into value") folder=$2 ;;
        *) echo "naming-hosts: usage: scripts/naming-hosts.sh [--programs FOLDER] [--into FOLDER]" >&2; exit 2 ;;
    esac
    shift 2
done
command -v dig >/dev/null || { echo "naming-hosts: dig: not found; it is in Debian's package bind9-dnsutils" >&2; exit 2; }
if [ -z "$programs" ]; then
    cargo build --quiet -p naming -p lamport
    programs=${CARGO_TARGET_DIR:-target}/debug
fi
programs=$(realpath "$programs")
rm -rf "$folder"
mkdir -p "$folder/logs"
folder=$(realpath "$folder")
export PATH=$programs:$PATH
netlab=$PWD/scripts/netlab.sh
cd "$folder"

# How often something is looked at until it is there, ten times a second.
tries=600

step() { printf '\n# %s\n' "$*"; }
wrong() {
    echo "naming-hosts: $1" >&2
    exit 1
}
# on HOST COMMAND…: prints the command, runs it, and prints what it prints.
on() {
    local host=$1
    shift
    printf 'host%s$ %s\n' "$host" "$*"
    "$netlab" exec "$host" "$@" 2>&1 | tee output
}
# has TEXT: the last command has printed this.
has() { grep -qF -- "$1" output || wrong "no '$1' there"; }
# start HOST READY COMMAND…: prints the command and starts it; it is ready when it has written the file. Its input is kept open.
start() {
    local host=$1 ready=$2
    shift 2
    printf 'host%s$ %s &\n' "$host" "$*"
    mkfifo "$ready.in"
    "$netlab" exec "$host" "$@" --ready-file "$ready" <>"$ready.in" >"$ready.out" 2>&1 &
    until_there [ -s "$ready" ]
}
until_there() {
    for ((try = 0; try < tries; try++)); do
        if "$@"; then return; fi
        sleep 0.1
    done
    wrong "not within a minute: $*"
}
looked_up() { [ "$(wc -l <found)" -ge "$1" ]; }
# typed NODE LINE: types a line at a node of the ring.
typed() {
    printf '%s> %s\n' "$1" "$2"
    echo "$2" >"$1.in"
}
# printed NODE TEXT: waits until the node has printed this.
printed() { until_there grep -F -- "$2" "$1.out"; }
# looks NODE PLACE: the node looks server1 up, until it finds it there: a record may be on its way.
looks() {
    typed "$1" "look server1"
    finds() {
        echo "look server1" >"$1.in"
        sleep 0.1
        tail -n 1 "$1.out" | grep -F "finds server1: $2"
    }
    until_there finds "$@"
}

trap '"$netlab" down' EXIT
"$netlab" up 4

step "Three hosts have name servers on port 53; the root delegates region2"
naming keygen lab --key lab.key >/dev/null
echo '{"/server1": "10.2.0.1", "/server2": "10.2.0.2"}' >region2.json
echo '{}' >region1.json
serve=(naming serve --quiet --key lab.key)
start 1 root "${serve[@]}" --listen 10.77.0.1:53 --delegate region2=10.77.0.3
start 2 region1 "${serve[@]}" --listen 10.77.0.2:53 --zone region1.lab. --names region1.json
start 3 region2 "${serve[@]}" --listen 10.77.0.3:53 --zone region2.lab. --names region2.json
start 4 recursive naming serve --quiet --recursive --root 10.77.0.1:53 --listen 10.77.0.4:53 --allow 10.77.0.0/24

step "The client walks from server to server"
on 4 naming resolve region2/server1 --type A --server 10.77.0.1:53 --iterative --trace
has "region2.lab. is delegated to 10.77.0.3"
has "reply from 10.77.0.3:53: 10.2.0.1"
step "A recursive server walks for it"
on 4 naming resolve region2/server1 --type A --server 10.77.0.4:53 --recursive
has "IP address of region2 server1: 10.2.0.1"
step "dig goes by hand: the root refers to another server, which has the name"
on 4 dig @10.77.0.1 +norecurse +noall +answer +authority +additional server1.region2.lab A
has "10.77.0.3"
on 4 dig @10.77.0.3 +norecurse +short server1.region2.lab A
has "10.2.0.1"

step "region1 moves to host 2 while clients on host 4 look it up, by themselves and by the recursive server"
on 4 naming resolve region1/server1 --type A --server 10.77.0.1:53 --iterative --short --quiet
cp output expected
# shellcheck disable=SC2016 # the shell on the host expands it
"$netlab" exec 4 bash -c '
    for ((n = 0; n < 5000; n++)); do
        if [ -e enough ]; then exit; fi
        if ((n % 2)); then how=(--iterative --server 10.77.0.1:53); else how=(--recursive --server 10.77.0.4:53); fi
        naming resolve region1/server1 --type A --short --quiet "${how[@]}" 2>&1 || echo lost
    done' >found &
look_ups=$!
until_there looked_up 20
on 1 naming delegate region1 10.77.0.2 --server 10.77.0.1:53 --key lab.key
has "region1"
until_there looked_up $(($(wc -l <found) + 20))
touch enough
wait "$look_ups"
right=$(grep -cxF "$(cat expected)" found)
[ "$right" = "$(wc -l <found)" ] || wrong "a look-up was lost: $(sort found | uniq -c)"
echo "$right look-ups, all right"
on 4 naming resolve region1/server1 --type A --server 10.77.0.1:53 --iterative --trace
has "query to 10.77.0.2:53"

step "Each host runs a node of a Chord ring, and knows the address of one member"
ring() { start "$1" "$2" naming chord --name "$2" --log "logs/$2.jsonl" "${@:3}"; }
ring 1 p1 --listen 10.77.0.1:4001
ring 2 p2 --join 10.77.0.1:4001
ring 3 p3 --join "$(cat p2)"
printed p2 joins
printed p3 joins
typed p2 "put server1"
printed p2 "inserts server1: p2"
looks p3 p2
looks p1 p2
step "The first node leaves, by which the others have joined; the record stays, and the entity moves"
typed p1 leave
printed p1 leaves
looks p3 p2
typed p2 "move server1 p3"
printed p3 "inserts server1: p3"
looks p2 p3
for node in p2 p3; do typed "$node" leave; done
for node in p1 p2 p3; do printed "$node" "clock at"; done
if [ -x "$programs/lamport" ]; then
    on 4 lamport trace logs --svg ring.svg
fi
