"""`cloister rules test` on packs of an organisation: what is wrong is named with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.adapters.process import ProcessRunner
from bot.scanners.rule_check import check
from bot.scanners.secret_check import check_secrets
from tests.unit.cli.command import run

MESSAGE = "Whoever controls the value runs code with the rights of this process. Parse the value instead."
HEAD = f"""\
  - languages: [python]
    severity: ERROR
    message: {MESSAGE}
    metadata: {{cwe: CWE-95}}
"""
SHIPPED = Path(__file__).parents[2] / "rules"


def write(directory: Path, **files: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / name.replace("__", ".")).write_text(text)


async def said(directory: Path) -> list[tuple[str, int, str, bool]]:
    checked = await check(directory, ProcessRunner())
    return [(p.file.name, p.line, p.message, p.warning) for p in checked.problems]


async def test_good_pack(tmp_path: Path):
    """A pack whose rules keep their promises has no problem; several rules may share a file and its samples."""
    write(
        tmp_path,
        a__yaml=f"rules:\n{HEAD}    id: one\n    pattern: eval($X)\n    fix: parse($X)\n"
        f"{HEAD}    id: two\n    pattern: exec(...)\n",
        a__py="# ruleid: one\n# ok: two\neval(x)\n# ruleid: two\n# ok: one\nexec(x)\n",
        a__fixed__py="# ruleid: one\n# ok: two\nparse(x)\n# ruleid: two\n# ok: one\nexec(x)\n",
    )
    checked = await check(tmp_path, ProcessRunner())
    assert (checked.rules, checked.samples, checked.problems, checked.passed) == (2, 2, (), True)


async def test_rules_that_the_engine_refuses_do_not_hide_the_others(tmp_path: Path):
    """A pattern that does not parse and one without a prefilter are named; the rest is tried."""
    write(
        tmp_path,
        a__yaml=f"rules:\n{HEAD}    id: torn\n    pattern: eval(((\n{HEAD}    id: all\n    pattern: $X == $X\n"
        f"{HEAD}    id: good\n    pattern: exec(...)\n",
        a__py="# ruleid: all\n# ok: good\na == a\n# ruleid: good\n# ok: all\nprint(x)\n",
    )
    problems = await said(tmp_path)
    assert [(name, line) for name, line, _, _ in problems] == [("a.py", 6), ("a.yaml", 2), ("a.yaml", 8)]
    assert "good is not reported" in problems[0][2]
    assert "Semgrep does not accept the rule: Invalid pattern for Python" in problems[1][2]
    assert "every file is parsed for it" in problems[2][2]


async def test_samples_that_say_otherwise(tmp_path: Path):
    """Missed, unwanted and unannounced lines, samples that do not parse, and missing ones are all named."""
    rule = f"rules:\n{HEAD}    id: RULE\n    pattern: eval(...)\n"
    write(
        tmp_path,
        a__yaml=rule.replace("RULE", "a"),
        a__py="# ruleid: a\nprint(x)\n# ok: a\neval(x)\neval(y)\n# todook: a\neval(z)\n",
        b__yaml=rule.replace("RULE", "b"),
        c__yaml=rule.replace("RULE", "c"),
        c__py="# ruleid: c\neval(x)\n",
        d__yaml=rule.replace("RULE", "d"),
        d__py="# ruleid: d\n# ok: d\ndef f(:\n  {{{ eval(x)\n",
        e__yaml=rule.replace("RULE", "e"),
        e__js="// ruleid: e\neval(x)\n// ok: e\nf(x)\n",
    )
    assert [(name, line) for name, line, _, warning in await said(tmp_path) if not warning] == [
        *(("a.py", 2), ("a.py", 4), ("a.py", 5), ("b.yaml", 2), ("d.py", 1), ("e.js", 1)),
    ]
    assert [name for name, _, _, warning in await said(tmp_path) if warning] == ["c.yaml"]


@pytest.mark.parametrize(
    ("fix", "said_about_it"),
    [
        ("eval(str($X))", "still reports what its fix leaves: eval(str(x))"),
        ("eval($X)", "changes nothing"),
        ("')('", "is not analysed"),
    ],
)
async def test_fixes_that_do_not_mend(fix: str, said_about_it: str, tmp_path: Path):
    """A fix must apply, parse and leave nothing to report."""
    write(
        tmp_path,
        a__yaml=f"rules:\n{HEAD}    id: a\n    pattern: eval($X)\n    fix: {fix}\n",
        a__py="# ok: a\nf(x)\n# ruleid: a\neval(x)\n",
    )
    assert any(said_about_it in message for _, _, message, _ in await said(tmp_path))


async def test_fixed_sample_is_compared(tmp_path: Path):
    """What stands in X.fixed.py is what the fixes must leave, line by line."""
    write(
        tmp_path,
        a__yaml=f"rules:\n{HEAD}    id: a\n    pattern: eval($X)\n    fix: parse($X)\n",
        a__py="# ok: a\nf(x)\n# ruleid: a\neval(x)\n",
        a__fixed__py="# ok: a\nf(x)\n# ruleid: a\nother(x)\n",
    )
    assert [(name, line) for name, line, _, _ in await said(tmp_path)] == [("a.fixed.py", 4)]


SECRET = """\
[[rule]]
id = "acme-token"
title = "Acme token"
pattern = 'acme_[a-z0-9]{20}'
samples = ["token = {PREFIX}{[a-z0-9]:20}"]
clean = ["acme_token = load()"]
"""


async def test_secret_rules_of_a_pack(tmp_path: Path):
    """Templates are filled and tried; one that is not found and a look-alike that is are named."""
    secrets = tmp_path / "secrets"
    write(secrets, acme__toml=SECRET.replace("{PREFIX}", "acme_"))
    checked = await check_secrets(tmp_path, SHIPPED, ProcessRunner())
    assert (checked.rules, checked.samples, checked.problems) == (1, 2, ())
    write(secrets, acme__toml=SECRET.replace("{PREFIX}", "acne_").replace("load()", "acme_{[a-z0-9]:20}"))
    checked = await check_secrets(tmp_path, SHIPPED, ProcessRunner())
    assert [(p.file.name, p.line, p.rule) for p in checked.problems] == 2 * [("acme.toml", 2, "acme-token")]
    write(secrets, acme__toml=SECRET.replace("[a-z0-9]{20}'", "('"))
    (problem,) = (await check_secrets(tmp_path, SHIPPED, ProcessRunner())).problems
    assert (problem.file.name, problem.line) == ("acme.toml", 1)


def test_command(tmp_path: Path):
    """The command prints file and line of what is wrong and exits with 1, with 0 on mere warnings."""
    write(
        tmp_path, a__yaml=f"rules:\n{HEAD}    id: a\n    pattern: eval(...)\n", a__py="# ruleid: a\neval(x)\n"
    )
    warned = run("rules", "test", str(tmp_path))
    assert warned.exit_code == 0, warned.stderr
    assert "a.yaml:2: warning: no line of its sample is marked `ok: a`" in warned.stdout
    (tmp_path / "a.py").write_text("# ruleid: a\nf(x)\n")
    failed = run("rules", "test", str(tmp_path), "--json")
    assert failed.exit_code == 1
    answer = json.loads(failed.stdout)
    assert (answer["rules"], answer["samples"]) == (1, 1)
    assert [(p["line"], p["rule"]) for p in answer["problems"] if not p["warning"]] == [(2, "a")]
    missing = run("rules", "test", str(tmp_path / "nowhere"))
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert "does not exist" in missing.stderr
