"""The client of experiment 4 as the handout designs it: it only receives."""

from multicast_member import messages

for message in messages():
    print(f"Received message: {message}")
