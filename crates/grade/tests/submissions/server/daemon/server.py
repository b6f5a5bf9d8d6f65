"""It leaves a process behind that has left its parent."""
import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(3600)
    os._exit(0)
os.wait()
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
    threading.Thread(target=serve, args=(connection,), daemon=True).start()

