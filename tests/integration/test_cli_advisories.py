"""`cloister advisories`, and what `cloister review` and `cloister doctor` make of them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli.checks import Outcome
from bot.cli.checks.advisories import advisories
from bot.cli.checks.tools import scanner
from bot.domain.errors import Permanent
from bot.ports import Command, Completed
from bot.scanners.advisories.index import FILE
from bot.scanners.dependencies import DependencyScanner
from tests.advisories import archive, imported, until
from tests.integration.test_cli_review import Repository
from tests.unit.cli.command import run

CAT = until(
    "GHSA-cat", "PyPI", "fluffy-cat", "2.0", aliases=["CVE-2031-1"], database_specific={"severity": "HIGH"}
)
MONTH = timedelta(days=30)
MODIFIED = datetime(2031, 5, 1, tzinfo=UTC)


class NoRunner:
    """Fail whoever wants to run a tool."""

    async def run(self, command: Command) -> Completed:
        raise AssertionError(command)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return a repository whose branch adds a package with a known vulnerability."""
    made = Repository(tmp_path / "repository")
    made.commit(README__md="x\n")
    made.write("requirements.txt", "fluffy-cat==1.0\n")
    return made


def test_import_and_status(tmp_path: Path):
    """Both say what there is; odd files are named on standard error."""
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd/x\x1b.json").write_text("[]")
    data = {"CLOISTER_DATA_DIR": str(tmp_path / "data")}
    path = archive(tmp_path / "all.zip", [CAT])

    done = run("advisories", "import", str(path), str(tmp_path / "odd"), **data)
    assert (
        0,
        "2 records: 1 added, 0 updated, 0 known already, 0 withdrawn, 0 about other ecosystems, 1 not usable\n",
    ) == (done.exit_code, done.stdout)
    assert "warning: not imported: x" in done.stderr
    assert ".json: not a JSON object" in done.stderr
    assert "\x1b" not in done.stderr
    again = run("advisories", "import", "--json", str(path), **data)
    assert {"added": 0, "unchanged": 1} == {k: json.loads(again.stdout)[k] for k in ("added", "unchanged")}

    shown = run("advisories", "status", **data)
    assert ["PyPI", "1", "1", "2031-05-01T00:00:00+00:00"] == shown.stdout.splitlines()[1].split()[:4]
    (entry,) = json.loads(run("advisories", "status", "--json", **data).stdout)
    assert ("PyPI", 1, "2031-05-01T00:00:00+00:00") == (
        entry["ecosystem"],
        entry["advisories"],
        entry["newest"],
    )


def test_the_directory_can_be_elsewhere(tmp_path: Path):
    """`CLOISTER_ADVISORIES_DIR` names it."""
    elsewhere = {
        "CLOISTER_DATA_DIR": str(tmp_path / "data"),
        "CLOISTER_ADVISORIES_DIR": str(tmp_path / "mirror"),
    }
    run("advisories", "import", str(archive(tmp_path / "all.zip", [CAT])), **elsewhere)
    assert (tmp_path / "mirror" / FILE).is_file()
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("arguments", [("status",), ("import", "none.zip"), ("import", "/etc/hostname")])
def test_what_cannot_be_done_has_a_remedy(tmp_path: Path, arguments: tuple[str, ...]):
    """One line, exit status 2."""
    done = run("advisories", *arguments, CLOISTER_DATA_DIR=str(tmp_path))
    assert 2 == done.exit_code
    assert done.stderr.startswith("error: ")


def test_a_local_review_knows_the_advisories(repository: Repository, tmp_path: Path):
    """It finds the package, and offers the version that mends it."""
    imported(tmp_path / "data/advisories", CAT)
    done = run(
        "review",
        str(repository.root),
        "--no-model",
        "--fail-on",
        "high",
        CLOISTER_DATA_DIR=str(tmp_path / "data"),
    )
    assert 1 == done.exit_code
    assert "fluffy-cat 1.0 has a known vulnerability (CVE-2031-1)" in done.stdout
    assert "+ fluffy-cat==2.0" in done.stdout


def test_a_local_review_without_advisories_says_so(repository: Repository, tmp_path: Path):
    """That is no failure, and not silently clean either."""
    done = run("review", str(repository.root), "--no-model", CLOISTER_DATA_DIR=str(tmp_path / "data"))
    assert 0 == done.exit_code
    assert "not reviewed: requirements.txt (dependencies): no advisories are imported" in done.stdout


async def test_the_doctor_judges_the_advisories(tmp_path: Path):
    """Missing ones are no fault, old ones a warning, a damaged index an error."""
    (check,) = advisories(tmp_path, MODIFIED, MONTH)
    assert (Outcome.skipped, True) == (check.outcome, "cloister advisories import" in check.remedy)
    imported(tmp_path, CAT)
    (check,) = advisories(tmp_path, MODIFIED + MONTH, MONTH)
    assert (Outcome.ok, "1 for PyPI") == (check.outcome, check.detail)
    (check,) = advisories(tmp_path, MODIFIED + MONTH + timedelta(days=1), MONTH)
    assert (Outcome.warn, "nothing newer than 30 days for PyPI (31 days)") == (check.outcome, check.detail)
    (tmp_path / FILE).write_bytes(b"damaged")
    with pytest.raises(Permanent, match="--fresh"):
        advisories(tmp_path, MODIFIED, MONTH)


async def test_the_doctor_tries_the_scanner(tmp_path: Path):
    """Only where it has something to look things up in."""
    (check,) = await scanner(DependencyScanner(tmp_path), NoRunner())
    assert Outcome.skipped is check.outcome
    imported(tmp_path, CAT)
    (check,) = await scanner(DependencyScanner(tmp_path), NoRunner())
    assert Outcome.ok is check.outcome
