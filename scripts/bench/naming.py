"""Name servers with the same zone, queried by dnsperf over loopback: this project's, Knot, NSD, dnsmasq, BIND, and an upper
bound that answers without a look-up; one after the other, each restarted. Called by scripts/bench.sh."""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from measure import TICKS, Verdicts, machine, median, ratio, say, table

BUILT, PEERS, QUICK = sys.argv[1], sys.argv[2], sys.argv[3:] == ["--quick"]
SIZES = [200] if QUICK else [10_000, 1_000_000]
ROUNDS = 1 if QUICK else 5
SECONDS = 0.5 if QUICK else 4
THREADS = max(2, os.cpu_count() or 2)
PEERS_OF_OURS = ["Knot", "NSD", "dnsmasq", "BIND"]


def names(count):
    """Half of them flat, half structured: (name in DNS, address)."""
    for number in range(count // 2):
        yield f"server{number}.flat", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    for number in range(count - count // 2):
        yield f"server{number % 1000}.region{number // 1000}", f"11.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def write_zones(folder, count):
    """Writes the same names as a names file, a zone file, a hosts file and queries."""
    tree, questions = {}, []
    with open(f"{folder}/lab.zone", "w") as zone, open(f"{folder}/lab.hosts", "w") as hosts:
        zone.write("$ORIGIN lab.\n$TTL 60\n@ SOA lab. hostmaster.lab. 1 3600 600 86400 60\n@ NS lab.\n@ A 127.0.0.1\n")
        for name, address in names(count):
            zone.write(f"{name} A {address}\n")
            hosts.write(f"{address} {name}.lab\n")
            questions.append(name)
            server, region = name.split(".")
            if region == "flat":
                tree[server] = address
            else:
                tree.setdefault(region, {})[server] = address
    with open(f"{folder}/lab.json", "w") as file:
        json.dump(tree, file, indent=1)
    chosen = random.Random(1)
    with open(f"{folder}/questions", "w") as file:
        for _ in range(min(200_000, count * 10)):
            file.write(f"{chosen.choice(questions)}.lab A\n")
    return questions[-1]


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        one.bind(("127.0.0.1", 0))
        other.bind(one.getsockname())
        return one.getsockname()[1]


def knot(folder, port):
    with open(f"{folder}/knot.conf", "w") as file:
        file.write(
            f'server:\n rundir: "{folder}"\n listen: 127.0.0.1@{port}\n udp-workers: {THREADS}\n'
            f'database:\n storage: "{folder}"\nzone:\n - domain: lab.\n   storage: "{folder}"\n   file: lab.zone\n'
        )
    return ["knotd", "-c", f"{folder}/knot.conf"]


def nsd(folder, port):
    with open(f"{folder}/nsd.conf", "w") as file:
        file.write(
            f'server:\n ip-address: 127.0.0.1@{port}\n server-count: {THREADS}\n reuseport: yes\n username: ""\n chroot: ""\n'
            f' zonesdir: "{folder}"\n database: ""\n pidfile: "{folder}/nsd.pid"\n xfrdfile: "{folder}/xfrd"\n'
            f' zonelistfile: "{folder}/zones"\nremote-control:\n control-enable: no\nzone:\n name: lab.\n zonefile: lab.zone\n'
        )
    return ["nsd", "-d", "-c", f"{folder}/nsd.conf"]


def dnsmasq(folder, port):
    return [
        "dnsmasq", "--keep-in-foreground", f"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv",
        "--no-hosts", f"--addn-hosts={folder}/lab.hosts", "--local=/lab/", "--conf-file=/dev/null", "--pid-file",
        "--user=", "--group=",
    ]


def bind(folder, port):
    with open(f"{folder}/named.conf", "w") as file:
        file.write(
            f'options {{ directory "{folder}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no;'
            f' pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key"; minimal-responses yes; }};\n'
            f'controls {{ }};\nzone "lab." {{ type primary; file "lab.zone"; }};\n'
        )
    return ["named", "-f", "-n", str(THREADS), "-c", f"{folder}/named.conf"]


def ours(folder, port):
    return [f"{BUILT}/naming", "serve", "--listen", f"127.0.0.1:{port}", "--names", f"{folder}/lab.json"]


def bound(_, port):
    return [f"{PEERS}/dns-bound", str(port), str(THREADS)]


SERVERS = {"ours": ours, "bound": bound, "Knot": knot, "NSD": nsd, "dnsmasq": dnsmasq, "BIND": bind}


def query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in f"{name}.lab".split("."))
    return b"\x07\x07\x01\0\0\x01\0\0\0\0\0\0" + labels + b"\0\0\x01\0\x01"


class Server:
    """A running name server, with its processor time and memory, including those of its children."""

    def __init__(self, command, port, name):
        begun = time.monotonic()
        # A new process group, so that the children are stopped too; not a new session, to which the kernel would give half
        # of the processors (autogroup), whatever dnsperf needs.
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=os.setpgrp
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(0.01)
            asker.connect(("127.0.0.1", port))
            while True:
                try:
                    asker.send(query(name))
                    answer = asker.recv(512)
                    # The last of the names is answered: all are loaded.
                    if answer[3] & 15 == 0 and answer[7] == 1:
                        break
                    time.sleep(0.005)
                except OSError:
                    time.sleep(0.005)
                if self.process.poll() is not None or time.monotonic() - begun > 120:
                    self.stop()
                    raise SystemExit(f"bench: {' '.join(command)}: does not serve")
        self.loading = time.monotonic() - begun

    def processes(self):
        found, new = [], [self.process.pid]
        while new:
            found += new
            children = []
            for pid in new:
                try:
                    with open(f"/proc/{pid}/task/{pid}/children") as file:
                        children += map(int, file.read().split())
                except OSError:
                    pass
            new = children
        return found

    def cpu(self):
        total = 0
        for pid in self.processes():
            with open(f"/proc/{pid}/stat") as file:
                total += sum(map(int, file.read().rpartition(")")[2].split()[11:13]))
        return total / TICKS

    def memory(self):
        """The peak memory in MB; of several processes the current proportional share, because they share most of it."""
        processes = self.processes()
        if len(processes) == 1:
            with open(f"/proc/{processes[0]}/status") as file:
                return int(re.search(r"VmHWM:\s*(\d+)", file.read()).group(1)) / 1024
        total = 0
        for pid in processes:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += int(re.search(r"^Pss:\s*(\d+)", file.read(), re.MULTILINE).group(1))
        return total / 1024

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(timeout=30)
        except ProcessLookupError:
            self.process.wait()
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def measure(name, folder, last):
    port = free_port()
    server = Server(SERVERS[name](folder, port), port, last)
    try:
        before = server.cpu()
        done = subprocess.run(
            ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", f"{folder}/questions", "-l", str(SECONDS), "-c", "20", "-T",
             str(THREADS), "-q", "200"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        ).stdout
        used = server.cpu() - before
        memory = server.memory()
    finally:
        server.stop()
    figure = lambda what: float(re.search(rf"{what}:\s+([\d.]+)", done).group(1))
    if "NOERROR" not in done:
        raise SystemExit(f"bench: {name}: {done}")
    completed = figure("Queries completed")
    return {
        "rate": figure("Queries per second"),
        "cpu": used * 1e6 / completed,
        "lost": figure("Queries lost"),
        "loading": server.loading,
        "memory": memory,
    }


def main():
    for need in ["dnsperf"]:
        if not shutil.which(need):
            raise SystemExit(f"bench: {need}: not found")
    there = [name for name in SERVERS if os.path.exists(SERVERS[name]("/tmp", 1)[0]) or shutil.which(SERVERS[name]("/tmp", 1)[0])]
    for name in SERVERS:
        if name not in there:
            print(f"bench: {name} not found, left out", file=sys.stderr)
    print(f"# Name servers\n\n{machine()}; dnsperf, 20 sockets, {SECONDS} s each, {ROUNDS} rounds in turn; medians\n")
    verdicts = Verdicts()
    for count in SIZES:
        runs = {name: [] for name in there}
        with tempfile.TemporaryDirectory(prefix="lab-bench-") as folder:
            os.chmod(folder, 0o755)
            last = write_zones(folder, count)
            for number in range(ROUNDS):
                # Each round begins with another server.
                order = there[number % len(there):] + there[: number % len(there)]
                for name in order:
                    say(f"{count} names, round {number + 1}: {name}")
                    runs[name].append(measure(name, folder, last))
        rows = [["server", "queries/s", "µs of its CPU each", "lost", "loaded in s", "MB"]]
        for name in there:
            mine = lambda figure: median(runs[name], figure)
            rows.append([name, f"{mine('rate'):,.0f}", f"{mine('cpu'):.2f}", f"{mine('lost'):.0f}", f"{mine('loading'):.2f}", f"{mine('memory'):.0f}"])
        print(f"## {count:,} names\n\n{table(rows)}\n", flush=True)
        peers = [name for name in PEERS_OF_OURS if name in there]
        if peers:
            runs["best"] = [
                {"rate": max(one["rate"] for one in each), "cpu": min(one["cpu"] for one in each)}
                for each in zip(*(runs[name] for name in peers))
            ]
        verdicts.add(f"queries/s / best of the four, {count:,} names", ratio(runs, "rate", "ours", "best"), 1.1)
        verdicts.add(f"CPU per query / best of the four, {count:,} names", ratio(runs, "cpu", "ours", "best"), 0.9, at_least=False)
        verdicts.add(f"queries/s / bound, {count:,} names", ratio(runs, "rate", "ours", "bound"), 0.9)
        if count >= 1_000_000 or QUICK:
            verdicts.add(f"time to load / Knot, {count:,} names", ratio(runs, "loading", "ours", "Knot"), 1.0, at_least=False)
            verdicts.add(f"memory / Knot, {count:,} names", ratio(runs, "memory", "ours", "Knot"), 1.0, at_least=False)
    print(verdicts.table(ROUNDS))


main()
