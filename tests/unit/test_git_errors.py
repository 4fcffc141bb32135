"""What git says on standard error is not all git's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.adapters.git_errors import GitFailed
from bot.adapters.git_process import Git


@pytest.mark.parametrize("gap", ["\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_a_server_cannot_make_the_mirror_look_damaged(gap: str) -> None:
    """Only a line feed ends a line of git's, so what follows another separator is still the server's."""
    said = f"remote: hello{gap}fatal: bad object HEAD"
    assert GitFailed(128, said).broken_mirror is (gap == "\n")


async def test_what_a_server_says_cannot_steer_a_terminal(tmp_path: Path) -> None:
    """The text ends up in logs, and the token is not in it even so."""
    git = Git(forge_url="https://gitlab.example", token="glpat-secret")
    git._program = sys.executable
    with pytest.raises(GitFailed) as caught:
        await git.run(
            "-c",
            "import sys; sys.stderr.write('a\\x1b[2Jb\\rc\\u202ed glpat-secret\\ne'); sys.exit(1)",
            at=tmp_path,
        )
    assert "a [2Jb c d [token]\ne" == caught.value.stderr
