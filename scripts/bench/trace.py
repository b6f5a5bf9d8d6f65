"""Experiment 6, the reader of all logs: how long it takes for how many events, beside serde_json and ShiViz's parser.

usage: trace.py FOLDER_OF_OURS FOLDER_OF_PEERS [--quick]     called by bench.sh, which builds both

LAB_SHIVIZ=FOLDER is a copy of ShiViz's sources (github.com/DistributedClocks/shiviz); with it and Node.js its parser
reads the same logs. Without, the seconds that were measured for it stand in its place.
"""

import json
import math
import os
import pathlib
import random
import shutil
import statistics
import sys
import tempfile

from measure import whole_process

ours, quick = pathlib.Path(sys.argv[1]) / "lamport", "--quick" in sys.argv[3:]
root = pathlib.Path(__file__).resolve().parents[2]

SECONDS, MEMORY = 2.0, 1024.0
# Read and checked, by what serde_json takes to parse the same lines into the same type on one thread.
BY_PARSING = 2.0
TIMES = 200
# ShiViz's parser by itself on random logs of 5 hosts, measured on a machine with 2 processors.
MEASURED = {1_000: 0.04, 5_000: 0.7, 20_000: 16.4, 50_000: 117.0}
SIZES = [1_000, 3_000] if quick else [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
PROCESSES = [4] if quick else [4, 16, 64, 100]


def simulated(folder, events, processes):
    """Logs of about so many events, a third of them sendings and a third receipts."""
    # Of 16 things that a process begins, 15 are messages, which somebody receives.
    count = max(1, round(events / processes / 1.9375))
    logs = folder / f"{events}-{processes}"
    seed = ["--count", str(count), "--rate", "100000", "--show", "0", "--logs", str(logs)]
    whole_process([ours, "simulate", "events", "--processes", str(processes), *seed])
    lines = sum(sum(1 for _ in open(log, "rb")) for log in logs.iterdir())
    return logs, lines


def checked(path, events, rounds):
    """Reads, merges, stamps and checks: median seconds, and MiB."""
    runs = [whole_process([ours, "trace", path, "--check", "--json"]) for _ in range(rounds)]
    counts = json.loads(runs[0][2])["counts"]
    if counts["events"] != events or counts["violated"]:
        raise SystemExit(f"bench: {path}: {counts}")
    return statistics.median(run[0] for run in runs), max(run[1].ru_maxrss for run in runs) / 1024


def random_log(path, events, hosts=5):
    """A log of hosts that send to one another at random, in ShiViz's default layout."""
    chance = random.Random(1)
    clocks = [[0] * hosts for _ in range(hosts)]
    under_way = []
    with open(path, "w", encoding="ascii") as log:
        log.write("(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n\n")
        for number in range(events):
            host = chance.randrange(hosts)
            words = f"step {number}"
            if under_way and chance.random() < 0.4:
                sent = under_way.pop(chance.randrange(len(under_way)))
                clocks[host] = [max(pair) for pair in zip(clocks[host], sent)]
                words = f"receive {number}"
            clocks[host][host] += 1
            if chance.random() < 0.4:
                under_way.append(clocks[host][:])
                words = f"send {number}"
            clock = {f"h{other}": count for other, count in enumerate(clocks[host]) if count}
            log.write(f"{words}\nh{host} {json.dumps(clock)}\n")


def plot(points, path):
    """Seconds by events, both by their logarithms."""
    width, height, left, bottom = 640, 400, 80, 50
    x = lambda events: left + (math.log10(events) - 3) / 3 * (width - left - 40)
    low, high = -3, 1
    y = lambda seconds: height - bottom - (math.log10(seconds) - low) / (high - low) * (height - bottom - 30)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="white"/>',
           f'<text x="{left}" y="18">lamport trace --check, 16 processes; dashed: in proportion to the events</text>',
           f'<text x="{(left + width - 40) / 2:.0f}" y="{height - 10}" text-anchor="middle" font-style="italic">events in the logs</text>',
           f'<text x="14" y="{(height - bottom + 30) / 2:.0f}" text-anchor="middle" font-style="italic" transform="rotate(-90 14 {(height - bottom + 30) / 2:.0f})">time to check</text>']
    for power in range(3, 7):
        at = x(10 ** power)
        out.append(f'<line x1="{at:.0f}" x2="{at:.0f}" y1="30" y2="{height - bottom}" stroke="#ddd"/>'
                   f'<text x="{at:.0f}" y="{height - bottom + 18}" text-anchor="middle">{10 ** power:,}</text>')
    for power in range(low, high + 1):
        at = y(10 ** power)
        out.append(f'<line x1="{left}" x2="{width - 40}" y1="{at:.0f}" y2="{at:.0f}" stroke="#ddd"/>'
                   f'<text x="{left - 8}" y="{at + 4:.0f}" text-anchor="end">{10.0 ** power:g} s</text>')
    line = " ".join(f"{x(events):.1f},{y(seconds):.1f}" for events, seconds in points)
    events, seconds = points[-1]
    first = max(1_000, events * 10 ** low / seconds)
    out.append(f'<line x1="{x(first):.1f}" y1="{y(seconds * first / events):.1f}" x2="{x(events):.1f}" y2="{y(seconds):.1f}" stroke="#888" stroke-dasharray="5 4"/>')
    out.append(f'<polyline points="{line}" fill="none" stroke="#0072b2" stroke-width="2"/>')
    out += [f'<circle cx="{x(events):.1f}" cy="{y(seconds):.1f}" r="3.5" fill="#0072b2"><title>{events:,} events: {seconds:.3f} s</title></circle>' for events, seconds in points]
    path.write_text("\n".join(out) + "\n</svg>\n", encoding="utf-8")


def by_events(folder):
    print("| 16 processes, events | s, median | s for a million | MiB at the most |")
    print("|----------------------|-----------|-----------------|-----------------|")
    points = []
    for size in SIZES:
        logs, events = simulated(folder, size, 16)
        seconds, memory = checked(logs, events, 1 if quick else 5)
        points.append((events, seconds))
        print(f"| {events:20,} | {seconds:9.3f} | {seconds / events * 1e6:15.2f} | {memory:15.0f} |")
        if size != SIZES[-1]:
            shutil.rmtree(logs)
    picture = root / "target" / "trace-scaling.svg"
    plot(points, picture)
    print(f"\ndrawn: {picture.relative_to(root)}\n")
    return points[-1], memory


def beside_serde(logs, rounds):
    """Read and checked, in turn with serde_json alone, which parses the same lines into the same type on one thread from
    memory. Returns the median ratio of the seconds, and of the processor's seconds, to those of serde_json."""
    parse = [ours.parent / "examples" / "parse_log_lines", *sorted(logs.iterdir())]
    runs = []
    for _ in range(rounds):
        parsed = json.loads(whole_process(parse)[2])
        seconds, used, _ = whole_process([ours, "trace", logs, "--check", "--json"])
        runs.append((parsed["seconds"], seconds, used.ru_utime + used.ru_stime))
    alone, seconds, processor = (statistics.median(run[figure] for run in runs) for figure in range(3))
    by_seconds, by_processor = (statistics.median(run[figure] / run[0] for run in runs) for figure in (1, 2))
    print(f"| {parsed['lines']:9,} lines                              | s    | by serde_json |")
    print("|----------------------------------------------|------|---------------|")
    print(f"| serde_json parses them, 1 thread, from memory | {alone:4.2f} | {1:13.2f} |")
    print(f"| read and checked, {os.cpu_count()} processors: seconds        | {seconds:4.2f} | {by_seconds:13.2f} |")
    print(f"| read and checked: seconds of the processors  | {processor:4.2f} | {by_processor:13.2f} |")
    print()
    return by_seconds, by_processor


def by_processes(folder):
    size = 3_000 if quick else 300_000
    print("| events  | processes | s, median |")
    print("|---------|-----------|-----------|")
    for processes in PROCESSES:
        logs, events = simulated(folder, size, processes)
        seconds, _ = checked(logs, events, 1 if quick else 5)
        print(f"| {events:7,} | {processes:9} | {seconds:9.3f} |")
        shutil.rmtree(logs)
    print()


def beside_shiviz(folder):
    shiviz = os.environ.get("LAB_SHIVIZ")
    real = shiviz and shutil.which("node")
    print(f"ShiViz's parser: {'measured here' if real else 'as measured before; LAB_SHIVIZ and node not there'}\n")
    print("| random log of 5 hosts | lamport trace --check, s | ShiViz's parser alone, s | theirs / ours |")
    print("|-----------------------|--------------------------|--------------------------|---------------|")
    last = None
    for events in [1_000] if quick else list(MEASURED):
        log = folder / f"{events}.log"
        random_log(log, events)
        seconds, _ = checked(log, events, 1 if quick else 5)
        theirs = MEASURED[events]
        if real:
            read = json.loads(whole_process(["node", root / "scripts/peers/shiviz.js", shiviz, log])[2])
            if read["events"] != events:
                raise SystemExit(f"bench: ShiViz read {read['events']} events of {events}")
            theirs = read["seconds"]
        last = theirs / seconds
        print(f"| {events:21,} | {seconds:24.3f} | {theirs:24.2f} | {last:13.0f} |")
    print()
    return last


def page(folder, logs):
    """How long the page takes to be written, and how large it is."""
    html = folder / "page.html"
    seconds, used, _ = whole_process([ours, "trace", logs, "--html", html, "--show", "0"])
    print(f"the page of the last one: written in {seconds:.1f} s and {used.ru_maxrss / 1024:.0f} MiB, {html.stat().st_size / 2**20:.0f} MiB large")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (events, seconds), memory = by_events(folder)
        by_seconds, by_processor = beside_serde(folder / f"{SIZES[-1]}-16", 1 if quick else 7)
        page(folder, folder / f"{SIZES[-1]}-16")
        print()
        by_processes(folder)
        ratio = beside_shiviz(folder)
    met = {True: "met", False: "MISSED"}
    print(f"{events:,} events in {seconds:.2f} s; target {SECONDS:.0f} s: {met[seconds < SECONDS]}")
    for ratio_of, what in ((by_seconds, "seconds"), (by_processor, "seconds of the processors")):
        print(f"{ratio_of:.2f} of serde_json's parsing alone, in {what}; target {BY_PARSING:.2f}: {met[quick or ratio_of <= BY_PARSING]}")
    print(f"{memory:.0f} MiB at the most; target {MEMORY:.0f}: {met[memory < MEMORY]}")
    print(f"ShiViz's parser takes {ratio:.0f} times as long; target {TIMES}: {met[quick or ratio >= TIMES]}")


main()
