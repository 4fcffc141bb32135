import urllib.request

import httpx
import requests
from flask import request


def proxy():
    url = request.args["url"]
    # ruleid: python-ssrf
    first = requests.get(url, timeout=3)
    # ruleid: python-ssrf
    second = urllib.request.urlopen(request.form["url"])
    return first, second


@app.get("/preview")
async def preview(url: str, number: int):
    async with httpx.AsyncClient() as client:
        # ok: python-ssrf
        await client.get(f"https://api.internal/items/{number}")
        # ruleid: python-ssrf
        return await client.get(url)


def fine():
    # ok: python-ssrf
    first = requests.get(f"https://api.internal/items/{request.args['id']}", timeout=3)
    # ok: python-ssrf
    second = requests.get("https://api.internal/items", params={"id": request.args["id"]}, timeout=3)
    # ok: python-ssrf
    return first, second, requests.post("https://api.internal/", json=request.json, timeout=3)
