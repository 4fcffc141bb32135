"""Encryption with a real Postgres: what the URL asks for holds everywhere, and each failure says what to change."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.adapters.log_postgres import PostgresLog
from bot.adapters.migrations import current_revision, newest_revision, upgrade
from bot.adapters.postgres import connect_pool, encrypted
from bot.domain.errors import CloisterError, Permanent
from tests.postgres_tls import CERTIFIED, Encrypted


async def failure(url: str) -> CloisterError:
    """Return what connecting fails with, which is the same for one connection and for many."""
    with pytest.raises(CloisterError) as caught:
        await connect_pool(url, size=1)
    with pytest.raises(CloisterError) as caught_too:
        await current_revision(url)
    # The driver leaves the closing of a connection that failed to later turns of the loop, however slow they are.
    for _ in range(20):
        await asyncio.sleep(0.02)
    assert str(caught.value) == str(caught_too.value)
    return caught.value


def test_the_schema_is_upgraded_through_tls(encrypted_postgres: Encrypted):
    """Migrations read sslmode and sslrootcert as the pool does; the log then works on the same URL."""
    url = encrypted_postgres.url(sslmode="verify-full", sslrootcert=encrypted_postgres.ca_file)

    applied = upgrade(url)

    async def use() -> str | None:
        pool = await connect_pool(url, size=4)
        async with PostgresLog(pool):
            revision = await current_revision(url)
        await pool.close()
        return revision

    assert newest_revision() == applied[-1]
    assert [] == upgrade(url)
    assert newest_revision() == asyncio.run(use())


async def test_a_certificate_of_ours_opens_the_door(encrypted_postgres: Encrypted):
    """Certificate and key come from the URL too."""
    files = {
        "sslrootcert": encrypted_postgres.ca_file,
        "sslcert": encrypted_postgres.client_cert_file,
        "sslkey": encrypted_postgres.client_key_file,
    }

    assert await encrypted(encrypted_postgres.url(user=CERTIFIED, sslmode="verify-ca", **files))
    error = await failure(
        encrypted_postgres.url(user=CERTIFIED, sslmode="verify-ca", sslrootcert=encrypted_postgres.ca_file)
    )
    assert "wants a certificate: name one with sslcert and sslkey in CLOISTER_DATABASE_URL" in str(error)


async def test_a_certificate_that_is_not_right_is_told(encrypted_postgres: Encrypted):
    """An authority that did not sign it, and a host that it does not name."""
    ca_file = encrypted_postgres.ca_file

    other = await failure(
        encrypted_postgres.url(sslmode="verify-ca", sslrootcert=encrypted_postgres.other_ca_file)
    )
    host = await failure(encrypted_postgres.url(host="localhost", sslmode="verify-full", sslrootcert=ca_file))

    assert "certificate is not trusted (" in str(other)
    assert "name the authority that signed it with sslrootcert in CLOISTER_DATABASE_URL" in str(other)
    assert "is for another host" in str(host)
    assert [Permanent] * 2 == [type(other), type(host)]
    assert await encrypted(encrypted_postgres.url(host="localhost", sslmode="verify-ca", sslrootcert=ca_file))


async def test_files_that_cannot_be_used_are_told(encrypted_postgres: Encrypted, tmp_path: Path):
    """Missing, without certificates, and a key that belongs to another certificate."""
    empty = tmp_path / "empty.pem"
    empty.write_text("")

    missing = await failure(encrypted_postgres.url(sslmode="verify-full", sslrootcert="/nowhere/ca.pem"))
    nothing = await failure(encrypted_postgres.url(sslmode="verify-full", sslrootcert=empty))
    mixed = await failure(
        encrypted_postgres.url(
            sslmode="require",
            sslcert=encrypted_postgres.ca_file,
            sslkey=encrypted_postgres.client_key_file,
        )
    )

    assert "cannot use sslrootcert=/nowhere/ca.pem: No such file or directory" in str(missing)
    for error in (nothing, mixed):
        assert "TLS with the database fails (" in str(error)
        assert "check sslmode, sslrootcert, sslcert and sslkey" in str(error)
    assert [Permanent] * 3 == [type(error) for error in (missing, nothing, mixed)]


async def test_encryption_on_one_side_only_is_told(encrypted_postgres: Encrypted):
    """The server wants it and we do not; we want it, and the server has none."""
    plain = await failure(encrypted_postgres.url(sslmode="disable"))
    server = await asyncio.start_server(_refuse_tls, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        refused = await failure(f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=require")

    assert "wants TLS: write sslmode=verify-full into CLOISTER_DATABASE_URL" in str(plain)
    assert "speaks no TLS: turn on ssl there, or correct sslmode" in str(refused)
    assert [Permanent] * 2 == [type(plain), type(refused)]


async def _refuse_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the request for TLS as a server does that is built or set up without."""
    await reader.readexactly(8)
    writer.write(b"N")
    await writer.drain()
    writer.close()
