"""broadcast: what a client sends to one node reaches every node.

    lamport run broadcast --node 'python3 docs/lab/nodes/broadcast.py' --count 10
    lamport run broadcast --node 'python3 docs/lab/nodes/broadcast.py' --loss 10% --partition 'n1/*@1s..2s'

The second one loses messages: what is sent once may never arrive. docs/reference/nodes.md has the protocol.
"""
import json
import sys

node_id = None
node_ids = []
seen = set()  # the messages that this node has


def send(dest, body):
    print(json.dumps({"src": node_id, "dest": dest, "body": body}), flush=True)


def reply(request, body):
    body["in_reply_to"] = request["body"]["msg_id"]
    send(request["src"], body)


def spread(new):
    """Makes a message known to the other nodes."""
    # GAP 1: send it to every other node. GAP 3, for a network that loses messages: until they acknowledge it, or again
    # and again (a thread with a lock, or with every message that arrives).


for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    if body["type"] == "init":
        node_id, node_ids = body["node_id"], body["node_ids"]
        reply(message, {"type": "init_ok"})
    elif body["type"] == "topology":
        reply(message, {"type": "topology_ok"})
    elif body["type"] == "broadcast":
        seen.add(body["message"])
        spread(body["message"])
        reply(message, {"type": "broadcast_ok"})
    elif body["type"] == "read":
        reply(message, {"type": "read_ok", "messages": list(seen)})
    # GAP 2: what another node has spread.
