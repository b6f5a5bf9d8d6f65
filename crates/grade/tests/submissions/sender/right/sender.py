"""It sends to the group."""
import socket

sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.sendto(b"Hello group", ("224.1.1.1", 5007))
