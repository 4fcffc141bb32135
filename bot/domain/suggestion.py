"""A fix as a GitLab suggestion that replaces exactly the intended lines, or the reason why not.

Source: https://docs.gitlab.com/user/project/merge_requests/reviews/suggestions/ and the behaviour of
GitLab's suggestion parser, which clamps offsets without a word and takes blank content for a deletion.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.findings import Fix
from bot.domain.markdown import fence, starts_quick_action, visible

#: GitLab cuts larger offsets to this silently, and would then replace the wrong lines.
_MAX_OFFSET = 100

#: More than this nobody checks before pressing the button.
_MAX_CHARS = 10_000

#: Files that decide what runs or who approves: changing them takes a person, not a click.
_GOVERNING = re.compile(
    r"(?:^|/)(?:[^/]*\.gitlab-ci\.ya?ml|\.gitlab/.*|CODEOWNERS|\.cloister\.ya?ml|\.gitmodules|\.gitattributes)$"
)

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")
_LINE_END = re.compile(rb"\r?\n\Z")


class Refusal(enum.StrEnum):
    """Why a fix cannot be offered as a suggestion, in words for the reader of the comment."""

    outside_file = "it reaches beyond the end of the file"
    too_far = "it reaches more than 100 lines from the commented line"
    too_long = "it is too long to be checked in a comment"
    unchanged = "it would change nothing"
    blank = "it would leave only blank lines, which GitLab takes for a deletion"
    invisible = "it contains characters that cannot be seen"
    command = "one of its lines looks like a GitLab command"
    line_endings = "GitLab would not keep the line endings of the file"
    undecodable = "the code is not valid UTF-8"
    governing = "the file controls pipelines, approvals or reviews"
    notebook = "GitLab does not apply suggestions to notebooks"
    unchecked = "it was not checked"
    failed = "checking it failed"
    unreadable = "the file could not be read to check it"
    too_many = "too many other fixes were checked before it"
    too_slow = "checking it took too long"
    indentation = "its indentation does not fit the lines around it"
    brackets = "it leaves brackets open or closes too many"
    hollow = "it would only take code away"
    silences = "it would silence a check instead of mending the code"
    stranger = "it names a host that the file does not know"
    imports = "it imports something new, and the file cannot be parsed to check that"
    stand_in = "it contains what stands in for a secret"
    breaks = "the file would not parse any more"
    removes = "it would take away a definition that other code may use"
    stays = "the finding would still be reported"
    unconfirmed = "the finding could not be reproduced, so nobody knows whether it would be gone"
    unscanned = "the changed file could not be scanned"


@dataclass(frozen=True, slots=True)
class SuggestionBlock:
    """Hold a suggestion: it replaces ``above`` lines before and ``below`` lines after the commented one.

    ``markdown`` is the block as it goes into the note, ``replacement`` the lines that come instead.
    ``crlf`` tells that the file ends its lines with a carriage return and a newline; GitLab keeps that.
    """

    markdown: str
    above: int
    below: int
    replacement: tuple[str, ...]
    crlf: bool = False


def offer(fix: Fix, *, path: str, anchor: int, lines: Sequence[str]) -> SuggestionBlock | str:
    """Return *fix* as a suggestion if it is verified, or else why it is shown as prose; see `suggestion`."""
    if not fix.verified:
        return fix.refusal or Refusal.unchecked
    return suggestion(fix, path=path, anchor=anchor, lines=lines)


def applied(content: bytes, block: SuggestionBlock, anchor: int) -> bytes:
    """Return the file that GitLab makes of *content* when *block*, on line *anchor*, is applied."""
    lines = _LINES.findall(content)
    first, last = anchor - 1 - block.above, anchor + block.below
    ending = _LINE_END.search(lines[last - 1])
    new = "\n".join(block.replacement).encode() + (ending[0] if ending else b"")
    return b"".join([*lines[:first], *([new] if block.replacement else []), *lines[last:]])


def suggestion(fix: Fix, *, path: str, anchor: int, lines: Sequence[str]) -> SuggestionBlock | Refusal:
    """Turn *fix* into a suggestion for a comment on line *anchor*.

    A fix that does not touch the anchor is widened to it with the lines in between as they are.

    Args:
        fix: what to replace, in lines of the head.
        path: the file at the head.
        anchor: the ``new_line`` of the comment's position, which is the last line of a multi-line finding.
        lines: every line of the file at the head, without newlines; a carriage return may remain.
    """
    first, last = min(fix.line, anchor), max(fix.end_line, anchor)
    if refusal := _unfit_place(path, first, last, anchor, len(lines)):
        return refusal
    crlf = lines[last - 1].endswith("\r")
    replaced = lines[first - 1 : last]
    current = [line.removesuffix("\r") for line in replaced]
    fixed = [line.removesuffix("\r") for line in fix.replacement.split("\n")] if fix.replacement else []
    new = current[: fix.line - first] + fixed + current[fix.end_line - first + 1 :]
    if refusal := _unfit_text(current, new):
        return refusal
    if _loses_line_endings(replaced, new):
        return Refusal.line_endings
    above, below = anchor - first, last - anchor
    ticks = fence("\n".join(new))
    markdown = "\n".join([f"{ticks}suggestion:-{above}+{below}", *new, ticks])
    return SuggestionBlock(markdown, above, below, tuple(new), crlf)


def _unfit_place(path: str, first: int, last: int, anchor: int, line_count: int) -> Refusal | None:
    if _GOVERNING.search(path):
        return Refusal.governing
    if path.lower().endswith(".ipynb"):
        return Refusal.notebook
    if last > line_count:
        return Refusal.outside_file
    if anchor - first > _MAX_OFFSET or last - anchor > _MAX_OFFSET:
        return Refusal.too_far
    return None


def _loses_line_endings(replaced: Sequence[str], new: Sequence[str]) -> bool:
    # GitLab ends the last new line like the last replaced one, by the first line break that it sees in that line,
    # and all other new lines with a newline alone.
    carriage_return = any(line.endswith("\r") for line in replaced)
    return "\r" in replaced[-1].removesuffix("\r") or (carriage_return and len(new) > 1)


def _unfit_text(current: list[str], new: list[str]) -> Refusal | None:
    text = "\n".join(new)
    if new == current:
        return Refusal.unchanged
    if len(text) > _MAX_CHARS:
        return Refusal.too_long
    if new and not text.strip():
        return Refusal.blank
    if visible(text) != text:
        return Refusal.invisible
    if starts_quick_action(text):
        return Refusal.command
    # What stands in for bytes that could not be read must not be written back.
    return Refusal.undecodable if "\N{REPLACEMENT CHARACTER}" in text else None
