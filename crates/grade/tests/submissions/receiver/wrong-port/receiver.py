"""It is bound to another port."""
import socket

receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
receiver.bind(("", 5008))
group = socket.inet_aton("224.1.1.1") + socket.inet_aton("0.0.0.0")
receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
while True:
    data, _ = receiver.recvfrom(65536)
    print("Received message:", data.decode(errors="replace"))
