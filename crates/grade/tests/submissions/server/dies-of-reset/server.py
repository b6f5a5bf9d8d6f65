"""A reset of one client ends it."""
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
            print("Received:", message.decode(errors="replace"))
            connection.sendall(b"Hello from server")
            # A client that is still there closes its side.
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        except ConnectionResetError as error:
            print("reset:", error)
            os._exit(1)
        except OSError:
            pass


while True:
    connection, address = listener.accept()
    print("Connection from", address)
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
