"""snapshot: a global state of all nodes and channels, recorded while money is transferred.

    lamport run snapshot --node 'python3 docs/lab/nodes/snapshot.py' --count 10
    lamport run snapshot --node 'python3 docs/lab/nodes/snapshot.py' --delay exp:10ms --loss 10% --duplicate 10%

The algorithm of Chandy and Lamport (1985) needs FIFO channels that lose nothing. The network of the first run loses and reorders
nothing; on that of the second one they are your work. docs/reference/nodes.md has the protocol.
"""
import json
import sys

node_id = None
node_ids = []
balance = 1000


def send(dest, body):
    print(json.dumps({"src": node_id, "dest": dest, "body": body}), flush=True)


def reply(request, body):
    body["in_reply_to"] = request["body"]["msg_id"]
    send(request["src"], body)


def record(snapshot):
    """Records the state of this node."""
    send("lab", {"type": "record", "snapshot": snapshot, "balance": balance})
    # GAP 1: send a marker through each channel. It says to which snapshot it belongs: several nodes may take one at a time.


for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    if body["type"] == "init":
        node_id, node_ids = body["node_id"], body["node_ids"]
        reply(message, {"type": "init_ok"})
    elif body["type"] == "transfer":
        balance -= body["amount"]
        send("lab", {"type": "debit", "transfer": body["transfer"]})
        # GAP 5: where messages are lost, duplicated and reordered, number them, and send them until they are acknowledged.
        send(body["to"], {"type": "money", "transfer": body["transfer"], "amount": body["amount"]})
        reply(message, {"type": "transfer_ok"})
    elif body["type"] == "money":
        balance += body["amount"]
        send("lab", {"type": "credit", "transfer": body["transfer"]})
        # GAP 3: was it in transit? Report it, {"type": "channel", "snapshot": 1, "from": "n2", "money": 30}.
    elif body["type"] == "snapshot":
        record(body["snapshot"])
    # GAP 2, a marker: what does this node do at the first one of a snapshot, and what at the others?
    # GAP 4: when has this node recorded all? The initiator adds up what all have recorded: snapshot_ok with money.
