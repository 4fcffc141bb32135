"""Bare git repositories: commits through fast-import, objects through one long-lived cat-file."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

#: A file's new content, a pair of mode and content (for mode 160000 the content is the commit), or None: gone.
Change = bytes | str | tuple[str, bytes] | None

_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


@dataclass(frozen=True, slots=True)
class Signature:
    """Name who wrote or made a commit."""

    name: str
    email: str

    def line(self, role: bytes) -> bytes:
        """Return the fast-import line."""
        return role + f" {self.name} <{self.email}> {int(time.time())} +0000\n".encode()


class GitFailed(RuntimeError):
    """Carry what git said on its way out."""


class Repository:
    """One bare repository; safe to use from several threads."""

    def __init__(self, path: Path, default_branch: str) -> None:
        self.path = path
        self._cat: subprocess.Popen[bytes] | None = None
        self._cat_lock = threading.Lock()
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--template=", f"--initial-branch={default_branch}")
        with (path / "config").open("a") as config:
            config.write("[http]\n\treceivepack = true\n[uploadpack]\n\tallowAnySHA1InWant = true\n")
            config.write("\tallowFilter = true\n[gc]\n\tauto = 0\n")

    def git(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        """Run git and return what it printed.

        Raises:
            GitFailed: git did not succeed.
        """
        run = subprocess.run(
            ["git", "--git-dir", str(self.path), *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env=_ENVIRONMENT,
            check=False,
        )
        if run.returncode != 0:
            raise GitFailed(f"git {' '.join(arguments[:3])}: {run.stderr.decode(errors='replace').strip()}")
        return run.stdout

    def close(self) -> None:
        """End the object reader."""
        with self._cat_lock:
            if self._cat is not None:
                assert self._cat.stdin is not None
                assert self._cat.stdout is not None
                self._cat.stdin.close()
                self._cat.wait()
                self._cat.stdout.close()
                self._cat = None

    def read(self, name: str) -> tuple[str, str, bytes] | None:
        """Return sha, type and content of an object, or None; *name* is anything that rev-parse takes."""
        if "\n" in name:
            return None
        with self._cat_lock:
            if self._cat is None:
                command = ["git", "--git-dir", str(self.path), "cat-file", "--batch"]
                self._cat = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_ENVIRONMENT
                )
            assert self._cat.stdin is not None
            assert self._cat.stdout is not None
            self._cat.stdin.write(name.encode("utf-8", "surrogateescape") + b"\n")
            self._cat.stdin.flush()
            words = self._cat.stdout.readline().rstrip(b"\n").rsplit(b" ", 2)
            if len(words) < 3 or not words[2].isdigit():
                return None
            content = self._cat.stdout.read(int(words[2]))
            self._cat.stdout.read(1)
            return words[0].decode(), words[1].decode(), content

    def blob(self, commit: str, path: str) -> bytes | None:
        """Return a file's content at *commit*."""
        found = self.read(f"{commit}:{path}")
        return found[2] if found is not None and found[1] == "blob" else None

    def mode(self, commit: str, path: str) -> str:
        """Return a file's mode at *commit*."""
        listed = self.git("ls-tree", "-z", commit, "--", f":(literal){path}")
        return listed.split(b" ", 1)[0].decode() or "100644"

    def resolve(self, name: str) -> str | None:
        """Return the commit that *name* (a sha, branch, tag or full ref) stands for."""
        if not name or name.startswith("-") or any(part in name for part in ("..", "^", "~", ":", "@{", " ")):
            return None
        for candidate in (name, f"refs/heads/{name}"):
            found = self.read(f"{candidate}^{{commit}}")
            if found is not None:
                return found[0]
        return None

    def branch(self, name: str) -> str | None:
        """Return the tip of a branch."""
        return self.resolve(f"refs/heads/{name}")

    def branches(self) -> dict[str, str]:
        """Return all branches with their tips."""
        lines = self.git("for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads/")
        pairs = (line.split(" ", 1) for line in lines.decode().splitlines())
        return {name: sha for sha, name in pairs}

    def set_ref(self, ref: str, sha: str | None) -> None:
        """Point *ref* at *sha*, or delete it."""
        if sha is None:
            self.git("update-ref", "-d", ref)
        else:
            self.git("update-ref", ref, sha)

    def merge_base(self, one: str, other: str) -> str:
        """Return the best common ancestor, or *one* where the histories are unrelated."""
        try:
            return self.git("merge-base", one, other).decode().strip()
        except GitFailed:
            return one

    def commit(
        self,
        parents: list[str],
        changes: Mapping[str, Change],
        message: str,
        author: Signature,
        committer: Signature | None = None,
    ) -> str:
        """Make a commit out of *changes* to the first parent's tree, on no branch yet."""
        text = message.encode()
        stream = [b"commit refs/cloister/new\nmark :1\n", author.line(b"author")]
        stream += [(committer or author).line(b"committer"), b"data %d\n%s\n" % (len(text), text)]
        for word, parent in zip(["from"] + ["merge"] * len(parents), parents, strict=False):
            stream.append(f"{word} {parent}\n".encode())
        stream += [_change(path, change) for path, change in changes.items()]
        stream.append(
            b"\nget-mark :1\nreset refs/cloister/new\nfrom 0000000000000000000000000000000000000000\n\n"
        )
        out = self.git("fast-import", "--quiet", "--force", "--done", stdin=b"".join(stream) + b"done\n")
        return out.decode().strip()

    def fetch_from(self, other: Repository, sha: str) -> None:
        """Bring the history of *sha* here from *other*."""
        self.git("fetch", "--quiet", "--no-tags", str(other.path), sha)

    def commit_info(self, sha: str) -> dict[str, str] | None:
        """Return one commit in the form of ``log``, or None when it is not there."""
        found = self.read(sha)
        if found is None or found[1] != "commit":
            return None
        head, _, text = found[2].decode(errors="replace").partition("\n\n")
        lines = [line.split(" ", 1) for line in head.split("\n") if not line.startswith(" ")]
        commit = {"id": found[0], "message": text}
        commit["parents"] = " ".join(value for name, value in lines if name == "parent")
        for name, value in lines:
            if name in ("author", "committer"):
                who, email, when = re.fullmatch(r"(.*?) ?<(.*)> (\d+) .*", value).groups()  # type: ignore[union-attr]
                moment = datetime.fromtimestamp(int(when), UTC).isoformat()
                date = "authored_date" if name == "author" else "committed_date"
                commit |= {f"{name}_name": who, f"{name}_email": email, date: moment}
        return commit

    def log(self, newest: str, without: str, limit: int = 1000) -> list[dict[str, str]]:
        """Return the commits of *newest* that *without* lacks, newest first."""
        names = "id author_name author_email authored_date committer_name committer_email committed_date"
        fields = [*names.split(), "parents", "message"]
        form = "%H%x1f%an%x1f%ae%x1f%aI%x1f%cn%x1f%ce%x1f%cI%x1f%P%x1f%B%x1e"
        out = self.git("log", f"--format={form}", f"-{limit}", newest, f"^{without}", "--")
        records = out.decode(errors="replace").split("\x1e\n")
        return [
            dict(zip(fields, record.split("\x1f", len(fields) - 1), strict=True))
            for record in records
            if record.strip("\n")
        ]


def _change(path: str, change: Change) -> bytes:
    raw = path.encode("utf-8", "surrogateescape")
    quoted = b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
    if change is None:
        return b"D " + quoted + b"\n"
    mode, content = change if isinstance(change, tuple) else ("100644", change)
    data = content.encode() if isinstance(content, str) else content
    if mode == "160000":
        return b"M 160000 %s %s\n" % (data, quoted)
    return b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), quoted, len(data), data)
