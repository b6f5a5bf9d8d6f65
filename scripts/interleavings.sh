#!/usr/bin/env bash
# Tries the orders in which the threads of our own concurrency can get on, where it is more than a call of a library:
#
#   lamport   the clock that threads share           every order, and every reordering of memory (loom)
#   naming    the zones that are published            the same
#   common    the journal: tellers, writer, terminal  many orders at random (shuttle)
#
#   scripts/interleavings.sh
#
# Built in target/interleavings, with flags of their own; about a minute when nothing is built yet.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -eq 0 ] || { echo "interleavings: usage: scripts/interleavings.sh" >&2; exit 2; }
target=${CARGO_TARGET_DIR:-target}/interleavings
mkdir -p "$target"

# Threads of one kind at a time: cfg, package.
try() {
    printf '\n== %s, by %s\n' "$2" "$1"
    CARGO_TARGET_DIR=$target/$1 RUSTFLAGS="--cfg $1" cargo test --quiet -p "$2" --lib interleavings | tee "$target/said"
    # A filter that fits nothing is no test passed.
    if grep -q '^running 0 tests' "$target/said"; then
        echo "interleavings: $2: no test is called interleavings" >&2
        exit 1
    fi
}

try loom lamport
try loom naming
try shuttle common
