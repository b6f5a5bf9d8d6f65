#!/usr/bin/env python3
"""Runs every console block of the README and the pages in docs/, and compares what is printed with what the page says.

  scripts/check-docs.py             all pages
  scripts/check-docs.py PAGE…       these pages
  scripts/check-docs.py --self-test pages that lie, each of which must be found out

Needs the programs in target/debug (cargo build), and util-linux and iproute2 for network namespaces. Each page runs in a
network namespace of its own, which looks like a laptop: loopback, a network card eth0 at 192.0.2.2, and a default route;
fixed ports collide with nothing there. Its folder is a copy of a fresh clone.

A block is a transcript of a terminal. The words behind ```console say how to run it:

  terminal=1    the block belongs to this terminal; its last program may keep running while the blocks of other
                terminals run. A block without a command continues that program. Its output is complete when the
                terminal has its next command, a block of no terminal comes, or the page ends; a program that still
                runs then is interrupted
  typed="TEXT"  this line of the transcript is typed (as are lines behind a prompt like p1>); repeat it for several
  any-order     the lines come in any order
  figures       every number may differ: a run whose figures depend on the machine
  not-run       the block cannot run here, because it installs something or is for other machines; there are few

Always equal are two times (98 µs), rates (49 a second), ports above 32767, dates, process numbers in parentheses, session
numbers, temporary folders. `…` stands for any text within a line, and on a line alone for any lines.
"""

import fcntl
import os
import pathlib
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
# How long a block may take, in seconds, and how many blocks of all pages may be left out.
LIMIT = 30
MOST_NOT_RUN = 6
PROMPT = re.compile(r"(p\d+> )(.+)$")


class Lie(Exception):
    """What a page says and what happens differ."""


# --- What a page says


class Block:
    """A console block: its terminal, its commands, and the lines that each prints."""

    def __init__(self, page, line, words, text):
        self.page, self.line = page, line
        self.words = shlex.split(words)
        known = [w for w in self.words if not re.fullmatch(r"any-order|figures|not-run|(terminal|typed)=.+", w)]
        if known:
            raise Lie(f"{page}:{line}: unknown word {known[0]!r} behind ```console")
        values = [w.partition("=") for w in self.words]
        self.terminal = next((v for k, _, v in values if k == "terminal"), None)
        self.typed = [v for k, _, v in values if k == "typed"]
        self.not_run = "not-run" in self.words
        # Lines before the first command continue the program that runs in this terminal.
        self.before, self.commands = [], []
        continued = False
        for row in text.splitlines():
            if continued:
                self.commands[-1][0] += "\n" + row
            elif row.startswith("$ "):
                self.commands.append([row[2:], []])
            else:
                (self.commands[-1][1] if self.commands else self.before).append(row)
            continued = (continued or row.startswith("$ ")) and row.endswith("\\")
        if self.before and self.terminal is None and not self.not_run:
            raise Lie(f"{page}:{line}: output without a command")


def blocks(page, text):
    """The console blocks of a page."""
    found = []
    fence = re.compile(r"^( *)```console *(.*)\n((?:.*\n)*?)\1```$", re.M)
    for match in fence.finditer(text):
        indent, words, body = match.groups()
        body = "\n".join(row[len(indent):] for row in body.splitlines())
        found.append(Block(page, text[: match.start()].count("\n") + 1, words, body))
    return found


# --- What varies

VARIES = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", "TIME"),
    (r"\b\d[\d,]*(?:\.\d+)? ?(?:ns|µs|ms|s|m|kB|MB|MiB)\b", "QUANTITY"),
    (r"\b\d[\d,]*(?:\.\d+)? (?=(?:distinct states )?a second)", "RATE "),
    (r"(?<=[\d\]]:)(?:3276[89]|327[7-9]\d|32[89]\d\d|3[3-9]\d{3}|[456]\d{4})\b", "PORT"),
    (r"/tmp/[\w./-]*?(?=/[\w-]+\.jsonl\b|[\s;,)]|$)", "TEMPORARY"),
    (r"(?<=/)[0-9a-f]{8}\b", "SESSION"),
]


def same_but_for_what_varies(text, figures):
    for pattern, name in VARIES:
        text = re.sub(pattern, name, text)
    if figures:
        text = re.sub(r"\d[\d,]*(?:\.\d+)?", "0", text)
    return re.sub(r" +", " ", text.rstrip()) if figures else text.rstrip()


def line_matches(expected, printed, figures):
    parts = [same_but_for_what_varies(part, figures) if part.strip() else part for part in expected.split("…")]
    printed = same_but_for_what_varies(printed, figures)
    if len(parts) == 1:
        return parts[0] == printed
    # Both ends are trimmed in what was printed, so they are here.
    return re.fullmatch(".*".join(re.escape(part) for part in parts).rstrip() or ".*", printed) is not None


def first_difference(expected, printed, figures, any_order):
    """None when the lines are the same, or the first expected line that was not printed, or a printed one too many."""
    if any_order:
        left = list(printed)
        for row in expected:
            if row.strip() == "…":
                return None
            at = next((i for i, other in enumerate(left) if line_matches(row, other, figures)), None)
            if at is None:
                return f"not printed: {row!r}"
            del left[at]
        return f"printed too: {left[0]!r}" if left else None
    # reach[i]: whether the expected lines so far can match the first i printed ones.
    reach = {0}
    for row in expected:
        if row.strip() == "…":
            reach = set(range(min(reach), len(printed) + 1))
            continue
        after = {i + 1 for i in reach if i < len(printed) and line_matches(row, printed[i], figures)}
        if not after:
            at = max(reach)
            other = repr(printed[at]) if at < len(printed) else "nothing more"
            return f"the page says {row!r}\n    but printed was {other}"
        reach = after
    return None if len(printed) in reach else f"printed too: {printed[max(reach)]!r}"


# --- What happens


class Program:
    """A command of a page, at a terminal of its own."""

    def __init__(self, command, folder, path):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 130, 0, 0))
        ours = ("THREAD_", "MCAST_", "NAMING_", "LAMPORT_", "LAB_", "GRADE_")
        env = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        env |= {"PATH": f"{path}:{os.environ['PATH']}", "TERM": "dumb", "NO_COLOR": "1"}

        def controlling():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        # pylint: disable-next=subprocess-popen-preexec-fn,consider-using-with
        self.process = subprocess.Popen(
            ["bash", "-c", command], cwd=folder, env=env, stdin=slave, stdout=slave, stderr=slave, preexec_fn=controlling
        )
        os.close(slave)
        self.bytes = b""
        self.ended = False
        self.news = threading.Event()
        # All the time: a program whose output nobody reads waits.
        self.reader = threading.Thread(target=self.keep_reading, name="reader")
        self.reader.start()

    def keep_reading(self):
        while not self.ended:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                data = b""
            self.bytes += data
            self.ended = not data
            self.news.set()

    def read(self, seconds):
        """Waits this time, or less once something was printed."""
        self.news.wait(seconds)
        self.news.clear()

    def lines(self):
        text = self.bytes.decode(errors="replace").replace("\r\n", "\n")
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
        # What a line overwrites is not seen.
        rows = [row.rpartition("\r")[2] for row in text.split("\n")]
        return rows if rows[-1] else rows[:-1]

    def write(self, text):
        os.write(self.master, text.encode())

    def kill(self):
        if self.process.poll() is None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
        self.reader.join(LIMIT)
        os.close(self.master)


class Session:
    """A command that was begun, and what the page says about it from there on."""

    def __init__(self, block, command, expected, program):
        self.block, self.command, self.program = block, command, program
        self.expected = list(expected)
        self.typed = list(block.typed)
        self.at = 0
        self.figures = "figures" in block.words
        self.any_order = "any-order" in block.words

    def lie(self, why):
        rows = self.program.lines()
        if len(rows) > 40:
            rows[20:-20] = ["…"]
        printed = "\n".join("    | " + row for row in rows) or "    (nothing)"
        return Lie(f"{self.block.page}:{self.block.line}: $ {self.command}\n    {why}\n  it printed:\n{printed}")

    def seen(self, upto):
        """Whether the lines before this one were printed, in whatever order."""
        left = self.program.lines()
        for row in self.expected[:upto]:
            row = row.removeprefix("^C")
            if row.strip() == "…" or not row:
                continue
            at = next((i for i, other in enumerate(left) if line_matches(row, other.removeprefix("^C"), self.figures)), None)
            if at is None:
                return False
            del left[at]
        return True

    def is_client(self):
        """Whether it ends by itself."""
        return not any(row.startswith("^C") or "listening on" in row for row in self.expected)

    def wait(self, upto, until_end=False, prompt=None):
        """Until the lines before this one were printed, and then the prompt."""
        end = time.monotonic() + LIMIT
        while not self.program.ended:
            if not until_end and self.seen(upto) and (not prompt or self.program.lines()[-1:] == [prompt]):
                break
            if time.monotonic() > end:
                raise self.lie(f"{LIMIT} s were not enough; waiting for {self.expected[upto - 1] if upto else 'its end'!r}")
            self.program.read(0.1)

    def act(self, waiting=True):
        """Types what is to be typed, each once the lines before it were printed. Without waiting, up to where the
        program listens: the rest takes other terminals."""
        ready = [i for i, row in enumerate(self.expected) if "listening on" in row]
        for i in range(self.at, len(self.expected)):
            row = self.expected[i]
            prompt = PROMPT.fullmatch(row)
            if row.startswith("^C"):
                if not waiting:
                    break
                self.wait(i)
                self.program.write("\x03")
            elif prompt or row in self.typed:
                self.wait(i, prompt=prompt and prompt[1])
                if not prompt:
                    self.typed.remove(row)
                self.program.write((prompt[2] if prompt else row) + "\n")
            else:
                continue
            self.at = i + 1
        if not waiting:
            self.wait(ready[-1] + 1 if ready else max(self.at, 1))
            if not ready and not self.is_client():
                # The page leaves out where it listens: it does once it prints anything.
                end = time.monotonic() + LIMIT
                while not self.program.ended and not self.program.lines() and time.monotonic() < end:
                    self.program.read(0.1)

    def finish(self):
        """Ends the program, and compares all that it printed."""
        self.act()
        before = None
        if not self.is_client() and not any(row.startswith("^C") for row in self.expected):
            # A server whose end the page does not show.
            self.wait(len(self.expected))
            self.program.read(0.1)
            before = len(self.program.lines())
            self.program.write("\x03")
        self.wait(0, until_end=True)
        self.compare(self.program.lines()[:before])

    @staticmethod
    def without_interrupt(rows):
        """A terminal does not always show the ^C."""
        return [row.removeprefix("^C") for row in rows if row != "^C"]

    def compare(self, printed):
        difference = first_difference(
            self.without_interrupt(self.expected), self.without_interrupt(printed), self.figures, self.any_order
        )
        if difference:
            raise self.lie(difference)


def command_of(text):
    """What a page's command runs: cargo would build what is built already, and say so."""
    if re.match(r"cargo build\b", text):
        return "true"
    text = re.sub(r"(?<![\w/])target/debug/", f"{PROGRAMS}/", text)
    return re.sub(r"\bcargo run (?:-q |--quiet |--release )*-p ([\w-]+)(?: --(?= |$))?", rf"{PROGRAMS}/\1", text)


def run_page(page, text):
    """Runs the blocks of a page. Prints what is wrong, and returns whether nothing is."""
    wrong = []
    running = {}
    with tempfile.TemporaryDirectory() as folder:
        home, path = pathlib.Path(folder, "clone"), pathlib.Path(folder, "bin")
        home.mkdir()
        path.mkdir()
        for entry in ROOT.iterdir():
            if not entry.name.startswith("."):
                (home / entry.name).symlink_to(entry)
        os.environ["TMPDIR"] = str(pathlib.Path(folder, "tmp"))
        os.mkdir(os.environ["TMPDIR"])
        todo = blocks(page, text)

        def finish(terminal):
            """Ends what runs in this terminal, and before it the clients that were started after it."""
            session = running.pop(terminal, None)
            if session:
                try:
                    for other in [name for name, client in running.items() if client.is_client()]:
                        finish(other)
                    session.finish()
                finally:
                    session.program.kill()

        def finish_all():
            for terminal in reversed(list(running)):
                try:
                    finish(terminal)
                except Lie as lie:
                    wrong.append(lie)

        def run(block):
            for crate in re.findall(r"cargo install --path crates/([\w-]+)", "\n".join(c for c, _ in block.commands)):
                (path / crate).symlink_to(PROGRAMS / crate)
            if block.not_run:
                return
            if block.before:
                session = running.get(block.terminal)
                if not session:
                    raise Lie(f"{page}:{block.line}: no program runs in terminal {block.terminal}")
                session.expected += block.before
                session.typed += block.typed
                session.act(waiting=False)
            if block.terminal is None:
                finish_all()
            for i, (command, expected) in enumerate(block.commands):
                finish(block.terminal)
                last = block.terminal is not None and i + 1 == len(block.commands)
                running[block.terminal] = Session(block, command, expected, Program(command_of(command), home, path))
                if last:
                    running[block.terminal].act(waiting=False)
                else:
                    finish(block.terminal)

        for block in todo:
            try:
                run(block)
            except Lie as lie:
                wrong.append(lie)
        finish_all()
        if any(pathlib.Path(os.environ["TMPDIR"]).glob("lab-netlab-*")):
            subprocess.run([ROOT / "scripts/netlab.sh", "down"], check=False, stderr=subprocess.DEVNULL)
    for lie in wrong:
        print(lie, file=sys.stderr)
    return not wrong


# --- All pages

LAPTOP = """
ip link set lo up
ip link add eth0 type veth peer name switch
ip link set switch up
ip addr add 192.0.2.2/24 dev eth0
ip link set eth0 up
ip route add default via 192.0.2.1
exec "$@"
"""

LIES = {
    "a line that differs": "```console\n$ echo one\ntwo\n```\n",
    "a line too many": "```console\n$ echo one\none\ntwo\n```\n",
    "a line too few": "```console\n$ printf 'one\\ntwo\\n'\none\n```\n",
    "a figure": "```console\n$ echo 12 states\n13 states\n```\n",
    "a command that is not there": "```console\n$ naming\nIP address of server1: 192.168.1.2\n```\n",
    "the end of a server": "```console terminal=1\n$ cat\n^Cbye\n```\n",
    "a word": "```console anyorder\n$ true\n```\n",
    "what a server prints": "```console terminal=1\n$ echo listening on x; sleep 9\nlistening on x\nand more\n```\n",
}
TRUTHS = {
    "times and ports": "```console\n$ echo 127.0.0.1:40000 after 12 µs\n127.0.0.1:50000 after 1.5 ms\n```\n",
    "what is left out": "```console\n$ seq 9\n1\n…\n8\n9\n```\n```console\n$ echo one two\none…\n```\n",
    "figures": "```console figures\n$ echo 12 states\n1,345 states\n```\n",
    "any order": "```console any-order\n$ seq 2\n2\n1\n```\n",
    "what is typed": '```console terminal=1 typed="one"\n$ head -n 1\none\none\n```\n',
}


def self_test():
    """Pages that lie are found out, and pages that do not are not."""
    wrong = 0
    for pages, want in ((LIES, False), (TRUTHS, True)):
        for name, text in pages.items():
            global LIMIT  # pylint: disable=global-statement
            LIMIT = 2
            try:
                right = run_page(name, text)
            except Lie as lie:
                print(lie, file=sys.stderr)
                right = False
            if right != want:
                wrong += 1
                print(f"check-docs: {name}: {'not found out' if right else 'true, and found wrong'}")
    print(f"{len(LIES)} pages that lie, {len(TRUTHS)} that do not: {wrong} wrong")
    return wrong == 0


def check_starters():
    """Each starter of a lab sheet is a program of Python, and its five gaps are open."""
    starters = sorted((ROOT / "docs/lab/starter").glob("*.py"))
    right = bool(starters)
    for path in starters:
        source = path.read_text()
        compile(source, path, "exec")
        gaps = re.findall(r"^ +gap\((\d), \"", source, re.M)
        if gaps != list("12345"):
            print(f"check-docs: {path.relative_to(ROOT)}: the open gaps are {', '.join(gaps)}, not 1 to 5", file=sys.stderr)
            right = False
    return right


def main(arguments):
    if arguments[:1] == ["--self-test"]:
        return 0 if self_test() else 1
    if arguments[:1] == ["--inside"]:
        page = arguments[1]
        return 0 if run_page(page, (ROOT / page).read_text()) else 1
    given = [str(pathlib.Path(page).resolve().relative_to(ROOT)) for page in arguments]
    pages = given or ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))]
    found = {page: blocks(page, (ROOT / page).read_text()) for page in pages}
    pages = [page for page in pages if found[page]]
    not_run = sum(block.not_run for page in pages for block in found[page])
    if not_run > MOST_NOT_RUN:
        print(f"check-docs: {not_run} blocks are not run, at most {MOST_NOT_RUN} may be", file=sys.stderr)
        return 1
    started, wrong, running = time.monotonic(), [] if given or check_starters() else ["docs/lab/starter"], []

    def start(page):
        return subprocess.Popen(["unshare", "-rn", "bash", "-euc", LAPTOP, "-", sys.executable, __file__, "--inside", page])

    for page in [*pages, None]:
        # As many pages at once as there are processors.
        while running and (page is None or len(running) >= (os.cpu_count() or 1)):
            done = next((pair for pair in running if pair[1].poll() is not None), None)
            if done is None:
                time.sleep(0.02)
                continue
            running.remove(done)
            if done[1].returncode:
                wrong.append(done[0])
        if page:
            running.append((page, start(page)))
    # Two programs that print at the same moment on a busy machine may print in another order. A page that lies does so
    # when it runs alone, too.
    for page in [page for page in wrong if page in found]:
        print(f"check-docs: {page}: once more, alone", file=sys.stderr)
        if not start(page).wait():
            wrong.remove(page)
    count = sum(len(found[page]) for page in pages) - not_run
    seconds = time.monotonic() - started
    print(f"{count} console blocks on {len(pages)} pages in {seconds:.0f} s, {not_run} not run: "
          + (f"wrong: {', '.join(wrong)}" if wrong else "every page says what happens"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
