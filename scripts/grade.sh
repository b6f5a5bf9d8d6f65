#!/usr/bin/env bash
# Grades this project's own programs as it grades a student's: each crate built, tested and graded alone.
#
#   scripts/grade.sh            all of it
#   scripts/grade.sh --quick    without their tests
#
# Needs Rust, bubblewrap and iproute2. Exit code 1 when a program loses a point.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib/steps.sh
quick=
[ "${1-}" = --quick ] && quick=yes

# Grades a program: the crate, then grade's arguments.
grade_crate() {
    local crate=$1
    shift
    step "$crate"
    cargo build --quiet -p "$crate"
    if [ -z "$quick" ]; then
        run_tests -p "$crate" --lib --tests
    fi
    "$grade" "$@"
}

step "grade"
cargo build --quiet -p grade
bin=$(cd "${CARGO_TARGET_DIR:-target}/debug" && pwd)
grade=$bin/grade
grade_crate thread-server threads --cmd "$bin/thread-server"
grade_crate thread-client threads --role client --cmd "$bin/thread-client"
grade_crate mcast-server multicast --cmd "$bin/mcast-server"
grade_crate mcast-client multicast --cmd "$bin/mcast-client"
grade_crate naming naming --cmd "$bin/naming {scheme} {name} --names {names}"
"$grade" naming --server 127.0.0.1:5300 --cmd "$bin/naming serve --names {names}"
grade_crate lamport node clocks --cmd "$bin/lamport node events --stdio"
for algorithm in mutex total causal; do
    "$grade" node "$algorithm" --cmd "$bin/lamport node $algorithm --stdio"
done
step "done"
