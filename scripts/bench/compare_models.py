"""The same loads on every model of thread-server: one table, and one picture. compare-models.sh builds the programs and
calls this with their folder, the picture's path, and --quick or nothing."""

import os
import subprocess
import sys
import threading
import time

from measure import Server, client_counts, table

OURS, PICTURE, QUICK = sys.argv[1], sys.argv[2], sys.argv[3:] == ["--quick"]
MODELS = ["iterative", "thread-per-connection", "process-per-connection", "pool", "prethreaded", "event-driven"]
FOR = "300ms" if QUICK else "4s"
IDLE = 50 if QUICK else 2_000
WORKERS = 8

# Name, description, the server's flags, and whether there are idle clients beside the busy ones.
LOADS = [
    ("fast", "32 clients, answered at once", [], False),
    ("work", "32 clients, each reply waits 20 ms", ["--work", "20ms"], False),
    ("spin", "32 clients, each reply computes 2 ms", ["--spin", "2ms"], False),
    ("held", f"32 clients beside {IDLE:,} that are connected and idle", [], True),
]

# Key, heading, and format.
COLUMNS = [
    ("rate", "exchanges/s", lambda value: f"{value:,.0f}"),
    ("p50", "p50, ms", lambda value: f"{value:.2f}" if value is not None else "-"),
    ("p99", "p99, ms", lambda value: f"{value:.2f}" if value is not None else "-"),
    ("failed", "failed", lambda value: f"{value:,.0f}"),
    ("threads", "threads", lambda value: f"{value:,.0f}"),
    ("processes", "processes", lambda value: f"{value:,.0f}"),
    ("memory", "peak MB", lambda value: f"{value:.1f}"),
    ("cpu", "CPU each, µs", lambda value: f"{value:,.0f}" if value is not None else "-"),
]


class Watcher:
    """Samples a server and its children, and keeps the maxima."""

    def __init__(self, server):
        self.server = server
        self.threads = self.processes = self.memory = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.over.wait(0.1):
            children = self.server.children()
            # Of a child only its private memory: the program itself is in memory once.
            own = sum(self.server.status("RssAnon", child) for child in children)
            self.threads = max(self.threads, self.server.status("Threads") + len(children))
            self.processes = max(self.processes, 1 + len(children))
            self.memory = max(self.memory, (self.server.status("VmRSS") + own) / 1024)

    def stop(self):
        self.over.set()
        self.thread.join()


def measure(model, flags, with_idle):
    command = [f"{OURS}/thread-server", "--listen", "127.0.0.1:0", "--model", model]
    if model in ("pool", "prethreaded"):
        command += ["--workers", str(WORKERS)]
    command += ["--max-clients", "5000", "--timeout", "60s", "--grace", "1s", *flags]
    with Server(command) as server:
        client = [f"{OURS}/thread-client", "--connect", f"127.0.0.1:{server.port}", "--json"]
        idle = None
        if with_idle:
            hold = [*client, "--clients", str(IDLE), "--hold", "60s", "--timeout", "60s"]
            idle = subprocess.Popen(hold, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            idle.stderr.readline()
            # Until the server has accepted as many as it can.
            before = None
            while before != (before := (server.lines(), len(server.children()))):
                time.sleep(0.3)
        watcher = Watcher(server)
        cpu, started = server.cpu(), time.monotonic()
        busy = [*client, "--quiet", "--clients", "32", "--for", FOR, "--timeout", "1s"]
        counts = client_counts(busy)
        elapsed = time.monotonic() - started
        if idle:
            idle.terminate()
            idle.communicate()
        watcher.stop()
        answered = counts["exchanges"]
        return {
            "rate": answered / elapsed,
            "p50": counts["latency_p50_us"] / 1000 if answered else None,
            "p99": counts["latency_p99_us"] / 1000 if answered else None,
            "failed": counts["failed"],
            "threads": watcher.threads,
            "processes": watcher.processes,
            "memory": watcher.memory,
            "cpu": (server.cpu() - cpu) / answered * 1e6 if answered else None,
        }


def picture(results):
    """A panel for each load and figure, a bar for each model, as a few rectangles."""
    panels = [("rate", "exchanges/s"), ("p99", "p99, ms"), ("memory", "peak memory, MB"), ("cpu", "server's CPU each, µs")]
    colours = ["#7a7a7a", "#336699", "#8c5a2b", "#4d8f4d", "#b03030", "#7b4fa0"]
    left, wide, high, bar = 165, 255, 150, 17
    width, height = left + len(panels) * wide + 10, 70 + len(LOADS) * high
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="11" role="img" aria-label="Six models of a server under four loads">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        '<text x="12" y="26" font-size="17">Six models under four loads</text>',
    ]
    for column, (_, heading) in enumerate(panels):
        out.append(f'<text x="{left + column * wide}" y="50" font-weight="bold">{heading}</text>')
    for row, (load, what, _, _) in enumerate(LOADS):
        top = 62 + row * high
        out.append(f'<text x="12" y="{top + 12}" font-weight="bold">{load}: {what}</text>')
        for line, model in enumerate(MODELS):
            y = top + 20 + line * (bar + 3)
            out.append(f'<text x="12" y="{y + 12}" fill="{colours[line]}">{model}</text>')
            for column, (key, _) in enumerate(panels):
                value = results[load][model][key]
                most = max(other[key] or 0 for other in results[load].values()) or 1
                length = (value or 0) / most * (wide - 75)
                text = next(write for name, _, write in COLUMNS if name == key)(value)
                if value is None:
                    text = "none answered"
                x = left + column * wide
                out.append(f'<rect x="{x}" y="{y}" width="{max(length, 1):.1f}" height="{bar}" fill="{colours[line]}"/>')
                out.append(f'<text x="{x + max(length, 1) + 4:.1f}" y="{y + 12}">{text}</text>')
    out.append("</svg>")
    return "\n".join(out)


def main():
    results, rows = {}, [["load", "model"] + [heading for _, heading, _ in COLUMNS]]
    for load, what, flags, with_idle in LOADS:
        results[load] = {}
        for model in MODELS:
            if sys.stderr.isatty():
                print(f"  {load}: {model:40}", end="\r", file=sys.stderr, flush=True)
            figures = measure(model, flags, with_idle)
            results[load][model] = figures
            rows.append([load, model] + [write(figures[key]) for key, _, write in COLUMNS])
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} processors, {WORKERS} workers in pool and prethreaded\n")
    for load, what, _, _ in LOADS:
        print(f"{load}: {what}")
    print(f"\n{table(rows)}")
    with open(PICTURE, "w", encoding="utf-8") as file:
        file.write(picture(results))
    print(f"\npicture: {os.path.relpath(PICTURE)}")


main()
