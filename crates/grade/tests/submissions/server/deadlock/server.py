"""Two threads, each with the lock that the other one needs."""
import socket
import threading

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 12345))
listener.listen(128)

first, second = threading.Lock(), threading.Lock()
both = threading.Barrier(2)


def work(mine, other):
    with mine:
        both.wait()
        with other:
            print("never")


threading.Thread(target=work, args=(first, second), daemon=True).start()
threading.Thread(target=work, args=(second, first), daemon=True).start()


def serve(connection):
    with first:
        connection.sendall(b"Hello from server")


while True:
    connection, address = listener.accept()
    print("Connection from", address)
    threading.Thread(target=serve, args=(connection,), daemon=True).start()

