"""The server of experiment 4 as the handout designs it: a member of 224.1.1.1 on the default interface."""

from multicast_member import messages

received = messages()
print("Multicast server running on 224.1.1.1:5007")
for message in received:
    print(f"Received data: {message}")
