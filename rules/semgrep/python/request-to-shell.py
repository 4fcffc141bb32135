import os
import shlex
import subprocess

from flask import request


def run():
    command = request.args["command"]
    # ruleid: python-request-to-shell
    os.system(command)
    # ruleid: python-request-to-shell
    subprocess.run(request.form["command"], shell=True)
    # ruleid: python-request-to-shell
    subprocess.check_output("ping " + request.values.get("host"), shell=True)
    # ok: python-request-to-shell
    os.system("ping -c 1 " + shlex.quote(request.args["host"]))
    # ok: python-request-to-shell
    subprocess.run(["ping", "-c", str(int(request.args["count"])), "localhost"])
    # ok: python-request-to-shell
    subprocess.run(["id", command])


@app.get("/ping")
async def ping(host: str, count: int):
    # ok: python-request-to-shell
    os.system(f"ping -c {count}")
    # ruleid: python-request-to-shell
    os.system(f"ping {host}")
