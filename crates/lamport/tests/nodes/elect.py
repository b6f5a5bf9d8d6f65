"""The bully algorithm (Garcia-Molina 1982) on a network that loses messages: a leader says so again and again.

elect.py [FAULT], which makes it go wrong.
"""
import json
import sys
import threading
import time

fault = (sys.argv[1:] + [""])[0]
me, everybody, suspects = None, [], set()
term, leader = 0, None
lock = threading.Lock()


def send(dest, **body):
    print(json.dumps({"src": me, "dest": dest, "body": body}), flush=True)


def take(new_term, node):
    global term, leader
    if (new_term, node) != (term, leader):
        term, leader = new_term, node
        send("lab", type="leader", term=term, leader=leader)


def lead():
    # As many have led before it, at most, as have crashed.
    if leader != me:
        take(1 if fault == "one-term" else len(suspects) + 1, me)
    for node in everybody:
        if node != me:
            send(node, type="coordinator", term=term)


def elect():
    higher = [node for node in everybody if node > me and node not in suspects]
    if fault == "lowest":
        higher = [node for node in everybody if node < me and node not in suspects]
    if leader == me or not higher or fault == "each-leads":
        lead()
    for node in higher:
        send(node, type="election")


def again():
    while True:
        time.sleep(0.05)
        with lock:
            if leader == me:
                lead()
            elif leader is None and term:
                elect()


def handle(message, body):
    global leader
    if body["type"] == "elect":
        send(message["src"], type="elect_ok", in_reply_to=body["msg_id"])
        elect()
    elif body["type"] == "election" and not (fault == "once" and leader == me):
        elect()
    elif body["type"] == "coordinator" and body["term"] >= term and message["src"] not in suspects:
        take(body["term"], message["src"])
    elif body["type"] == "suspect" and fault != "trusts":
        suspects.add(body["node"])
        if leader == body["node"]:
            leader = None
        if leader is None and term:
            elect()


for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    with lock:
        if body["type"] == "init":
            me, everybody = body["node_id"], body["node_ids"]
            send(message["src"], type="init_ok", in_reply_to=body["msg_id"])
            if fault != "once":
                threading.Thread(target=again, daemon=True).start()
        else:
            handle(message, body)
