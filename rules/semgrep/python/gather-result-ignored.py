import asyncio


async def store(items):
    # ruleid: python-gather-result-ignored
    await asyncio.gather(*(save(item) for item in items), return_exceptions=True)
    # ruleid: python-gather-result-ignored
    await asyncio.gather(save(1), save(2), return_exceptions=True)
    # ok: python-gather-result-ignored
    results = await asyncio.gather(*(save(item) for item in items), return_exceptions=True)
    # ok: python-gather-result-ignored
    await asyncio.gather(*(save(item) for item in items))
    return results


async def stop(tasks):
    for task in tasks:
        task.cancel()
    # ok: python-gather-result-ignored
    await asyncio.gather(*tasks, return_exceptions=True)
