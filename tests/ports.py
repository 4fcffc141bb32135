"""Ports for servers of tests that have to know theirs before they listen."""

from __future__ import annotations

import itertools
import random
import socket

#: Below those that Linux gives to whoever connects, so that no connection takes one before its server does.
_PORTS = range(16_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback address that nobody listens on."""
    # No worker of the tests is to try the same ones: hypothesis seeds the usual source.
    shuffled = random.SystemRandom().sample(_PORTS, len(_PORTS))
    return list(itertools.islice((port for port in shuffled if _is_free(port)), count))


def free_address() -> str:
    """Return a loopback address that nobody listens on."""
    return f"127.0.0.1:{free_ports(1)[0]}"


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
