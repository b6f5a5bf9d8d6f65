"""Nodes for the tests: one program for all workloads, each of which can be told to go wrong.

whole.py WORKLOAD [FAULT]
"""
import json
import os
import sys
import threading
import time

workload, fault = (sys.argv[1:] + ["", ""])[:2]
me, everybody, ids = None, [], 0
lock = threading.RLock()


def send(dest, **body):
    print(json.dumps({"src": me, "dest": dest, "body": body}), flush=True)


def reply(message, kind, **body):
    send(message["src"], type=kind, in_reply_to=message["body"]["msg_id"], **body)


def others():
    return [node for node in everybody if node != me]


class Plain:
    """echo, unique-ids"""

    made = 0

    def echo(self, message, body):
        if fault == "twice":
            reply(message, "echo_ok", echo=body["echo"])
        reply(message, "echo_ok", echo="?" if fault == "changed" else body["echo"])

    def generate(self, message, body):
        self.made += 1
        made = self.made if fault == "same" else f"{me}-{self.made}"
        reply(message, "generate_ok", id=made)


class Elements:
    """broadcast, g-set, g-counter, pn-counter: every node tells the others all that it knows, over and over"""

    def __init__(self):
        self.known = {}
        if fault != "silent":
            threading.Thread(target=self.gossip, daemon=True).start()

    def gossip(self):
        while True:
            time.sleep(0.02)
            with lock:
                for node in others():
                    send(node, type="gossip", known=self.known)

    def gossip_in(self, message, body):
        self.known.update(body["known"])

    def topology(self, message, body):
        reply(message, "topology_ok")

    def broadcast(self, message, body):
        self.known[str(body["message"])] = 1
        reply(message, "broadcast_ok")

    def add(self, message, body):
        if "element" in body:
            self.known[str(body["element"])] = 1
        else:
            self.known[f"{me}-{len(self.known)}"] = body["delta"]
        reply(message, "add_ok")

    def read(self, message, body):
        if workload.endswith("counter"):
            return reply(message, "read_ok", value=sum(self.known.values()))
        values = [int(element) for element in self.known]
        if fault == "double":
            values += values
        field = "messages" if workload == "broadcast" else "value"
        reply(message, "read_ok", **{field: values})


class Clocks:
    clock = 0

    def local(self, message, body):
        self.clock += 1
        reply(message, "local_ok", clock=self.clock)

    def send(self, message, body):
        self.clock += 1
        send(body["to"], type="message", clock=self.clock)
        reply(message, "send_ok", clock=self.clock)

    def message(self, message, body):
        sent = body["clock"]
        self.clock = (self.clock if fault == "no-max" else max(self.clock, sent)) + 1
        if fault == "off-by-one":
            self.clock = max(self.clock - 1, sent)
        if fault != "silent":
            send("lab", type="receive", sent=sent, clock=self.clock, **{"from": message["src"]})


class Mutex:
    """The first node has the lock and gives it in the order of the requests; requests and grants are sent until they arrive."""

    def __init__(self):
        self.queue, self.done, self.number, self.waiting = [], {}, 0, None
        threading.Thread(target=self.again, daemon=True).start()

    def again(self):
        while True:
            time.sleep(0.02)
            with lock:
                if me == everybody[0]:
                    self.grant()
                elif self.number:
                    kind = "want" if self.waiting or self.inside else "free"
                    send(everybody[0], type=kind, number=self.number)

    inside = False

    def lock(self, message, body):
        self.number += 1
        self.waiting = message
        if fault == "greedy":
            return self.enter(self.number)
        self.tell("want", me, self.number)

    def unlock(self, message, body):
        self.inside = False
        self.tell("free", me, self.number)
        reply(message, "unlock_ok")

    def tell(self, kind, node, number):
        if me == everybody[0]:
            getattr(self, kind)({"src": node}, {"number": number})
        else:
            send(everybody[0], type=kind, number=number)

    def want(self, message, body):
        turn = (message["src"], body["number"])
        # Whoever wants the lock again has left it, though the word of that may be lost.
        self.free(message, {"number": body["number"] - 1})
        if body["number"] > self.done.get(message["src"], 0) and turn not in self.queue:
            self.queue.append(turn)
        self.grant()

    def free(self, message, body):
        node = message["src"]
        self.done[node] = max(self.done.get(node, 0), body["number"])
        self.queue = [turn for turn in self.queue if turn[1] > self.done.get(turn[0], 0)]
        self.grant()

    def grant(self):
        if self.queue:
            node, number = self.queue[0]
            if node == me:
                self.enter(number)
            else:
                send(node, type="granted", number=number)

    def granted(self, message, body):
        self.enter(body["number"])

    def enter(self, number):
        if self.waiting and number == self.number:
            message, self.waiting, self.inside = self.waiting, None, True
            reply(message, "lock_ok")


class Multicast:
    """The first node numbers the multicasts; every node asks for the next one until it has it."""

    def __init__(self):
        self.log, self.delivered, self.unsent = [], 0, []
        threading.Thread(target=self.again, daemon=True).start()

    def again(self):
        while True:
            time.sleep(0.02)
            with lock:
                self.ask()

    def ask(self):
        if me != everybody[0]:
            send(everybody[0], type="ask", have=len(self.log), new=self.unsent)

    def multicast(self, message, body):
        reply(message, "multicast_ok")
        if fault == "unordered":
            for node in everybody:
                send(node, type="news", first=None, log=[body["message"]])
        elif me == everybody[0]:
            self.log.append(body["message"])
        else:
            self.unsent.append(body["message"])
            self.ask()
        self.deliver()

    def ask_in(self, message, body):
        self.log += [new for new in body["new"] if new not in self.log]
        self.deliver()
        send(message["src"], type="news", first=body["have"], log=self.log[body["have"] :])

    def news(self, message, body):
        if body["first"] is None:
            self.log += body["log"]
        elif body["first"] == len(self.log):
            self.log += body["log"]
            self.unsent = [new for new in self.unsent if new not in self.log]
        self.deliver()

    def deliver(self):
        for message in self.log[self.delivered :]:
            send("lab", type="deliver", message=message)
        self.delivered = len(self.log)


class KeyValue:
    """lin-kv by a service, or without one"""

    own = {}

    def __init__(self):
        self.asked = {}

    def store(self, message, body):
        global ids
        if fault == "forward" and me != everybody[0]:
            return print(json.dumps({**message, "dest": everybody[0]}), flush=True)
        if fault in ("alone", "forward"):
            key = str(body["key"])
            if body["type"] == "write":
                self.own[key] = body["value"]
                return reply(message, "write_ok")
            if key not in self.own:
                return reply(message, "error", code=20)
            if body["type"] == "read":
                return reply(message, "read_ok", value=self.own[key])
            if self.own[key] != body["from"]:
                return reply(message, "error", code=22)
            self.own[key] = body["to"]
            return reply(message, "cas_ok")
        ids += 1
        self.asked[ids] = message
        send("lin-kv", **{**body, "msg_id": ids})

    read = write = cas = store

    def answer(self, body):
        message = self.asked.pop(body["in_reply_to"])
        reply(message, **{"kind": body.pop("type"), **{k: body[k] for k in body if k not in ("in_reply_to", "msg_id")}})


NODES = {"echo": Plain, "unique-ids": Plain, "clocks": Clocks, "mutex": Mutex, "lin-kv": KeyValue}
NODES |= dict.fromkeys(["total", "causal"], Multicast)
NODES |= dict.fromkeys(["broadcast", "g-set", "g-counter", "pn-counter"], Elements)


def bad(message):
    """The faults of a node that speaks the protocol badly, at the first request."""
    if fault == "no-json":
        print("got", message["body"]["type"], flush=True)
    elif fault == "no-body":
        print(json.dumps({"src": me, "dest": "n1"}), flush=True)
    elif fault == "wrong-src":
        print(json.dumps({"src": "n9", "dest": message["src"], "body": {"type": "echo_ok"}}), flush=True)
    elif fault == "nowhere":
        send("n77", type="hello")
    elif fault == "to-nothing":
        send(message["src"], type="echo_ok", in_reply_to=message["body"]["msg_id"] + 1000)
    elif fault == "other-type":
        reply(message, "yes")
    elif fault == "no-reply-id":
        send(message["src"], type="echo_ok")
    elif fault == "no-code":
        reply(message, "error", text="no")
    elif fault == "error":
        reply(message, "error", code=12, text="what?")
    elif fault == "long":
        for _ in range(100):
            os.write(1, b"x" * (1 << 20))
        os.write(1, b"\n")
    elif fault == "exit":
        print("I have had enough", file=sys.stderr)
        sys.exit(3)
    elif fault == "mute":
        pass
    elif fault == "chatty":
        for number in range(10_000):
            print("word", number, file=sys.stderr)
        return False
    elif fault == "hides":
        hidden = os.fork()
        if hidden == 0:
            time.sleep(1000)
        print("hidden", hidden, file=sys.stderr, flush=True)
        ready, say = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                print("hidden", os.getpid(), file=sys.stderr, flush=True)
                os.write(say, b"!")
                time.sleep(1000)
            os._exit(0)
        os.read(ready, 1)
        return False
    else:
        return False
    return True


node = None
for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    if body["type"] == "init":
        me, everybody = body["node_id"], body["node_ids"]
        if fault == "no-init":
            continue
        reply(message, "init_ok")
        node = NODES[workload]()
        continue
    with lock:
        if body.get("in_reply_to") and hasattr(node, "answer"):
            node.answer(body)
        elif not bad(message):
            handler = getattr(node, body["type"] + "_in", None) or getattr(node, body["type"])
            handler(message, body)
