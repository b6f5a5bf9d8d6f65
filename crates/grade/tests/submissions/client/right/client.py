"""It says what is wrong, and ends."""
import socket
import sys

try:
    with socket.create_connection(("127.0.0.1", 12345), timeout=30) as connection:
        connection.sendall(b"Hello server")
        reply = connection.recv(1024)
except OSError as problem:
    sys.exit(f"client: {problem}")
if not reply:
    sys.exit("client: the server has closed without a reply")
print(f"Received from server: {reply.decode(errors='replace')}")
