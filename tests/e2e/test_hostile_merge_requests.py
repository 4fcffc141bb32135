"""Merge requests made to overwhelm a review, or to slip past it: what was not looked at is said, the rest is found."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bot.demo.gitlab import MergeRequest
from bot.demo.gitlab.repository import Change
from tests.cloister import Cloister

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = f"token: glpat-{'q7Zt4LwX9bNc2RfK8vYd'}\n"
FOUND = "GitLab personal access token committed"
#: A part of a path may have 255 bytes, and a path that git hands out 4,096.
LONG_PATH = "/".join(["d" * 250] * 15) + "/f.txt"


def lines(count: int) -> str:
    """Return so many lines of a hundred characters."""
    return "".join(f"line {number:6} of many {'x' * 79}\n" for number in range(count))


@dataclass(frozen=True)
class Case:
    """A change, what the summary says, and the status."""

    changes: dict[str, Change]
    says: tuple[str, ...] = (FOUND,)
    before: dict[str, Change] = field(default_factory=dict)
    status: str = "failed"


CASES = {
    "a link as policy": Case(
        {"a.txt": SECRET}, before={".cloister.yml": ("120000", "/etc/passwd"), "x": "x"}
    ),
    "links everywhere": Case(
        {
            "passwd.py": ("120000", "/etc/passwd"),
            "loop": ("120000", "loop"),
            "up": ("120000", "../../../.."),
            "a.txt": SECRET,
        }
    ),
    "a submodule beside": Case({"sub": ("160000", "1" * 40), "a.txt": SECRET}),
    "control characters in a name": Case({"a\x1b[2Jb\x07.txt": SECRET}),
    "text that runs backwards in a name": Case({"a\u202etxt.py": SECRET}),
    "leading dashes": Case({"-rf": SECRET, "--output=x.py": "x = 1\n"}),
    "a very long path": Case({LONG_PATH: SECRET}),
    "no text": Case({"a.bin": bytes(range(256)) * 100, "b.txt": b"\xff\xfe\xfa\n" + SECRET.encode()}),
    "two encodings": Case({"a.txt": "caf\xe9\r\n".encode("latin-1") + "größe\n".encode() + SECRET.encode()}),
    "many files": Case(
        {f"src/{number % 70}/m{number}.py": f"value_{number} = {number}\n" for number in range(5_000)}
        | {"zzz.txt": SECRET}
    ),
    "a huge file in front": Case(
        {"aaa.txt": "".join(f"line {number} of many\n" for number in range(1_500_000)), "zzz.txt": SECRET},
        says=(FOUND, "`aaa.txt`: larger than 30 MB"),
    ),
    "more than a diff may have": Case(
        {
            **{f"a{part}.txt": lines(93_000) for part in range(3)},
            "zzz.txt": SECRET,
        },
        says=(
            "Not reviewed (4)",
            "`zzz.txt`: the change is too large to be read",
            "changed files could not be read",
        ),
    ),
}


@pytest.fixture(scope="module")
def opened(shared_cloister: Cloister) -> dict[str, MergeRequest]:
    """Open all merge requests at once."""
    server, project = shared_cloister.gitlab.server, shared_cloister.gitlab.project
    opened = {}
    for number, (name, case) in enumerate(CASES.items()):
        target = f"target-{number}"
        server.commit(project, target, case.before or {"unrelated.txt": name})
        opened[name] = server.open_merge_request(
            project, f"feature-{number}", case.changes, title=name, target=target
        )
    return opened


@pytest.mark.parametrize("name", CASES)
async def test_a_hostile_change_hides_nothing(
    name: str, shared_cloister: Cloister, opened: dict[str, MergeRequest]
) -> None:
    """The secret that came along is found and shuts the gate, or its file is named as not looked at."""
    outcome = await shared_cloister.outcome(opened[name])
    assert [text for text in CASES[name].says if text not in outcome.summary] == []
    assert CASES[name].status == outcome.status
