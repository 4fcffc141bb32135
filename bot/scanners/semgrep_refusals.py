"""Which rules Semgrep's engine does not accept, or cannot skip files for: it is asked, without a file to scan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from bot.domain.errors import Transient
from bot.ports import Runner
from bot.scanners.semgrep_files import Problem
from bot.scanners.semgrep_rules import Pack
from bot.scanners.semgrep_ways import engine_command

_LIMIT_S = 60.0
_NO_PREFILTER = (
    "no text that must be in a file for the rule to match, so every file is parsed for it; add a pattern with a name"
    " or a string, or a `pattern-regex`"
)


async def refused(pack: Pack, runner: Runner) -> list[Problem]:
    """Return why the engine does not accept rules of *pack*; the others work without them.

    Raises:
        Transient: the engine broke.
        Permanent: it is not installed.
    """
    if not pack.by_id:
        return []
    files = {"rules.json": pack.as_json(pack.languages), "targets.json": b'["Targets",[]]'}
    options = ("-json_nodots", "-rules", "rules.json", "-targets", "targets.json", "-j", "1")
    answer = await _answer(runner, options, files)
    return [
        Problem(
            rule.file, rule.line, f"Semgrep does not accept the rule: {error['message'].strip()}", rule.id
        )
        for error in answer["errors"]
        if (rule := pack.by_id.get(error.get("rule_id")))
    ]


async def unfiltered(pack: Pack, runner: Runner) -> list[Problem]:
    """Return which rules of *pack*, all of them accepted, make the engine parse every file.

    Raises:
        Transient: the engine broke.
        Permanent: it is not installed.
    """
    if not pack.by_id:
        return []
    files = {"rules.json": pack.as_json(pack.languages)}
    answer = await _answer(runner, ("-prefilter_of_rules", "rules.json"), files)
    rules = [pack.by_id[entry["rule_id"]] for entry in answer if entry["filter"] == "None"]
    return [Problem(rule.file, rule.line, _NO_PREFILTER, rule.id) for rule in rules]


async def unparsable(pack: Pack, files: Mapping[str, bytes], runner: Runner) -> set[str]:
    """Return which of *files* the engine cannot read as the language of their name, whether or not a rule fits them.

    Raises:
        Transient: the engine broke.
        Permanent: it is not installed.
    """
    if not files:
        return set()
    named = {f"src/{number}{PurePosixPath(name).suffix}": name for number, name in enumerate(files)}
    targets = [
        [
            "CodeTarget",
            {"path": {"fpath": place, "ppath": f"/{name}"}, "analyzer": language, "products": ["sast"]},
        ]
        for place, name in named.items()
        for language in pack.languages_of(name, files[name])
    ]
    inputs = {
        "rules.json": pack.as_json(pack.languages),
        "targets.json": json.dumps(["Targets", targets]).encode(),
        **{place: files[name] for place, name in named.items()},
    }
    options = ("-json_nodots", "-rules", "rules.json", "-targets", "targets.json", "-j", "1")
    answer = await _answer(runner, (*options, "-no_filter_irrelevant_rules"), inputs)
    return {named[path] for error in answer["errors"] if (path := error["location"]["path"]) in named}


async def _answer(runner: Runner, options: Sequence[str], files: Mapping[str, bytes]) -> Any:
    done = await runner.run(engine_command(options, files, _LIMIT_S))
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise Transient(f"semgrep-core ended with exit code {done.returncode} and no answer") from error
