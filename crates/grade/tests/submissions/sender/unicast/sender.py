"""It sends to one host."""
import socket
import time

sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    sender.sendto(b"Hello group", ("127.0.0.1", 5007))
    time.sleep(0.05)
