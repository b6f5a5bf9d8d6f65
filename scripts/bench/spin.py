"""SPIN on the same instance as `lamport check mutex --max-clock`: the TLA+ module LamportMutex as a Promela model.

One transition of the model is one action of the module: each is a d_step, and its only process has a single control
state. So SPIN must visit exactly as many states as ours. A receipt by which a clock would pass the bound is not
enabled (ClockConstraint).
"""

import pathlib
import re
import shutil
import subprocess

from measure import whole_process

# The acknowledgement and the release; a request is its clock.
ACK, REL = 254, 255

# A depth-first search; no stack of the instances that are measured is as deep.
DEPTH = 100_000


def model(processes, max_clock):
    """The module in Promela."""
    all_of_them = range(processes)
    everybody = (1 << processes) - 1
    pairs = [(a, b) for a in all_of_them for b in all_of_them if a != b]
    lines = [f"byte clock{p} = 1, ack{p};" for p in all_of_them]
    lines += [f"byte req{p}_{q};" for p in all_of_them for q in all_of_them]
    lines += [f"chan from{a}_to{b} = [3] of {{ byte }};" for a, b in pairs]
    lines += ["byte crit;", "hidden byte m;", "active proctype all() {", "end:", "  do"]
    for p in all_of_them:
        others = [q for q in all_of_them if q != p]
        broadcast = lambda message: " ".join(f"from{p}_to{q}!{message};" for q in others)
        beats = [f"(req{p}_{q} == 0 || req{p}_{p} {'<=' if p < q else '<'} req{p}_{q})" for q in others]
        steps = [
            # Request(p), Enter(p), Exit(p)
            f"req{p}_{p} == 0 -> req{p}_{p} = clock{p}; ack{p} = {1 << p}; {broadcast(f'clock{p}')}",
            f"ack{p} == {everybody} && {' && '.join(beats)} -> crit = crit | {1 << p}; assert((crit & (crit - 1)) == 0)",
            f"crit & {1 << p} -> crit = crit & {everybody & ~(1 << p)}; req{p}_{p} = 0; ack{p} = 0; {broadcast(REL)}",
        ]
        for q in others:
            come, back = f"from{q}_to{p}", f"from{p}_to{q}"
            # ReceiveRequest(p, q) within the bound, ReceiveAck(p, q), ReceiveRelease(p, q)
            within = [f"clock{p} < {max_clock}", f"nempty({come})"]
            within += [f"!{come}?[{message}]" for message in (ACK, REL, max_clock)]
            advance = f"if :: m > clock{p} -> clock{p} = m + 1 :: else -> clock{p}++ fi"
            steps += [
                f"{' && '.join(within)} -> {come}?m; req{p}_{q} = m; {advance}; m = 0; {back}!{ACK}",
                f"{come}?[{ACK}] -> {come}?{ACK}; ack{p} = ack{p} | {1 << q}",
                f"{come}?[{REL}] -> {come}?{REL}; req{p}_{q} = 0",
            ]
        lines += [f"  :: d_step {{ {step} }}" for step in steps]
    return "\n".join(lines + ["  od", "}", ""])


def missing():
    """What it needs and this machine lacks, if anything."""
    return next((program for program in ("spin", "gcc") if not shutil.which(program)), None)


class Spin:
    """The verifier that SPIN makes of the model, in a folder of its own."""

    def __init__(self, folder, processes, max_clock):
        self.verifier = pathlib.Path(folder) / "pan"
        (self.verifier.parent / "lamport_mutex.pml").write_text(model(processes, max_clock), encoding="ascii")
        compiler = ["gcc", "-O2", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c"]
        for command in (["spin", "-a", "lamport_mutex.pml"], compiler):
            subprocess.run(command, cwd=folder, check=True, capture_output=True)

    def check(self, states):
        """Visits all states, with a hash table of as many places. Returns their number, the transitions (a step of
        the module each), and of the whole process: seconds, and MiB at the most."""
        places = max(states - 1, 1).bit_length()
        seconds, used, out = whole_process([self.verifier, f"-m{DEPTH}", f"-w{places}"], all_lines=True)
        figure = lambda words: int(re.search(rf"(\d+) {words}", out).group(1))
        if "errors: 0" not in out or "max search depth too small" in out:
            raise SystemExit(f"bench: SPIN: {out}")
        return figure("states, stored"), figure("transitions"), seconds, used.ru_maxrss / 1024
