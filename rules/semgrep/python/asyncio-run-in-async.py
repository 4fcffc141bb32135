import asyncio


async def work():
    await asyncio.sleep(1)


async def start():
    # ruleid: python-asyncio-run-in-async
    asyncio.run(work())
    # ruleid: python-asyncio-run-in-async
    asyncio.get_event_loop().run_until_complete(work())
    # ok: python-asyncio-run-in-async
    await asyncio.to_thread(lambda: asyncio.run(work()))
    # ok: python-asyncio-run-in-async
    await work()


async def threads():
    def main():
        # ok: python-asyncio-run-in-async
        asyncio.run(work())

    await asyncio.to_thread(main)
