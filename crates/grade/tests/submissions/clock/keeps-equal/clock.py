import sys, json
t=0
for line in sys.stdin:
    r=json.loads(line)
    t=(r["time"]+1 if r["time"]>t else t) if r["event"]=="receive" else t+1
    print(json.dumps({"time":t}), flush=True)
