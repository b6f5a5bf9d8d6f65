"""The algorithm of Chandy and Lamport (1985), over reliable FIFO channels of its own: what is not acknowledged is sent again.

snapshot.py [FAULT], which makes it go wrong.
"""
import json
import sys
import threading
import time

fault = (sys.argv[1:] + [""])[0]
me, others, balance = None, [], 1000
channels, snapshots = {}, {}
lock = threading.Lock()


def send(dest, **body):
    print(json.dumps({"src": me, "dest": dest, "body": body}), flush=True)


class Channel:  # in both directions
    def __init__(self, peer):
        self.peer, self.next, self.unacknowledged = peer, 0, {}  # what is sent, by its sequence number
        self.expected, self.early = 0, {}  # what is received: the next sequence number, and what has come before its turn

    def put(self, **content):
        self.unacknowledged[self.next] = content
        send(self.peer, type="data", number=self.next, content=content)
        self.next += 1

    def go_on(self):
        for number, content in self.unacknowledged.items() if fault != "datagrams" else ():
            send(self.peer, type="data", number=number, content=content)

    def data(self, number, content):
        if fault == "datagrams" or fault == "twice" and number < self.expected and "transfer" in content:
            deliver(self.peer, content)
        elif number >= self.expected:
            self.early[number] = content
        while self.expected in self.early:
            self.expected += 1
            deliver(self.peer, self.early.pop(self.expected - 1))
        send(self.peer, type="acknowledgement", expected=self.expected)


class Snapshot:  # as this node sees it
    def __init__(self, number, initiator, request=None):
        self.number, self.initiator, self.request = number, initiator, request
        self.open = set(others)  # the channels whose marker has not come
        self.money, self.is_reported = None, False  # what this node has recorded, from when it records its state
        self.missing, self.total = {me, *others}, 0  # of the initiator: who has not reported, and what the others recorded
        self.record_at = time.monotonic() + (0.1 * int(me[1:]) if fault == "late-record" and request is None else 0)
        snapshots[number] = self
        self.go_on()
        for node in others:
            channels[node].put(snapshot=number, initiator=initiator)

    def go_on(self):
        if self.money is None and time.monotonic() >= self.record_at:
            self.money = 1000 if fault == "liar" else balance
            send("lab", type="record", snapshot=self.number, balance=self.money)
        if self.money is not None and not self.open and not self.is_reported:
            self.is_reported = True
            if self.request:
                self.report(me, self.money)
            else:
                channels[self.initiator].put(snapshot=self.number, money=self.money)

    def receive(self, source, amount):
        if self.money is not None and source in self.open and fault not in ("no-channels", "liar"):
            self.money += amount
            send("lab", type="channel", snapshot=self.number, money=amount, **{"from": source})

    def report(self, node, money):
        self.total += money if node in self.missing else 0
        self.missing.discard(node)
        if not self.missing and self.request and fault != "silent":
            request, self.request = self.request, None
            send(request["src"], type="snapshot_ok", in_reply_to=request["body"]["msg_id"], money=self.total)


def deliver(source, content):
    """The next message of a channel: a transfer, a report to the initiator, or a marker."""
    global balance
    if "transfer" in content:
        balance += content["amount"]
        send("lab", type="credit", transfer=content["transfer"])
        for snapshot in snapshots.values():
            snapshot.receive(source, content["amount"])
    elif "money" in content:
        snapshots[content["snapshot"]].report(source, content["money"])
    else:
        snapshot = snapshots.get(content["snapshot"]) or Snapshot(content["snapshot"], content["initiator"])
        snapshot.open.discard(source)
        snapshot.go_on()


def again():
    while True:
        time.sleep(0.03)
        with lock:
            for it in [*channels.values(), *snapshots.values()]:
                it.go_on()


def handle(message, source, body):
    global balance
    if body["type"] == "transfer":
        balance -= body["amount"]
        send("lab", type="debit", transfer=body["transfer"])
        channels[body["to"]].put(transfer=body["transfer"], amount=body["amount"])
        send(source, type="transfer_ok", in_reply_to=body["msg_id"])
    elif body["type"] == "snapshot" and fault == "alone":
        send("lab", type="record", snapshot=body["snapshot"], balance=balance)
        send(source, type="snapshot_ok", in_reply_to=body["msg_id"], money=1000 * (len(others) + 1))
    elif body["type"] == "snapshot":
        Snapshot(body["snapshot"], me, message)
    elif body["type"] == "data":
        channels[source].data(body["number"], body["content"])
    elif body["type"] == "acknowledgement":
        for number in [it for it in channels[source].unacknowledged if it < body["expected"]]:
            del channels[source].unacknowledged[number]


init = json.loads(sys.stdin.readline())
me, others = init["body"]["node_id"], [node for node in init["body"]["node_ids"] if node != init["body"]["node_id"]]
channels.update({node: Channel(node) for node in others})
send(init["src"], type="init_ok", in_reply_to=init["body"]["msg_id"])
threading.Thread(target=again, daemon=True).start()
for line in sys.stdin:
    message = json.loads(line)
    with lock:
        handle(message, message["src"], message["body"])
