"""A missing name ends it in a KeyError, which looks like "no such name"."""
import sys

flat = {"server1": "192.168.1.2", "server2": "192.168.1.3"}
regions = {
    "region1": {"server1": "192.168.1.2", "server2": "192.168.1.3"},
    "region2": {"server3": "192.168.2.1", "server4": "192.168.2.2"},
}
scheme, name = sys.argv[1:3]
if scheme == "flat":
    print("IP address of", name + ":", flat.get(name))
else:
    region, server = name.split("/")
    print("IP address of", region, server + ":", regions[region].get(server))
