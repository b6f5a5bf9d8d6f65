"""commit: all nodes commit a transaction, or none does.

    lamport run commit --node 'python3 docs/lab/nodes/commit.py' --count 5
    lamport run commit --node 'python3 docs/lab/nodes/commit.py' --crash n1@1s --loss 10%

Two-phase commit (Gray 1978): the first node is the coordinator, the others are participants. The lab is the failure detector:
after a crash it sends suspect to each node that is left. docs/reference/nodes.md has the protocol.
"""
import json
import sys

node_id = None
node_ids = []
wanted = {}  # how the client wants this node to vote, by transaction
decided = {}  # the decisions
begun = {}  # of the coordinator: the requests to begin, until they are answered


def send(dest, body):
    print(json.dumps({"src": node_id, "dest": dest, "body": body}), flush=True)


def reply(request, body):
    body["in_reply_to"] = request["body"]["msg_id"]
    send(request["src"], body)


def decide(transaction, outcome):
    """Decides to commit or to abort, once, and reports it."""
    if transaction in decided:
        return
    decided[transaction] = outcome
    send("lab", {"type": "decide", "transaction": transaction, "outcome": outcome})
    if transaction in begun:
        reply(begun.pop(transaction), {"type": "begin_ok"})


for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    if body["type"] == "init":
        node_id, node_ids = body["node_id"], body["node_ids"]
        reply(message, {"type": "init_ok"})
    elif body["type"] == "begin":
        begun[body["transaction"]] = message
        # GAP 1: ask the participants for their votes.
    elif body["type"] == "vote" and "msg_id" in body:
        wanted[body["transaction"]] = body["vote"]
        reply(message, {"type": "vote_ok"})
    # GAP 2, a participant is asked: it reports its vote to lab, {"type": "vote", "transaction": 1, "vote": "commit"}, and sends it.
    # GAP 3, the coordinator has a vote: when may it decide, and what? The others must know (also when messages are lost).
    # GAP 4, suspect with "node": a participant has crashed. GAP 5: the coordinator has crashed; who knows the decision?
