"""A rule and its sample to begin with: they pass `cloister rules test` as they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bot.domain.errors import Permanent
from bot.scanners.languages import ALIASES

_NAME = re.compile(r"(?P<language>[a-z+#0-9]+)/(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)")


@dataclass(frozen=True, slots=True)
class _Kind:
    """Say how a language writes comments and a call, and what its files are called."""

    suffix: str
    comment: str = "//"
    call: str = "dangerous({})"
    before: str = ""
    after: str = ""


_C = _Kind("c", call="dangerous({});", before="void handle(char *value) {\n", after="}\n")
_KINDS = {
    "c": _C,
    "cpp": _Kind("cpp", _C.comment, _C.call, _C.before, _C.after),
    "csharp": _Kind(
        "cs",
        call="dangerous({});",
        before="class Sample {\n  void Handle(string value) {\n",
        after="  }\n}\n",
    ),
    "go": _Kind("go", before="package sample\n\nfunc handle(value string) {\n", after="}\n"),
    "java": _Kind(
        "java",
        call="dangerous({});",
        before="class Sample {\n  void handle(String value) {\n",
        after="  }\n}\n",
    ),
    "javascript": _Kind("js", call="dangerous({});"),
    "kotlin": _Kind("kt", before="fun handle(value: String) {\n", after="}\n"),
    "php": _Kind("php", call="dangerous({});", before="<?php\n"),
    "python": _Kind("py", comment="#"),
    "ruby": _Kind("rb", comment="#"),
    "rust": _Kind("rs", call="dangerous({});", before="fn handle(value: &str) {\n", after="}\n"),
    "scala": _Kind(
        "scala", before="object Sample {\n  def handle(value: String): Unit = {\n", after="  }\n}\n"
    ),
    "swift": _Kind("swift", before="func handle(value: String) {\n", after="}\n"),
    "typescript": _Kind("ts", call="dangerous({});"),
}
#: Languages whose rules are best begun with an expression on the text.
_TEXTS = {
    "bash": _Kind("sh", comment="#", call="dangerous {}"),
    "dockerfile": _Kind("Dockerfile", comment="#", before="FROM scratch\n", call="LABEL dangerous={}"),
    "generic": _Kind("txt", comment="#", call="dangerous = {}"),
    "regex": _Kind("txt", comment="#", call="dangerous = {}"),
    "terraform": _Kind("tf", comment="#", call="dangerous = {}", before="locals {\n", after="}\n"),
    "yaml": _Kind("yml", comment="#", call="dangerous: {}", before="sample:\n"),
}

_ANY_TEXT = '"..."'
_RULE = """\
rules:
  - id: {id}
    languages: [{language}]
    severity: WARNING
    message: >-
      Say here what can happen, in words that somebody in a hurry understands. Then say what to do instead, with
      the name of what to use.
    {pattern}
    metadata:
      title: Say what is wrong, in a few words
      severity: medium
      confidence: medium
      category: security
      cwe: [CWE-710]
      references: ["https://cwe.mitre.org/data/definitions/710.html"]
"""


def write_skeleton(name: str, directory: Path) -> tuple[Path, Path]:
    """Write the rule *name*, as in ``python/my-rule``, and its sample below *directory*; return both places.

    Raises:
        Permanent: *name* is not written like that, there is no such language, or something is there already.
    """
    parts = _NAME.fullmatch(name)
    if parts is None:
        raise Permanent(
            f"{name!r} is not LANGUAGE/NAME, as in python/unsafe-call: small letters, digits and dashes"
        )
    language = ALIASES.get(parts["language"], parts["language"])
    kind = _KINDS.get(language) or _TEXTS.get(language)
    if kind is None:
        raise Permanent(
            f"there is no skeleton for {language}; take one of {', '.join(sorted(_KINDS | _TEXTS))}"
        )
    root = directory / "semgrep" if (directory / "semgrep").is_dir() else directory
    rule_id = f"{language}-{parts['name']}"
    rule = root / language / f"{parts['name']}.yaml"
    sample = rule.with_suffix(f".{kind.suffix}")
    if taken := [file for file in (rule, sample) if file.exists()]:
        raise Permanent(f"{taken[0]} is there already; choose another name")
    rule.parent.mkdir(parents=True, exist_ok=True)
    rule.write_text(
        _RULE.format(id=rule_id, language=language, pattern=_pattern(language, kind)), encoding="utf-8"
    )
    sample.write_text(_sample(rule_id, language, kind), encoding="utf-8")
    return rule, sample


def _pattern(language: str, kind: _Kind) -> str:
    if language in _TEXTS:
        call = re.escape(kind.call.format("VALUE")).replace("VALUE", r"(?!known\b)\w+").replace(r"\ ", r"\s")
        return f"pattern-regex: {call}"
    call = kind.call.rstrip(";")
    return f"patterns:\n      - pattern: {call.format('$X')}\n      - pattern-not: {call.format(_ANY_TEXT)}"


def _sample(rule_id: str, language: str, kind: _Kind) -> str:
    good = "known" if language in _TEXTS else '"known"'
    bad = "$value" if language == "php" else "value"
    indent = "  " * max(kind.before.count("{"), int(language == "yaml"))
    lines = [
        f"{kind.comment} ruleid: {rule_id}",
        kind.call.format(bad),
        f"{kind.comment} ok: {rule_id}",
        kind.call.format(good),
    ]
    return kind.before + "".join(f"{indent}{line}\n" for line in lines) + kind.after
