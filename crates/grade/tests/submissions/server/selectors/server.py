"""One thread for all clients, which waits for whichever is ready."""
import selectors
import socket

selector = selectors.DefaultSelector()
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 12345))
listener.listen(100)
listener.setblocking(False)
selector.register(listener, selectors.EVENT_READ)
while True:
    for key, _ in selector.select():
        if key.fileobj is listener:
            connection, address = listener.accept()
            print("Connection from", address)
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ)
            continue
        connection = key.fileobj
        selector.unregister(connection)
        try:
            message = connection.recv(1024)
            print("Received:", message.decode("utf-8", "backslashreplace"))
            connection.send(b"Hello from server")
        except OSError:
            pass
        connection.close()
