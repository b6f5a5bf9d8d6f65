"""The client of experiment 3 as the handout designs it: it does not close its side before it reads."""

import socket

with socket.create_connection(("localhost", 12345)) as connection:
    connection.sendall(b"Hello server")
    print(f"Received from server: {connection.recv(1024).decode()}")
