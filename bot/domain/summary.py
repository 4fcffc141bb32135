"""The one note per merge request that is edited in place: the verdict and everything not said inline."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bot.domain.commands import NAME
from bot.domain.coverage import Covered
from bot.domain.findings import Finding
from bot.domain.headline import ask_again, counts, headline, paused, pending, remedy, risk
from bot.domain.markdown import cell, code_span, neutral_inline
from bot.domain.reconcile import urgency
from bot.domain.review_result import FileChange, ReviewResult
from bot.domain.waiver_words import example
from bot.domain.waivers import Waiver, names_of
from bot.domain.wording import SummaryText, Wording, wording

#: Rows and items beyond these are counted, not shown; nobody reads further.
_ROWS = 50
_ITEMS = 20
_TITLE_LIMIT = 120
_PATH_LIMIT = 200
_REASON_LIMIT = 200
_NO_NAMES: Mapping[str, str] = {}

_WAIVED = "until {until} by {who}: {reason}"
_ASKED = "until {until} asked for by {who}: {reason}"
_ASKED_IN_CODE = "a comment in the code asks to ignore it"

#: What the path of a link may consist of; anything else could end the link early.
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:/[A-Za-z0-9_.-]+)*")


def summary(result: ReviewResult, *, marker: str, redact: Callable[[str], str] = str) -> str:
    """Return the body of the summary note; *marker* is its last line.

    What asks for attention comes first; what is said elsewhere, or of use to few, is folded away. The body stays far
    below GitLab's limit of a million characters, whatever the result holds. *redact* masks secrets in the names of
    files.
    """
    words = wording(result.language)
    text, say = words.summary, words.phrases.say
    page = _Page(result, words, redact)
    parts = [
        headline(result, words),
        remedy(result, words),
        paused(text) if result.paused else "",
        pending(result, words),
        risk(result, words),
        counts(result, words),
        page.table(text.listed, [(item.finding, item.reason) for item in result.listed]),
        *page.waivers(),
        page.table(text.suppressed, [(finding, "") for finding in result.suppressed]),
        page.list(
            text.skipped,
            [page.because(neutral_inline(say(part)), why) for part, why in result.skipped.items()],
        ),
        ask_again(text) if result.unanswered else "",
        page.list(text.problems, [neutral_inline(say(problem)) for problem in result.problems]),
        text.resolved_at_once if result.hushed else "",
        _folded(
            text.inline.format(count=len(result.inline)), page.table("", [(one, "") for one in result.inline])
        ),
        _folded(
            text.shadowed.format(count=len(result.verdict.shadowed)),
            page.table("", [(one, "") for one in result.verdict.shadowed]),
        ),
        page.withheld(),
        _folded(text.changes.format(count=len(result.changes)), page.changes()),
        _folded(page.coverage(), page.receipt()),
        "" if result.left_out or result.failed else _footer(result, text),
        marker,
    ]
    return "\n\n".join(part for part in parts if part)


def project_url(instance_url: str, merge_request_url: str) -> str:
    """Return the project's page, or nothing if it is not below *instance_url*: we link nowhere else."""
    root = instance_url.rstrip("/") + "/"
    project, separator, _ = merge_request_url.partition("/-/merge_requests/")
    plain = _PLAIN_URL.fullmatch(project) and not {".", ".."} & set(project.split("/"))
    return project if separator and plain and project.startswith(root) else ""


def project_path(instance_url: str, merge_request_url: str) -> str:
    """Return the project's path with its namespace, or nothing if its page is not below *instance_url*."""
    return project_url(instance_url, merge_request_url).removeprefix(instance_url.rstrip("/")).strip("/")


def permalink(project: str, sha: str, path: str, line: int, end_line: int) -> str:
    """Return the address of lines of a file at a commit, or nothing if *path* is not a plain relative path."""
    if not project or {"", ".", ".."} & set(path.split("/")):
        return ""
    lines = f"L{line}" if line == end_line else f"L{line}-{end_line}"
    return f"{project}/-/blob/{sha}/{quote(path, safe='/', errors='replace')}#{lines}"


def _folded(title: str, content: str) -> str:
    """Return *content* behind a line to click on; the only HTML of ours, with nothing from outside in it."""
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>" if content else ""


@dataclass(frozen=True, slots=True)
class _Page:
    """Write tables and lists about one result."""

    result: ReviewResult
    words: Wording
    redact: Callable[[str], str]

    def waivers(self) -> list[str]:
        """Return the tables of findings that are waived, and of those for which somebody asks for a waiver."""
        text, verdict = self.words.summary, self.result.verdict
        asked = [(one.finding, _asking(one.waiver)) for one in verdict.asked]
        waived = [(one.finding, _WAIVED.format(**_who(one.waiver))) for one in verdict.waived]
        grant, back = f"@{NAME} waive NAME {example(self.result.max_days)}", f"@{NAME} unwaive NAME"
        return [
            self.table(text.asked, asked),
            text.asked_hint.format(command=code_span(grant)) if asked else "",
            self.table(text.waived, waived),
            text.waived_hint.format(command=code_span(back)) if waived else "",
        ]

    def withheld(self) -> str:
        """Return what people did not want to hear the like of, folded away, and how to have it said again."""
        text, withheld = self.words.summary, self.result.withheld
        rows = self.table("", [(item.finding, item.reason) for item in withheld])
        return _folded(
            text.withheld.format(count=len(withheld)), f"{rows}\n\n{text.withheld_hint}" if rows else ""
        )

    @property
    def names(self) -> Mapping[str, str]:
        """Return what to call the findings by that block, or would without a waiver."""
        verdict = self.result.verdict
        found = (*verdict.blocking, *(one.finding for one in verdict.waived))
        return names_of(one.fingerprint for one in found if one.fingerprint)

    def table(self, title: str, rows: Iterable[tuple[Finding, str]]) -> str:
        """Return a table of findings, with reasons if there are any, and names of those that can be waived."""
        text = self.words.summary
        found = sorted(rows, key=lambda row: (urgency(row[0]), row[1]))
        if not found:
            return ""
        why, names = any(reason for _, reason in found), self.names
        names = names if any(finding.fingerprint in names for finding, _ in found) else _NO_NAMES
        heads = [
            text.severity,
            text.place,
            text.finding,
            *([text.name] if names else []),
            *([text.why] if why else []),
        ]
        lines = [
            _line(heads),
            "|---" * len(heads) + "|",
            *(self._row(*row, why=why, names=names) for row in found[:_ROWS]),
        ]
        more = [text.more.format(count=len(found) - _ROWS)] if len(found) > _ROWS else []
        return "\n\n".join([*([title.format(count=len(found))] if title else []), "\n".join(lines), *more])

    def _row(self, finding: Finding, reason: str, *, why: bool, names: Mapping[str, str]) -> str:
        path = self.redact(finding.path)
        place = code_span(f"{path}:{finding.line}".replace("|", "¦"), _PATH_LIMIT)
        cells = [
            self.words.severities[finding.severity],
            self._linked(place, finding.path, path, finding.line, finding.end_line, finding.commit),
            f"{cell(finding.title, _TITLE_LIMIT)} ({cell(finding.scanner)})",
            *([code_span(names.get(finding.fingerprint, ""))] if names else []),
            *([cell(self.words.phrases.say(reason), _REASON_LIMIT)] if why else []),
        ]
        return _line(cells)

    def _linked(self, span: str, path: str, shown: str, line: int, end_line: int, commit: str = "") -> str:
        project = self.result.project_url if path == shown else ""
        address = permalink(project, commit or self.result.head_sha, path, line, end_line)
        fits = address and len(address) < 2 * _PATH_LIMIT + len(self.result.project_url)
        return f"[{span}]({address})" if fits else span

    def changes(self) -> str:
        """Return the table of changed files, with what changes in each."""
        text, changed = self.words.summary, self.result.changes
        if not changed:
            return ""
        heads = [text.file, text.lines, text.what]
        lines = [_line(heads), "|---" * len(heads) + "|", *map(self._change, changed[:_ROWS])]
        more = [text.more.format(count=len(changed) - _ROWS)] if len(changed) > _ROWS else []
        return "\n\n".join(["\n".join(lines), *more])

    def _change(self, changed: FileChange) -> str:
        shown = self.redact(changed.path)
        span = code_span(shown.replace("|", "¦"), _PATH_LIMIT) or self.words.summary.nameless
        what = self.redact(self.words.phrases.say(changed.what))
        return _line([span, f"+{changed.added} −{changed.removed}", cell(what, _REASON_LIMIT)])

    def coverage(self) -> str:
        """Return how many of the files were reviewed."""
        text, result = self.words.summary, self.result
        reviewed = result.reviewed
        return text.coverage.format(reviewed=reviewed, files=text.files.format(result.files))

    def receipt(self) -> str:
        """Return who looked at which file, and why nobody did; nothing where one file was read whole."""
        if self.result.files <= 1 and not self.result.not_reviewed:
            return ""
        since = next((one.since for one in self.result.covered if one.since), "")
        note = self.words.summary.unchanged_note.format(sha=code_span(since[:8])) if since else ""
        return "\n\n".join(part for part in (self._covered(), note, self._left_out()) if part)

    def _covered(self) -> str:
        text, covered = self.words.summary, self.result.covered
        if not covered:
            return ""
        rows = [_line([self._path(one.path), cell(self._by(one))]) for one in covered[:_ROWS]]
        more = [text.more.format(count=len(covered) - _ROWS)] if len(covered) > _ROWS else []
        table = "\n".join([_line([text.file, text.reviewed_by]), "|---" * 2 + "|", *rows])
        return "\n\n".join([table, *more])

    def _by(self, one: Covered) -> str:
        text, say = self.words.summary, self.words.phrases.say
        names = [say(name) for name in one.scanners]
        if one.prompts:
            names.append(text.in_prompts.format(one.prompts))
        elif one.since:
            names.append(text.unchanged)
        return text.comma.join(names)

    def _left_out(self) -> str:
        items = [
            self.because(self._path(path), why) for path, why in sorted(self.result.not_reviewed.items())
        ]
        return self.list(self.words.summary.not_reviewed, items)

    def list(self, title: str, items: Sequence[str]) -> str:
        """Return a list below *title*, empty if there is nothing to list."""
        if not items:
            return ""
        text = self.words.summary
        more = [text.more.format(count=len(items) - _ITEMS)] if len(items) > _ITEMS else []
        return "\n".join(
            [title.format(count=len(items)), "", *(f"- {item}" for item in [*items[:_ITEMS], *more])]
        )

    def because(self, what: str, why: str) -> str:
        """Return an item of a list: *what*, which is Markdown, and *why*, which is not."""
        reason = neutral_inline(self.words.phrases.say(why), _REASON_LIMIT)
        return f"{what}{self.words.summary.colon}{reason}"

    def _path(self, path: str) -> str:
        return code_span(self.redact(path).replace("|", "¦"), _PATH_LIMIT) or self.words.summary.nameless


def _asking(waiver: Waiver | None) -> str:
    if waiver is None or waiver.said.until is None:
        return _ASKED_IN_CODE
    return _ASKED.format(**_who(waiver))


def _who(waiver: Waiver) -> dict[str, str]:
    said = waiver.said
    return {"until": str(said.until), "who": said.name, "reason": said.reason}


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _footer(result: ReviewResult, text: SummaryText) -> str:
    parts = [
        text.reviewed.format(sha=code_span(result.head_sha[:8]))
        + text.colon
        + text.files.format(result.files),
        text.added_lines.format(result.added_lines),
    ]
    if result.tokens:
        parts.append(text.tokens.format(count=result.tokens))
    if result.seconds:
        parts.append(text.seconds.format(count=f"{result.seconds:.0f}"))
    return text.comma.join(parts) + text.stop
