"""It forgets to add 1 to a received time."""
import json
import sys

time = 0
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] == "receive":
        time = max(time + 1, request["time"])
    else:
        time += 1
    print(json.dumps({"time": time}))
