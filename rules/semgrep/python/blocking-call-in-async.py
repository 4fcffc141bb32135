import asyncio
import subprocess
import time

import httpx
import requests


async def poll():
    # ruleid: python-blocking-call-in-async
    time.sleep(1)
    # ruleid: python-blocking-call-in-async
    answer = requests.get("https://gitlab.internal")
    if answer.ok:
        # ruleid: python-blocking-call-in-async
        subprocess.run(["make"])
    # ruleid: python-blocking-call-in-async
    return httpx.get("https://gitlab.internal")


async def fine():
    # ok: python-blocking-call-in-async
    await asyncio.sleep(1)
    # ok: python-blocking-call-in-async
    await asyncio.to_thread(time.sleep, 1)
    # ok: python-blocking-call-in-async
    await asyncio.to_thread(lambda: time.sleep(1))
    async with httpx.AsyncClient() as client:
        # ok: python-blocking-call-in-async
        await client.get("https://gitlab.internal")

    def later():
        # ok: python-blocking-call-in-async
        time.sleep(1)

    # ok: python-blocking-call-in-async
    return requests.Session(), later


def synchronous():
    # ok: python-blocking-call-in-async
    time.sleep(1)
