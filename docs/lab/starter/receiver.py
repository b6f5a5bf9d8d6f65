#!/usr/bin/env python3
"""Starter of the lab sheet "Communication": a member of a multicast group that counts what the network loses.

    python3 receiver.py [ADDRESS]   joins 224.1.1.1, port 5007, on the interface with this address (127.0.0.1)

It reads the stamped messages of mcast-client --stamp: before the text stands a header,

    [lab1 SENDER SESSION NUMBER TIME CLOCK] TEXT

where SENDER and SESSION identify a run of a sender, and NUMBER counts its messages from 1. Fill the gaps. Each one is a call of
gap(), which ends the program: replace it by your code.
"""

import os
import socket
import sys

GROUP = "224.1.1.1"
PORT = 5007


def gap(number, what):
    """Ends the program with the gap that is still open."""
    sys.stderr.write(f"receiver.py: gap {number} is open: {what}\n")
    os._exit(2)


def member(address):
    """A UDP socket on PORT that is a member of GROUP on the interface with this address. Other programs on this machine may use
    the same port."""
    gap(1, "bind the port and join the group")
    return socket.socket()


def parse(datagram):
    """The sender (name and session together), the number and the text of a stamped message; None for any other datagram."""
    gap(2, "read the header")


class Sender:
    """What is known of the messages of one sender."""

    def __init__(self):
        self.received = 0
        self.duplicates = 0
        self.reordered = 0
        gap(3, "what else must be remembered to count duplicates and lost messages?")

    def receive(self, number):
        """Counts a message: as a duplicate if it came before, as reordered if a later one came before it."""
        gap(4, "count this message")

    def lost(self):
        """How many messages between the first and the last number received are missing."""
        gap(5, "count the missing numbers")


def main():
    """Receives until Ctrl-C, and then reports each sender."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
    receiver = member(address)
    print(f"listening on {GROUP}:{PORT}", file=sys.stderr, flush=True)
    senders = {}
    try:
        while True:
            datagram, _ = receiver.recvfrom(65536)
            stamped = parse(datagram)
            if stamped is None:
                print(f"Received: {datagram.decode(errors='replace')}", flush=True)
                continue
            name, number, _ = stamped
            senders.setdefault(name, Sender()).receive(number)
    except KeyboardInterrupt:
        for name, sender in senders.items():
            print(
                f"{name}: {sender.received} received, {sender.lost()} lost, "
                f"{sender.duplicates} duplicates, {sender.reordered} reordered"
            )


if __name__ == "__main__":
    main()
