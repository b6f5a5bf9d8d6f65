"""It thinks for an hour before it answers."""
import socket
import threading

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 12345))
listener.listen(128)

import time


def serve(connection):
    message = connection.recv(1024)
    print("Received:", message.decode(errors="replace"))
    time.sleep(3600)
    connection.sendall(b"Hello from server")


while True:
    connection, address = listener.accept()
    print("Connection from", address)
    threading.Thread(target=serve, args=(connection,), daemon=True).start()

