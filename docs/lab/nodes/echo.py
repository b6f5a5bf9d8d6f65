"""echo: a node that replies to each `echo` with what it was sent.

    lamport run echo --node 'python3 docs/lab/nodes/echo.py' --count 10

A message is one JSON object a line: {"src": …, "dest": …, "body": {"type": …, …}}. docs/reference/nodes.md has the protocol.
"""
import json
import sys

node_id = None  # this node's name, from init


def send(dest, body):
    print(json.dumps({"src": node_id, "dest": dest, "body": body}), flush=True)


def reply(request, body):
    body["in_reply_to"] = request["body"]["msg_id"]
    send(request["src"], body)


for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    if body["type"] == "init":
        node_id = body["node_id"]
        reply(message, {"type": "init_ok"})
    elif body["type"] == "echo":
        # GAP: reply with a message of type echo_ok that has the same echo.
        pass
