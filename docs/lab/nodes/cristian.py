"""time: each clock follows that of the first node, the time server.

    lamport run time --node 'python3 docs/lab/nodes/cristian.py' --count 10
    lamport run time --node 'python3 docs/lab/nodes/cristian.py' --delay exp:10ms --loss 10% --clock-offset n2=2s

Cristian's algorithm (1989). docs/reference/nodes.md has the protocol.
"""
import json
import queue
import sys
import threading

node_id, server = None, None
offset = 0  # of the clock that is set, from the hardware clock
inbox, postponed = queue.Queue(), []  # the messages to this node; those that came while it read its clock
reads = 0


def send(dest, body):
    print(json.dumps({"src": node_id, "dest": dest, "body": body}), flush=True)


def reply(request, body):
    send(request["src"], {**body, "in_reply_to": request["body"]["msg_id"]})


def read_clock():
    """What the hardware clock shows, in microseconds. It is a service, which is asked, and not the machine's clock."""
    global reads
    reads += 1
    send("clock", {"type": "read", "msg_id": reads})
    while message := inbox.get():
        if message["src"] == "clock" and message["body"]["in_reply_to"] == reads:
            return message["body"]["time"]
        postponed.append(message)


def read_lines():
    for line in sys.stdin:
        inbox.put(json.loads(line))
    inbox.put(None)  # GAP 5, for lost messages: a second thread can put a message of your own into inbox now and then.


threading.Thread(target=read_lines, daemon=True).start()
while message := postponed.pop(0) if postponed else inbox.get():
    body = message["body"]
    if body["type"] == "init":
        node_id, server = body["node_id"], body["node_ids"][0]
        reply(message, {"type": "init_ok"})
    elif body["type"] == "sync":
        reading = read_clock()
        # GAP 1: ask the server. GAP 3, its reply: what time is it now, and how long was the round trip? Then set the clock, report
        # that to lab, {"type": "adjust", "reading": 1795410685000123, "time": 1795410685000456, "delay": 789}, and reply.
        reply(message, {"type": "sync_ok"})
    elif body["type"] == "now":
        reading = read_clock()
        reply(message, {"type": "now_ok", "reading": reading, "time": reading + offset})  # GAP 4: it never goes back.
    # GAP 2, the server is asked.
