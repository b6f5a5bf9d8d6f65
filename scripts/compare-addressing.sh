#!/usr/bin/env bash
# Compares the three addressing modes: sends the same messages by unicast, multicast and broadcast to the same receivers on
# a switch, and counts the datagrams at the sender, the switch, the receivers and the bystanders. Makes a table and a
# picture.
#
#   scripts/compare-addressing.sh [--receivers N] [--bystanders N] [--messages N] [--quick]
#
# Without flags: 3 receivers, 2 bystanders and 1,000 messages, in ten seconds. --quick builds without optimising. The
# picture is target/compare-addressing.svg. Needs Python 3 beside Rust, and what scripts/netlab.sh needs.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    echo "compare-addressing: usage: scripts/compare-addressing.sh [--receivers N] [--bystanders N] [--messages N] [--quick]" >&2
    exit 2
}
profile=release receivers=3 bystanders=2 messages=1000
while [ $# -gt 0 ]; do
    case $1 in
        --quick) profile=dev ;;
        --receivers | --bystanders | --messages)
            [[ ${2-} =~ ^[0-9]{1,6}$ ]] || usage
            printf -v "${1#--}" %s "$2"
            shift
            ;;
        *) usage ;;
    esac
    shift
done
if [ "$receivers" -lt 1 ] || [ "$messages" -lt 1 ] || [ $((receivers + bystanders)) -gt 99 ]; then
    echo "compare-addressing: at least one receiver and one message, and at most 99 hosts beside the sender" >&2
    exit 2
fi
for need in python3 nft ip unshare nsenter; do
    command -v "$need" >/dev/null || { echo "compare-addressing: $need: not found" >&2; exit 2; }
done
target=$PWD/${CARGO_TARGET_DIR:-target}
[[ ${CARGO_TARGET_DIR-} = /* ]] && target=$CARGO_TARGET_DIR
built=${profile/dev/debug}
cargo build --quiet --profile "$profile" -p mcast-server -p mcast-client
exec python3 scripts/bench/compare_addressing.py "$target/$built" "$target/compare-addressing.svg" \
    "$receivers" "$bystanders" "$messages"
