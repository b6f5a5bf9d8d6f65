"""It stays when it is done."""
import socket
import sys

try:
    connection = socket.create_connection(("127.0.0.1", 12345))
    connection.sendall(b"Hello server")
    reply = connection.recv(1024)
except OSError as problem:
    sys.exit(str(problem))
print("Received from server:", reply.decode())
while reply:
    pass
