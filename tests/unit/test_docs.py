"""The documentation says what the code says: tables, commands, paths, links and names of tests."""

import ast
import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path

import pytest
from pydantic import BaseModel
from sqlmodel import SQLModel

from bot.adapters import tables
from bot.domain.events import EVENTS, Stage
from bot.domain.policy import Limits, Mode, Policy, Sections, When
from bot.domain.policy_file import parse, parse_shared
from bot.domain.policy_model import SharedFile
from bot.domain.policy_schema import schema
from bot.domain.run import RunState
from bot.runtime.metrics import METRICS
from bot.settings import Settings, load, secret_names
from bot.settings_reference import reference
from bot.settings_sources import variable
from tests.commands import parsed

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

#: What in inline code or in a link is a path of this repository.
_TOP = r"(?:bot|consumers|evaluation|tests|docs|rules|migrations|deploy|\.ci)"
_PATH = re.compile(rf"{_TOP}(?:/[\w.*-]+)*/?(?:::\w+)?|[\w-]+\.(?:md|toml|txt)|LICENSE|Makefile")
_FENCED = re.compile(r"^ *```(?P<language>\w*)\n(?P<code>.*?)^ *```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def page(name: str) -> str:
    """Return a page as text."""
    return (ROOT / name).read_text(encoding="utf-8")


def inline(text: str) -> list[str]:
    """Return what stands in inline code."""
    return _INLINE.findall(_FENCED.sub("", text))


def blocks(text: str, *languages: str) -> list[str]:
    """Return the code blocks of some languages."""
    return [block["code"] for block in _FENCED.finditer(text) if block["language"] in languages]


def rows(text: str, header: str) -> list[str]:
    """Return the rows of the one table that has *header*."""
    lines = text.splitlines()
    start = lines.index(header) + 2
    return lines[start : next(n for n in range(start, len(lines) + 1) if not "".join(lines[n : n + 1]))]


def first_cells(text: str, header: str) -> list[str]:
    """Return the names in code in the first column of the table that has *header*."""
    return [name for row in rows(text, header) for name in _INLINE.findall(row.split(" | ")[0])]


def commands(text: str) -> Iterator[list[str]]:
    """Yield the arguments of every `cloister ...` that a reader may copy."""
    lines = [line.strip() for block in blocks(text, "sh") for line in block.splitlines()]
    for line in [*lines, *inline(text)]:
        words = shlex.split(line, comments=True)
        if words and words[0] == "cloister" and len(words) > 1:
            yield words[1:]


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings, as GitLab and others make them."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def shown(value: object) -> str:
    """Return a default of the policy as YAML has it."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, BaseModel):
        return "{}"
    if isinstance(value, tuple):
        return f"[{', '.join(value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'


def test_the_readmes_settings_are_the_settings():
    """Each row is that of docs/configuration.md without its example."""
    expected = [
        line.rpartition(" | ")[0] + " |"
        for line in reference().splitlines()
        if line.startswith("| `CLOISTER_")
    ]

    assert expected == rows(page("README.md"), "| Variable | Default | Meaning |")


def test_the_readmes_policy_is_the_policy():
    """Each key has its default and its meaning."""
    expected = [
        f"| `{section}.{key}` | `{shown(field.default)}` | {field.description} |"
        for section, part in Sections.model_fields.items()
        for key, field in part.annotation.model_fields.items()  # type: ignore[union-attr]
    ]

    assert expected == rows(page("README.md"), "| Key | Default | Meaning |")


def test_policy_examples_are_valid():
    """A reader may copy them."""
    examples = [block for name in PAGES for block in blocks(name.read_text(), "yaml")]
    shared = [block for block in examples if re.match(r"# (?:instance|groups/[\w/-]+)\.yml\n", block)]
    own = [block for block in examples if block not in shared]

    assert own
    assert shared
    assert [Policy] * len(own) == [type(parse(example)) for example in own]
    assert [SharedFile] * len(shared) == [type(parse_shared(example)) for example in shared]


def test_conditions_limits_and_modes_are_those_of_the_gate():
    """The reference has each with its meaning."""
    text = page("docs/policy.md")

    assert [f"| `{name}` | {field.description} |" for name, field in When.model_fields.items()] == rows(
        text, "| Condition | Meaning |"
    )
    assert [
        f"| `{name}` | {'unset' if field.default is None else f'`{field.default}`'} | {field.description} |"
        for name, field in Limits.model_fields.items()
    ] == rows(text, "| Limit | Default | Meaning |")
    assert [mode.value for mode in Mode] == first_cells(text, "| Mode | What becomes of the finding |")


def test_the_published_schemas_are_those_of_the_files():
    """`cloister policy schema` prints the same."""
    assert schema() == json.loads(page("docs/policy.schema.json"))
    assert schema(shared=True) == json.loads(page("docs/shared-policy.schema.json"))


def test_the_metrics_are_those_that_are_declared():
    """Names are as Prometheus sees them."""
    expected = []
    for name, metric in METRICS.items():
        unit = "_seconds" if metric.unit == "s" else ""
        total = "_total" if metric.kind == "counter" else ""
        expected.append(f"| `{name}{unit}{total}` | {metric.kind} | {metric.meaning} |")

    assert expected == rows(page("docs/operations.md"), "| Prometheus name | Kind | Meaning |")


def test_metrics_that_nothing_fills_are_named():
    """A dashboard built on them would stay empty."""
    sources = [file.read_text() for folder in ("bot", "consumers") for file in (ROOT / folder).rglob("*.py")]
    code = "".join(text for text in sources if "METRICS: dict" not in text)
    empty = [name for name in METRICS if f'"{name}"' not in code]

    (said,) = re.findall(
        r"^(.*) declared but not filled yet\.", page("docs/operations.md"), re.MULTILINE
    ) or [""]
    assert empty == [name.removesuffix("_total") for name in _INLINE.findall(said)]


def test_log_events_are_those_that_are_logged():
    """Every call of a logger that names an event is explained, and no other name is."""
    logged = {event for folder in ("bot", "consumers") for event in logged_in(ROOT / folder)}

    explained = first_cells(
        page("docs/operations.md"), "| Log event | Level | What it means, and what to do |"
    )
    assert sorted(logged) == sorted(explained)


def logged_in(folder: Path) -> Iterator[str]:
    """Yield the names of log events in a folder; the demo and the command line's own output apart."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="debug" | "info" | "warning" | "error"),
                    args=[ast.Constant(value=str(name)), *_],
                ):
                    yield name
                case ast.Call(func=ast.Name(id="regularly"), keywords=given):
                    yield from [one.value.value for one in given if one.arg == "failed"]


def test_architecture_names_every_event_and_state():
    """The tables hold all of them, and the stages that read them."""
    text = page("docs/architecture.md")

    assert [f"| `{kind}` | `{event.stage}` |" for kind, event in EVENTS.items()] == rows(
        text, "| Event | Read by |"
    )
    assert [state.value for state in RunState] == first_cells(text, "| State | Meaning |")


def test_the_picture_shows_every_stage():
    """In their order."""
    picture = page("README.md").partition("```")[2].partition("```")[0]

    assert [stage.value for stage in Stage] == re.findall(r"^   (\w+)  ", picture, re.MULTILINE)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_exist(path: Path):
    """Each `cloister ...` is read by the command line without complaint."""
    for words in commands(path.read_text()):
        parsed(words)


def test_processes_of_their_own_have_every_stage_once():
    """Whoever starts what the table names loses no part of Cloister."""
    listed = first_cells(page("docs/operations.md"), "| Command | Needs | Waits mostly for |")
    stages = [stage for line in listed if "consume" in line for stage in line.split()[2:]]
    assert sorted(Stage) == sorted(stages)


def test_a_wrong_command_is_noticed():
    """The test above can fail."""
    for words in (["revue"], ["review", "--formt", "json"], ["review", "--format", "xml"]):
        with pytest.raises(Exception, match=r"(?i)no such|not one of"):
            parsed(words)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_targets_of_make_exist(path: Path):
    """Each `make ...` is a target."""
    text = path.read_text()
    copied = "\n".join(blocks(text, "sh"))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", f"{copied}\n{text}", re.MULTILINE))

    assert named <= set(re.findall(r"^([a-z]+):", page("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_and_tests_exist(path: Path):
    """Each path in inline code is there; after `::` stands a test of that file."""
    missing = [name for name in inline(path.read_text()) if _PATH.fullmatch(name) and not exists(name)]

    assert [] == missing


def exists(name: str) -> bool:
    """Say whether *name* is a path here, or a test in one."""
    file, _, test = name.partition("::")
    if not (ROOT / file).exists():
        return file in {"cloister.toml", "case.toml"}
    return not test or re.search(rf"^(?:async )?def {test}\(", page(file), re.MULTILINE) is not None


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path):
    """Links within the repository name a file that exists and a heading in it."""
    for target in _LINK.findall(_FENCED.sub("", path.read_text())):
        if target.startswith(("https://", "http://")):
            continue
        file, _, anchor = target.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text()), target


def test_every_page_is_linked():
    """A page that no other page links to is lost."""
    linked = {
        (path.parent / target.partition("#")[0]).resolve()
        for path in PAGES
        for target in _LINK.findall(path.read_text())
    }

    assert [] == [str(path) for path in PAGES[1:] if path.resolve() not in linked]


def test_queries_name_tables_and_columns_that_exist():
    """The operator pastes them into psql."""
    assert tables.DeadLetter.__tablename__ == "dead_letter"
    known = SQLModel.metadata.tables
    columns = {column.name for table in known.values() for column in table.columns}
    for query in blocks(page("docs/operations.md"), "sql"):
        assert set(re.findall(r"(?:FROM|JOIN|USING) (\w+)", query)) <= set(known)
        assert set(re.findall(r"\b(?:event|o)\.(\w+)", query)) <= columns


def test_variables_exist():
    """Each `CLOISTER_...` in the pages is one that the code reads."""
    settings = {variable(name) for name in Settings.model_fields}
    files = {f"{variable(name)}_FILE" for name in secret_names()}
    of_tests = {f"CLOISTER_{name}" for name in ("FAULT_RUNS", "FAULT_SEED", "TEST_BROWSER", "TEST_PICTURES")}
    other = {"CLOISTER_DEBUG", "CLOISTER_..._FILE", "CLOISTER_", *of_tests}

    assert set() == mentioned(path.read_text() for path in PAGES) - settings - files - other


def mentioned(texts: Iterable[str]) -> set[str]:
    """Return the variables that *texts* name."""
    return {name for text in texts for name in re.findall(r"CLOISTER_(?:\.\.\._FILE|\w*)", text)}


def test_the_example_of_a_dotenv_file_is_complete_and_valid(tmp_path: Path):
    """It lists every setting in order; with the three that are needed filled in, it loads with the defaults."""
    example = page(".env.example")
    filled = example.replace("TOKEN=\n", "TOKEN=glpat-example\n").replace("SECRET=\n", "SECRET=0123456789\n")
    dotenv = tmp_path / ".env"
    dotenv.write_text(filled)

    assert [variable(name) for name in Settings.model_fields] == re.findall(
        r"^#?(CLOISTER_\w+)=", example, re.MULTILINE
    )
    loaded = load(environ={}, dotenv=dotenv)
    assert () == loaded.warnings
    assert {"gitlab_url", "gitlab_token", "webhook_secret"} == {
        name for name, origin in loaded.origins.items() if origin != "default"
    }
    defaults = [
        f"#{variable(name)}={field.default}"
        for name, field in Settings.model_fields.items()
        if field.default is not None
    ]
    assert [] == [line for line in defaults if line not in example.splitlines()]


def test_each_test_file_has_a_name_of_its_own() -> None:
    """Otherwise pytest collects neither as soon as both are asked for, which a run of one directory does not show."""
    files = (
        path for path in (ROOT / "tests").rglob("test_*.py") if not (path.parent / "__init__.py").exists()
    )
    names = Counter(path.name for path in files)
    assert [] == [name for name, count in names.items() if count > 1]
