#!/usr/bin/env python3
"""Starter of the lab sheet "Processes": a server that handles many clients at once.

    python3 server.py [PORT]        listens on 127.0.0.1, port 12345 unless another one is given

Fill the gaps. Each one is a call of gap(), which ends the program: replace it by your code.
"""

import os
import socket
import sys
import threading

REPLY = b"Hello from server"
# At most this many clients are served at once; the others wait.
MOST_CLIENTS = 8
# A client that sends nothing for this time, in seconds, is disconnected.
PATIENCE = 2.0


def gap(number, what):
    """Ends the program with the gap that is still open."""
    sys.stderr.write(f"server.py: gap {number} is open: {what}\n")
    os._exit(2)


def listening_socket(port):
    """A TCP socket that listens on 127.0.0.1 and this port. A restart must be possible at once, while old connections are in
    TIME-WAIT."""
    gap(1, "make the listening socket")
    return socket.socket()


def exchange(connection):
    """One exchange: receives at most 1,024 bytes, prints `Received: TEXT`, and sends REPLY. Bytes that are not text must not end
    the thread with an exception. A client that sends nothing for PATIENCE seconds gets no reply."""
    gap(2, "receive, print and reply")


def handle_client(connection, permits):
    """Serves one client, closes its connection, and gives its permit back, whatever happens in the exchange."""
    gap(3, "serve the client; close the connection and release the permit in every case")


def serve(listener):
    """Accepts clients for ever. Prints `Connection from ADDRESS:PORT` for each one, and serves it in a thread of its own. While
    MOST_CLIENTS are being served, no further client is accepted."""
    permits = threading.Semaphore(MOST_CLIENTS)
    while True:
        gap(4, "wait for a permit, accept a client, start its thread")


def port_of(arguments):
    """The port on the command line, 12345 unless there is one."""
    port = arguments[1] if len(arguments) > 1 else "12345"
    if len(arguments) > 2 or not port.isdecimal() or int(port) > 65535:
        sys.exit("usage: python3 server.py [PORT]")
    return int(port)


def main():
    """Reads the port, and serves until Ctrl-C."""
    listener = listening_socket(port_of(sys.argv))
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
    try:
        serve(listener)
    except KeyboardInterrupt:
        gap(5, "stop: accept no more clients, and let those that are being served finish")


if __name__ == "__main__":
    main()
