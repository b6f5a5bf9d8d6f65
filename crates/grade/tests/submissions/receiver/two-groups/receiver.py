"""It joins a group too many."""
import socket

receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
receiver.bind(("", 5007))
group = socket.inet_aton("224.1.1.1") + socket.inet_aton("0.0.0.0")
receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
other = socket.inet_aton("224.1.1.2") + socket.inet_aton("0.0.0.0")
receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, other)
while True:
    data, _ = receiver.recvfrom(65536)
    print("Received message:", data.decode(errors="replace"))
