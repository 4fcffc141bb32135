"""A second detector of secrets: the rules and the engine of the Kingfisher SDK, in this process.

Only its native module is loaded, from its file: the package itself would import its validators and revokers, which
use the network. Nothing of them is called; scanning opens no connection.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib.machinery
import importlib.util
import re
import threading
from pathlib import Path
from typing import Any

from bot.domain.findings import Severity
from bot.scanners.secret_judge import made_up, sequential
from bot.scanners.secret_rules import SecretRule, Settings

_PACKAGE, _MODULE = "kingfisher_sdk", "_native"
#: Of its rules, those that it is sure of: the others add what looks like a secret, and no secret, to our own.
_CONFIDENCE = "high"


class Kingfisher:
    """Find secrets in bytes. Safe to use from several threads.

    Args:
        cache: directory of our own for the compiled rules; without them the first start takes some ten seconds more.
    """

    def __init__(self, cache: Path, key: bytes) -> None:
        self._cache = cache
        self._key = key
        self._lock = threading.Lock()
        self._local = threading.local()
        self._native: Any = None
        self._rules: Any = None
        self._problem = ""

    @property
    def problem(self) -> str:
        """Return why it cannot be used, empty if it can; loads it to find out."""
        self.warm()
        return self._problem

    def warm(self) -> None:
        """Load the rules now instead of at first use."""
        with self._lock:
            if self._rules is None and not self._problem:
                try:
                    self._native = _native()
                    self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
                    self._rules = self._native.Rules(
                        [], True, _CONFIDENCE, cache=True, cache_dir=str(self._cache)
                    )
                except (ImportError, OSError, RuntimeError, ValueError) as error:
                    self._problem = f"Kingfisher cannot be used: {error}"

    def find(self, data: bytes) -> list[tuple[SecretRule, int, int, str]]:
        """Return (rule, start, end, HMAC) of each secret; nothing when it cannot be used."""
        if self.problem:
            return []
        scanner = getattr(self._local, "scanner", None)
        if scanner is None:
            scanner = self._local.scanner = self._native.Scanner(self._rules, True, False, False, None)
        found = []
        for one in scanner.scan_bytes(data):
            secret = one.secret.encode()
            start, end = one.location["start_offset"], one.location["end_offset"]
            if one.visible and 0 <= start < end <= len(data) and not (made_up(secret) or sequential(secret)):
                mark = hmac.new(self._key, secret, hashlib.sha256).hexdigest()
                found.append((_rule(one.rule_id), start, end, mark))
        return found


def _native() -> Any:
    """Load the native module alone.

    Raises:
        ImportError: it is not there, or not for this platform.
    """
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise ImportError(f"{_PACKAGE} is not installed")
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        file = Path(package.submodule_search_locations[0], f"{_MODULE}{suffix}")
        if file.is_file():
            name = f"{_PACKAGE}.{_MODULE}"
            loader = importlib.machinery.ExtensionFileLoader(name, str(file))
            module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))  # type: ignore[arg-type]
            loader.exec_module(module)
            return module
    raise ImportError(f"{_PACKAGE} has no native module for this Python")


def _rule(rule_id: str) -> SecretRule:
    """Return a rule of ours that stands for one of Kingfisher's; it gives way to our own."""
    name = re.sub(r"[^a-z0-9]+", "-", rule_id.lower()).strip("-")
    return SecretRule(
        Settings(
            id=f"kingfisher-{name}",
            title=f"secret ({rule_id})",
            pattern="unused",
            samples=("unused",),
            clean=("unused",),
            severity=Severity.high,
            generic=True,
            revealed=0,
        )
    )
