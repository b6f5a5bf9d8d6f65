import socket, threading, time, os, sys
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind(("127.0.0.1",12345)); s.listen(128)

def serve(c,a):
    try:
        m=c.recv(1024)
        print("Received:",m.decode(errors="replace"))
        c.sendall(b"Hello from server")
    except OSError: pass
    finally:
        c.close()
while True:
    c,a=s.accept(); print("Connection from",a)
    serve(c,a); sys.exit(0)
