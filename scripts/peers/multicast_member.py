"""What both multicast programs of the handout do: bind the shared port, join on 0.0.0.0, receive up to 1024 bytes."""

import itertools
import socket


def messages():
    """Joins, and returns the messages as they are received."""
    member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    member.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    member.bind(("", 5007))
    request = socket.inet_aton("224.1.1.1") + socket.inet_aton("0.0.0.0")
    member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    return (member.recv(1024).decode() for _ in itertools.count())
