"""It keeps every connection open."""
import socket
import threading

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 12345))
listener.listen(128)

kept = []


def serve(connection):
    kept.append(connection)
    try:
        message = connection.recv(1024)
        print("Received:", message.decode(errors="replace"))
        if message:
            connection.sendall(b"Hello from server")
        else:
            connection.close()
    except OSError:
        pass


while True:
    connection, address = listener.accept()
    print("Connection from", address)
    threading.Thread(target=serve, args=(connection,), daemon=True).start()

