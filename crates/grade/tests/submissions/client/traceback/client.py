"""Without a server it ends in a stack trace."""
import socket

connection = socket.socket()
connection.connect(("127.0.0.1", 12345))
connection.sendall(b"Hello server")
print(f"Received from server: {connection.recv(1024).decode()}")
connection.close()
