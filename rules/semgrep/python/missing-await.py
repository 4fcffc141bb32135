import asyncio


async def pause():
    # ruleid: python-missing-await
    asyncio.sleep(1)
    # ok: python-missing-await
    await asyncio.sleep(1)
    # ok: python-missing-await
    task = asyncio.wait_for(pause(), 1)
    # ok: python-missing-await
    await asyncio.gather(asyncio.sleep(1), task)
