"""Two-phase commit (Gray 1978) on a network that loses messages: what was not answered is sent again.

commit.py [FAULT], which makes it go wrong.
"""
import json
import sys
import threading
import time

fault = (sys.argv[1:] + [""])[0]
me, coordinator, others, suspects = None, None, [], set()
wanted, voted, decided = {}, {}, {}  # by transaction
begun, votes, unaware = {}, {}, {}  # of the coordinator: the request, the votes, who has not acknowledged the decision
lock = threading.Lock()


def send(dest, **body):
    print(json.dumps({"src": me, "dest": dest, "body": body}), flush=True)


def decide(number, outcome):
    if number in decided:
        return
    decided[number] = outcome
    send("lab", type="decide", transaction=number, outcome=outcome)
    if number in begun:
        request = begun[number]
        send(request["src"], type="begin_ok", in_reply_to=request["body"]["msg_id"])
        unaware[number] = [node for node in others if node not in suspects]
        for node in others:
            send(node, type="decision", number=number, outcome=outcome)


def go_on(number):
    """Of the coordinator: asks for the votes that it lacks, or decides."""
    missing = [node for node in others if node not in votes[number]]
    if "abort" in votes[number].values() or suspects.intersection(missing) and fault != "waits":
        decide(number, "abort")
    elif not missing or fault == "early" and votes[number]:
        decide(number, "commit")


def ask(number):
    """Of a participant that is uncertain, when the coordinator has crashed."""
    if fault == "aborts":
        decide(number, "abort")
    elif fault != "silent":
        for node in others:
            send(node, type="ask", number=number)


def again():
    while True:
        time.sleep(0.03)
        with lock:
            for number in begun:
                missing = [node for node in others if node not in votes[number]]
                if number not in decided:
                    for node in missing:
                        send(node, type="vote-request", number=number)
                for node in unaware.get(number, []):
                    send(node, type="decision", number=number, outcome=decided[number])
            for number in voted:
                if number not in decided and coordinator in suspects:
                    ask(number)


def handle(message, body):
    source, kind, number = message["src"], body["type"], body.get("number")
    if kind == "begin":
        number = body["transaction"]
        begun[number], votes[number] = message, {}
        for node in others:
            send(node, type="vote-request", number=number)
        go_on(number)
    elif kind == "vote" and "msg_id" in body:
        wanted[body["transaction"]] = body["vote"]
        send(source, type="vote_ok", in_reply_to=body["msg_id"])
    elif kind == "vote-request":
        if number not in voted and number not in decided:
            voted[number] = "commit" if fault == "willing" else wanted[number]
            send("lab", type="vote", transaction=number, vote=voted[number])
        send(source, type="vote", number=number, vote=voted.get(number, "abort"))
        if voted.get(number) == "abort":
            decide(number, "abort")
    elif kind == "vote":
        votes[number][source] = body["vote"]
        if number not in decided:
            go_on(number)
    elif kind == "decision":
        decide(number, body["outcome"])
        if source == coordinator:
            send(source, type="acknowledgement", number=number)
    elif kind == "acknowledgement" and source in unaware[number]:
        unaware[number].remove(source)
    elif kind == "ask":
        if number not in voted:
            decide(number, "abort")
        if number in decided:
            send(source, type="decision", number=number, outcome=decided[number])
    elif kind == "suspect":
        suspects.add(body["node"])
        for number in begun:
            if body["node"] in unaware.get(number, []):
                unaware[number].remove(body["node"])
            if number not in decided:
                go_on(number)
        for number in voted:
            if number not in decided and body["node"] == coordinator:
                ask(number)


for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    with lock:
        if body["type"] == "init":
            me, coordinator = body["node_id"], body["node_ids"][0]
            others = [node for node in body["node_ids"] if node != me]
            send(message["src"], type="init_ok", in_reply_to=body["msg_id"])
            if fault != "once":
                threading.Thread(target=again, daemon=True).start()
        else:
            handle(message, body)
