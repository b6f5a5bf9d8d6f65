"""Vasudevan, Kurose & Towsley's election (2004) on a network that loses messages: each node lets its neighbours know its place in
the tree, its state, until they acknowledge it.

wireless.py [FAULT], which makes it go wrong.
"""
import json
import sys
import threading
import time

fault = (sys.argv[1:] + [""])[0]
me, everybody, neighbours, capacity = None, [], [], 0
suspects = set()
term, parent, best, leader = 0, None, None, None  # in the election of this term; best is that of the subtree, once it is known
states = {}  # of the neighbours: the latest state that has come
version, acknowledged = 0, {}  # of the own state, and the last version that each neighbour has
lock = threading.Lock()


def send(dest, **body):
    print(json.dumps({"src": me, "dest": dest, "body": body}), flush=True)


def reached():
    return [node for node in neighbours if node not in suspects]


def publish():
    """Sends the state to the neighbours that do not have it."""
    for node in everybody if fault == "shouts" else reached():
        if acknowledged.get(node) != version and node != me:
            send(node, type="state", version=version, term=term, parent=parent, best=best, leader=leader)


def join(new_term, new_parent):
    global term, parent, best, leader, version
    term, parent, best, leader = new_term, new_parent, None, None
    version += 1
    if parent:
        send("lab", type="parent", term=term, parent=parent)
    publish()
    go_on()


def elect():
    """Starts an election, in the next term that is this node's own: each has every N-th."""
    own = everybody.index(me) + 1
    join(term + 1 + (own - term - 1) % len(everybody), None)


def go_on():
    """Takes what follows from the states of the neighbours: the best of the subtree, or the leader."""
    global best, leader, version
    known = [states[node] for node in reached() if states.get(node, {}).get("term") == term]
    leaders = [state["leader"] for state in known if state["leader"]]
    children = [state for state in known if state["parent"] == me]
    waits = len(known) < len(reached()) or not all(state["best"] for state in children)
    before = best, leader
    if not best and not waits:
        own = (0 if fault == "greatest-number" else capacity, everybody.index(me))
        best = max([own, *(tuple(state["best"]) for state in children)])
    if not leader and (leaders or best and not parent):
        leader = leaders[0] if leaders else everybody[best[1]]
        send("lab", type="leader", term=1 if fault == "one-term" else term, leader=leader)
    if (best, leader) != before:
        version += 1
        publish()


def again():
    while True:
        time.sleep(0.03)
        with lock:
            publish()


def handle(source, body):
    global neighbours, capacity
    if body["type"] == "topology":
        neighbours, capacity = body["topology"][me], body["capacity"]
        send(source, type="topology_ok", in_reply_to=body["msg_id"])
        if fault != "once":
            threading.Thread(target=again, daemon=True).start()
    elif body["type"] == "elect":
        send(source, type="elect_ok", in_reply_to=body["msg_id"])
        if leader or not term:
            elect()
    elif body["type"] == "suspect" and fault != "trusts":
        suspects.add(body["node"])
        if term:
            elect()
    elif body["type"] == "acknowledgement":
        acknowledged[source] = max(acknowledged.get(source, 0), body["version"])
    elif body["type"] == "state" and source not in suspects:
        if body["version"] > states.get(source, {"version": 0})["version"]:
            states[source] = body
            if body["term"] > term:
                join(body["term"], source)
            go_on()
        send(source, type="acknowledgement", version=body["version"])


for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    with lock:
        if body["type"] == "init":
            me, everybody = body["node_id"], body["node_ids"]
            send(message["src"], type="init_ok", in_reply_to=body["msg_id"])
        else:
            handle(message["src"], body)
