import asyncio


async def start(job, loop):
    # ruleid: python-lost-task
    asyncio.create_task(job())
    # ruleid: python-lost-task
    loop.create_task(job())
    # ruleid: python-lost-task
    asyncio.get_running_loop().create_task(job())
    # ok: python-lost-task
    task = asyncio.create_task(job())
    # ok: python-lost-task
    await asyncio.gather(task, asyncio.create_task(job()))
    # ok: python-lost-task
    group.create_task(job())
    kept = [
        # ok: python-lost-task
        asyncio.create_task(job())
    ]
    # ok: python-lost-task
    return asyncio.create_task(job()), kept
