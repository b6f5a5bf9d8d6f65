#!/usr/bin/env bash
# Measures this project's programs against their peers, in one run on this machine, and prints ratios.
#
#   scripts/bench.sh threads [--quick]     experiment 3: servers and load generators, about fifteen minutes
#   scripts/bench.sh multicast [--quick]   experiment 4: on loopback and over a switch, about twelve minutes
#   scripts/bench.sh naming [--quick]      experiment 5: name servers asked by dnsperf, about six minutes
#   scripts/bench.sh resolution [--quick]  experiment 5: recursive name servers in front of the same zones, two minutes
#   scripts/bench.sh clocks [--quick]      experiment 6: clocks beside uhlc's, and simulated events, about a minute
#   scripts/bench.sh check [--quick]       experiment 6: all states beside stateright's search, SPIN and what TLC published, two minutes
#   scripts/bench.sh trace [--quick]       the reader of all logs: a thousand to a million events, beside serde_json and ShiViz, four minutes
#
# The peers in scripts/peers/ are built first; one that cannot be (no C compiler, no Go) is left out and said so, as is
# iperf, SPIN, Knot, NSD, dnsmasq, BIND or unbound where it is not installed. --quick takes half a minute, builds without
# optimising, and its figures mean nothing: it shows that everything runs. multicast needs what scripts/netlab.sh needs.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    echo "bench: usage: scripts/bench.sh threads|multicast|naming|resolution|clocks|check|trace [--quick]" >&2
    exit 2
}
case ${1-} in
    threads) ours=(thread-server thread-client) peers_in_c=(bound c-threads load) ;;
    multicast) ours=(mcast-server mcast-client) peers_in_c=(datagrams) ;;
    naming) ours=(naming) peers_in_c=(dns-bound) ;;
    resolution) ours=(naming) peers_in_c=() ;;
    clocks | check | trace) ours=(lamport) peers_in_c=() ;;
    *) usage ;;
esac
[ $# -le 2 ] && [ "${2---quick}" = --quick ] || usage
command -v python3 >/dev/null || { echo "bench: python3: not found" >&2; exit 2; }

target=$PWD/${CARGO_TARGET_DIR:-target}
[[ ${CARGO_TARGET_DIR-} = /* ]] && target=$CARGO_TARGET_DIR
peers=$target/peers
mkdir -p "$peers"
profile=release
[ $# -eq 1 ] || profile=dev
built=${profile/dev/debug}
cargo build --quiet --profile "$profile" "${ours[@]/#/--package=}"
# serde_json alone, which is what the reader of logs is measured by.
[ "$1" != trace ] || cargo build --quiet --profile "$profile" --package=lamport --example parse_log_lines
for peer in "${peers_in_c[@]}"; do
    if command -v cc >/dev/null; then
        cc -O2 -Wall -Wextra -pthread -o "$peers/$peer" "scripts/peers/$peer.c"
    else
        rm -f "$peers/$peer"
    fi
done
if [ "$1" = threads ]; then
    if command -v go >/dev/null; then
        go build -o "$peers/goroutines" scripts/peers/goroutines.go
    else
        rm -f "$peers/goroutines"
    fi
    if CARGO_TARGET_DIR=$peers/rust cargo build --quiet --profile "$profile" --locked --manifest-path scripts/peers/rust/Cargo.toml; then
        for peer in tokio-tasks std-threads mpsc-pool; do
            cp "$peers/rust/$built/$peer" "$peers/$peer"
        done
    fi
fi
# As many clients at once as the machine allows.
ulimit -n "$(ulimit -Hn)"
exec python3 "scripts/bench/$1.py" "$target/$built" "$peers" "${2-}"
