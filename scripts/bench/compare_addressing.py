"""Compares unicast, multicast and broadcast to the same receivers: one table, and one picture.
compare-addressing.sh builds and calls this with the folder of our programs, the picture's path, and the numbers of
receivers, bystanders and messages."""

import json
import os
import re
import sys
import time

from measure import table
from netlab import Lab

OURS, PICTURE = sys.argv[1], sys.argv[2]
RECEIVERS, BYSTANDERS, MESSAGES = map(int, sys.argv[3:6])
PORT = 5007
SENDER = 1
RECEIVING = range(2, 2 + RECEIVERS)
STANDING_BY = range(2 + RECEIVERS, 2 + RECEIVERS + BYSTANDERS)

# Name, the client's --mode, and whether the switch snoops.
MODES = [
    ("unicast", "unicast", True),
    ("multicast, snooping", "multicast", True),
    ("multicast, no snooping", "multicast", False),
    ("broadcast", "broadcast", True),
]

# Key, heading in the table, heading in the picture.
COLUMNS = [
    ("sends", "sends", "sends by the program"),
    ("sender", "frames out of the sender", "frames out of the sender"),
    ("switch", "frames out of the switch", "frames out of the switch"),
    ("delivered", "delivered", "delivered to receivers"),
    ("card", "at a bystander's card", "at a bystander's card"),
    ("udp", "reached its UDP layer", "reached its UDP layer"),
    ("cpu", "sender's CPU, µs a message", "sender's CPU, µs a message"),
]


def udp_layer(lab, host):
    """How many datagrams the IP layer of a host handed to UDP (RFC 4113; IgnoredMulti is Linux's)."""
    lines = re.findall(r"^Udp: (.*)$", lab.exec(host, "cat", "/proc/net/snmp"), re.MULTILINE)
    fields = dict(zip(lines[0].split(), map(int, lines[1].split())))
    return fields["InDatagrams"] + fields["NoPorts"] + fields["InErrors"] + fields["IgnoredMulti"]


def last_counts(process, what):
    """The counts of one of our programs that ends by itself."""
    out, err = process.communicate(timeout=120)
    try:
        return json.loads(out.splitlines()[-1])["counts"]
    except (IndexError, KeyError, ValueError):
        raise SystemExit(f"compare-addressing: {what}: {err.strip()}") from None


def measure(mode, snooping):
    with Lab(1 + RECEIVERS + BYSTANDERS, snooping) as lab:
        receivers = []
        for host in RECEIVING:
            limits = ["--count", str(MESSAGES), "--for", "30s"]
            receiver = lab.start(host, f"{OURS}/mcast-server", "--interface", "eth0", "--json", *limits)
            if not (line := receiver.stderr.readline()).startswith("listening on "):
                raise SystemExit(f"compare-addressing: {line}{receiver.stderr.read()}".strip())
            receivers.append(receiver)
        # The switch learns of a member by its report; this gives it time to act on that.
        time.sleep(0.3)
        lab.count_frames(0, f"p{SENDER}", PORT)
        # A switch returns no frame to its sender, and a host's broadcast to itself is no frame.
        for host in [*RECEIVING, *STANDING_BY]:
            lab.count_frames(host, "eth0", PORT)
        before = [udp_layer(lab, host) for host in STANDING_BY]
        to = [word for host in RECEIVING for word in ("--to", f"10.77.0.{host}")] if mode == "unicast" else []
        sending = [f"{OURS}/mcast-client", "--interface", "eth0", "--mode", mode, *to, "--json"]
        # One call for each datagram, as in the textbook, and no faster than a slow machine's receivers read.
        load = ["--stamp", "--size", "100", "--offload", "off"]
        paced = [*load, "--count", str(MESSAGES), "--rate", "5000"]
        sent = last_counts(lab.start(SENDER, *sending, *paced), "the sender")
        received = [last_counts(receiver, f"the receiver on host {host}") for host, receiver in zip(RECEIVING, receivers)]
        frames = {host: lab.frames(host, "eth0") for host in [*RECEIVING, *STANDING_BY]}
        udp = [udp_layer(lab, host) - then for host, then in zip(STANDING_BY, before)]
        through = lab.frames(0, f"p{SENDER}")
        # All hosts are one machine, whose kernel carries a frame through the switch and to the receivers on the
        # sender's processor time. Where the switch drops every frame, only the sender's own cost remains.
        lab.exec(0, "nft", "delete", "table", "netdev", f"count_p{SENDER}")
        lab.count_frames(0, f"p{SENDER}", PORT, "drop")
        alone = last_counts(lab.start(SENDER, *sending, *load, "--count", str(20 * MESSAGES)), "the sender")
        return {
            "sends": sent["calls"],
            "sender": through,
            "switch": sum(frames.values()),
            "delivered": sum(counts["received"] for counts in received),
            "card": max((frames[host] for host in STANDING_BY), default=0),
            "udp": max(udp, default=0),
            "cpu": alone["cpu_us"] / alone["messages"],
        }


def in_words():
    """The title: what was compared."""
    many = lambda number, what: f"{number:,} {what}{'s' * (number != 1)}"
    messages, receivers = many(MESSAGES, "message"), many(RECEIVERS, "receiver")
    return f"{messages} to {receivers}, {many(BYSTANDERS, 'bystander')} on the same switch"


def written(key, value):
    """A value for people; only the processor time has a fraction."""
    return f"{value:.1f}" if key == "cpu" else f"{value:,}"


def picture(results):
    """A panel for each column, a bar for each addressing mode; the few rectangles are written as SVG by hand."""
    colours = ["#336699", "#4d8f4d", "#8fbf8f", "#b03030"]
    left, wide, bar = 12, 440, 18
    high = 34 + len(MODES) * (bar + 3)
    width, height = left + 2 * wide, 62 + (len(COLUMNS) + 1) // 2 * high
    title = in_words()
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="11" role="img" aria-label="{title}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{left}" y="28" font-size="17">{title}</text>',
    ]
    for place, (key, _, heading) in enumerate(COLUMNS):
        x, top = left + place % 2 * wide, 58 + place // 2 * high
        out.append(f'<text x="{x}" y="{top}" font-weight="bold">{heading}</text>')
        most = max(results[name][key] for name, _, _ in MODES) or 1
        for line, (name, _, _) in enumerate(MODES):
            y, value = top + 7 + line * (bar + 3), results[name][key]
            length = max(value / most * (wide - 230), 1)
            out.append(f'<text x="{x}" y="{y + 13}" fill="{colours[line]}">{name}</text>')
            out.append(f'<rect x="{x + 140}" y="{y}" width="{length:.1f}" height="{bar}" fill="{colours[line]}"/>')
            out.append(f'<text x="{x + 145 + length:.1f}" y="{y + 13}">{written(key, value)}</text>')
    out.append("</svg>")
    return "\n".join(out)


def main():
    results, rows = {}, [["addressing mode"] + [heading for _, heading, _ in COLUMNS]]
    for name, mode, snooping in MODES:
        if sys.stderr.isatty():
            print(f"  {name:40}", end="\r", file=sys.stderr, flush=True)
        results[name] = measure(mode, snooping)
        rows.append([name] + [written(key, results[name][key]) for key, _, _ in COLUMNS])
    print(f"{in_words()}\n\n{table(rows)}")
    with open(PICTURE, "w", encoding="utf-8") as file:
        file.write(picture(results))
    print(f"\npicture: {os.path.relpath(PICTURE)}")


main()
