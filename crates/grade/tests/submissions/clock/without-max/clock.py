"""It takes the received time, whatever its own is."""
import json
import sys

time = 0
for line in sys.stdin:
    request = json.loads(line)
    time = request.get("time", time) + 1
    print(json.dumps({"time": time}))
