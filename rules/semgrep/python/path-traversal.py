import os
from pathlib import Path

from fastapi.responses import FileResponse
from flask import request, send_file
from werkzeug.utils import secure_filename


def download():
    name = request.args["name"]
    # ruleid: python-path-traversal
    with open(os.path.join("/srv/files", name)) as file:
        return file.read()


def send():
    # ruleid: python-path-traversal
    return send_file("/srv/files/" + request.args.get("name"))


def remove(request):
    # ruleid: python-path-traversal
    os.remove(request.POST["path"])


@router.get("/files/{name:path}")
async def fetch(name: str):
    # ruleid: python-path-traversal
    return FileResponse(f"/srv/files/{name}")


def fine():
    name = os.path.basename(request.args["name"])
    # ok: python-path-traversal
    with open(os.path.join("/srv/files", name)) as file:
        return file.read()


def store():
    file = request.files["file"]
    # ok: python-path-traversal
    return open(os.path.join("/srv", secure_filename(file.filename)), "wb")


def page():
    number = int(request.args["page"])
    # ok: python-path-traversal
    return Path(f"/srv/pages/{number}.html").read_text()


def listed():
    name = request.args["name"]
    if name in ("a.txt", "b.txt"):
        # ok: python-path-traversal
        return open(name)
