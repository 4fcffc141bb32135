"""The identity of a finding: what stays the same while lines move, branches rebase and words change.

Secrets are part of the code that is hashed here, and short ones could be guessed from a plain hash. So every
hash is keyed, and means nothing without the installation's key.
"""

from __future__ import annotations

import hmac
import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bot.domain.findings import MODEL, Finding

#: Enough lines to tell neighbours apart, few enough that edits further down keep the identity.
ANCHOR_LINES = 3

_HEX_DIGITS = 32
#: A fingerprint is the kind of the finding, then four signs of what stands around it, to tell equal ones apart.
_KIND_DIGITS = 24
_SIGN_DIGITS = 2
#: A function that is longer has no enclosing line for what is at its end.
_REACH = 100
#: More places than there are findings.
_ANYWHERE = 1_000_000
_NEWLINE = "\n"
_NO_RENAMES: Mapping[str, str] = {}


def lines_of(content: bytes) -> list[str]:
    r"""Return the lines of a file as git counts them: only ``\n`` ends a line, odd bytes become U+FFFD."""
    lines = content.decode(errors="replace").split("\n")
    return lines if lines[-1] else lines[:-1]


def stamp(
    findings: Iterable[Finding],
    lines_by_path: Mapping[str, Sequence[str]],
    *,
    key: bytes,
    old_paths: Mapping[str, str] = _NO_RENAMES,
) -> list[Finding]:
    """Return *findings* in their order, each with ``anchor``, ``whole`` and ``fingerprint`` set.

    The first part of the fingerprint covers the scanner, the rule (the category for the model, which names rules
    freely), the path, and the subject or else the anchored code. Line numbers, the base, indentation and the
    message have no part in it. The rest tells equal findings of a file apart by the lines around them, see
    `recognise`. Fingerprints are unique within one call, so pass all findings of a scanner together, before they
    are clipped: clipping depends on the base.

    Args:
        findings: what the scanners said about the head.
        lines_by_path: the head's lines of every file that has findings.
        key: the installation's secret.
        old_paths: path at the head -> path at the base, for renamed files, which keep their fingerprints.
    """
    found = list(findings)
    seen: set[str] = set()
    stamped: dict[int, Finding] = {}
    # By path first: a new file may stand where a renamed one was, and both then go by the old path.
    for index in sorted(range(len(found)), key=lambda index: _place(found[index])):
        finding = found[index]
        lines = lines_by_path.get(finding.path, ())
        code = _normalised(lines[finding.line - 1 : finding.end_line])
        anchor = _anchor(code[:ANCHOR_LINES], key)
        path = old_paths.get(finding.path, finding.path)
        kind = _kind(finding, path, anchor, key)
        fingerprint = next(mark for mark in _marks(kind, finding, lines, key) if mark not in seen)
        seen.add(fingerprint)
        stamped[index] = finding.model_copy(
            update={"anchor": anchor, "whole": _anchor(code, key), "fingerprint": fingerprint}
        )
    return [stamped[index] for index in range(len(found))]


def known_elsewhere(finding: Finding, path: str, known: Iterable[str], *, key: bytes) -> Finding:
    """Return *finding* under the fingerprint that it had when its file was *path*, if that kind is *known*."""
    kind = _kind(finding, path, finding.anchor, key)
    if not any(fingerprint.startswith(kind) for fingerprint in known):
        return finding
    return finding.model_copy(update={"fingerprint": kind + finding.fingerprint[_KIND_DIGITS:]})


def recognise(findings: Sequence[Finding], known: Iterable[str], *, alike: int = 0) -> list[Finding]:
    """Return *findings* in their order, those that are known under the fingerprint that they had.

    A finding that is the only one of its kind in its file is known whatever happened around it. Of several, those
    come first whose surroundings (the enclosing line, those above and below) changed least, the others in the order
    of the file: another one that appears above an old one does not pass for it.

    Args:
        findings: stamped, unique.
        known: fingerprints given before; of equally good ones the first is taken.
        alike: how many of the four signs of the surroundings must be the same. Where other code may be meant than
            in this merge request, that it is the only one of its kind proves nothing.
    """
    old: dict[str, list[str]] = defaultdict(list)
    for fingerprint in dict.fromkeys(known):
        old[fingerprint[:_KIND_DIGITS]].append(fingerprint)
    groups: dict[str, list[int]] = defaultdict(list)
    for index in sorted(range(len(findings)), key=lambda index: _place(findings[index])):
        groups[findings[index].fingerprint[:_KIND_DIGITS]].append(index)
    names: dict[int, str] = {}
    for kind, group in groups.items():
        names |= _pair({index: findings[index].fingerprint for index in group}, old[kind], alike)
    return [
        finding.model_copy(update={"fingerprint": names.get(index, finding.fingerprint)})
        for index, finding in enumerate(findings)
    ]


def _pair(new: Mapping[int, str], old: Sequence[str], alike: int) -> dict[int, str]:
    """Return the old fingerprints that fit the new ones best; each is used once."""
    fits = sorted(
        (-_likeness(mark, candidate), order, rank, index)
        for order, (index, mark) in enumerate(new.items())
        for rank, candidate in enumerate(old)
    )
    names: dict[int, str] = {}
    taken: set[int] = set()
    for _, _, rank, index in fits:
        if index not in names and rank not in taken and _likeness(new[index], old[rank]) >= alike:
            names[index] = old[rank]
            taken.add(rank)
    return names


def _likeness(one: str, other: str) -> int:
    """Return how much of the surroundings is the same, judged by fingerprints."""
    return sum(
        one[at : at + _SIGN_DIGITS] == other[at : at + _SIGN_DIGITS]
        for at in range(_KIND_DIGITS, _HEX_DIGITS, _SIGN_DIGITS)
    )


def places(anchor: str, lines: Sequence[str], *, key: bytes) -> int:
    """Return in how many places of *lines* the code stands that *anchor* is made of.

    An empty anchor stands for no code in particular, so it never counts as gone.
    """
    if not anchor:
        return _ANYWHERE
    code, size = _normalised(lines), int(anchor.partition(":")[0])
    return sum(_anchor(code[at : at + size], key) == anchor for at in range(len(code) - size + 1))


def kind(fingerprint: str) -> str:
    """Return what findings have in common that only their surroundings tell apart."""
    return fingerprint[:_KIND_DIGITS]


def _kind(finding: Finding, path: str, anchor: str, key: bytes) -> str:
    rule = finding.category if finding.scanner == MODEL else finding.rule
    identity = json.dumps([finding.scanner, rule, path, finding.subject or anchor])
    return _digest("fingerprint", identity, key)[:_KIND_DIGITS]


def _place(finding: Finding) -> tuple[str, int, int]:
    return finding.path, finding.line, finding.end_line


def _marks(kind: str, finding: Finding, lines: Sequence[str], key: bytes) -> Iterator[str]:
    """Yield fingerprints for *finding*, the first for the first one with such surroundings."""
    signs = _surroundings(finding, lines)
    for rank in itertools.count():
        purposes = (f"sign {number} {rank or ''}" for number in range(len(signs)))
        yield kind + "".join(
            _digest(purpose, sign, key)[:_SIGN_DIGITS] for purpose, sign in zip(purposes, signs, strict=True)
        )


def _surroundings(finding: Finding, lines: Sequence[str]) -> tuple[str, ...]:
    """Return the line that encloses *finding*, the one above it, and the two below it."""
    above = [line for line in lines[max(finding.line - 1 - _REACH, 0) : finding.line - 1] if line.strip()]
    below = [line for line in lines[finding.end_line : finding.end_line + _REACH] if line.strip()]
    depth = min(
        (_depth(line) for line in lines[finding.line - 1 : finding.end_line] if line.strip()), default=0
    )
    enclosing = (line for line in reversed(above) if _depth(line) < depth)
    near = (next(enclosing, ""), *above[-1:], *[""] * (not above), *[*below, "", ""][:2])
    return tuple(" ".join(line.split()) for line in near)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _normalised(lines: Iterable[str]) -> list[str]:
    return [" ".join(words) for line in lines if (words := line.split())]


def _anchor(code: Sequence[str], key: bytes) -> str:
    return f"{len(code)}:{_digest('anchor', _NEWLINE.join(code), key)}" if code else ""


def _digest(purpose: str, text: str, key: bytes) -> str:
    # The purpose keeps an anchor from ever equalling a fingerprint.
    message = f"{purpose}\0{text}".encode(errors="surrogatepass")
    return hmac.digest(key, message, "sha256").hex()[:_HEX_DIGITS]
