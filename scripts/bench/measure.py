"""What the measurements have in common: servers under load, started on a free port, watched through /proc and stopped by
their own process number; medians, ratios, tables and verdicts."""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A server that says `listening on ADDRESS:PORT` on standard error; its standard output goes to a file. In the
    command `{folder}` is a folder of its own."""

    def __init__(self, command):
        self.folder = tempfile.TemporaryDirectory(prefix="lab-bench-")
        self.out_path = os.path.join(self.folder.name, "out")
        command = [word.replace("{folder}", self.folder.name) for word in command]
        with open(self.out_path, "wb") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE
            )
        line = self.process.stderr.readline().decode(errors="replace")
        # The rest is read away: a full or a closed pipe would hold some servers up.
        self.reader = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.reader.start()
        found = re.match(r"listening on \S*:(\d+)", line)
        if not found:
            self.stop()
            raise SystemExit(f"bench: {' '.join(command)}: said {line!r} and no address")
        self.port = int(found.group(1))

    def cpu(self):
        """Processor seconds so far, with those of its children that have ended."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / TICKS

    def status(self, field, pid=None):
        """A figure of /proc/PID/status: Threads, or KiB as VmHWM and VmRSS; 0 when the process is gone."""
        try:
            with open(f"/proc/{pid or self.process.pid}/status") as file:
                found = re.search(rf"^{field}:\s*(\d+)", file.read(), re.MULTILINE)
        except OSError:
            found = None
        return int(found.group(1)) if found else 0

    def children(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return list(map(int, file.read().split()))

    def lines(self):
        """How many lines it has printed."""
        with open(self.out_path, "rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))

    def stop(self):
        # Not SIGINT: a shell has its background processes ignore that.
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def run_json(command, timeout=300):
    """Runs a program whose last line of output is a JSON object; returns that."""
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=timeout, check=False)
    lines = done.stdout.splitlines()
    if not lines:
        raise SystemExit(f"bench: {' '.join(command)}: no output, exit code {done.returncode}")
    return json.loads(lines[-1])


def whole_process(command, processors=None, all_lines=False):
    """Runs a program to its end, on so many processors at most. Returns seconds, what it used (resource.getrusage), and
    its last line of output, or all of them."""
    ours = os.sched_getaffinity(0)
    # A child inherits it.
    os.sched_setaffinity(0, sorted(ours)[:processors])
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    os.sched_setaffinity(0, ours)
    out = process.stdout.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    last = (out.splitlines() or [""])[-1]
    if status != 0:
        raise SystemExit(f"bench: {' '.join(map(str, command))}: {last}")
    return seconds, used, out if all_lines else last


def client_counts(command, timeout=300):
    """The figures of a thread-client that ran a load with --json."""
    return run_json(command, timeout)["counts"]


def table(rows):
    """Rows of texts, the first one the heading, as a Markdown table."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def say(what):
    """Where it is, on a terminal."""
    if sys.stderr.isatty():
        print(f"  {what:76}", end="\r", file=sys.stderr, flush=True)


def machine():
    """The date, and what this ran on."""
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")
    kernel = os.uname()
    return f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} processors ({model}), {kernel.sysname} {kernel.release}"


def median(runs, figure):
    return statistics.median(run[figure] for run in runs)


def ratio(runs, figure, one, other):
    """The median of the ratios round by round."""
    if one not in runs or other not in runs:
        return None
    return statistics.median(a[figure] / b[figure] for a, b in zip(runs[one], runs[other]))


class Verdicts:
    """What was measured beside what was wanted."""

    def __init__(self):
        self.rows = [["what", "measured", "wanted", ""]]

    def add(self, what, measured, wanted, at_least=True):
        if measured is None:
            self.rows.append([what, "peer missing", f"{wanted}", "-"])
            return
        good = measured >= wanted if at_least else measured <= wanted
        bound = "at least" if at_least else "at most"
        self.rows.append([what, f"{measured:.2f}", f"{bound} {wanted:.2f}", "yes" if good else "NO"])

    def table(self, rounds):
        missed = sum(row[3] == "NO" for row in self.rows)
        heading = f"### What must come out, ratios round by round, medians of {rounds}"
        return f"\n{heading}\n\n{table(self.rows)}\n\n{missed} of {len(self.rows) - 1} missed"
