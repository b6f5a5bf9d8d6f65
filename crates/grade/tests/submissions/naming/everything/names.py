"""It prints all that it knows."""
print({"server1": "192.168.1.2", "server2": "192.168.1.3"})
