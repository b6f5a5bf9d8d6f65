"""Experiment 6: how many states are looked at in a second, and in how much memory.

usage: check.py FOLDER_OF_OURS FOLDER_OF_PEERS [--quick]     called by bench.sh, which builds both
"""

import json
import pathlib
import statistics
import subprocess
import sys

from measure import whole_process

ours, quick = pathlib.Path(sys.argv[1]), "--quick" in sys.argv[3:]

# tlaplus/Examples publishes these counts, and ten seconds by TLC on a machine that it does not name.
INSTANCE = ["mutex", "--processes", "3", "--max-clock", "6"]
COUNTS = {"distinct": 724_274, "depth": 61, "generated": 2_496_351, "generated_with_beyond": 2_729_079}
PUBLISHED = 10.0
RATE, MEMORY = 400_000, 1024.0

OTHERS = [
    ["mutex", "--processes", "2", "--count", "4"],
    ["mutex", "--processes", "3", "--count", "1"],
    ["ricart-agrawala", "--processes", "3", "--count", "1", "--may-duplicate", "1"],
    ["total", "--processes", "3", "--count", "1"],
]


def check(arguments):
    """Checks once. Returns the counts, and of the whole process: seconds, processors kept busy, MiB at the most."""
    _, used, last = whole_process([ours / "lamport", "check", *arguments, "--json"])
    counts = json.loads(last)["counts"]
    seconds = counts["elapsed_us"] / 1e6
    return counts, seconds, (used.ru_utime + used.ru_stime) / seconds, used.ru_maxrss / 1024


def main():
    bench = ["cargo", "bench" if not quick else "test", "--quiet", "-p", "lamport", "--bench", "states"]
    print(subprocess.run(bench, capture_output=True, text=True, check=True).stdout.strip())
    print()
    print("| lamport check, every processor                         | distinct | depth | s     | a second | busy | MiB |")
    print("|--------------------------------------------------------|----------|-------|-------|----------|------|-----|")
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
        print(f"| {' '.join(arguments):54} | {counts['distinct']:8} | {counts['depth']:5} | {seconds:5.2f} | {rate:8.0f} | {busy:4.1f} | {memory:3.0f} |")
    met = {True: "met", False: "MISSED"}
    print("\ncounts as published, to the digit")
    print(f"{rows['rate']:.0f} distinct states a second; target {RATE}: {met[rows['rate'] >= RATE]}")
    print(f"{rows['memory']:.0f} MiB at the most; target {MEMORY:.0f}: {met[rows['memory'] < MEMORY]}")
    print(f"{PUBLISHED / rows['seconds']:.0f} times as fast as the {PUBLISHED:.0f} s that are published")


main()
