#!/usr/bin/env bash
# Sends the same messages by unicast, multicast and broadcast to the same receivers on a switch, and counts what each
# technique costs whom: one table and one picture.
#
#   scripts/compare-techniques.sh [--receivers N] [--bystanders N] [--messages N] [--quick]
#
# Without flags 3 receivers, 2 bystanders and 1,000 messages; ten seconds. --quick builds without optimising. The
# picture is target/compare-techniques.svg. Needs Python 3 beside Rust, and what scripts/netlab.sh needs.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    echo "compare-techniques: usage: scripts/compare-techniques.sh [--receivers N] [--bystanders N] [--messages N] [--quick]" >&2
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
    echo "compare-techniques: at least one receiver and one message, and at most 99 hosts beside the sender" >&2
    exit 2
fi
for need in python3 nft ip unshare nsenter; do
    command -v "$need" >/dev/null || { echo "compare-techniques: $need: not found" >&2; exit 2; }
done
target=$PWD/${CARGO_TARGET_DIR:-target}
[[ ${CARGO_TARGET_DIR-} = /* ]] && target=$CARGO_TARGET_DIR
built=${profile/dev/debug}
cargo build --quiet --profile "$profile" -p mcast-server -p mcast-client
exec python3 scripts/bench/compare_techniques.py "$target/$built" "$target/compare-techniques.svg" \
    "$receivers" "$bystanders" "$messages"
