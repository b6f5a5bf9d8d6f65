"""Cristian's algorithm (1989) on a network that loses messages: the time server is asked until a reply comes.

cristian.py [FAULT], which makes it go wrong.
"""
import itertools
import json
import os
import queue
import sys
import threading
import time

fault = (sys.argv[1:] + [""])[0]
me, server = None, None
inbox, postponed = queue.Queue(), []
numbers = itertools.count(1)
offset = 0  # of the clock that is set, from the hardware clock
floor = 0  # what the clock has shown: it stands until the time to which it is set is later
sync = None  # the client's request, until the clock is set
asked = {}  # the requests to the server for it: the reading before each, by its number


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
    return reading if fault == "frozen" else floor


def adjust(reading, shown, delay):
    """Sets the clock, and replies to the client."""
    global offset, sync
    show(reading)
    offset = shown - reading
    reading = time.time_ns() // 1000 if fault == "machine-clock" else reading
    send("lab", type="adjust", reading=reading, time=shown, delay=10_000_000 if fault == "boast" else delay)
    send(sync["src"], type="sync_ok", in_reply_to=sync["body"]["msg_id"])
    sync = None


def ask():
    reading, number = read_clock(), next(numbers)
    asked[number] = reading
    send(server, type="ask", number=number)


def reply(number, shown):
    """The server's reply. It measures the round trip of the request with its number only."""
    reading = read_clock()
    before = max(asked.values()) if fault == "stale" else asked[number]
    # A hardware clock that was set back has measured nothing.
    if reading >= before:
        delay = reading - before
        adjust(reading, shown + (0 if fault == "no-halving" else delay // 2), delay)


def handle(message):
    global sync
    body, client = message["body"], message["src"]
    if fault == "refuse" and "msg_id" in body:
        send(client, type="error", code=11, in_reply_to=body["msg_id"])
    elif fault == "idle" and body["type"] == "sync":
        send(client, type="sync_ok", in_reply_to=body["msg_id"])
    elif body["type"] == "sync":
        sync = message
        asked.clear()
        if fault == "own-clock":
            reading = read_clock()
            adjust(reading, reading, 1)
        else:
            ask()
    elif body["type"] == "now":
        reading = read_clock()
        send(client, type="now_ok", in_reply_to=body["msg_id"], reading=reading, time=show(reading))
    elif body["type"] == "ask":
        send(message["src"], type="time", number=body["number"], time=read_clock())
    elif body["type"] == "time" and sync and body["number"] in asked:
        reply(body["number"], body["time"])
    elif body["type"] == "tick" and sync and fault != "once":
        ask()


def read_lines():
    for line in sys.stdin:
        inbox.put(json.loads(line))
    os._exit(0)


def tick():
    while True:
        time.sleep(0.03)
        inbox.put({"src": me, "body": {"type": "tick"}})


first = json.loads(sys.stdin.readline())
me, server = first["body"]["node_id"], first["body"]["node_ids"][0]
send(first["src"], type="init_ok", in_reply_to=first["body"]["msg_id"])
for work in (read_lines, tick):
    threading.Thread(target=work, daemon=True).start()
while message := postponed.pop(0) if postponed else inbox.get():
    handle(message)
