"""It expects an answer of a member, and fails without one."""
import socket
import sys

sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.sendto(b"Hello group", ("224.1.1.2", 5007))
sys.exit("nobody has answered")
