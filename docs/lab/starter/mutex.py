#!/usr/bin/env python3
"""Starter of the lab sheet "Synchronization": mutual exclusion by Lamport's clocks.

    python3 mutex.py FOLDER         three processes, each of which enters the critical section three times

The processes exchange datagrams on loopback. Each one writes its event log into FOLDER, and `lamport trace FOLDER --check` verifies
them. Sockets, processes and the log are done. Fill the gaps. Each one is a call of gap(), which ends the process: replace it by
your code.
"""

import datetime
import json
import multiprocessing
import os
import socket
import sys
import time

ENTRIES = 3
RUN = f"lab-{os.getpid()}"


def gap(number, what):
    """Ends the process with the gap that is still open."""
    sys.stderr.write(f"mutex.py: gap {number} is open: {what}\n")
    os._exit(2)


class Log:
    """The event log of one process: a line of JSON for each event."""

    def __init__(self, folder, name):
        self.file = open(os.path.join(folder, f"{name}.jsonl"), "w", encoding="utf-8")
        self.name, self.seq = name, 0

    def write(self, event, **fields):
        """Writes one event."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        line = {"v": 1, "run": RUN, "node": self.name, "thread": "main", "seq": self.seq, "time": now, "level": "info", "event": event}
        self.file.write(json.dumps(line | fields) + "\n")
        self.file.flush()
        self.seq += 1


class Process:
    """One process of Lamport's algorithm (Lamport 1978)."""

    def __init__(self, name, sock, peers, log):
        self.name, self.sock, self.peers, self.log = name, sock, peers, log
        self.clock = 0
        self.sent = 0
        # The requests of all processes that were not released: time by name.
        self.requests = {}
        # The largest time received from each other process.
        self.latest = {peer: 0 for peer in peers}
        self.inside = False

    def tick(self):
        """The rule for an event of this process alone, and for a send (IR1)."""
        gap(1, "advance the clock")

    def merge(self, received):
        """The rule for the receipt of a message that carries this time (IR2)."""
        gap(2, "advance the clock past its own time and the received one")

    def may_enter(self):
        """Whether this process may enter: its request is the earliest of all (two requests of one time are ordered by name), and
        a later message came from every other process."""
        gap(3, "compare the requests, and the times received")

    def on_message(self, peer, kind, received):
        """What a request, an acknowledgement or a release changes, and what is sent for it. Do not forget self.latest."""
        gap(4, "handle the message")

    def release(self):
        """What the process does with its request when it exits, and whom it must inform."""
        gap(5, "remove the request, and send release to all")

    def send(self, kind, receivers):
        """Sends a message to these processes: one event with one time."""
        self.tick()
        self.sent += 1
        fields = {"meaning": "request"} if kind == "request" else {}
        to = receivers[0] if len(receivers) == 1 else "*"
        message = f"udp:{self.name}>{to}#{self.sent}"
        self.log.write("send", message=message, message_type=kind, peer=to, clock=self.clock, **fields)
        for receiver in receivers:
            frame = {"from": self.name, "kind": kind, "time": self.clock, "message": message}
            self.sock.sendto(json.dumps(frame).encode(), self.peers[receiver])

    def receive(self):
        """Receives one message, if one comes within a tenth of a second."""
        try:
            frame = json.loads(self.sock.recv(65536))
        except TimeoutError:
            return
        self.merge(frame["time"])
        self.log.write("receive", message=frame["message"], message_type=frame["kind"], peer=frame["from"], clock=self.clock)
        self.on_message(frame["from"], frame["kind"], frame["time"])

    def run(self):
        """Enters ENTRIES times, and then answers the others until nothing comes any more."""
        for _ in range(ENTRIES):
            self.send("request", sorted(self.peers))
            own = self.requests[self.name] = self.clock
            while not self.may_enter():
                self.receive()
            for meaning in ("enter", "exit"):
                self.tick()
                self.log.write("local", meaning=meaning, timestamp=f"{own},{self.name}", clock=self.clock)
                time.sleep(0.01)
            self.release()
        quiet = time.monotonic() + 1
        while time.monotonic() < quiet:
            before = self.log.seq
            self.receive()
            if self.log.seq > before:
                quiet = time.monotonic() + 1


def start(folder, name, sock, peers):
    """One process, from its first event to its last."""
    log = Log(folder, name)
    log.write("start")
    log.write("ready", algorithm="mutex", address="%s:%d" % sock.getsockname())
    Process(name, sock, peers, log).run()
    log.write("stop")


def main():
    """Starts the three processes, and waits for them."""
    if len(sys.argv) != 2:
        sys.exit("usage: python3 mutex.py FOLDER")
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    sockets = {}
    for name in ("p1", "p2", "p3"):
        sockets[name] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sockets[name].bind(("127.0.0.1", 0))
        sockets[name].settimeout(0.1)
    addresses = {name: sock.getsockname() for name, sock in sockets.items()}
    processes = []
    for name, sock in sockets.items():
        peers = {peer: address for peer, address in addresses.items() if peer != name}
        processes.append(multiprocessing.Process(target=start, args=(folder, name, sock, peers)))
        processes[-1].start()
    for process in processes:
        process.join()
    sys.exit(max(process.exitcode for process in processes))


if __name__ == "__main__":
    main()
