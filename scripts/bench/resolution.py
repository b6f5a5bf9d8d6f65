"""Recursive name servers in front of the same authoritative servers, asked by dnsperf over loopback: this project's and unbound, each
on one thread. Answers from the cache, and names that no cache has. Called by scripts/bench.sh."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from measure import TICKS, Verdicts, machine, median, ratio, say, table

BUILT, QUICK = sys.argv[1], sys.argv[3:] == ["--quick"]
ROUNDS = 1 if QUICK else 5
SECONDS = 0.5 if QUICK else 5
ZONES = 20
# So many names are in every cache; so many are asked for once.
CACHED, NEW = (200, 2_000) if QUICK else (10_000, 400_000)
ROOT, CHILD, RESOLVER = "127.0.0.1", "127.0.0.2", "127.0.0.3"


def write_zones(folder):
    """A root, and zones of which each name has an address."""
    soa = "60 SOA lab. hostmaster.lab. 1 3600 600 86400 60"
    with open(f"{folder}/root", "w") as file:
        file.write(f". {soa}\n. 86400 NS root.\nroot. 86400 A {ROOT}\n")
        for zone in range(ZONES):
            file.write(f"z{zone}. 86400 NS ns.z{zone}.\nns.z{zone}. 86400 A {CHILD}\n")
    for zone in range(ZONES):
        with open(f"{folder}/z{zone}", "w") as file:
            file.write(f"$ORIGIN z{zone}.\n@ {soa}\n@ 86400 NS ns\nns 86400 A {CHILD}\n* 86400 A 10.0.0.1\n")
    for what, count in [("cached", CACHED), ("new", NEW)]:
        with open(f"{folder}/{what}", "w") as file:
            file.writelines(f"{what}{number}.z{number % ZONES}. A\n" for number in range(count))


def knot(folder, address, zones):
    with open(f"{folder}/{address}.conf", "w") as file:
        file.write(
            f'server:\n rundir: "{folder}/{address}"\n listen: {address}@53\ndatabase:\n storage: "{folder}/{address}"\nzone:\n'
        )
        for domain, name in zones:
            file.write(f' - domain: {domain}\n   storage: "{folder}"\n   file: {name}\n')
    os.mkdir(f"{folder}/{address}")
    return ["knotd", "-c", f"{folder}/{address}.conf"]


def ours(_):
    return [f"{BUILT}/naming", "serve", "--quiet", "--recursive", "--root", f"{ROOT}:53", "--listen", f"{RESOLVER}:53", "--cache", "512"]


def unbound(folder):
    with open(f"{folder}/unbound.conf", "w") as file:
        file.write(
            f'server:\n interface: {RESOLVER}@53\n access-control: 127.0.0.0/8 allow\n do-not-query-localhost: no\n num-threads: 1\n'
            f' directory: "{folder}"\n pidfile: "{folder}/unbound.pid"\n username: ""\n chroot: ""\n use-syslog: no\n logfile: "{folder}/unbound.log"\n'
            f' module-config: "iterator"\n qname-minimisation: no\n msg-cache-size: 256m\n rrset-cache-size: 256m\n'
            f' outgoing-range: 950\n num-queries-per-thread: 512\n'
            f'remote-control:\n control-enable: no\nstub-zone:\n name: "."\n stub-addr: {ROOT}\n'
        )
    return ["unbound", "-d", "-c", f"{folder}/unbound.conf"]


SERVERS = {"ours": ours, "unbound": unbound}


def query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return b"\x07\x07\x01\0\0\x01\0\0\0\0\0\0" + labels + b"\0\0\x01\0\x01"


class Server:
    """A running server, which has answered this question."""

    def __init__(self, command, address, name):
        # Not a new session, to which the kernel would give half of the processors (autogroup), whatever dnsperf needs.
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=os.setpgrp
        )
        until = time.monotonic() + 60
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(0.05)
            asker.connect((address, 53))
            while True:
                try:
                    asker.send(query(name))
                    if asker.recv(512)[3] & 15 == 0:
                        break
                except OSError:
                    pass
                time.sleep(0.01)
                if self.process.poll() is not None or time.monotonic() > until:
                    self.stop()
                    raise SystemExit(f"bench: {' '.join(command)}: does not serve")

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            return sum(map(int, file.read().rpartition(")")[2].split()[11:13])) / TICKS

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def dnsperf(server, folder, what, limits):
    """Asks the questions of a file; answers a second, processor time of each in µs, and how many were lost."""
    before = server.cpu()
    # So many at once that a resolver of one thread has always one to go on with, and joins or refuses none.
    done = subprocess.run(
        ["dnsperf", "-s", RESOLVER, "-p", "53", "-d", f"{folder}/{what}", "-c", "10", "-q", "100", *limits],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    ).stdout
    used = server.cpu() - before
    figure = lambda what: float(re.search(rf"{what}:\s+([\d.]+)", done).group(1))
    codes = re.search(r"Response codes:\s+(.*)", done)
    if not codes or "NOERROR" not in codes.group(1) or "SERVFAIL" in codes.group(1):
        raise SystemExit(f"bench: {what}: {done}")
    completed = figure("Queries completed")
    return {f"{what} rate": figure("Queries per second"), f"{what} cpu": used * 1e6 / completed, f"{what} lost": figure("Queries lost")}


def measure(name, folder):
    server = Server(SERVERS[name](folder), RESOLVER, "first.z0")
    try:
        new = dnsperf(server, folder, "new", ["-n", "1", "-l", str(SECONDS)])
        # Once, to fill the cache.
        dnsperf(server, folder, "cached", ["-n", "1"])
        return new | dnsperf(server, folder, "cached", ["-l", str(SECONDS)])
    finally:
        server.stop()


def main():
    if "LAB_BENCH_INSIDE" not in os.environ:
        for need in ["dnsperf", "knotd", "ip", "unshare"]:
            if not shutil.which(need):
                raise SystemExit(f"bench: {need}: not found")
        # Port 53 of every loopback address is free in a network of its own.
        os.environ["LAB_BENCH_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "-rn", "sh", "-c", 'ip link set lo up; exec python3 "$@"', "sh", *sys.argv])
    there = [name for name in SERVERS if name == "ours" or shutil.which(name)]
    if len(there) < len(SERVERS):
        print("bench: unbound not found, left out", file=sys.stderr)
    print(f"# Recursive name servers\n\n{machine()}; dnsperf, 10 sockets, 100 queries at once, {SECONDS} s each, {ROUNDS} rounds in turn; medians\n")
    runs = {name: [] for name in there}
    with tempfile.TemporaryDirectory(prefix="lab-bench-") as folder:
        os.chmod(folder, 0o755)
        write_zones(folder)
        zones = [(f"z{zone}.", f"z{zone}") for zone in range(ZONES)]
        authorities = []
        try:
            authorities.append(Server(knot(folder, ROOT, [(".", "root")]), ROOT, "z0"))
            authorities.append(Server(knot(folder, CHILD, zones), CHILD, f"a.z{ZONES - 1}"))
            for number in range(ROUNDS):
                for name in there[number % len(there):] + there[: number % len(there)]:
                    say(f"round {number + 1}: {name}")
                    runs[name].append(measure(name, folder))
        finally:
            for server in authorities:
                server.stop()
    rows = [["server", "cached/s", "µs of its CPU each", "lost", "not cached/s", "µs of its CPU each", "lost"]]
    for name in there:
        mine = lambda figure: median(runs[name], figure)
        rows.append([name] + [
            text for what in ["cached", "new"]
            for text in [f"{mine(f'{what} rate'):,.0f}", f"{mine(f'{what} cpu'):.2f}", f"{mine(f'{what} lost'):.0f}"]
        ])
    print(f"{table(rows)}\n", flush=True)
    verdicts = Verdicts()
    for what, words in [("cached", "answers from the cache/s"), ("new", "names that are not cached/s")]:
        verdicts.add(f"{words} / unbound", ratio(runs, f"{what} rate", "ours", "unbound"), 1.0)
        verdicts.add(f"CPU of these / unbound", ratio(runs, f"{what} cpu", "ours", "unbound"), 1.0, at_least=False)
    print(verdicts.table(ROUNDS))


main()
