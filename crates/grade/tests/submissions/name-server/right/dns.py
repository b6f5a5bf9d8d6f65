"""A name server of a student: A records of the names of the handout, or of a file."""
import json
import socket
import struct
import sys

HANDOUT = {
    "server1": "192.168.1.2",
    "server2": "192.168.1.3",
    "region1": {"server1": "192.168.1.2", "server2": "192.168.1.3"},
    "region2": {"server3": "192.168.2.1", "server4": "192.168.2.2"},
}
NAMES = json.load(open(sys.argv[1])) if len(sys.argv) > 1 else HANDOUT


def look_up(labels):
    if labels[-1] != "lab":
        return None
    path = labels[-2::-1]
    if path[0] == "flat":
        path = path[1:]
    node = NAMES
    for label in path:
        if not isinstance(node, dict) or label not in node:
            return None
        node = node[label]
    return node


def reply(query):
    number, flags, questions = struct.unpack("!HHH", query[:6])
    if flags & 0x8000 or questions != 1:
        return None
    labels, at = [], 12
    while query[at]:
        if query[at] > 63:
            return None
        labels.append(query[at + 1:at + 1 + query[at]].decode("ascii").lower())
        at += 1 + query[at]
    (rtype,) = struct.unpack("!H", query[at + 1:at + 3])
    question = query[12:at + 5]
    found = look_up(labels)
    answer = b""
    if isinstance(found, str) and rtype == 1:
        answer = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(found)
    rcode = 3 if found is None else 0
    head = struct.pack("!HHHHHH", number, 0x8400 | rcode, 1, 1 if answer else 0, 0, 0)
    return head + question + answer


server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 5300))
while True:
    query, client = server.recvfrom(1024)
    try:
        answer = reply(query)
    except (struct.error, IndexError, UnicodeDecodeError):
        continue
    if answer:
        server.sendto(answer, client)
