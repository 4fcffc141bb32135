"""Changes of every shape: each gets a review that says what it looked at, and breaks nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bot.demo.gitlab import MergeRequest
from bot.demo.gitlab.repository import Change
from tests.cloister import Cloister

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: A line that the scripted model objects to.
DEFECT = "for i in range(len(values) + 1):"
SECRET = f"token: glpat-{'q7Zt4LwX9bNc2RfK8vYd'}"
SUPPRESSED = """def find(db, name):
    return db.execute(f"SELECT * FROM users WHERE name = '{name}'")  # nosemgrep
"""
PROSE = "".join(f"a harmless line, number {number}\n" for number in range(1, 31))


@dataclass(frozen=True)
class Case:
    """A change, where threads are expected, and what the summary says."""

    changes: dict[str, Change]
    lines: list[tuple[str, int]] = field(default_factory=list)
    says: tuple[str, ...] = ("Nothing to report",)
    before: dict[str, Change] = field(default_factory=dict)
    status: str = "success"


CASES = {
    "empty diff": Case({}),
    "binary file": Case({"logo.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))}),
    "pure rename": Case({"old name.txt": None, "new name.txt": PROSE}, before={"old name.txt": PROSE}),
    "rename with edit": Case(
        {"from.txt": None, "to.txt": PROSE + DEFECT + "\n"},
        [("to.txt", 31)],
        ("Loop runs one past the end",),
        before={"from.txt": PROSE},
    ),
    "mode change": Case({"run.txt": ("100755", PROSE)}, before={"run.txt": PROSE}),
    "symbolic link": Case({"link": ("120000", "/etc/passwd")}),
    "submodule": Case({"sub": ("160000", "1" * 40)}),
    "deleted file": Case({"gone.txt": None}, before={"gone.txt": PROSE}),
    "no newline at the end": Case({"end.txt": f"one\n{DEFECT}"}, [("end.txt", 2)], ("Loop runs",)),
    "latin-1": Case(
        {"latin.txt": f"caf\xe9\n{DEFECT}\n".encode("latin-1")}, [("latin.txt", 2)], ("Loop runs",)
    ),
    "crlf": Case({"crlf.txt": f"one\r\n{DEFECT}\r\nthree\r\n"}, [("crlf.txt", 2)], ("Loop runs",)),
    "path with a space": Case({"a b/c d.txt": DEFECT + "\n"}, [("a b/c d.txt", 1)], ("Loop runs",)),
    "path with quotes": Case({'it\'s "so".txt': DEFECT + "\n"}, [('it\'s "so".txt', 1)], ("Loop runs",)),
    "unicode path": Case({"straße/文件 🎈.txt": DEFECT + "\n"}, [("straße/文件 🎈.txt", 1)], ("Loop runs",)),
    "path with a tab": Case({"tab\tbed.txt": DEFECT + "\n"}, says=("its name is not printable",)),
    "path with a newline": Case(
        {"new\nline.txt": SECRET + "\n"},
        [("new\nline.txt", 1)],
        ("its name is not printable", "GitLab personal access token committed"),
        status="failed",
    ),
    "path in markup": Case({"`|<!-- x -->*.txt": DEFECT + "\n"}, [("`|<!-- x -->*.txt", 1)], ("Loop runs",)),
    "path that is not utf-8": Case(
        {"caf\udce9.txt": DEFECT + "\n"}, says=("Not commented in the diff", "GitLab has no place")
    ),
    "lone carriage return": Case({"mac.txt": f"one\rtwo\n{DEFECT}\n"}, [("mac.txt", 2)], ("Loop runs",)),
    "form feed and line separators": Case(
        {"feed.txt": f"one\x0ctwo\u2028three\x85four\n{DEFECT}\n"}, [("feed.txt", 2)], ("Loop runs",)
    ),
    "a nul in text": Case({"nul.txt": f"one\0two\n{DEFECT}\n"}, [], ()),
    "a very long line": Case({"long.txt": "x" * 200_000 + "\n"}, [], ("Not reviewed", "long.txt")),
    "ten thousand lines": Case(
        {"big.txt": "".join(f"number {number}\n" for number in range(10_000)) + SECRET + "\n"},
        [("big.txt", 10_001)],
        ("10001 added lines", "GitLab personal access token committed"),
        status="failed",
    ),
    "suppressed by the change": Case(
        {"shop.py": SUPPRESSED},
        [("shop.py", 2)],
        ("Waivers asked for", "Blocked by"),
        status="failed",
    ),
    "generated": Case(
        {"package-lock.json": "{}\n"}, [], ("Not reviewed", "lock file; only secrets looked at it")
    ),
    "secret in a lock file": Case(
        {"package-lock.json": SECRET + "\n"},
        [("package-lock.json", 1)],
        ("GitLab personal access token committed",),
        status="failed",
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
async def test_every_shape_of_change_is_reviewed(
    name: str, shared_cloister: Cloister, opened: dict[str, MergeRequest]
) -> None:
    """The threads stand on the right lines, the summary names what was left out, the status is set."""
    outcome = await shared_cloister.outcome(opened[name])
    assert CASES[name].lines == outcome.lines
    assert [text for text in CASES[name].says if text not in outcome.summary] == []
    assert CASES[name].status == outcome.status
