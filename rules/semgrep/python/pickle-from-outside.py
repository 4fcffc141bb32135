import base64
import json
import pickle
import socket

from flask import request


def restore():
    # ruleid: python-pickle-from-outside
    return pickle.loads(base64.b64decode(request.cookies["state"]))


def receive(connection: socket.socket):
    data = connection.recv(4096)
    # ruleid: python-pickle-from-outside
    return pickle.loads(data)


def fine():
    # ok: python-pickle-from-outside
    first = json.loads(request.data)
    with open("/srv/state", "rb") as file:
        # ok: python-pickle-from-outside
        return pickle.load(file), first
