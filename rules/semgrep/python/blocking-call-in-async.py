import asyncio
import subprocess
import time

import requests


async def poll():
    # ruleid: python-blocking-call-in-async
    time.sleep(1)
    # ruleid: python-blocking-call-in-async
    answer = requests.get("https://gitlab.internal")
    if answer.ok:
        # ruleid: python-blocking-call-in-async
        subprocess.run(["make"])


async def fine():
    # ok: python-blocking-call-in-async
    await asyncio.sleep(1)
    # ok: python-blocking-call-in-async
    await asyncio.to_thread(time.sleep, 1)
    # ok: python-blocking-call-in-async
    await asyncio.to_thread(lambda: time.sleep(1))


def synchronous():
    # ok: python-blocking-call-in-async
    time.sleep(1)
