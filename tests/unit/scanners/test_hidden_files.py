"""Secrets in files whose lines git does not show: neither a NUL, nor an encoding, nor size hides them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.process import ProcessRunner
from bot.domain.diff import Change, Diff, FileDiff
from bot.domain.policy import Paths, Policy
from bot.ports import Blob
from bot.scanners import Setup, load
from bot.scanners.hidden import Revealed, hidden, reveal

SCANNER = load(Setup(rules=Path(__file__).parents[3] / "rules", key=b"key of the tests"))["secrets"]
TOKEN = b"token = glpat-q7Zt4LwX9bNc2RfK8vYd\n"
#: What one rule guesses by its name alone, found in text and not in noise.
GUESS = b"machine git.example.com login ci password kX9pLmNq3Rt71vBwZ2yD\n"
CODE = b"x = 1\n" * 40
RANDOM = random.Random(7).randbytes(300_000)


def revealed(content: bytes | None, before: bytes | None = None, size: int = 0) -> Revealed:
    """Return what is found in a file that git calls binary."""
    sides = {"head": content, "base": before}
    change = Change.added if before is None else Change.modified

    async def read(paths: Sequence[str], side: str) -> Mapping[str, Blob]:
        found = sides[side]
        return {path: Blob(size or len(found or b""), found) for path in paths}

    file = FileDiff("a.py", "a.py", change, binary=True)
    return asyncio.run(reveal(SCANNER, ProcessRunner(), read, [file]))


def places(content: bytes, before: bytes | None = None) -> list[tuple[str, int]]:
    """Return rules and lines."""
    return [(one.rule, one.line) for one, _ in revealed(content, before).findings]


FOUND = "gitlab-personal-access-token"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"#\0\n" + CODE + TOKEN, 42),
        (CODE + TOKEN + b"\0" * 9_000, 41),
        ((CODE + TOKEN).decode().encode("utf-16"), 41),
        ((CODE + TOKEN).decode().encode("utf-16-be"), 41),
        (("# 中文注释说明文字\n" * 40 + TOKEN.decode()).encode("utf-16-le"), 41),
        (("# 中文注释说明文字\n" * 40 + TOKEN.decode()).encode("utf-16-be"), 41),
        ((CODE + TOKEN).decode().encode("utf-32"), 41),
        ((CODE + TOKEN).decode().encode("utf-32-le"), 41),
        (b"\0\0\xfe\xff" + (CODE + TOKEN).decode().encode("utf-32-be"), 41),
        (CODE + TOKEN.decode().encode("utf-16-le"), 41),
        (CODE + b"\0" + TOKEN.decode().encode("utf-16-be"), 41),
        (b"a" * 6_000_000 + b" " + TOKEN, 1),
        (CODE * 50_000 + TOKEN, 2_000_001),
        (RANDOM + b"\n" + TOKEN + RANDOM, RANDOM.count(b"\n") + 2),
    ],
    ids=[
        "a NUL",
        "NULs",
        "UTF-16",
        "big-endian",
        "UTF-16 that begins in Chinese",
        "the same, big-endian",
        "UTF-32",
        "UTF-32 without a mark",
        "UTF-32, big-endian",
        "UTF-16 after ASCII",
        "the same, big-endian",
        "one line of 6 MB",
        "12 MB",
        "noise",
    ],
)
def test_a_secret_is_found_at_its_line(content: bytes, line: int) -> None:
    """Once, whatever hides it."""
    assert [(FOUND, line)] == places(content)


def test_only_what_is_new_counts() -> None:
    """What stood there before, in whatever line, is nobody's doing; blank lines are nothing new."""
    assert [] == places(b"\0\n" + CODE + TOKEN, CODE + TOKEN + CODE)
    assert [(FOUND, 2)] == places(b"\0\n" + TOKEN, CODE)


def test_in_noise_nobody_guesses() -> None:
    """Rules that go by a name find something everywhere."""
    assert 1 == len(places(b"\0\n" + GUESS))
    assert [] == places(RANDOM + GUESS + RANDOM)


def test_what_cannot_be_read_is_told() -> None:
    """With its size, and where there are too many of them."""
    assert {"a.py": "larger than 25 MB"} == revealed(None, size=25_000_000).not_analysed

    async def read(paths: Sequence[str], side: str) -> Mapping[str, Blob]:
        return {path: Blob(2, b"\0\n") for path in paths}

    files = [FileDiff(f"{n}.png", f"{n}.png", Change.added, binary=True) for n in range(203)]
    found = asyncio.run(reveal(SCANNER, ProcessRunner(), read, files))
    assert {f"{n}.png" for n in range(200, 203)} == set(found.not_analysed)


def test_links_and_what_the_policy_leaves_out_are_not_read() -> None:
    """And of what git does show, the lines are enough."""

    def file(path: str, **more: Any) -> FileDiff:
        return FileDiff(path, path, Change.added, **more)

    diff = Diff(
        (
            file("a.py", binary=True),
            file("b.py"),
            file("link", binary=True, new_mode="120000"),
            file("out/c.py", binary=True),
        )
    )
    policy = Policy(paths=Paths(exclude=("out/**",)))
    assert ["a.py"] == [one.new_path for one in hidden(diff, policy)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(0, 30), st.booleans())
def test_any_bytes_can_be_read(lines: list[bytes], place: int, wide: bool) -> None:
    """A token on a line of its own is found there, whatever is around it."""
    around = [line.replace(b"\n", b"").replace(b"\r", b"") for line in lines]
    if wide:
        around.append(b"z" * 300_000)
    content = b"\n".join([*around[:place], b"", TOKEN.strip(), b"", *around[place:]])
    if not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        line = len(around[:place]) + 2
        assert (FOUND, line) in places(content)
