#!/usr/bin/env bash
# Feeds the parsers of the name server malformed input, guided by code coverage (libFuzzer).
#
#   scripts/fuzz.sh naming [RUNS]     RUNS inputs in all (10,000,000), shared by packets, zone files and names files
#
# Needs a C++ compiler beside Rust. The corpus is in target/fuzz/. An input that makes a parser fail is saved there too, and
# ends the run with code 1.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${2-10000000}
if [ "${1-}" != naming ] || [ $# -gt 2 ] || ! [[ $runs =~ ^[1-9][0-9]*$ ]]; then
    echo "fuzz: usage: scripts/fuzz.sh naming [RUNS]" >&2
    exit 2
fi
command -v c++ >/dev/null || { echo "fuzz: c++: not found" >&2; exit 2; }

mkdir -p target/fuzz
work=$PWD/target/fuzz
NAMING_SEEDS=$work/seeds cargo test --quiet -p naming --test fuzz malformed_packets >/dev/null
# The flags of cargo-fuzz that a stable compiler accepts.
flags=(--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module)
for flag in level=4 inline-8bit-counters pc-table trace-compares; do
    flags+=("-Cllvm-args=-sanitizer-coverage-$flag")
done
CARGO_TARGET_DIR=$work/build RUSTFLAGS="${flags[*]}" \
    cargo build --quiet --release --target "$(rustc -vV | sed -n 's/^host: //p')" --manifest-path crates/naming/fuzz/Cargo.toml
program=$(echo "$work"/build/*/release/naming-fuzz)

# Packets get the largest share: they are parsed fastest, and any host can send them.
for share in packet:50 reply:15 zone:15 names:15 keys:5; do
    target=${share%:*}
    some=$((runs * ${share#*:} / 100))
    mkdir -p "$work/$target"
    begun=$(date +%s)
    if ! NAMING_FUZZ=$target "$program" -runs="$some" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$work/$target-" \
        "$work/$target" "$work/seeds/$target" >"$work/$target.log" 2>&1; then
        tail -n 30 "$work/$target.log" >&2
        echo "fuzz: $target: an input made it fail; it is in target/fuzz/" >&2
        exit 1
    fi
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$work/$target.log" | tail -n 1)
    printf '%s: %s inputs in %s s, %s places in the code reached, no failure\n' "$target" "$some" "$(($(date +%s) - begun))" "$covered"
done
