"""The identity of a finding: what stays the same while lines move, branches rebase and words change.

Secrets are part of the code that is hashed here, and short ones could be guessed from a plain hash. So every
hash is keyed, and means nothing without the installation's key.
"""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from bot.domain.findings import Finding

#: Enough lines to tell neighbours apart, few enough that edits further down keep the identity.
ANCHOR_LINES = 3

_HEX_DIGITS = 32
_NEWLINE = "\n"
_MODEL = "model"
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
    """Return *findings* in their order, each with ``anchor`` and ``fingerprint`` set.

    The fingerprint covers the scanner, the rule (the category for the model, which names rules freely), the
    path, the anchored code and the rank among equal ones in file order. Line numbers, the base, indentation
    and the message have no part in it. Fingerprints are unique within one call, so pass all findings of a
    scanner together, before they are clipped: clipping depends on the base.

    Args:
        findings: what the scanners said about the head.
        lines_by_path: the head's lines of every file that has findings.
        key: the installation's secret.
        old_paths: path at the head -> path at the base, for renamed files, which keep their fingerprints.
    """
    found = list(findings)
    seen: Counter[str] = Counter()
    stamped: dict[int, Finding] = {}
    # By path first: a new file may stand where a renamed one was, and both then go by the old path.
    for index in sorted(range(len(found)), key=lambda index: _place(found[index])):
        finding = found[index]
        anchor = _anchor(_code(finding, lines_by_path.get(finding.path, ())), key)
        rule = finding.category if finding.scanner == _MODEL else finding.rule
        path = old_paths.get(finding.path, finding.path)
        identity = json.dumps([finding.scanner, rule, path, anchor])
        fingerprint = _digest("fingerprint", f"{identity}{seen[identity]}", key)
        seen[identity] += 1
        stamped[index] = finding.model_copy(update={"anchor": anchor, "fingerprint": fingerprint})
    return [stamped[index] for index in range(len(found))]


def anchor_present(anchor: str, lines: Sequence[str], *, key: bytes) -> bool:
    """Say whether the code that *anchor* stands for is still anywhere in *lines*.

    An empty anchor stands for no code in particular, so it never counts as gone.
    """
    return not anchor or anchor in anchors_present((anchor,), lines, key=key)


def anchors_present(anchors: Collection[str], lines: Sequence[str], *, key: bytes) -> frozenset[str]:
    """Return those of *anchors* whose code is still anywhere in *lines*; hashes each line only once."""
    code = _normalised(lines)
    there: set[str] = set()
    for size in {int(anchor.partition(":")[0]) for anchor in anchors if anchor}:
        there.update(_anchor(code[at : at + size], key) for at in range(len(code) - size + 1))
    return frozenset(anchors) & there


def _place(finding: Finding) -> tuple[str, int, int]:
    return finding.path, finding.line, finding.end_line


def _code(finding: Finding, lines: Sequence[str]) -> list[str]:
    return _normalised(lines[finding.line - 1 : finding.end_line])[:ANCHOR_LINES]


def _normalised(lines: Iterable[str]) -> list[str]:
    return [" ".join(words) for line in lines if (words := line.split())]


def _anchor(code: Sequence[str], key: bytes) -> str:
    return f"{len(code)}:{_digest('anchor', _NEWLINE.join(code), key)}" if code else ""


def _digest(purpose: str, text: str, key: bytes) -> str:
    # The purpose keeps an anchor from ever equalling a fingerprint.
    message = f"{purpose}\0{text}".encode(errors="surrogatepass")
    return hmac.digest(key, message, "sha256").hex()[:_HEX_DIGITS]
