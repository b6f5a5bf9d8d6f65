# What the two test scripts share: a title for each step, and what is left out. Sourced, not run.

# Announces a step, and how long the script has run.
step() {
    printf '\n== %s (%d:%02d so far)\n' "$1" $((SECONDS / 60)) $((SECONDS % 60))
}

# Reports what is left out, and why. Where everything is installed that is a failure, but for what LAB_MAY_SKIP names.
skip() {
    if [ -n "${LAB_NO_SKIP-}" ] && [[ " ${LAB_MAY_SKIP-} " != *" ${1%% *} "* ]]; then
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

# Runs `cargo test` with these arguments. A test that fails runs once more, alone: where it passes then, it depends on the
# load of the machine, which is said; where it fails again, the script ends.
run_tests() {
    local log failed target names features=
    [[ " $* " != *" --all-features "* ]] || features=--all-features
    log=$(mktemp)
    if cargo test --quiet --no-fail-fast "$@" 2>&1 | tee "$log"; then
        rm -f "$log"
        return
    fi
    # A line for each program of tests that failed: how cargo names it, and its tests.
    failed=$(awk '
        { sub(/\r$/, "") }
        $0 == "failures:" { names = ""; next }
        /^    [^ ]+$/ { names = names " " $1 }
        /^error: test failed, to rerun pass `/ {
            sub(/^[^`]*`/, ""); sub(/`.*/, "")
            print $0 "|" names
            names = ""
        }
    ' "$log")
    rm -f "$log"
    if [ -z "$failed" ]; then
        echo "the tests could not run" >&2
        exit 1
    fi
    while IFS='|' read -r target names; do
        printf '%s:%s failed beside the others; once more, alone\n' "$target" "$names"
        # Without names the program itself failed: all its tests run again. Words are split on purpose.
        # shellcheck disable=SC2086
        if ! cargo test --quiet $features $target -- --test-threads 1 ${names:+--exact} $names </dev/null; then
            exit 1
        fi
        printf '%s:%s passed alone: DEPENDS ON THE LOAD OF THE MACHINE\n' "$target" "$names"
    done <<<"$failed"
}
