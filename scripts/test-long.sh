#!/usr/bin/env bash
# Tests what takes longer than scripts/test.sh: each crate built alone, the whole class of submissions,
# the benchmarks and comparisons in short, and the interleavings of threads.
#
#   scripts/test-long.sh [PART]...    only these parts, by the names of the functions below
#
# Needs Rust; what needs more is skipped where it is missing, as in scripts/test.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib/steps.sh
crates=(common grade lamport mcast-client mcast-server naming thread-client thread-server)

# Runs one of the long scripts in short: that it runs and its figures make sense, not what these are. The programs that it
# needs stand before --.
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
    shift
    echo "-- $*"
    if ! "$@" >target/run.txt 2>&1; then
        cat target/run.txt >&2
        exit 1
    fi
    tail -n 1 target/run.txt
}

# Features that another crate asks for can hide what a crate lacks; scripts/test.sh has run the tests.
alone() {
    step "each crate and its tests checked alone"
    for crate in "${crates[@]}"; do
        cargo check --quiet -p "$crate"
    done
    for crate in "${crates[@]:1}"; do
        cargo check --quiet --tests -p "$crate"
    done
}

built() {
    step "each crate built alone"
    for crate in "${crates[@]}"; do
        cargo build --quiet -p "$crate"
    done
}

class() {
    step "the whole class of submissions"
    LAB_GRADE_CLASS=whole run_tests -p grade --test submissions
}

names() {
    step "the exchanges that take minutes"
    cargo test --quiet -p naming --test wire -- --ignored
    step "the answers of resolvers about a thousand name spaces"
    cargo test --quiet -p naming --test comparison -- --ignored --exact resolvers_agree_on_a_thousand_name_spaces --nocapture

    step "the name server and BIND, differentially"
    for seed in 1 2 3; do
        NAMING_DIFFERENTIAL=500:2000:$seed cargo test --quiet -p naming --test differential
    done
}

benchmarks() {
    step "the comparisons and the benchmarks, in short"
    hosts=(python3 ip nft unshare nsenter)
    in_short python3 -- scripts/compare-models.sh --quick
    in_short python3 -- scripts/bench.sh threads --quick
    in_short "${hosts[@]}" -- scripts/compare-addressing.sh --quick --messages 100
    in_short "${hosts[@]}" cc -- scripts/bench.sh multicast --quick
    in_short python3 cc dnsperf -- scripts/bench.sh naming --quick
    in_short python3 -- scripts/bench.sh clocks --quick
    in_short python3 -- scripts/bench.sh check --quick
    in_short python3 -- scripts/bench.sh trace --quick

    step "look-ups, clocks and searches measured, in short"
    cargo test --quiet -p naming --bench look_ups
    cargo test --quiet -p lamport --bench clocks
    cargo test --quiet -p lamport --bench states
}

graded() {
    step "our own programs, graded"
    in_short bwrap ip -- scripts/grade.sh --quick
}

systems() {
    step "other systems: compiled, and the archives that need nothing installed"
    scripts/cross-check.sh macos freebsd
    scripts/package.sh --target linux --quick --check
}

interleavings() {
    step "interleavings of threads"
    scripts/interleavings.sh
}

parts=(alone built class names benchmarks graded systems interleavings)
[ $# -gt 0 ] || set -- "${parts[@]}"
for part in "$@"; do
    if [[ " ${parts[*]} " != *" $part "* ]]; then
        echo "test-long: usage: scripts/test-long.sh [${parts[*]}]" >&2
        exit 2
    fi
done
mkdir -p target
for part in "$@"; do
    "$part"
done
step "done"
