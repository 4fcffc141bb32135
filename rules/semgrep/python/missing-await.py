import asyncio


async def pause(job):
    # ruleid: python-missing-await
    asyncio.sleep(1)
    # ruleid: python-missing-await
    asyncio.wait_for(job(), timeout=3)
    # ok: python-missing-await
    await asyncio.sleep(1)
    # ok: python-missing-await
    task = asyncio.wait_for(pause(), 1)
    await (
        # ok: python-missing-await
        asyncio.sleep(1)
    )
    # ok: python-missing-await
    await asyncio.gather(asyncio.sleep(1), task)
