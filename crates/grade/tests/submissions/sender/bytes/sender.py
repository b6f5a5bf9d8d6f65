"""It sends what is no text."""
import socket

sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.sendto(b"\xff\xfe\xfd", ("224.1.1.1", 5007))
