"""clocks: a node with a logical clock (Lamport 1978).

    lamport run clocks --node 'python3 docs/lab/nodes/clocks.py' --count 10

A node has three kinds of events: local ones and sends, for which a client asks, and receives. Each advances the clock.
docs/reference/nodes.md has the protocol.
"""
import json
import sys

node_id = None
clock = 0


def send(dest, body):
    print(json.dumps({"src": node_id, "dest": dest, "body": body}), flush=True)


def reply(request, body):
    body["in_reply_to"] = request["body"]["msg_id"]
    send(request["src"], body)


def tick():
    """Advances the clock at an event of this node."""
    global clock
    # GAP 1: rule IR1.


def receive(sent):
    """Advances the clock at the receive of a message whose clock is `sent`."""
    global clock
    # GAP 2: rule IR2. The clock must be past both: its own last event, and the send.


for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    if body["type"] == "init":
        node_id = body["node_id"]
        reply(message, {"type": "init_ok"})
    elif body["type"] == "local":
        tick()
        reply(message, {"type": "local_ok", "clock": clock})
    elif body["type"] == "send":
        tick()
        send(body["to"], {"type": "message", "clock": clock})
        reply(message, {"type": "send_ok"})
    elif body["type"] == "message":
        receive(body["clock"])
        send("lab", {"type": "receive", "from": message["src"], "sent": body["clock"], "clock": clock})
