"""Flat and structured names, of the handout or of a file."""
import json
import sys

scheme, name, *file = sys.argv[1:]
names = {
    "server1": "192.168.1.2",
    "server2": "192.168.1.3",
    "region1": {"server1": "192.168.1.2", "server2": "192.168.1.3"},
    "region2": {"server3": "192.168.2.1", "server4": "192.168.2.2"},
}
if file:
    with open(file[0]) as text:
        names = json.load(text)
found = names
for part in [name] if scheme == "flat" else name.split("/"):
    found = found.get(part) if isinstance(found, dict) else None
if not isinstance(found, str):
    print(f"IP address of {name}: None")
    sys.exit(1)
print(f"IP address of {name.replace('/', ' ')}: {found}")
