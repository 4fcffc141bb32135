"""`cloister gate --wait` against servers that answer, that do not, and that lie."""

from __future__ import annotations

import gzip
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import trustme

from bot.adapters.verdict_http import HttpVerdicts
from bot.domain.awaited import asked
from bot.domain.errors import Transient
from bot.domain.pipeline import Pipeline
from tests.unit.cli.command import ENVIRONMENT, run
from tests.verdicts import (
    JOB,
    SHA,
    UNKNOWN,
    Said,
    VerdictServer,
    blocking,
    nobody,
    serving,
    verdict,
)

PAGE = Said(b"<html>502 Bad Gateway</html>", headers={"content-type": "text/html"})


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may themselves run in a job of GitLab's, whose variables would count."""
    for name in [name for name in os.environ if name.startswith(("CI_", "GITLAB_", "CLOISTER_"))]:
        monkeypatch.delenv(name)


def wait(url: str, *arguments: str, **environ: str | None) -> Any:
    """Run the gate in a merge request's job."""
    return run("gate", "--wait", "--server", url, *arguments, **{**JOB, **environ})


def test_a_verdict_by_the_policy_of_the_target_branch_is_asked_for(verdict_server: VerdictServer):
    """The pipeline that GitLab starts for a new target branch takes none by the policy of the old one."""
    assert 0 == wait(verdict_server.url, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="release/2 b").exit_code
    assert ["release/2 b"] == [one["target_branch"] for one in verdict_server.asked]


def test_a_head_that_passes(verdict_server: VerdictServer):
    """The job's own token says who asks, and what is asked for is the head in its project."""
    result = wait(verdict_server.url)
    assert 0 == result.exit_code, result.output
    assert "cloister gate: passed (commit aaaaaaaa of merge request !5" in result.stdout
    assert [{"project_id": "7", "sha": SHA, "iid": "5", "wait_s": "20"}] == verdict_server.asked
    assert ["/api/v1/verdict"] == verdict_server.paths
    (headers,) = verdict_server.headers
    assert ("glcbt-64_secret", None) == (headers["job-token"], headers.get("authorization"))
    assert "glcbt" not in result.output


def test_a_head_that_is_blocked_after_some_time(verdict_server: VerdictServer):
    """What changes is told on standard error; the table and the answer are on standard output."""
    steps = [{"step": "scan:semgrep", "state": "running", "problem": ""}]
    verdict_server.says(verdict("waiting", steps=steps), verdict("blocked", blocking=[blocking()]))
    result = wait(verdict_server.url)
    assert 1 == result.exit_code
    assert "commit aaaaaaaa of merge request !5: running: semgrep\n" in result.stderr
    assert "high      store.py:5  semgrep: weak-hash (ffff)" in result.stdout


def test_an_api_token_is_used_where_there_is_one(verdict_server: VerdictServer):
    """Somebody has set it on purpose."""
    assert 0 == wait(verdict_server.url, CLOISTER_API_TOKEN="ours-1").exit_code
    (headers,) = verdict_server.headers
    assert ("Bearer ours-1", None) == (headers["authorization"], headers.get("job-token"))


def test_the_server_may_be_a_setting_with_a_path(verdict_server: VerdictServer):
    """As where a proxy serves it below another address."""
    url = f"{verdict_server.url}/cloister/"
    result = run("gate", "--wait", **{**JOB, "CLOISTER_SERVER_URL": url})
    assert (0, ["/cloister/api/v1/verdict"]) == (result.exit_code, verdict_server.paths)


@pytest.mark.parametrize(
    ("said", "status", "open_status"),
    [
        (verdict("undecided", broken={"semgrep": "it crashed"}), 3, 0),
        (verdict("superseded"), 3, 3),
        (verdict("blocked", blocking=[blocking()]), 1, 1),
    ],
)
def test_exit_statuses(verdict_server: VerdictServer, said: dict[str, Any], status: int, open_status: int):
    """--fail-open is about what nobody can tell, not about an outdated commit or what blocks."""
    verdict_server.says(said)
    answers = [wait(verdict_server.url, "--json", *more) for more in ((), ("--fail-open",))]
    assert [status, open_status] == [one.exit_code for one in answers]
    assert [status, open_status] == [json.loads(one.stdout)["exit_status"] for one in answers]


NO_VERDICT = [
    Said({"detail": "Not Found"}, status=404),
    Said({"error": {"code": "busy", "message": "later"}}, status=429, headers={"retry-after": "7"}),
    Said({"error": {"code": "unavailable", "message": "later"}}, status=503, headers={"retry-after": "7"}),
    Said(b"gone", status=302, headers={"location": "http://127.0.0.1:1/login"}),
    Said(b"", status=204),
    PAGE,
    Said(b"{"),
    Said(b"\xff\xfe"),
    Said(b" " * 9_000_000),
    Said(gzip.compress(json.dumps(verdict()).encode()), headers={"content-encoding": "gzip"}),
    Said(verdict(), hangs=True),
    verdict(sha="b" * 40),
    verdict(project_id=8),
    verdict(blocking=[blocking()]),
    verdict(final="true"),
]


async def test_what_is_no_verdict_is_asked_for_again(verdict_server: VerdictServer):
    """Nothing that a broken or lying server says is an answer; it may say when to come back."""
    question = asked(Pipeline({name: value for name, value in JOB.items() if value}))
    async with aclosing(HttpVerdicts(verdict_server.url, {}, slack_s=0.3)) as server:
        for said in NO_VERDICT:
            verdict_server.says(said)
            with pytest.raises(Transient) as error:
                await server.verdict(question, wait_s=0)
            asks_for_time = isinstance(said, Said) and "retry-after" in said.headers
            assert (7 if asks_for_time else None) == error.value.retry_after_s
        verdict_server.says(UNKNOWN)
        assert await server.verdict(question, wait_s=0) is None


def test_a_server_that_lies_opens_nothing(verdict_server: VerdictServer):
    """It is asked again until the time is over."""
    verdict_server.says(verdict(sha="b" * 40))
    result = wait(verdict_server.url, "--timeout", "1", "--json")
    answer = json.loads(result.stdout)
    assert (3, "undecided") == (result.exit_code, answer["answer"])
    assert "about another commit or merge request; given up after 1 s" in answer["undecided"]["everything"]
    assert 1 <= len(verdict_server.asked) <= 3


def test_a_server_that_comes_back_is_asked_again(verdict_server: VerdictServer):
    """A restart costs a job nothing but time."""
    verdict_server.says(PAGE, verdict())
    result = wait(verdict_server.url)
    assert (0, 2) == (result.exit_code, len(verdict_server.asked))
    assert "the answer is no verdict" in result.stderr


@pytest.mark.parametrize("way", ["down", "hangs"])
def test_a_server_out_of_reach_is_given_up_in_time(verdict_server: VerdictServer, way: str):
    """With --fail-open the change passes, and the log says why."""
    verdict_server.says(Said(hangs=True))
    url = nobody() if way == "down" else verdict_server.url
    result = wait(url, "--timeout", "1", *(["--fail-open"] if way == "down" else []))
    assert "UNDECIDED, there is no answer" in result.stdout
    status, told = (0, True) if way == "down" else (3, False)
    assert (status, told) == (result.exit_code, "because of --fail-open" in result.stderr)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            Said({"error": {"code": "forbidden", "message": "not yours"}}, status=403),
            "403: not yours; the server must",
        ),
        (Said(b"", status=401), "CLOISTER_API_TOKEN"),
        (
            Said({"error": {"code": "invalid_request", "message": "sha: bad"}}, status=422),
            "422: sha: bad; use the same",
        ),
        (
            Said(b"", status=308, headers={"location": "https://other.example/"}),
            "to https://other.example/; redirects",
        ),
    ],
)
def test_a_refusal_is_two(verdict_server: VerdictServer, said: Said, why: str):
    """At once, fail-open or not: a person has to change something; no token goes anywhere else."""
    verdict_server.says(said)
    result = wait(verdict_server.url, "--fail-open")
    assert (2, 1) == (result.exit_code, len(verdict_server.asked))
    assert why in result.stderr


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
    [
        (("--wait", "--local"), {}, "--wait and --local exclude each other"),
        ((), {}, "--wait asks the server for its verdict, --local scans the change here"),
        (("--wait",), {"CI_JOB_TOKEN": "x"}, "set CLOISTER_SERVER_URL or --server"),
        (("--wait", "--server", "cloister.example"), {}, "must start with http:// or https://"),
        (("--wait", "--server", "http://127.0.0.1:1"), {"CI_JOB_TOKEN": None}, "CI_JOB_TOKEN is not set"),
        (("--wait", "--server", "http://127.0.0.1:1"), {"CI_JOB_TOKEN": "a\nb"}, "CI_JOB_TOKEN is no token"),
        (
            ("--wait", "--server", "http://127.0.0.1:1"),
            {"CI_MERGE_REQUEST_IID": None},
            "CI_MERGE_REQUEST_IID",
        ),
        (
            ("--wait", "--server", "http://127.0.0.1:1", "--base", "main"),
            {},
            "--base has no meaning with --wait",
        ),
        (("--local", "--server", "http://127.0.0.1:1"), {}, "--server has no meaning with --local"),
        (("--wait", "--report", "sast=x", "--server", "http://127.0.0.1:1"), {}, "codequality or junit"),
        (
            ("--wait", "--server", "https://127.0.0.1:1"),
            {"CLOISTER_SERVER_CA_FILE": "/nonexistent.pem"},
            "CLOISTER_SERVER_CA_FILE: cannot use /nonexistent.pem",
        ),
    ],
)
def test_asked_for_wrongly_is_two(arguments: tuple[str, ...], environ: dict[str, str | None], said: str):
    """With what to do."""
    result = run("gate", *arguments, **{**JOB, **environ})
    assert 2 == result.exit_code, result.output
    assert said in result.stderr


def test_reports_hold_what_blocks(verdict_server: VerdictServer, tmp_path: Path):
    """Code Quality is not written by who cannot tell: an empty one would say that all is well."""
    files = {kind: tmp_path / kind for kind in ("codequality", "junit")}
    reports = [word for kind, file in files.items() for word in ("--report", f"{kind}={file}")]
    verdict_server.says(verdict("blocked", blocking=[blocking()]))
    assert 1 == wait(verdict_server.url, *reports).exit_code
    (entry,) = json.loads(files["codequality"].read_text())
    assert ("weak-hash", "store.py", 5) == (
        entry["check_name"],
        entry["location"]["path"],
        entry["location"]["lines"]["begin"],
    )
    assert 1 == files["junit"].read_text().count("<failure ")
    files["codequality"].unlink()
    for said in (verdict("superseded"), verdict("undecided")):
        verdict_server.says(said)
        assert 3 == wait(verdict_server.url, *reports).exit_code
        assert 'errors="1"' in files["junit"].read_text()
    assert not files["codequality"].exists()


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[VerdictServer, Path]]:
    """Serve a verdict with a certificate of an authority of our own."""
    authority, file = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    verdicts = VerdictServer()
    verdicts.says(verdict())
    for running in serving(verdicts, context):
        yield running, file


def test_the_servers_certificate_is_checked(tls_server: tuple[VerdictServer, Path]):
    """Against the authority that is named, and no token is sent before."""
    server, authority = tls_server
    refused = wait(server.url, "--timeout", "1")
    assert (3, []) == (refused.exit_code, server.headers)
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stdout.replace(" ", "")
    assert "name that with CLOISTER_SERVER_CA_FILE" in refused.stderr
    assert 0 == wait(server.url, CLOISTER_SERVER_CA_FILE=str(authority)).exit_code


def test_proxies_of_the_environment_are_not_used(verdict_server: VerdictServer):
    """The token goes to the server alone."""
    proxy = nobody()
    names = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY")
    assert 0 == wait(verdict_server.url, **dict.fromkeys(names, proxy)).exit_code


def test_the_token_is_not_sent_in_clear_without_a_word():
    """A warning, since some networks are trusted."""
    result = wait("http://cloister.invalid", "--timeout", "1")
    assert 3 == result.exit_code
    assert "warning: the server's address begins with http://" in result.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_cancelled_job_leaves_in_order(verdict_server: VerdictServer, number: int, status: int):
    """Neither with a traceback nor with a status that is an answer."""
    verdict_server.says(Said(hangs=True))
    environ = {name: value for name, value in {**ENVIRONMENT, **JOB}.items() if value is not None}
    gate = subprocess.Popen(
        [sys.executable, "-m", "bot", "gate", "--wait", "--server", verdict_server.url],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not verdict_server.asked:
        assert gate.poll() is None
        time.sleep(0.02)
    gate.send_signal(number)
    output, errors = gate.communicate(timeout=150)
    assert (status, "", False) == (gate.returncode, output, "Traceback" in errors)
    assert "nothing was decided" in errors
