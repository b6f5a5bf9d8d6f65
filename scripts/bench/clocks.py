"""Experiment 6: what a tick of a clock costs, and how many events are simulated in a second.

usage: clocks.py FOLDER_OF_OURS FOLDER_OF_PEERS [--quick]     called by bench.sh, which builds both
"""

import json
import pathlib
import statistics
import subprocess
import sys
import time

ours, quick = pathlib.Path(sys.argv[1]), "--quick" in sys.argv[3:]

# Rounds for each process, so that there are about a million events.
ROUNDS = {"events": 110_000, "mutex": 10_500, "ricart-agrawala": 15_000, "central": 31_000, "total": 6_700, "causal": 20_000}
TARGET = 2.0


def simulate(algorithm):
    """Simulates about a million events; returns their number and the seconds that the whole process took."""
    rounds = ROUNDS[algorithm] // (100 if quick else 1)
    command = [ours / "lamport", "simulate", algorithm, "--processes", "5", "--count", str(rounds), "--rate", "1000"]
    begun = time.monotonic()
    done = subprocess.run([*command, "--show", "0", "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])["counts"]["events"], time.monotonic() - begun


def main():
    bench = ["cargo", "bench", "--quiet", "-p", "lamport", "--bench", "clocks"]
    if quick:
        bench = ["cargo", "test", "--quiet", "-p", "lamport", "--bench", "clocks"]
    print(subprocess.run(bench, capture_output=True, text=True, check=True).stdout.strip())
    print()
    print("| simulated, 5 processes | events  | s for a million, judged too: median, most |")
    print("|------------------------|---------|-------------------------------------------|")
    worst = 0.0
    for algorithm in ROUNDS:
        runs = [simulate(algorithm) for _ in range(1 if quick else 7)]
        each = [seconds / events * 1e6 for events, seconds in runs]
        worst = max(worst, statistics.median(each))
        print(f"| {algorithm:22} | {runs[0][0]:7} | {statistics.median(each):27.2f}, {max(each):12.2f} |")
    met = "met" if worst < TARGET else "MISSED"
    print(f"\na million events in at most {worst:.2f} s; target {TARGET:.0f} s: {met}")


main()
