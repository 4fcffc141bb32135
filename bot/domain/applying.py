"""Who has applied a suggestion with the forge's button, and whether somebody took it by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from bot.domain.findings import Fix
from bot.domain.forge import ForgeCommit, ForgeNote
from bot.domain.tracking import often, words

#: The page that applies a suggestion resolves its thread as soon as the commit is there.
_AT_ONCE: Final = timedelta(minutes=1)


def applied_by(note: ForgeNote, commits: Iterable[ForgeCommit]) -> int | None:
    """Return who applied the suggestion of *note*, None where that is not certain.

    GitLab does not say it. Its page commits in the name of whoever clicks, with the suggestion's author as author,
    and resolves the thread for them. So whoever resolved it has applied it if at that moment there is a commit of our
    code that was committed under their name, and none that was under another's.

    Args:
        note: the thread's first, which was not resolved when we looked before.
        commits: of the merge request.
    """
    if note.resolved_by is None or note.resolved_at is None or note.resolver_bot or not note.resolver_name:
        return None
    names = {
        one.committer_name
        for one in commits
        if one.author_name == note.author_name != one.committer_name
        and abs(one.committed_at - note.resolved_at) <= _AT_ONCE
    }
    return note.resolved_by if names == {note.resolver_name} else None


def by_hand(fix: Fix, *, before: Sequence[str], now: Sequence[str]) -> bool:
    """Say whether the lines of *now* hold just what *fix* wants, beside a line that its lines stood beside.

    The text counts without its blanks, wherever it stands now, as long as it did not stand there before. Where all
    lines are to go, the one above has come to stand over the one below.

    Args:
        fix: what was suggested, in lines of *before*.
        before: all lines of the file then.
        now: all lines of the file now, under whatever name.
    """
    above, below = words(before[: fix.line - 1])[-1:], words(before[fix.end_line :])[:1]
    wanted = words(fix.replacement.split("\n"))
    if not above and not below:
        return words(now) == wanted
    if not wanted:
        return bool(above and below) and _more([*above, *below], before, now)
    return (bool(above) and _more([*above, *wanted], before, now)) or (
        bool(below) and _more([*wanted, *below], before, now)
    )


def _more(code: Sequence[str], before: Sequence[str], now: Sequence[str]) -> bool:
    return often(code, now) > often(code, before)
