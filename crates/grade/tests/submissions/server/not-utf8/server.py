"""Bytes that are no UTF-8 end it."""
import socket
import threading

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 12345))
listener.listen(128)

import os


def serve(connection):
    with connection:
        try:
            message = connection.recv(1024)
            try:
                print("Received:", message.decode())
            except UnicodeDecodeError as error:
                print(error)
                os._exit(3)
            connection.sendall(b"Hello from server")
        except OSError:
            pass


while True:
    connection, address = listener.accept()
    print("Connection from", address)
    threading.Thread(target=serve, args=(connection,), daemon=True).start()

