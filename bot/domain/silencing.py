"""Comments by which code asks any tool to look away, beside the one that each scanner knows itself.

They decide nothing: what blocks is said to have a waiver asked for. A comment about style or types asks for none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from bot.domain.findings import Finding

#: Lines of a long finding that are looked at; comments stand at its beginning or its end.
_LINES = 100
#: Nobody writes more before such a comment; what is generated has lines of a megabyte.
_CHARS = 2_000
_AWAY = re.compile(
    r"""(?ix)(?<![\w-])(?:
        # tools that look for flaws and secrets
        nosec\b | nosonar\b | nosem(?:grep)?\b(?!\s*[:=]) | ggignore\b | skipcq\b
      | (?:gitleaks|trufflehog|kingfisher|secretlint|detect-secrets)\s?:\s?(?:allow|ignore|skip|disable)
      | pragma:\s*(?:allow|white)list(?:\s+nextline)?\s+secret
      | checkov:skip | kics-scan\s+(?:ignore|disable) | devskim:\s*ignore | njsscan-ignore | snyk:ignore
      | (?:tfsec|trivy|terrascan|horusec|bearer)[:\s]\s?(?:ignore|disable|skip)
      | (?:codeql|lgtm)\s*\[
        # tools for all sorts of things, where a comment names nothing, or something that is about flaws
      | noqa\b (?:(?!\s*:) | \s*:[^#\n]*\bS\d{3})
      | nolint(?:nextline)?\b (?:(?!\s*[:(]) | \s*[:(][^\n]*\b(?:gosec|cert-|security))
      | (?:eslint|oxlint|biome|rubocop|pylint|phpcs)[-:\s]+(?:disable|ignore)[\w-]*[:=\s]*
        (?:$ | \*/ | -- | all\b | [^\n]*(?:security|no-(?:eval|implied-eval|new-func|unsafe|secrets)|danger))
    )"""
)
_ALONE = re.compile(r"\s*(?:#|//|/\*|--|;|<!--|%|\*)")


def silenced(findings: Iterable[Finding], lines_by_path: Mapping[str, Sequence[str]]) -> list[Finding]:
    """Return *findings*, those marked on whose lines, or alone on the one above, a comment asks to look away."""
    return [
        finding.model_copy(update={"silenced": True})
        if _asks(finding, lines_by_path.get(finding.path, ()))
        else finding
        for finding in findings
    ]


def _asks(finding: Finding, lines: Sequence[str]) -> bool:
    own = lines[finding.line - 1 : finding.end_line]
    above = lines[finding.line - 2 : finding.line - 1] if finding.line > 1 else ()
    alone = [line for line in above if _ALONE.match(line)]
    return any(_AWAY.search(line[-_CHARS:]) for line in (*own[:_LINES], *own[-1:], *alone))
