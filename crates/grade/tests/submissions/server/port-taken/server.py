"""It takes its own port twice."""
import socket

first = socket.socket()
first.bind(("127.0.0.1", 12345))
second = socket.socket()
second.bind(("127.0.0.1", 12345))
second.listen()
