#!/usr/bin/env bash
# Starts N clients at once, each a process, against a running server, and sums up.
#
#   scripts/many-clients.sh N [FLAG…]      every client gets the flags: --connect HOST:PORT, --message TEXT
#
# In a flag, {} is replaced by the client's number, from 1: --name client-{} --log logs/client-{}.jsonl
#
# LAB_CLIENT is the client to run instead of this project's. Exit code: 0 all were answered, 1 some were not, 2 the
# clients could not run.
set -u

if ! [[ ${1-} =~ ^[1-9][0-9]{0,4}$ ]]; then
    echo "many-clients: usage: many-clients.sh N [FLAG…], N from 1 to 99999" >&2
    exit 2
fi
number=$1
shift

if [ -z "${LAB_CLIENT-}" ]; then
    root=$(cd "$(dirname "$0")/.." && pwd)
    cargo build --quiet --manifest-path "$root/Cargo.toml" -p thread-client || exit 2
    LAB_CLIENT=${CARGO_TARGET_DIR:-$root/target}/debug/thread-client
fi

# Milliseconds; whole seconds where date has no nanoseconds.
now() {
    local nanos
    nanos=$(date +%s%N)
    case $nanos in
        *N) echo "$(date +%s)000" ;;
        *) echo "${nanos%??????}" ;;
    esac
}

if ! command -v "$LAB_CLIENT" >/dev/null; then
    echo "many-clients: $LAB_CLIENT: no such program" >&2
    exit 2
fi

problems=$(mktemp) || exit 2
clients=()
# A signal ends the clients too.
trap 'kill "${clients[@]}" 2>/dev/null; rm -f "$problems"; exit 130' INT TERM
begun=$(now)
for ((i = 1; i <= number; i++)); do
    "$LAB_CLIENT" "${@//\{\}/$i}" >/dev/null 2>>"$problems" &
    clients+=($!)
done
failed=0
code=0
for client in "${clients[@]}"; do
    status=0
    wait "$client" || status=$?
    if [ $status -ne 0 ]; then
        failed=$((failed + 1))
        [ $code -eq 2 ] || code=$((status == 2 ? 2 : 1))
    fi
done
elapsed=$(($(now) - begun))

echo "$number clients: $((number - failed)) answered, $failed failed; in $elapsed ms"
if [ "$failed" -gt 0 ]; then
    sort "$problems" | uniq -c | sort -rn | head -5 >&2
fi
rm -f "$problems"
exit $code
