import asyncio
import threading

lock = threading.Lock()


class Cache:
    async def load(self, key):
        # ruleid: python-thread-lock-across-await
        with self._lock:
            return await fetch(key)


async def save(value):
    # ruleid: python-thread-lock-across-await
    with lock:
        value += 1
        await store(value)


async def fine(value, other, path):
    # ok: python-thread-lock-across-await
    async with other.lock:
        await store(value)
    # ok: python-thread-lock-across-await
    with lock:
        value += 1
    # ok: python-thread-lock-across-await
    with open(path) as file:
        await store(file.read())
