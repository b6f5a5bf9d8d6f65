"""It starts at 1."""
import json
import sys

time = 1
for line in sys.stdin:
    request = json.loads(line)
    time = max(time, request.get("time", 0)) + 1
    print(json.dumps({"time": time}))
