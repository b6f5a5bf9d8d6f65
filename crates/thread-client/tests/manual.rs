//! The examples of the help, which run and end as their words say; and the reference page, which has every flag.

use common::testing;
use thread_client::config::Cli;

/// A server at the client's default address.
const PREPARE: &str = r#"
cat >server.py <<'END'
import socketserver

class Exchange(socketserver.BaseRequestHandler):
    def handle(self):
        if self.request.recv(1024):
            self.request.sendall(b"Hello from server")

class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 1024

with Server(("127.0.0.1", 12345), Exchange) as server:
    open("ready", "w").write("ready")
    server.serve_forever()
END
python3 server.py & peers=$!
until [ -s ready ]; do sleep 0.02; done
"#;

#[test]
fn every_example_of_the_help_runs() {
    if testing::have_program("python3") {
        testing::check_examples::<Cli>(env!("CARGO_BIN_EXE_thread-client"), PREPARE);
    }
}

#[test]
fn every_flag_stands_on_a_reference_page() {
    testing::check_reference::<Cli>(&["processes"]);
}
