"""Experiment 3 against its peers: bench.sh builds the programs and calls this with their folder, the peers' folder, and
--quick or nothing."""

import json
import os
import statistics
import subprocess
import sys
import time

from measure import Server, Verdicts, client_counts, median, machine, ratio, run_json, say, table

OURS, PEERS, QUICK = sys.argv[1], sys.argv[2], sys.argv[3:] == ["--quick"]
EXCHANGES = 2_000 if QUICK else 100_000
ROUNDS = 1 if QUICK else 3
HELD = 200 if QUICK else 9_000
LOGGED = ["--log", "{folder}/log"]


def ours(model, *flags):
    return [f"{OURS}/thread-server", "--listen", "127.0.0.1:0", "--model", model, *flags]


def peer(name):
    return [f"{PEERS}/{name}"]


SERVERS = {
    "bound (C, SO_REUSEPORT, prints nothing)": peer("bound"),
    "C threads": peer("c-threads"),
    "Go": peer("goroutines"),
    "tokio": peer("tokio-tasks"),
    "std threads": peer("std-threads"),
    "mpsc pool": peer("mpsc-pool"),
    "prethreaded, logged": ours("prethreaded", *LOGGED),
    "thread-per-connection": ours("thread-per-connection"),
    "pool": ours("pool"),
    "event-driven": ours("event-driven"),
}
BOUND = "bound (C, SO_REUSEPORT, prints nothing)"
VERDICTS = Verdicts()
SERVERS = {name: command for name, command in SERVERS.items() if os.path.exists(command[0])}


def generator(server, clients, exchanges):
    """The command of the C load generator, one thread on epoll, which loads all servers alike."""
    return [f"{PEERS}/load", str(server.port), str(clients), str(exchanges)]


def client(server, clients, exchanges):
    """A closed loop by thread-client."""
    address = f"127.0.0.1:{server.port}"
    load = ["--clients", str(clients), "--requests", str(exchanges)]
    return client_counts([f"{OURS}/thread-client", "--connect", address, "--json", "--quiet", *load])


def one_run(command, clients):
    """One load on a fresh server, after a short one to warm it up."""
    with Server(command) as server:
        run_json(generator(server, clients, 1000))
        before = server.cpu()
        result = run_json(generator(server, clients, EXCHANGES))
        time.sleep(0.05)
        if command[0].startswith(OURS):
            # With --json the first line is the event that the server is ready.
            expected = 2 * (EXCHANGES + 1000) + ("--json" in command)
            if result["failed"] or server.lines() != expected:
                what = f"{result['failed']} failed, {server.lines()} lines, not {expected}"
                raise SystemExit(f"bench: {' '.join(command)}: {what}")
        return {
            "rate": (EXCHANGES - result["failed"]) / result["seconds"],
            "cpu": (server.cpu() - before) / EXCHANGES * 1e6,
            "p50": result["p50_us"],
            "p99": result["p99_us"],
            "failed": result["failed"],
            "memory": server.status("VmHWM") / 1024,
        }


def measure(commands, clients):
    """Every server in turn, round after round, so that a machine whose speed drifts drifts for all."""
    runs = {name: [] for name in commands}
    for number in range(ROUNDS):
        for name, command in commands.items():
            say(f"round {number + 1}, {clients} at once: {name}")
            runs[name].append(one_run(command, clients))
    say("")
    return runs


def servers():
    for clients in (32, 256):
        runs = measure(SERVERS, clients)
        rows = [["server", "exchanges/s", "of the bound", "its CPU, µs each", "p50 ms", "p99 ms", "peak MB", "failed"]]
        for name, of_name in runs.items():
            rows.append([
                name,
                f"{median(of_name, 'rate'):,.0f}",
                f"{ratio(runs, 'rate', name, BOUND):.2f}",
                f"{median(of_name, 'cpu'):.0f}",
                f"{median(of_name, 'p50') / 1000:.2f}",
                f"{median(of_name, 'p99') / 1000:.2f}",
                f"{median(of_name, 'memory'):.1f}",
                f"{sum(run['failed'] for run in of_name)}",
            ])
        print(f"\n### {clients} clients at once, {EXCHANGES:,} exchanges, medians of {ROUNDS}\n\n{table(rows)}", flush=True)
        ours, at = "prethreaded, logged", f", {clients} at once"
        VERDICTS.add(f"prethreaded, logged / bound: rate{at}", ratio(runs, "rate", ours, BOUND), 1.0)
        VERDICTS.add(f"prethreaded, logged / bound: CPU{at}", ratio(runs, "cpu", ours, BOUND), 1.25, False)
        VERDICTS.add(f"prethreaded, logged / bound: p99{at}", ratio(runs, "p99", ours, BOUND), 1.0, False)
        VERDICTS.add(f"prethreaded, logged / Go: rate{at}", ratio(runs, "rate", ours, "Go"), 1.25)
        VERDICTS.add(f"prethreaded, logged / tokio: rate{at}", ratio(runs, "rate", ours, "tokio"), 1.4)
        ours = "thread-per-connection"
        VERDICTS.add(f"{ours} / C threads: rate{at}", ratio(runs, "rate", ours, "C threads"), 1.0)
        VERDICTS.add(f"{ours} / std threads: rate{at}", ratio(runs, "rate", ours, "std threads"), 1.25)
        VERDICTS.add(f"pool / mpsc pool: rate{at}", ratio(runs, "rate", "pool", "mpsc pool"), 1.0)
        VERDICTS.add(f"event-driven / tokio: rate{at}", ratio(runs, "rate", "event-driven", "tokio"), 1.25)


def the_handouts():
    """The handout's design in Python, 32 clients at once."""
    command = ["python3", os.path.join(os.path.dirname(__file__), "../peers/thread_server.py"), "0"]
    exchanges = 500 if QUICK else 5_000
    with Server(command) as server:
        before = server.cpu()
        counts = client(server, 32, exchanges)
        cpu = (server.cpu() - before) / exchanges * 1e6
    print(
        f"\nThe handout's design in Python, 32 at once, {exchanges:,} exchanges: {counts['per_second']:,} a second, "
        f"{cpu:.0f} µs of its CPU each, p99 {counts['latency_p99_us'] / 1000:,.0f} ms, {counts['failed']} failed.",
        flush=True,
    )


def logging():
    """The cost of the log and of JSON on standard output."""
    plain, logged = "lines only", "--json --log"
    commands = {
        plain: ours("prethreaded"),
        logged: ours("prethreaded", "--json", *LOGGED),
    }
    for clients in (32, 256):
        runs = measure(commands, clients)
        rate = ratio(runs, "rate", logged, plain)
        VERDICTS.add(f"prethreaded, --json --log / lines only: rate, {clients} at once", rate, 0.9)


def held():
    """Clients that connect at once, stay idle, and then all send."""
    many = ["--workers", str(HELD), "--max-clients", str(HELD)]
    commands = {
        "thread-per-connection": ours("thread-per-connection"),
        "pool, a worker each": ours("pool", *many),
        "prethreaded, a worker each": ours("prethreaded", *many),
        "event-driven": ours("event-driven"),
        "C threads": peer("c-threads"),
        "Go": peer("goroutines"),
        "tokio": peer("tokio-tasks"),
        "std threads": peer("std-threads"),
    }
    say("")
    rows = [["server", "all connected after", "memory MB", "answered", "failed"]]
    figures = {}
    for name, command in commands.items():
        if not os.path.exists(command[0]):
            continue
        taken = []
        for _ in range(ROUNDS):
            say(f"{HELD} held: {name}")
            with Server(command) as server:
                holding = [f"{OURS}/thread-client", "--connect", f"127.0.0.1:{server.port}", "--json"]
                holding += ["--clients", str(HELD), "--hold", "2s", "--timeout", "60s"]
                with subprocess.Popen(holding, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
                    running.stderr.readline()
                    time.sleep(1.5)
                    memory = server.status("VmRSS") / 1024
                    out, _ = running.communicate(timeout=300)
                    counts = json.loads(out.splitlines()[-1])["counts"]
                taken.append((counts["connected_us"] / 1e6, memory, counts["exchanges"], counts["failed"]))
        seconds, memory, answered, failed = (statistics.median(column) for column in zip(*taken))
        figures[name] = seconds, memory, answered
        rows.append([name, f"{seconds:.2f} s", f"{memory:.0f}", f"{answered:.0f}", f"{failed:.0f}"])
    print(f"\n### {HELD:,} clients connect at once, are idle for 2 s, and send; medians of {ROUNDS}\n\n{table(rows)}", flush=True)
    for name in list(commands)[:4]:
        seconds, memory, answered = figures[name]
        VERDICTS.add(f"{name}: {HELD:,} connected, s", seconds, 1.0, False)
        VERDICTS.add(f"{name}: share answered of {HELD:,}", answered / HELD, 1.0)
    VERDICTS.add(f"thread-per-connection: MB for {HELD:,}", figures["thread-per-connection"][1], 90, False)
    VERDICTS.add(f"event-driven: MB for {HELD:,}", figures["event-driven"][1], 15, False)
    if "tokio" in figures:
        memory = figures["event-driven"][1] / figures["tokio"][1]
        VERDICTS.add(f"event-driven / tokio: memory for {HELD:,}", memory, 1.0, False)


def generators():
    """The load generators against the bound."""
    for clients in (32, 256):
        say(f"load generators, {clients} at once")
        rates = []
        for _ in range(ROUNDS):
            with Server(SERVERS[BOUND]) as server:
                counts = client(server, clients, EXCHANGES)
            with Server(SERVERS[BOUND]) as server:
                other = run_json(generator(server, clients, EXCHANGES))
            rates.append(counts["exchanges"] / counts["elapsed_us"] * 1e6 / (EXCHANGES / other["seconds"]))
        measured = statistics.median(rates)
        VERDICTS.add(f"thread-client / C epoll load generator: rate, {clients} at once", measured, 0.9)
    say("")


def main():
    if BOUND not in SERVERS or not os.path.exists(f"{PEERS}/load"):
        raise SystemExit("bench: no C compiler: the bound and the load generator are written in C")
    for name in {"C threads", "Go", "tokio", "std threads", "mpsc pool"} - SERVERS.keys():
        print(f"left out, as it could not be built: {name}")
    print(machine())
    servers()
    the_handouts()
    logging()
    held()
    generators()
    print(VERDICTS.table(ROUNDS))


main()
