"""The handout's clock, asked by lines of JSON."""
import json
import sys

time = 0
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] == "receive":
        time = max(time, request["time"])
    time += 1
    print(json.dumps({"time": time}))
