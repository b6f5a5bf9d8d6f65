"""A name that is not there."""
import socket

listener = socket.socket()
listener.bind((HOST, 12345))
