"""The jobs for users are valid, the same in both forms, and ask what the command line understands."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import check_jsonschema.builtin_schemas
import pytest
import yaml
from jsonschema import Draft7Validator, ValidationError

from bot import __version__
from tests.commands import parsed

FOLDER = Path(__file__).parents[2] / "deploy" / "gitlab-ci"
TEMPLATE, COMPONENT = FOLDER / "cloister.yml", FOLDER / "templates" / "gate" / "template.yml"
#: The same for the job that asks a server.
WAITING, VERDICT = FOLDER / "cloister-wait.yml", FOLDER / "templates" / "verdict" / "template.yml"
_VENDORED = Path(check_jsonschema.builtin_schemas.__file__).parent / "vendor" / "gitlab-ci.json"
GITLAB = Draft7Validator(json.loads(_VENDORED.read_text(encoding="utf-8")))
_INPUT = re.compile(r"\$\[\[ inputs\.(\w+) \]\]")
MODES, REPORTS, FAILS = ("block", "tolerant", "advise"), ("all", "free"), ("closed", "open")


def template(file: Path = TEMPLATE) -> dict[str, Any]:
    """Return the file to include."""
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def parts(file: Path = COMPONENT) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the body of the component."""
    header, body = yaml.safe_load_all(file.read_text(encoding="utf-8"))
    return header, body


def component(file: Path = COMPONENT, **inputs: object) -> dict[str, Any]:
    """Return the component as GitLab makes it of *inputs*: their text goes into that of the file, then it is read."""
    header, body = file.read_text(encoding="utf-8").split("\n---\n")
    defaults = {name: given["default"] for name, given in yaml.safe_load(header)["spec"]["inputs"].items()}
    values = defaults | inputs

    def filled(found: re.Match[str]) -> str:
        value = values[found[1]]
        return value if isinstance(value, str) else json.dumps(value)

    made: dict[str, Any] = yaml.safe_load(_INPUT.sub(filled, body))
    return made


def job(content: dict[str, Any], name: str = "cloister-gate") -> dict[str, Any]:
    """Return a job with what it extends."""
    found = content[name]
    extended = found.get("extends", ())
    return {
        key: value
        for part in [
            *(content[base] for base in ([extended] if isinstance(extended, str) else extended)),
            found,
        ]
        for key, value in part.items()
        if key != "extends"
    }


def test_the_files_are_valid():
    """By the schema of pipelines; every choice of the component is."""
    for plain, made in ((TEMPLATE, COMPONENT), (WAITING, VERDICT)):
        GITLAB.validate(template(plain))
        GITLAB.validate(parts(made)[0])
    for mode in MODES:
        GITLAB.validate(component(VERDICT, mode=mode, tags=["docker"]))
        for reports in REPORTS:
            # GitLab takes an empty list of tags, its schema does not.
            GITLAB.validate(component(mode=mode, reports=reports, tags=["docker"]))
    with pytest.raises(ValidationError):
        GITLAB.validate(component(tags=["docker"], rules="always"))


@pytest.mark.parametrize("file", [COMPONENT, VERDICT], ids=["gate", "verdict"])
def test_every_input_is_used_and_explained(file: Path):
    """And nothing else is asked for."""
    header, _ = parts(file)
    inputs = header["spec"]["inputs"]
    assert set(inputs) == set(_INPUT.findall(file.read_text(encoding="utf-8").partition("\n---\n")[2]))
    assert all(one["description"] for one in inputs.values())
    offered = {name: tuple(one["options"]) for name, one in inputs.items() if "options" in one}
    assert offered == {"mode": MODES, "fail": FAILS} | ({"reports": REPORTS} if file is COMPONENT else {})


@pytest.mark.parametrize(("plain", "made"), [(TEMPLATE, COMPONENT), (WAITING, VERDICT)])
def test_both_forms_are_the_same_job(plain: Path, made: Path):
    """Where nothing is chosen."""
    left, right = job(template(plain)), job(component(made))
    for one in (left, right):
        # GitLab takes numbers, too.
        one["variables"] = {name: str(value) for name, value in one["variables"].items()}
    assert {**left, "image": None} == {
        **{key: value for key, value in right.items() if key not in ("tags", "allow_failure")},
        "image": None,
    }
    assert ([], False) == (right["tags"], right["allow_failure"])
    image = template(plain)["variables"]["GATE_IMAGE"]["value"]
    assert {f"cloister:{__version__}"} == {image, right["image"]["name"]}


@pytest.mark.parametrize("file", [COMPONENT, VERDICT], ids=["gate", "verdict"])
def test_modes_let_pass_what_they_say(file: Path):
    """A blocked change with `advise` only, an undecided one with `tolerant` too."""
    allowed = {mode: job(component(file, mode=mode))["allow_failure"] for mode in MODES}
    assert {"block": False, "tolerant": {"exit_codes": 3}, "advise": True} == allowed


@pytest.mark.parametrize(
    "text", ["", "1.10", "off", "0123456", "1e10", "release/1: #2", "[x]", "*", "@a", "null"]
)
def test_text_stays_text(text: str):
    """Whatever YAML would take it for: a branch called 1.10 is not 1.1, and nothing is not null."""
    made = job(component(base=text, image=text, stage=text))
    assert (text, text, text) == (made["variables"]["GATE_BASE"], made["image"]["name"], made["stage"])
    assert text == job(component(VERDICT, server=text))["variables"]["GATE_SERVER"]


def test_waiting_needs_no_clone_and_a_merge_request():
    """Anything else would cost time, or be asked for wrongly."""
    for content in (template(WAITING), component(VERDICT)):
        made = job(content)
        assert ("none", True) == (made["variables"]["GIT_STRATEGY"], made["interruptible"])
        assert [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}] == made["rules"]
    made = job(component(VERDICT, server="https://cloister.example", timeout=60))
    assert ("https://cloister.example", "60") == (
        made["variables"]["GATE_SERVER"],
        made["variables"]["GATE_TIMEOUT"],
    )


@pytest.mark.parametrize("content", [template(), component(), template(WAITING), component(VERDICT)])
def test_no_other_job_has_a_say(content: dict[str, Any]):
    """Variables that a job reports come with its artifacts, and are above those of the file."""
    made = job(content)
    assert ([], [], []) == (made["dependencies"], made["cache"], made["before_script"])


@pytest.mark.parametrize("content", [template(WAITING), component(VERDICT)])
def test_no_variable_of_the_job_hides_where_the_server_is(content: dict[str, Any]):
    """Those of an instance or a group are above the job's, those at the top of a file below."""
    made = job(content)
    assert "CLOISTER_SERVER_URL" not in made["variables"]
    assert '${GATE_SERVER:+--server "$GATE_SERVER"}' in made["script"][0]


@pytest.mark.parametrize("fail", FAILS)
@pytest.mark.parametrize(
    "content",
    [template(), component(), template(WAITING), component(VERDICT)],
    ids=["template", "component", "waiting template", "waiting component"],
)
def test_the_command_exists_and_writes_what_is_kept(content: dict[str, Any], fail: str):
    """Each artifact is a report that the command is told to write."""
    made = job(content)
    (line,) = made["script"]
    for placeholder, value in (
        ("${GATE_FAIL:-closed}", fail),
        ('${GATE_BASE:+--base "$GATE_BASE"}', "--base main"),
        ('${GATE_SERVER:+--server "$GATE_SERVER"}', "--server https://cloister.example"),
        ("${GATE_TIMEOUT:-600}", str(made["variables"].get("GATE_TIMEOUT"))),
    ):
        line = line.replace(placeholder, value)
    words = shlex.split(line)
    parsed(words[1:])
    written = dict(word.split("=") for word in words if "=" in word)
    artifacts = made["artifacts"]
    kept = {**artifacts["reports"], **dict(zip(("sarif",), artifacts.get("paths", ()), strict=False))}
    assert kept == written
    # GitLab before 18.11 refuses a pipeline that names it.
    assert "sarif" not in artifacts["reports"]


def test_the_free_tier_gets_what_it_shows():
    """The reports that need Ultimate can be left out."""
    assert {"codequality", "junit"} == set(job(component(reports="free"))["artifacts"]["reports"])


def test_it_runs_once_for_a_push():
    """The local gate in the merge request pipeline where there is one, else in that of the branch."""
    for content in (template(), component()):
        rules = job(content)["rules"]
        assert [
            {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'},
            {"if": "$CI_OPEN_MERGE_REQUESTS", "when": "never"},
            {"if": "$CI_COMMIT_BRANCH"},
        ] == rules
