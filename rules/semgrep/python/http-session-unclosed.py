import aiohttp
import httpx


async def load(url):
    # ruleid: python-http-session-unclosed
    session = aiohttp.ClientSession()
    answer = await session.get(url)
    return await answer.json()


async def quick(url):
    # ruleid: python-http-session-unclosed
    return await httpx.AsyncClient(timeout=3).get(url)


async def fine(url):
    # ok: python-http-session-unclosed
    async with aiohttp.ClientSession() as session:
        await session.get(url)
    # ok: python-http-session-unclosed
    client = httpx.AsyncClient()
    try:
        await client.get(url)
    finally:
        await client.aclose()


async def start(url):
    # ok: python-http-session-unclosed
    client = httpx.AsyncClient()
    await client.get(url)
    return client
