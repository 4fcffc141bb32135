import asyncio


async def store(item):
    await asyncio.sleep(item)


def log(item):
    print(item)


async def work(item):
    # ruleid: python-own-coroutine-not-awaited
    store(item)
    # ok: python-own-coroutine-not-awaited
    log(item)
    # ok: python-own-coroutine-not-awaited
    await store(item)
    await asyncio.gather(
        # ok: python-own-coroutine-not-awaited
        store(item),
        # ok: python-own-coroutine-not-awaited
        store(item)
    )


class Worker:
    async def stop(self):
        await asyncio.sleep(1)

    async def run(self):
        # ruleid: python-own-coroutine-not-awaited
        self.stop()
        # ok: python-own-coroutine-not-awaited
        await self.stop()
        task = asyncio.create_task(
            # ok: python-own-coroutine-not-awaited
            self.stop()
        )
        await task
