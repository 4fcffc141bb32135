"""What git says when it fails -> what the caller can do about it."""

from __future__ import annotations

import re

from bot.domain.errors import CloisterError, Permanent, Transient


class GitOverHttpClosed(Permanent):
    """Say that this GitLab does not serve git over HTTP to us, so that only its API is left."""


class GitFailed(Exception):
    """Hold the exit status and the scrubbed standard error of a git command that failed."""

    def __init__(self, status: int, stderr: str) -> None:
        super().__init__(f"git exited with status {status}: {stderr}")
        self.status = status
        self.stderr = stderr

    @property
    def unwanted_sha(self) -> bool:
        """Say whether the server did not hand out a commit that was asked for by its id."""
        return bool(_UNWANTED.search(self.stderr))

    @property
    def broken_mirror(self) -> bool:
        """Say whether the repository on our own disk is damaged or lacks what it once had."""
        # What the server says about itself, git passes on behind "remote:"; that is no damage here.
        own = "\n".join(line for line in self.stderr.split("\n") if not line.startswith("remote:"))
        return bool(_BROKEN.search(own))

    @property
    def locked(self) -> bool:
        """Say whether a lock was in the way: of a git that runs, or of one that was killed."""
        return bool(_LOCKED.search(self.stderr))


_LOCKED = re.compile(r"unable to create '[^']*\.lock': file exists", re.IGNORECASE)
_UNWANTED = re.compile(r"not our ref|unadvertised object|could(?:n't| not) find remote ref", re.IGNORECASE)
_BROKEN = re.compile(
    r"not a git repository|could not access '|bad object|is corrupt|is empty|unable to read|cannot be accessed|bad config"
    r"|does not match index|missing (?:blob|tree|commit)|bad tree object|not a tree object"
    r"|not a valid object name|loose object|invalid object",
    re.IGNORECASE,
)
_CLOSED = re.compile(r"(?:access|pulling) over https? is not allowed", re.IGNORECASE)
_DENIED = re.compile(
    r"authentication failed|access denied|could not read (?:username|password)|returned error: 40[13]",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    r"repository .* not found|does not appear to be a git repository|error: 404", re.IGNORECASE
)
_MOVED = re.compile(r"redirect|returned error: 30\d", re.IGNORECASE)
_UNTRUSTED = re.compile(r"certificate|SSL peer", re.IGNORECASE)
_FULL = re.compile(r"no space left|disk quota exceeded", re.IGNORECASE)


def from_fetch(failure: GitFailed, url: str) -> CloisterError:
    """Return the error that a failed fetch from *url* amounts to; the most specific reason wins."""
    said = failure.stderr
    if _CLOSED.search(said):
        return GitOverHttpClosed(
            f"GitLab does not allow git over HTTP ({url}); enable it under Admin > General > Visibility and access"
        )
    if _DENIED.search(said):
        return Permanent(
            f"GitLab refused our token for {url}; give it the scope api or read_repository and the role"
            f" Reporter or above: {said}"
        )
    if _ABSENT.search(said):
        return Permanent(
            f"{url} does not exist or our account may not see it; add the account to the project"
        )
    if _MOVED.search(said):
        return Permanent(f"{url} answers with a redirect; set CLOISTER_GITLAB_URL to where it leads: {said}")
    if _UNTRUSTED.search(said):
        return Permanent(f"the certificate of {url} is not trusted; install its authority for git: {said}")
    if _FULL.search(said):
        return Transient(f"the disk of the git mirrors is full: {said}")
    return Transient(f"fetching {url} failed: {said}")
