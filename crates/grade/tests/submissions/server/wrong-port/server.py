"""It listens on another port."""
import socket

listener = socket.socket()
listener.bind(("127.0.0.1", 12354))
listener.listen()
while True:
    listener.accept()
