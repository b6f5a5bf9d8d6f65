import sys, json
t=0
for line in sys.stdin:
    r=json.loads(line)
    t=max(t,r["time"])+1 if r["event"]=="receive" else t+1
    print(json.dumps({"time":str(t)}), flush=True)
