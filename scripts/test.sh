#!/usr/bin/env bash
# Everything that must hold: formatting, lints, documentation, the demonstration, each crate alone, every test.
#
# Needs Rust and nothing else. A test that needs more (Python, network namespaces) says "skipped: python3 not found"
# where it is missing; with LAB_NO_SKIP=1 a skip is a failure. LAB_HANDOUT=FOLDER adds the handout's own Python
# programs to the peers that the tests talk to.
set -euo pipefail
cd "$(dirname "$0")/.."
crates=(common lamport mcast-client mcast-server naming thread-client thread-server)

step() {
    printf '\n== %s\n' "$1"
}

# What is left out, and why; where everything is installed that is a failure.
skip() {
    if [ -n "${LAB_NO_SKIP-}" ]; then
        echo "skipped: $1, and LAB_NO_SKIP is set" >&2
        exit 1
    fi
    echo "skipped: $1"
}

# Runs a cargo command that comes as a component of its own.
component() {
    if cargo "$1" --version >/dev/null 2>&1; then
        cargo "$@"
    else
        skip "cargo $1 not found"
    fi
}

# Runs one of the long scripts in short: that it runs and its figures make sense, not what these are. Before -- stands
# what it needs.
in_short() {
    local need
    while [ "$1" != -- ]; do
        need=$1
        shift
        if ! command -v "$need" >/dev/null; then
            skip "$need not found"
            return
        fi
    done
    if ! "${@:2}" >target/run.txt 2>&1; then
        cat target/run.txt >&2
        exit 1
    fi
}

step "formatting"
component fmt --all --check

step "lints"
component clippy --quiet --workspace --all-targets --all-features -- --deny warnings

step "documentation"
RUSTDOCFLAGS="--deny warnings" cargo doc --quiet --workspace --all-features --no-deps

step "the demonstration"
mkdir -p target
if ! scripts/demo.sh >target/demo.txt 2>&1; then
    cat target/demo.txt >&2
    exit 1
fi
tail -n 14 target/demo.txt

step "the comparisons and the benchmarks, in short"
hosts=(python3 ip nft unshare nsenter)
in_short python3 -- scripts/compare-models.sh --quick
in_short python3 -- scripts/bench.sh threads --quick
in_short "${hosts[@]}" -- scripts/compare-techniques.sh --quick --messages 100
in_short "${hosts[@]}" cc -- scripts/bench.sh multicast --quick
tail -n 1 target/run.txt
in_short python3 cc dnsperf -- scripts/bench.sh naming --quick
tail -n 1 target/run.txt
in_short python3 -- scripts/bench.sh clocks --quick
tail -n 1 target/run.txt
in_short python3 -- scripts/bench.sh check --quick
tail -n 1 target/run.txt
in_short python3 -- scripts/bench.sh trace --quick
tail -n 1 target/run.txt

step "each crate built alone"
for crate in "${crates[@]}"; do
    cargo build --quiet -p "$crate"
done

step "examples in the documentation"
cargo test --quiet --workspace --all-features --doc

step "each crate tested alone"
cargo test --quiet -p common --all-features --lib
for crate in "${crates[@]:1}"; do
    echo "-- $crate"
    cargo test --quiet -p "$crate" --lib --tests
done

step "threads in every order, or in many"
scripts/interleavings.sh

step "look-ups, clocks and searches measured, in short"
cargo test --quiet -p naming --bench look_ups
cargo test --quiet -p lamport --bench clocks
cargo test --quiet -p lamport --bench states
