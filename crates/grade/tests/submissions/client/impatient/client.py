"""It waits less than half a second."""
import socket
import sys

try:
    with socket.create_connection(("127.0.0.1", 12345), timeout=0.4) as connection:
        connection.sendall(b"Hello server")
        print("Received from server:", connection.recv(1024).decode())
except OSError as problem:
    sys.exit(str(problem))
