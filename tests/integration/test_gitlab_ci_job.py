"""The script of the job for users, run by a shell in a clone with the variables of a pipeline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.test_cli_gate import CLEAN, Project
from tests.integration.test_cli_review import VULNERABLE
from tests.unit.test_gitlab_ci import component, job, template


def run_job(
    content: dict[str, object], clone: Path, environ: dict[str, str | None]
) -> subprocess.CompletedProcess[str]:
    """Run the lines of the script as a runner does: one shell, which stops at the first that fails."""
    made = job(content)
    variables = {name: str(value) for name, value in made["variables"].items()}
    given = {name: value for name, value in environ.items() if value is not None}
    quiet = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(clone),
        "LANG": "C.UTF-8",
    }
    return subprocess.run(
        ["sh", "-e", "-c", "\n".join(made["script"])],
        cwd=clone,
        env={**quiet, **variables, **given},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project without a change in ``topic``."""
    return Project(tmp_path)


def test_the_job_fails_on_a_defect_and_keeps_its_reports(project: Project):
    """As a merge request pipeline in a shallow clone."""
    head = project.origin.commit(store__py=VULNERABLE)
    clone = project.job(head)
    done = run_job(template(), clone, project.merge_request(clone, head))
    assert 1 == done.returncode, done.stderr
    assert "section_start" not in done.stdout.partition("SEVERITY")[0]
    assert "\x1b[1;31mcloister gate: BLOCKED by 1 finding" in done.stdout
    made = job(template())["artifacts"]
    files = [*made["paths"], *made["reports"].values()]
    assert [] == [name for name in files if not (clone / name).stat().st_size]
    assert 1 == len(json.loads((clone / "gl-code-quality-report.json").read_text()))


def test_the_component_passes_and_takes_a_base(project: Project):
    """The reports of the first run lie around in the second."""
    head = project.origin.commit(store__py=VULNERABLE)
    later = project.origin.commit(clean__py=CLEAN)
    clone = project.job(later)
    environ = project.merge_request(clone, later)
    content = component(base=head, fail="open")
    for _ in range(2):
        done = run_job(content, clone, environ)
        assert 0 == done.returncode, done.stderr
    assert f"what is added to {head}" in done.stdout
