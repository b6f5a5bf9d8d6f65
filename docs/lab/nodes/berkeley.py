"""berkeley: all clocks agree, and one that is far from most others does not draw these away.

    lamport run berkeley --node 'python3 docs/lab/nodes/berkeley.py' --count 10
    lamport run berkeley --node 'python3 docs/lab/nodes/berkeley.py' --delay exp:10ms --loss 10%

The Berkeley algorithm (Gusella & Zatti 1989): the first node is the coordinator. docs/reference/nodes.md has the protocol.
"""
import json
import queue
import sys
import threading

node_id, node_ids = None, []
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
        node_id, node_ids = body["node_id"], body["node_ids"]
        reply(message, {"type": "init_ok"})
    elif body["type"] == "sync":
        request = message  # GAP 1: poll the other clocks in body["round"]. Reply sync_ok when the clocks are set.
    elif body["type"] == "now":
        reading = read_clock()
        reply(message, {"type": "now_ok", "reading": reading, "time": reading + offset})  # GAP 4: it never goes back.
    # GAP 2, the coordinator has an answer: how far is that clock ahead of its own? When all have answered: the average of which?
    # GAP 3, each node learns by how much it must adjust its clock, and reports it to lab, the coordinator too:
    # {"type": "adjust", "round": 1, "reading": ..., "time": ..., "delay": ...}
