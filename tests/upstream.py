"""A repository as GitLab keeps it, for tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bot.domain.merge_request import MergeRequestRef, Revision

REF = MergeRequestRef(instance="gitlab.test", project_id=7, iid=3)
#: Path -> mode and content.
Files = dict[bytes, tuple[str, bytes]]
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(at: Path, *args: str | bytes, stdin: bytes = b"") -> str:
    done = subprocess.run(
        ["git", *args], cwd=at, input=stdin, env=ENVIRONMENT, check=True, capture_output=True
    )
    return done.stdout.decode().strip()


class Upstream:
    """A bare repository as GitLab keeps it: branches, and merge requests below ``refs/merge-requests``."""

    ref = REF

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "group" / "project.git"
        self.path.mkdir(parents=True)
        git(self.path, "init", "-q", "--bare", "-b", "main")

    def commit(self, ref: str, files: Files, parent: str = "", *, anew: bool = False) -> str:
        """Commit *files* on top of those of *parent*, or *anew* in their place; return the commit's id."""
        stream = b"commit %s\ncommitter a <a@b> 0 +0000\ndata 1\nx\n" % ref.encode()
        if parent:
            stream += b"from %s\n" % parent.encode()
        if anew:
            stream += b"deleteall\n"
        for path, (mode, content) in files.items():
            name = b'"' + b"".join(b"\\%03o" % byte for byte in path) + b'"'
            if mode == "160000":
                stream += b"M 160000 %s %s\n" % (content, name)
            else:
                stream += b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), name, len(content), content)
        return self.load(ref, stream)

    def load(self, ref: str, stream: bytes) -> str:
        """Make the commits of a fast-import *stream*; return the id of the one at *ref*."""
        git(self.path, "fast-import", "--quiet", "--force", stdin=stream)
        return git(self.path, "rev-parse", ref)

    def merge(self, ref: str, files: Files, *parents: str) -> str:
        """Commit *files* on top of those of the first of *parents* as the merge of all; return the commit's id."""
        self.commit(ref, files, parents[0])
        tree = git(self.path, "rev-parse", f"{ref}^{{tree}}")
        words = [word for parent in parents for word in ("-p", parent)]
        merged = git(self.path, "commit-tree", "-m", "x", *words, tree)
        git(self.path, "update-ref", ref, merged)
        return merged

    def revision(self, old: Files, new: Files) -> Revision:
        """Commit *old* on main and *new* as the head of merge request 3, which no branch holds."""
        base = self.commit("refs/heads/main", old)
        head = self.commit("refs/merge-requests/3/head", new, base)
        return Revision(ref=REF, base_sha=base, start_sha=base, head_sha=head)


def file(content: bytes, mode: str = "100644") -> tuple[str, bytes]:
    return mode, content
