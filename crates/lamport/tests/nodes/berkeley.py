"""The Berkeley algorithm (Gusella & Zatti 1989) on a network that loses messages: what is not answered is sent again.

berkeley.py [FAULT], which makes it go wrong.
"""
import itertools
import json
import os
import queue
import sys
import threading
import time

fault = (sys.argv[1:] + [""])[0]
AGREE = 100_000  # how far clocks that agree may differ, in microseconds; an answer with a longer round trip says too little
inbox, postponed = queue.Queue(), []
numbers = itertools.count(1)
offset = floor = 0  # of the clock that is set, from the hardware clock; what it has shown, as it may stand and is not set back
polled = adjusted = 0  # the last round in which this node was polled, and in which it set its clock
# Of the coordinator: the client's request, until the round ends; when it stops polling, and waiting for acknowledgements; the
# readings before its polls, by number; how far other clocks are ahead, with the round trip; the adjustments that are not
# acknowledged, once the average is taken.
sync, deadline, polls, estimates, unaware = None, 0, {}, {}, None


def send(dest, **body):
    print(json.dumps({"src": me, "dest": dest, "body": body}), flush=True)


def read_clock():
    """What the hardware clock shows. Other messages that come before the reply have to wait."""
    number = next(numbers)
    send("clock", type="read", msg_id=number)
    while message := inbox.get():
        if message["src"] == "clock" and message["body"]["in_reply_to"] == number:
            return message["body"]["time"]
        postponed.append(message)


def show(reading):
    global floor
    floor = max(reading + offset, 0 if fault == "set-back" else floor)
    return floor


def adjust(by, delay):
    global offset, adjusted
    show(reading := read_clock())
    offset, adjusted = offset + by, polled
    send("lab", type="adjust", round=polled, reading=reading, time=reading + offset, delay=delay)


def poll():
    number = next(numbers)
    polls[number] = read_clock()
    for node in [node for node in others if node not in estimates]:
        send(node, type="poll", round=polled, number=number)


def conclude():
    global unaware, deadline
    clocks = [0] + [ahead for ahead, _ in estimates.values()]
    sets = [[clock for clock in clocks if first <= clock <= first + AGREE] for first in clocks]
    best = clocks if fault == "average-all" else max(sets, key=len)
    unaware, deadline = {}, time.monotonic() + 1
    if 2 * len(best) > len(others) + 1:  # a majority agrees
        adjust(average := sum(best) // len(best), 0)
        for node, (ahead, delay) in estimates.items() if fault != "only-coordinator" else ():
            unaware[node] = {"type": "adjust", "round": polled, "by": average - ahead, "delay": delay}
            send(node, **unaware[node])


def go_on():
    global sync
    if unaware is None and (len(estimates) == len(others) or time.monotonic() > deadline):
        conclude()
    if unaware is not None and (not unaware or time.monotonic() > deadline):
        send(sync["src"], type="sync_ok", in_reply_to=sync["body"]["msg_id"])
        sync = None


def handle(message, source, body):
    global sync, deadline, polled, unaware
    kind, number = body["type"], body.get("round")
    if fault == "first-round" and kind == "sync" and number > 1:
        polled = number
        read_clock()
        send(source, type="sync_ok", in_reply_to=body["msg_id"])
    elif kind == "sync":
        sync, deadline, polled, unaware = message, time.monotonic() + 1, number, None
        polls.clear(), estimates.clear()
        poll()
    elif kind == "now":
        reading = read_clock()
        send(source, type="now_ok", in_reply_to=body["msg_id"], reading=reading, time=show(reading))
    elif kind == "poll" and number >= polled:
        polled = number
        send(source, type="clock", number=body["number"], time=read_clock() + offset)
    elif kind == "clock" and sync and unaware is None and body["number"] in polls:
        reading = read_clock()
        delay = reading - polls[body["number"]]
        if 0 <= delay <= AGREE and source not in estimates:
            estimates[source] = body["time"] + (0 if fault == "no-halving" else delay // 2) - reading - offset, delay
        go_on()
    elif kind == "adjust":
        if adjusted < number == polled:
            adjust(body["by"], body["delay"])
        send(source, type="acknowledgement", round=number)
    elif kind == "acknowledgement" and sync and unaware and number == polled:
        unaware.pop(source, None)
        go_on()
    elif kind == "tick" and sync and fault != "once":
        poll() if unaware is None else [send(node, **lost) for node, lost in unaware.items()]
        go_on()


def read_lines():
    for line in sys.stdin:
        inbox.put(json.loads(line))
    os._exit(0)


def tick():
    while not time.sleep(0.03):
        inbox.put({"src": me, "body": {"type": "tick"}})


init = json.loads(sys.stdin.readline())
me, others = init["body"]["node_id"], [node for node in init["body"]["node_ids"] if node != init["body"]["node_id"]]
send(init["src"], type="init_ok", in_reply_to=init["body"]["msg_id"])
for work in (read_lines, tick):
    threading.Thread(target=work, daemon=True).start()
while message := postponed.pop(0) if postponed else inbox.get():
    handle(message, message["src"], message["body"])
