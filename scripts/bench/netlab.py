"""Hosts on a switch, made by scripts/netlab.sh, for the length of a `with` block."""

import os
import re
import subprocess
import tempfile

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../netlab.sh")


class Lab:
    """Hosts 1 to `hosts` on a switch; host 0 is the switch."""

    def __init__(self, hosts, snooping, offload=False):
        self.folder = tempfile.TemporaryDirectory(prefix="lab-netlab-")
        self.environment = dict(os.environ, NETLAB=os.path.join(self.folder.name, "lab"))
        self.hosts = hosts
        word = lambda switch: "on" if switch else "off"
        self.run("up", str(hosts), "--snooping", word(snooping), "--offload", word(offload))

    def run(self, *arguments):
        """Runs netlab.sh to its end; returns what it prints."""
        done = subprocess.run(
            [SCRIPT, *arguments], env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        if done.returncode:
            output = (done.stderr or done.stdout).strip()
            raise SystemExit(f"netlab.sh {' '.join(arguments)}: exit code {done.returncode}: {output}")
        return done.stdout

    def exec(self, host, *command):
        """Runs a command on a host to its end; returns what it prints."""
        return self.run("exec", str(host), *command)

    def start(self, host, *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE):
        """Starts a command on a host; returns its process."""
        return subprocess.Popen(
            [SCRIPT, "exec", str(host), *command],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
        )

    def count_frames(self, host, device, port, then=""):
        """From now on counts the UDP frames to this port that arrive on this device, and applies the nft verdict `then`."""
        rules = f"""table netdev count_{device} {{
            chain in {{
                type filter hook ingress device {device} priority 10;
                ip protocol udp udp dport {port} counter {then}
            }}
        }}"""
        self.exec(host, "nft", rules)

    def frames(self, host, device):
        """How many frames were counted."""
        rules = self.exec(host, "nft", "list", "table", "netdev", f"count_{device}")
        return int(re.search(r"counter packets (\d+)", rules).group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run("down")
        self.folder.cleanup()
