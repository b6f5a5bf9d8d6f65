"""mutex: at most one node has the lock.

    lamport run mutex --node 'python3 docs/lab/nodes/mutex.py' --count 5

Lamport's algorithm (1978) needs channels that lose nothing and keep the order: run it without --loss and --reorder first.
docs/reference/nodes.md has the protocol.
"""
import json
import sys

node_id = None
node_ids = []
clock = 0
queue = []  # requests as [clock, node], this node's too
heard = {}  # the clock of the latest message from each other node
waiting = None  # the client's request for the lock, until it is granted


def send(dest, body):
    print(json.dumps({"src": node_id, "dest": dest, "body": body}), flush=True)


def reply(request, body):
    body["in_reply_to"] = request["body"]["msg_id"]
    send(request["src"], body)


def granted():
    """Whether this node may enter."""
    # GAP 1: rule 5. Its request is the first of the queue, and every other node has sent something later.
    return True


for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    if body["type"] == "init":
        node_id, node_ids = body["node_id"], body["node_ids"]
        reply(message, {"type": "init_ok"})
    elif body["type"] == "lock":
        waiting = message
        # GAP 2: rule 1. Put the request into the queue, and send it to the others.
    elif body["type"] == "unlock":
        # GAP 3: rule 3. Remove the request from the queue, and send its release to the others.
        reply(message, {"type": "unlock_ok"})
    # GAP 4: rules 2 and 4, for what the others send. Each message moves the clock past its own.
    if waiting and granted():
        reply(waiting, {"type": "lock_ok"})
        waiting = None
