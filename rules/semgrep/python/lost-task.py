import asyncio


async def start(job):
    # ruleid: python-lost-task
    asyncio.create_task(job())
    # ok: python-lost-task
    task = asyncio.create_task(job())
    # ok: python-lost-task
    await asyncio.gather(task, asyncio.create_task(job()))
    # ok: python-lost-task
    return asyncio.create_task(job())
