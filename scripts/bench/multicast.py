"""Experiment 4 against its peers: bench.sh builds and calls this with the folder of our programs, the peers', and
--quick or nothing."""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from measure import Verdicts, median, machine, ratio, say, table
from netlab import Lab

OURS, PEERS, QUICK = sys.argv[1], sys.argv[2], sys.argv[3:] == ["--quick"]
SECONDS = 0.3 if QUICK else 3
ROUNDS = 1 if QUICK else 3
MANY = 4 if QUICK else 16
SHAPES = [(64, 1), (1400, MANY)] if QUICK else [(size, receivers) for receivers in (1, 4, MANY) for size in (64, 1400)]
GROUP, PORT = "224.1.1.1", "5007"
RATE = 20_000 if QUICK else 200_000

BOUND, PLAIN, IPERF = "C, UDP_SEGMENT and UDP_GRO (bound)", "C, sendto and recvfrom", "iperf2"
STAMPED, STAMPED_PLAIN = "mcast, stamped", "mcast, stamped, --offload off"


class Place:
    """Where it is measured: the sending host, the receiving hosts, and their interface's address."""

    def __init__(self, name, lab, sender, receivers, addresses):
        self.name, self.lab, self.sender, self.receivers, self.addresses = name, lab, sender, receivers, addresses

    def address(self, host):
        return self.addresses.format(host)


class Ours:
    """mcast-server and mcast-client, with stamps and counts, and with the output that they print by default."""

    def __init__(self, *flags):
        self.flags = flags

    def receiver(self, address, _):
        return [f"{OURS}/mcast-server", "--interface", address, "--json", *self.flags]

    def sender(self, address, size, seconds):
        load = ["--stamp", "--size", str(size), "--for", f"{seconds * 1000:.0f}ms", "--name", "p1"]
        return [f"{OURS}/mcast-client", "--interface", address, "--json", *load, *self.flags]

    def sent(self, out):
        counts = json.loads(out.splitlines()[-1])["counts"]
        return counts["sent"], counts["elapsed_us"] / 1e6

    def received(self, out):
        return json.loads(out.splitlines()[-1])["counts"]["received"]


class C:
    """The pair in datagrams.c."""

    def __init__(self, offload):
        self.offload = offload

    def receiver(self, address, _):
        return [f"{PEERS}/datagrams", "receive", GROUP, PORT, address, self.offload]

    def sender(self, address, size, seconds):
        return [f"{PEERS}/datagrams", "send", GROUP, PORT, address, str(size), str(seconds), self.offload]

    def sent(self, out):
        result = json.loads(out)
        return result["sent"], result["seconds"]

    def received(self, out):
        return json.loads(out)["received"]


class Iperf:
    """iperf 2, with the receive buffer of the others; it counts by its own sequence numbers."""

    def receiver(self, _, size):
        return ["iperf", "-s", "-u", "-B", GROUP, "-p", PORT, "-l", str(size), "-w", "4M", "-y", "C"]

    def sender(self, _, size, seconds):
        load = ["-b", "10g", "-l", str(size), "-t", str(seconds), "-T", "1", "-w", "4M", "-y", "C"]
        return ["iperf", "-c", GROUP, "-u", "-p", PORT, *load]

    def sent(self, out):
        fields = out.splitlines()[0].split(",")
        return int(fields[11]), float(fields[6].split("-")[1])

    def received(self, out):
        if not out.strip():
            return 0
        fields = out.splitlines()[-1].split(",")
        return int(fields[11]) - int(fields[10])


PAIRS = {BOUND: C("offload"), PLAIN: C("plain"), IPERF: Iperf(), STAMPED: Ours(), STAMPED_PLAIN: Ours("--offload", "off")}
if not shutil.which("iperf"):
    del PAIRS[IPERF]


def bound_sockets(place, hosts):
    """How many sockets of these hosts are bound to the port."""
    port = f":{int(PORT):04X} "
    return sum(place.lab.exec(host, "cat", "/proc/net/udp").count(port) for host in hosts)


def one_run(place, pair, size, receivers, sending=None):
    """One load, from the first receiver's start to the last one's end."""
    hosts = [place.receivers[number % len(place.receivers)] for number in range(receivers)]
    running = []
    with tempfile.TemporaryDirectory(prefix="lab-bench-") as folder:
        try:
            for number, host in enumerate(hosts):
                with open(f"{folder}/{number}", "w", encoding="utf-8") as out:
                    command = pair.receiver(place.address(host), size)
                    running.append(place.lab.start(host, *command, stdout=out, stderr=subprocess.DEVNULL))
            deadline = time.monotonic() + 20
            while bound_sockets(place, set(hosts)) < receivers:
                if time.monotonic() > deadline:
                    raise SystemExit(f"bench: {' '.join(command)}: not listening after 20 s")
                time.sleep(0.05)
            # From the bind to the join.
            time.sleep(0.2)
            sending = sending or pair.sender(place.address(place.sender), size, SECONDS)
            sent, seconds = pair.sent(place.lab.exec(place.sender, *sending))
            time.sleep(0.3)
        finally:
            for process in running:
                process.send_signal(signal.SIGTERM)
            for process in running:
                process.wait(timeout=30)
        received = []
        for number in range(receivers):
            with open(f"{folder}/{number}", encoding="utf-8") as out:
                received.append(pair.received(out.read()))
    mean = statistics.mean(received)
    return {"sent": sent / seconds, "received": mean / seconds, "loss": 100 * (1 - mean / max(sent, 1)), "lost": sent - min(received)}


def compare(place):
    """Every pair in turn, round after round, so that a drift of the machine's speed affects all pairs alike."""
    rows = [["pair"] + [f"{size} B to {receivers}" for size, receivers in SHAPES]]
    cells = {name: [name] for name in PAIRS}
    for size, receivers in SHAPES:
        runs = {name: [] for name in PAIRS}
        for number in range(ROUNDS):
            for name, pair in PAIRS.items():
                say(f"{place.name}, {size} B to {receivers}, round {number + 1}: {name}")
                runs[name].append(one_run(place, pair, size, receivers))
        for name, of_name in runs.items():
            loss = median(of_name, "loss")
            lost = f", {loss:.0f}% lost" if loss >= 0.5 else ""
            cells[name].append(f"{median(of_name, 'received') / 1000:,.0f}{lost}")
        at = f"{place.name}, {size} B to {receivers}"
        VERDICTS.add(f"{at}: stamped / bound", ratio(runs, "received", STAMPED, BOUND), 0.8)
        VERDICTS.add(f"{at}: stamped, offload off / C plain", ratio(runs, "received", STAMPED_PLAIN, PLAIN), 1.0)
        if receivers == MANY:
            VERDICTS.add(f"{at}: stamped / iperf2", ratio(runs, "received", STAMPED, IPERF), 4.0)
    say("")
    heading = f"### {place.name}: thousands of datagrams a second that each receiver got, {SECONDS} s, medians of {ROUNDS}"
    print(f"\n{heading}\n\n{table(rows + list(cells.values()))}", flush=True)


def paced(place):
    """One sender at a steady rate: no datagram may be lost."""
    for size in (64, 1400):
        say(f"{place.name}: {size} B at {RATE:,} a second")
        pair = PAIRS[STAMPED]
        lost = []
        for _ in range(ROUNDS):
            sending = [*pair.sender(place.address(place.sender), size, SECONDS), "--rate", str(RATE)]
            run = one_run(place, pair, size, 1, sending)
            lost.append(run["lost"])
        VERDICTS.add(f"{place.name}, {size} B at {RATE:,} a second for {SECONDS} s: lost, worst round", max(lost), 0, False)
    say("")


VERDICTS = Verdicts()


def main():
    if not os.path.exists(f"{PEERS}/datagrams"):
        raise SystemExit("bench: no C compiler: the bound is written in C")
    if IPERF not in PAIRS:
        print("left out, as it is not installed: iperf (Debian's package iperf)")
    print(machine())
    with Lab(1, False) as lab:
        # iperf goes where the route leads.
        lab.exec(1, "ip", "route", "replace", "224.0.0.0/4", "dev", "lo", "src", "127.0.0.1")
        loopback = Place("loopback", lab, 1, [1], "127.0.0.1")
        compare(loopback)
        paced(loopback)
    with Lab(1 + MANY, False, offload=True) as lab:
        compare(Place("bridge", lab, 1, range(2, 2 + MANY), "10.77.0.{}"))
    print(VERDICTS.table(ROUNDS))


main()
