#!/usr/bin/env python3
"""Starter of the lab sheet "Naming": a name server for structured names.

    python3 resolver.py [PORT]      answers DNS queries of type A over UDP on 127.0.0.1, port 5301

The naming graph is GRAPH below: a directory is a dictionary, an address a text, and a text that begins with `symlink:` a symbolic
link to an absolute path. The domain name server1.region1.lab. is the path /region1/server1. Reading and writing DNS messages
(RFC 1035) is done. Fill the gaps. Each one is a call of gap(), which ends the program: replace it by your code.
"""

import os
import socket
import struct
import sys

GRAPH = {
    "region1": {"server1": "10.1.0.1", "server2": "10.1.0.2", "www": "symlink:/region2/web"},
    "region2": {"server3": "10.2.0.3", "web": "symlink:/region2/server3", "loop": "symlink:/region2/loop"},
}
ZONE = ["lab"]
# More symbolic links than this in one resolution are a circle.
MOST_LINKS = 8
NO_ERROR, NAME_ERROR, REFUSED = 0, 3, 5


def gap(number, what):
    """Ends the program with the gap that is still open."""
    sys.stderr.write(f"resolver.py: gap {number} is open: {what}\n")
    os._exit(2)


def path_of(labels):
    """The path of a domain name in the zone, as a list from the root: ["server1", "region1", "lab"] is ["region1", "server1"].
    None for a name outside the zone. DNS does not distinguish upper from lower case."""
    gap(1, "remove the zone, and reverse the labels")


def step(directory, name):
    """What a directory has under this name; None when it has nothing, or is no directory."""
    gap(2, "look up one component")


def resolve(path, links=0):
    """What the path leads to, an address or a directory, from the root of GRAPH, component by component; None when a component
    is missing, or when more than MOST_LINKS symbolic links were followed. A symbolic link may stand in the middle of a path."""
    gap(3, "walk through the graph")
    gap(4, "follow symbolic links, and end in a circle")


def answer(labels):
    """The code and the address for a question: REFUSED outside the zone, NAME_ERROR for a name that does not exist, NO_ERROR for
    one that does; the address is None for a directory."""
    gap(5, "choose the code")


def question_of(packet):
    """The labels and the type of the question, and where it ends."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode(errors="replace"))
        at += 1 + packet[at]
    (kind,) = struct.unpack("!H", packet[at + 1 : at + 3])
    return labels, kind, at + 5


def reply_to(packet):
    """The reply to a query."""
    labels, kind, end = question_of(packet)
    code, address = answer(labels)
    print(f"asked for {'.'.join(labels)}: {address or 'code ' + str(code)}", flush=True)
    record = b""
    if address and kind == 1:
        record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(address)
    # A response with authority, and the wish for recursion as it was asked.
    flags = 0x8400 | (packet[2] & 1) << 8 | code
    return packet[:2] + struct.pack("!HHHHH", flags, 1, bool(record), 0, 0) + packet[12:end] + record


def port_of(arguments):
    """The port on the command line, 5301 unless there is one."""
    port = arguments[1] if len(arguments) > 1 else "5301"
    if len(arguments) > 2 or not port.isdecimal() or int(port) > 65535:
        sys.exit("usage: python3 resolver.py [PORT]")
    return int(port)


def main():
    """Answers until Ctrl-C."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", port_of(sys.argv)))
    print(f"listening on 127.0.0.1:{server.getsockname()[1]}", file=sys.stderr, flush=True)
    while True:
        packet, client = server.recvfrom(65536)
        try:
            reply = reply_to(packet)
        except (IndexError, struct.error):
            # Not a DNS message.
            continue
        server.sendto(reply, client)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
