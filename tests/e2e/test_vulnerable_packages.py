"""A merge request that adds packages with known vulnerabilities is told so, with the version that mends them."""

import json
from pathlib import Path

import pytest

from tests.advisories import imported, until
from tests.cloister import Cloister

REQUIREMENTS = "quiet-dog==1.0\nfluffy-cat==1.2\n"
PACKAGES = {
    "": {"dependencies": {"parent": "1.0.0"}},
    "node_modules/parent": {"version": "1.0.0", "dependencies": {"tail": "^1.0.0"}},
    "node_modules/tail": {"version": "1.1.0"},
}
LOCK = json.dumps({"name": "web", "lockfileVersion": 3, "packages": PACKAGES}, indent=2)
FILES = {"requirements.txt": REQUIREMENTS, "web/package-lock.json": LOCK}


def known(cloister: Cloister) -> Path:
    """Import advisories where *cloister* looks for them."""
    directory = cloister.settings.advisories
    high = {"database_specific": {"severity": "HIGH"}}
    imported(
        directory,
        until("GHSA-cat", "PyPI", "fluffy-cat", "1.4", aliases=["CVE-2031-1"], **high),
        until("GHSA-tail", "npm", "tail", "1.5.0", aliases=["CVE-2031-2"], **high),
    )
    return directory


async def test_vulnerable_packages_get_one_comment_each(cloister: Cloister):
    """In the manifest and in the lock file, on the line of the version; they do not block by default."""
    known(cloister)
    opened = cloister.gitlab.server.open_merge_request(cloister.gitlab.project, "feature", FILES)
    outcome = await cloister.outcome(opened)
    assert [("requirements.txt", 2), ("web/package-lock.json", 17)] == outcome.lines
    cat, tail = sorted((thread["body"] for thread in outcome.threads), key=lambda body: "tail 1.1.0" in body)
    assert "fluffy-cat 1.2 has a known vulnerability" in cat
    assert "fluffy-cat==1.4" in cat
    assert "tail 1.1.0 has a known vulnerability" in tail
    assert "Update parent so that it brings in 1.5.0 or later" in tail
    assert "success" == outcome.status


async def test_a_policy_can_let_them_block(cloister: Cloister):
    """The scanner is named in the policy of the target branch."""
    known(cloister)
    policy = "gate:\n  scanners: [semgrep, secrets, dependencies]\n"
    cloister.gitlab.server.commit(cloister.gitlab.project, "main", {".cloister.yml": policy})
    opened = cloister.gitlab.server.open_merge_request(cloister.gitlab.project, "feature", FILES)
    assert "failed" == (await cloister.outcome(opened)).status


async def test_an_update_that_mends_one_of_two_raises_nothing_new(cloister: Cloister):
    """Advisories that are imported while Cloister runs count; what was there before is not raised again."""
    known(cloister)
    imported(cloister.settings.advisories, until("GHSA-old", "PyPI", "fluffy-cat", "9"))
    cloister.gitlab.server.commit(cloister.gitlab.project, "main", {"requirements.txt": "fluffy-cat==1.2\n"})
    server, project = cloister.gitlab.server, cloister.gitlab.project
    better = server.open_merge_request(project, "better", {"requirements.txt": "fluffy-cat==1.4\n"})
    assert [] == (await cloister.outcome(better)).lines
    worse = server.open_merge_request(project, "worse", {"a/requirements.txt": "fluffy-cat==1.4\n"})
    assert [("a/requirements.txt", 1)] == (await cloister.outcome(worse)).lines


async def test_without_advisories_the_summary_says_so(cloister: Cloister):
    """It is no failure; and it is not mentioned where there is nothing to look up."""
    opened = cloister.gitlab.server.open_merge_request(cloister.gitlab.project, "feature", FILES)
    outcome = await cloister.outcome(opened)
    assert "dependencies: no advisories are imported" in outcome.summary
    assert "success" == outcome.status
    other = cloister.gitlab.server.open_merge_request(cloister.gitlab.project, "other", {"a.py": "x = 1\n"})
    assert "advisories" not in (await cloister.outcome(other)).summary


@pytest.mark.parametrize("broken", ["{", "[1]"])
async def test_a_lock_file_that_cannot_be_read_is_listed(cloister: Cloister, broken: str):
    """It does not pass for clean."""
    known(cloister)
    opened = cloister.gitlab.server.open_merge_request(
        cloister.gitlab.project, "feature", {"package-lock.json": broken}
    )
    assert "package-lock.json" in (await cloister.outcome(opened)).summary.partition("Not reviewed")[2]
