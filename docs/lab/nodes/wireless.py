"""wireless: all nodes that are connected agree on the one with the greatest capacity. A node reaches its neighbours only.

    lamport run wireless --node 'python3 docs/lab/nodes/wireless.py' --processes 5 --count 5
    lamport run wireless --node 'python3 docs/lab/nodes/wireless.py' --processes 5 --crash n2@1s --loss 10%

The algorithm of Vasudevan, Kurose and Towsley (2004). The lab is the failure detector: after a crash it sends suspect to each
neighbour. docs/reference/nodes.md has the protocol.
"""
import json
import sys

node_id = None
node_ids = []
neighbours = []
capacity = 0
suspects = set()  # the neighbours that have crashed
term, leader = 0, None  # of the leader that this node has reported last
parent = None  # in the tree of the present election


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
    """Starts an election."""
    # GAP 1: ask the neighbours, in a term that no other node starts. Of two elections that meet, which one goes on?


for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    if body["type"] == "init":
        node_id, node_ids = body["node_id"], body["node_ids"]
        reply(message, {"type": "init_ok"})
    elif body["type"] == "topology":
        neighbours, capacity = body["topology"][node_id], body["capacity"]
        reply(message, {"type": "topology_ok"})
    elif body["type"] == "elect":
        reply(message, {"type": "elect_ok"})
        elect()
    elif body["type"] == "suspect":
        suspects.add(body["node"])  # GAP 5: the tree may have lost a branch.
    # GAP 2, a neighbour asks: the first is the parent. Ask the others, and answer those that ask later without a candidate.
    # GAP 3: when all have answered, the best of the subtree goes to the parent; the source announces it. GAP 4: lost messages.
