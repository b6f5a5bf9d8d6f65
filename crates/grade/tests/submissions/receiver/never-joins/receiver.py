"""It never joins."""
import socket

receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
receiver.bind(("", 5007))
while True:
    data, _ = receiver.recvfrom(65536)
    print("Received message:", data.decode(errors="replace"))
