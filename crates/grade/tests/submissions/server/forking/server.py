"""A process for each client."""
import socketserver


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            message = self.request.recv(1024)
            print("Received:", message.decode(errors="ignore"), flush=True)
            self.request.sendall(b"Hello from server")
        except ConnectionError:
            pass


class Server(socketserver.ForkingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 64
    max_children = 100

    def verify_request(self, request, client_address):
        print("Connection from", client_address, flush=True)
        return True


Server(("127.0.0.1", 12345), Handler).serve_forever()
