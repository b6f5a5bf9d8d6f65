import sys,json
t=0;o=[]
for line in sys.stdin.read().splitlines():
    r=json.loads(line); t=max(t,r.get("time",0))+1; o.append(t)
for t in o: print(json.dumps({"time":t}))
