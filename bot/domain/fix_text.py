"""What can be told of a fix from its text: whether it fits its place, and whether it mends or only silences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from bot.domain.suggestion import Refusal

#: So much code may go without anything in its place: a call, an assignment with its comment.
_COUPLE = 2
_COMMENT = re.compile(r"\s*(?:#(?!\[|!)|//|/\*|\*(?=\s|/|$)|--\s|;|<!--)")
#: Code that does nothing. Whoever leaves only that has not mended what stood there.
_EMPTY = re.compile(
    r"\s*(?:pass|\.\.\.|return(?:\s+(?:None|null|nil|undefined|false|true|0|False|True))?|break|continue|end"
    r"|[{}()\[\];,]*)[;,]?\s*"
)

#: Comments and marks by which code asks a tool to look away.
_SUPPRESSION = re.compile(
    r"(?i)\b(?:nosem(?:grep)?|noqa|nosec|nosonar|nolint\w*|noinspection|nopmd|skipcq|lgtm\s*\[|(?:gitleaks|trufflehog):(?:allow"
    r"|ignore)|lint:(?:file-)?ignore|(?:deno-|tf|solhint|slither)lint-ignore|checkstyle[:.]off|ts-(?:ignore|nocheck"
    r"|expect-error)|type:\s*ignore|(?:eslint|tslint|stylelint|rubocop|pylint|flake8|ruff|mypy|pyright|phpcs"
    r"|swiftlint|ktlint|detekt|shellcheck|hadolint|yamllint|jshint|jscs|golangci|oxlint|biome|checkov|tfsec|trivy"
    r"|kics|psalm|phpstan|phan|codacy|deepsource|coverity|cspell|istanbul|c8|v8)[\w-]*[:\s\[-]+(?:\w+[:\s-]+)?"
    r"(?:disable|ignore|skip|allow|suppress|off|noqa)\w*|pragma:)"
    r"|@Suppress\w*|#!?\[allow\(|#\s*pragma\s+(?:warning|gcc|clang)|@phpstan-ignore|@psalm-suppress|@phan-suppress"
    r"|@file:suppress|@nowarn\b|#!?\[expect\(|\[(?:\w+:\s*)?(?:suppressmessage|excludefromcodecoverage)\b"
    r"|<%#\s*brakeman|/\*\s*(?:jshint|jslint|global|eslint)\b|//\s*go:nosplit|\bcloister:"
    # A test that is left out is silenced too.
    r"|\bpytest\.mark\.(?:skip|xfail)|@(?:unittest\.)?skip\w*\b|@(?:disabled|ignore)\b"
    r"|\b(?:it|test|describe)\.(?:skip|only|todo)\b|\bx(?:it|describe|test)\s*\(\s*['\"`]|\bt\.skip(?:f|now)?\("
)

_URL_HOST = re.compile(
    r"(?i)\b[a-z][a-z0-9+.-]{1,20}:(?:\\?/){2}(?:[^\s/@\"'`<>]{0,200}@)?([^\s/:?#\"'`<>)\\]{1,253})"
)
#: An address without its scheme, which a browser takes from the page.
_SCHEMELESS_HOST = re.compile(
    r"(?i)[\"'`=(]\s*//((?:[a-z0-9](?:[a-z0-9-]{0,62})\.){1,8}[a-z][a-z0-9-]{1,62})(?![\w.-])"
)
_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
#: Names that are hosts and hardly ever a file or an attribute.
_HOST = re.compile(
    r"(?i)(?<![\w./-])(?:[a-z0-9](?:[a-z0-9-]{0,62})\.){1,8}(?:com|net|org|io|dev|xyz|info|biz|ru|cn|top|site|online"
    r"|cloud|ai|co|me|cc|link|click|zip|gov|edu|eu|de|uk|fr|tk|ml|ga|su|pw|onion|live|club|shop)(?![\w(.-])"
)
_STRING = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`\n]*`")

_IMPORT = re.compile(
    r"^\s*(?:from\s+[\w.]+\s+import\b|import\s+[\w.{*\"'(]|use\s+[\w\\:]+|using\s+(?:static\s+)?[\w.]+\s*;"
    r"|#\s*include\s*[<\"]|require(?:_once|_relative)?[\s(]+['\"]|extern\s+crate\b|@import\b)"
    r"|\brequire\(\s*['\"]|\bimport\(\s*['\"]|\bfrom\s+['\"]"
)
_STAND_IN = re.compile(r"\[secret:[\w.:-]+\]")
#: Not what stands behind a name: that is a comparison, or the argument of a type.
_TAG = re.compile(r"(?:(?<![\w.)\]])<|<(?=/))(/?)([A-Za-z][\w.:-]{0,60})(?:[^<>=]|=(?!>)|=>)*?(/?)>")
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_PAIRS = ("()", "[]", "{}")


def misfit(old: Sequence[str], new: Sequence[str], file: Iterable[str]) -> Refusal | None:
    """Return why the lines *new* do not fit where *old* stood in *file*; None if they do, or there are none."""
    indents = [_indent(line) for line in new if line.strip()]
    before = [_indent(line) for line in old if line.strip()]
    if not indents or not before:
        return None
    if indents[0] != before[0] or min(map(len, indents)) < min(map(len, before)):
        return Refusal.indentation
    known = {indent[0] for indent in before if indent} or {
        line[0] for line in file if line[:1] in (" ", "\t") and line.strip()
    }
    return Refusal.indentation if known and {i[0] for i in indents if i} - known else None


def unbalanced(old: Sequence[str], new: Sequence[str]) -> bool:
    """Say whether *new* opens or closes other brackets than *old*; strings are not told apart from code."""
    return any(_open(old, pair) != _open(new, pair) for pair in _PAIRS)


def unbalanced_tags(old: Sequence[str], new: Sequence[str]) -> bool:
    """Say whether *new* opens or closes other tags than *old*; grammars do not compare their names."""
    return _tags(old) != _tags(new)


def imports_anew(old: Sequence[str], new: Sequence[str]) -> bool:
    """Say whether *new* imports something that *old* did not."""
    known = {line.strip() for line in old}
    return any(_IMPORT.search(line) and line.strip() not in known for line in new)


def suspicious(
    old: Sequence[str], new: Sequence[str], file: Sequence[str], *, trusted: bool
) -> Refusal | None:
    """Return what speaks against putting *new* in place of *old*, both lines of *file*; None if nothing does.

    Of a *trusted* source, the author of a rule, it is known that taking code away is meant.
    """
    if not trusted and sum(map(_works, old)) > _COUPLE and not any(map(_works, new)):
        return Refusal.hollow
    added, gone = "\n".join(new), "\n".join(old)
    if _marks(added) - _marks(gone):
        return Refusal.silences
    if _STAND_IN.search(added) and not _STAND_IN.search(gone):
        return Refusal.stand_in
    strange = _hosts(added) - _hosts(gone)
    return Refusal.stranger if strange and strange - _hosts("\n".join(file)) else None


def _works(line: str) -> bool:
    """Say whether *line* is code that does something."""
    return not _COMMENT.match(line) and not _EMPTY.fullmatch(line)


def _marks(text: str) -> Counter[str]:
    return Counter("".join(match[0].lower().split()) for match in _SUPPRESSION.finditer(text))


def _hosts(text: str) -> set[str]:
    """Return the hosts that *text* names: in addresses of any kind, and in strings."""
    quoted = "\n".join(_STRING.findall(text))
    found = [
        *_URL_HOST.findall(text),
        *_SCHEMELESS_HOST.findall(text),
        *_ADDRESS.findall(text),
        *(match[0] for match in _HOST.finditer(quoted)),
    ]
    return {host.lower().rstrip(".") for host in found}


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _tags(lines: Sequence[str]) -> Counter[str]:
    """Count the tags that stay open, and with a slash those that were not opened here, by name."""
    count: Counter[str] = Counter()
    for closing, name, single in _TAG.findall("\n".join(lines)):
        if not single and name.lower() not in _VOID:
            count[name] += -1 if closing else 1
    return Counter({name: number for name, number in count.items() if number})


def _open(lines: Sequence[str], pair: str) -> int:
    return sum(line.count(pair[0]) - line.count(pair[1]) for line in lines)
