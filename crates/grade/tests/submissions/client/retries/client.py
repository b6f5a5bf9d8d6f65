"""It tries for ever."""
import socket
import time

while True:
    try:
        with socket.create_connection(("127.0.0.1", 12345)) as connection:
            connection.sendall(b"Hello server")
            print("Received from server:", connection.recv(1024).decode())
            break
    except OSError:
        time.sleep(0.01)
