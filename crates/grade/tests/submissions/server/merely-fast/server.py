"""One client after the other, and none for longer than a moment: fast, and not concurrent."""
import socket
import threading

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 12345))
listener.listen(128)


def serve(connection):
    with connection:
        try:
            message = connection.recv(1024)
            print("Received:", message.decode(errors="replace"))
            connection.sendall(b"Hello from server")
        except OSError:
            pass


while True:
    connection, address = listener.accept()
    print("Connection from", address)
    connection.settimeout(0.1)
    serve(connection)
