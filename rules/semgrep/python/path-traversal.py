import os

from flask import request


def download():
    name = request.args["name"]
    # ruleid: python-path-traversal
    with open(os.path.join("/srv/files", name)) as file:
        return file.read()


def fine():
    name = os.path.basename(request.args["name"])
    # ok: python-path-traversal
    with open(os.path.join("/srv/files", name)) as file:
        return file.read()
