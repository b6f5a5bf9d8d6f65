"""The server of experiment 3 as the handout designs it: a thread for each client on localhost:12345 (or another port,
the argument), one read of at most 1024 bytes, one answer, no limits and no shutdown. The peer that interoperability is
tested with."""

import socket
import sys
import threading


def serve(connection):
    with connection:
        print(f"Received: {connection.recv(1024).decode()}")
        connection.sendall(b"Hello from server")


with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(("localhost", int(sys.argv[1]) if len(sys.argv) > 1 else 12345))
    listener.listen(5)
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
    while True:
        accepted, address = listener.accept()
        print(f"Connection from {address}")
        threading.Thread(target=serve, args=(accepted,)).start()
