"""It knows regions, and no regions of regions."""
import json
import sys

scheme, name, file = sys.argv[1:]
with open(file) as text:
    names = json.load(text)
if scheme == "flat":
    found = names.get(name)
else:
    region, _, server = name.partition("/")
    found = names.get(region, {}).get(server)
print(f"IP address of {name}: {found if isinstance(found, str) else None}")
