import socket
c=socket.socket()

try:
    c.connect(("localhost",12345)); c.send(b"Hello server"); m=b""
    while len(m)<17: m+=c.recv(1024)
    print("Received from server:",m.decode())
except OSError as e: print(e)
