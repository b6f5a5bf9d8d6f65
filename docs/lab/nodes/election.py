"""election: all nodes that live agree on the one with the greatest number.

    lamport run election --node 'python3 docs/lab/nodes/election.py' --count 5
    lamport run election --node 'python3 docs/lab/nodes/election.py' --crash n3@1s --loss 10%

The bully algorithm (Garcia-Molina 1982), or another one. The lab is the failure detector: after a crash it sends suspect to
each node that is left. docs/reference/nodes.md has the protocol.
"""
import json
import sys

node_id = None
node_ids = []
suspects = set()  # the nodes that have crashed
term, leader = 0, None  # of the leader that this node has reported last


def send(dest, body):
    print(json.dumps({"src": node_id, "dest": dest, "body": body}), flush=True)


def reply(request, body):
    body["in_reply_to"] = request["body"]["msg_id"]
    send(request["src"], body)


def agree(new_term, node):
    """Takes a node as the leader of a term, and reports it."""
    global term, leader
    if (new_term, node) != (term, leader):
        term, leader = new_term, node
        send("lab", {"type": "leader", "term": term, "leader": leader})


def elect():
    """Holds an election."""
    # GAP 1: ask the nodes with a greater number that live. Without one, this node leads: GAP 2, in which term?
    # No two nodes may ever lead in one term. The others must know (GAP 4: also when messages are lost).


for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    if body["type"] == "init":
        node_id, node_ids = body["node_id"], body["node_ids"]
        reply(message, {"type": "init_ok"})
    elif body["type"] == "elect":
        reply(message, {"type": "elect_ok"})
        elect()
    elif body["type"] == "suspect":
        suspects.add(body["node"])
        # GAP 5: who leads now?
    # GAP 3: what other nodes send. A message of an earlier term, or of a node that has crashed, may still arrive.
