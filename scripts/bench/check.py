"""Experiment 6: how many states are looked at in a second, and in how much memory.

usage: check.py FOLDER_OF_OURS FOLDER_OF_PEERS [--quick]     called by bench.sh, which builds both
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import spin
from measure import whole_process

ours, quick = pathlib.Path(sys.argv[1]), "--quick" in sys.argv[3:]

# tlaplus/Examples publishes these counts, and ten seconds by TLC on a machine that it does not name.
INSTANCE = ["mutex", "--processes", "3", "--max-clock", "6"]
COUNTS = {"distinct": 724_274, "depth": 61, "generated": 2_496_351, "generated_with_beyond": 2_729_079}
PUBLISHED = 10.0
RATE, MEMORY = 400_000, 1024.0

# The library's own processes, every state of them.
OWN = ["mutex", "--processes", "3", "--count", "1", "--reduction", "off"]
OWN_RATE = 1_000_000

# The same module, larger, beside SPIN.
PROCESSES = 3
MAX_CLOCK, STATES = (3, 10_209) if quick else (8, 2_763_329)

OTHERS = [
    ["mutex", "--processes", "2", "--count", "4", "--reduction", "off"],
    OWN,
    ["ricart-agrawala", "--processes", "3", "--count", "1", "--may-duplicate", "1"],
    ["total", "--processes", "3", "--count", "1", "--reduction", "off"],
]


def check(arguments):
    """Checks once. Returns the counts, and of the whole process: seconds, processors kept busy, MiB at the most."""
    _, used, last = whole_process([ours / "lamport", "check", *arguments, "--json"])
    counts = json.loads(last)["counts"]
    seconds = counts["elapsed_us"] / 1e6
    return counts, seconds, (used.ru_utime + used.ru_stime) / seconds, used.ru_maxrss / 1024


def beside_spin(rounds):
    """The same module in Promela, checked by SPIN, in turn with ours; whole processes. Returns lines about the outcome."""
    lacks = spin.missing()
    if lacks:
        print(f"\nSPIN is left out: {lacks} not found")
        return []
    runs = {"SPIN": [], "ours, 1 processor": []}
    if os.cpu_count() > 1:
        runs[f"ours, {os.cpu_count()} processors"] = []
    instance = ["check", "mutex", "--processes", str(PROCESSES), "--max-clock", str(MAX_CLOCK), "--json"]
    with tempfile.TemporaryDirectory(prefix="lab-bench-") as folder:
        verifier = spin.Spin(folder, PROCESSES, MAX_CLOCK)
        for _ in range(rounds):
            for (name, of_it), processors in zip(runs.items(), (None, 1, None)):
                if name == "SPIN":
                    of_it.append(verifier.check(STATES))
                    continue
                seconds, used, last = whole_process([ours / "lamport", *instance], processors)
                counts = json.loads(last)["counts"]
                of_it.append((counts["distinct"], counts["generated"], seconds, used.ru_maxrss / 1024))
    what = f"LamportMutex, {PROCESSES} processes, clocks up to {MAX_CLOCK}"
    print(f"\n| {what:43} | distinct | steps    | s     | MiB  | SPIN's s / s | SPIN's MiB / MiB |")
    print("|---------------------------------------------|----------|----------|-------|------|--------------|------------------|")
    lines = []
    for name, of_it in runs.items():
        (distinct, steps), *others = sorted({run[:2] for run in of_it})
        if others or (distinct, steps) != runs["SPIN"][0][:2]:
            raise SystemExit(f"bench: {name} visits {distinct} states in {steps} steps, SPIN {runs['SPIN'][0][:2]}")
        seconds, memory = (statistics.median(run[figure] for run in of_it) for figure in (2, 3))
        # Round by round.
        longer, larger = (
            statistics.median(theirs[figure] / own[figure] for theirs, own in zip(runs["SPIN"], of_it)) for figure in (2, 3)
        )
        print(f"| {name:43} | {distinct:8} | {steps:8} | {seconds:5.2f} | {memory:4.0f} | {longer:12.2f} | {larger:16.2f} |")
        if name != "SPIN":
            lines.append(f"SPIN takes {longer:.2f} times as long as {name}, and {larger:.1f} times the memory")
    return [f"SPIN visits the same {distinct} states, in the same {steps} steps", *lines]


def main():
    bench = ["cargo", "bench" if not quick else "test", "--quiet", "-p", "lamport", "--bench", "states"]
    print(subprocess.run(bench, capture_output=True, text=True, check=True).stdout.strip())
    print()
    print("| lamport check, every processor                            | distinct | depth | s     | a second | busy | MiB |")
    print("|-----------------------------------------------------------|----------|-------|-------|----------|------|-----|")
    rows = {}
    for arguments in [INSTANCE] + ([] if quick else OTHERS):
        runs = [check(arguments) for _ in range(1 if quick else 7)]
        counts = runs[0][0]
        seconds, busy, memory = (statistics.median(run[figure] for run in runs) for figure in (1, 2, 3))
        rate = counts["distinct"] / seconds
        if arguments == INSTANCE:
            wrong = {name: counts[name] for name in COUNTS if counts[name] != COUNTS[name]}
            if wrong:
                raise SystemExit(f"bench: not as published: {wrong}")
            rows = {"rate": rate, "seconds": seconds, "memory": max(run[3] for run in runs)}
        if arguments == OWN:
            rows["own"] = rate
        print(f"| {' '.join(arguments):57} | {counts['distinct']:8} | {counts['depth']:5} | {seconds:5.2f} | {rate:8.0f} | {busy:4.1f} | {memory:3.0f} |")
    beside = beside_spin(1 if quick else 5)
    met = {True: "met", False: "MISSED"}
    print("\ncounts as published, to the digit")
    print(f"{rows['rate']:.0f} distinct states a second; target {RATE}: {met[rows['rate'] >= RATE]}")
    if "own" in rows:
        print(f"{rows['own']:.0f} distinct states a second of the processes; target {OWN_RATE}: {met[rows['own'] >= OWN_RATE]}")
    print(f"{rows['memory']:.0f} MiB at the most; target {MEMORY:.0f}: {met[rows['memory'] < MEMORY]}")
    print(f"{PUBLISHED / rows['seconds']:.0f} times as fast as the {PUBLISHED:.0f} s that are published")
    print("\n".join(beside))


main()
