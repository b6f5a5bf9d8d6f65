import socket
c=socket.socket()

try:
    c.connect(("localhost",12345)); c.send(b"Hello server"*2); m=c.recv(1024)
    print("Received from server:",m.decode())
except OSError as e: print(e)
