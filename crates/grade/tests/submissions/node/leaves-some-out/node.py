import sys,json
def send(m,b): print(json.dumps({"src":m["dest"],"dest":m["src"],"body":b}),flush=True)
for line in sys.stdin:
    m=json.loads(line); b=m["body"]
    if b["type"]=="init": send(m,{"type":"init_ok","in_reply_to":b["msg_id"]})
    elif b["type"]=="echo" and b["msg_id"]%3: send(m,{"type":"echo_ok","in_reply_to":b["msg_id"],"echo":b["echo"]})
