"""Its clock has 16 bits."""
import json
import sys

time = 0
for line in sys.stdin:
    request = json.loads(line)
    time = (max(time, request.get("time", 0)) + 1) % 65536
    print(json.dumps({"time": time}))
