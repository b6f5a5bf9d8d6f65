"""Servers under load: started on a free port, watched through /proc, stopped by their own process number."""

import json
import os
import re
import signal
import subprocess
import tempfile

TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A server that says `listening on ADDRESS:PORT` on standard error; its standard output goes to a file."""

    def __init__(self, command, environment=None):
        self.folder = tempfile.TemporaryDirectory(prefix="lab-bench-")
        self.out = open(os.path.join(self.folder.name, "out"), "wb+")
        self.err_path = os.path.join(self.folder.name, "err")
        command = [word.replace("{folder}", self.folder.name) for word in command]
        read, write = os.pipe()
        with os.fdopen(read, errors="replace") as said:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=self.out, stderr=write, env=environment
            )
            os.close(write)
            line = said.readline()
            # Whatever it says later goes nowhere: a closed pipe would end some servers.
            self.said = os.dup(said.fileno())
        found = re.match(r"listening on \S*:(\d+)", line)
        if not found:
            self.stop()
            raise SystemExit(f"bench: {' '.join(command)}: said {line!r} and no address")
        self.port = int(found.group(1))

    def cpu(self):
        """Processor seconds so far, with those of its children that have ended."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / TICKS

    def status(self, field):
        """A figure of /proc/PID/status: Threads, VmHWM (KiB), VmRSS (KiB)."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(rf"^{field}:\s*(\d+)", file.read(), re.MULTILINE).group(1))

    def lines(self):
        """How many lines it has printed."""
        self.out.flush()
        with open(os.path.join(self.folder.name, "out"), "rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.out.close()
        if hasattr(self, "said"):
            os.close(self.said)
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def load(command):
    """Runs a load generator that prints one JSON object last."""
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=300)
    return done.returncode, json.loads(done.stdout.splitlines()[-1])
