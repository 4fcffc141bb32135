"""Ask the configured server for the verdict on what a CI job is about, and say what reports can tell of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bot.domain.awaited import Question, asked
from bot.domain.errors import Permanent
from bot.domain.gate import Answer
from bot.domain.pipeline import Pipeline
from bot.domain.reports import Occasion

if TYPE_CHECKING:
    from bot.cli.gate_wait import WaitResult
    from bot.settings import Settings

_JOB_TOKEN: Final = "CI_JOB_TOKEN"  # noqa: S105 - the name of a variable
#: Reports that may hold only what blocks: the others say how much was looked at, which the verdict does not tell.
_REPORTS: Final = ("codequality", "junit")


def check_reports(kinds: Iterable[str]) -> None:
    """Check that a verdict is enough for all *kinds* of reports.

    Raises:
        Permanent: it is not.
    """
    if wrong := [kind for kind in kinds if kind not in _REPORTS]:
        raise Permanent(
            f"a verdict has not what the report {wrong[0]} needs; with --wait ask for {' or '.join(_REPORTS)},"
            " or take --local"
        )


def tells(kind: str, result: WaitResult) -> bool:
    """Say whether a report of *kind* can be honest: Code Quality cannot say that nobody knows."""
    return kind == "junit" or result.answer in (Answer.passed, Answer.blocked)


async def ask(
    settings: Settings, pipeline: Pipeline, timeout_s: float, say: Callable[[str], None]
) -> tuple[WaitResult, Question, Occasion]:
    """Return what the server says, about what, and for the reports when that was.

    Raises:
        Permanent: a variable or a setting is missing or wrong, or the server does not accept us.
    """
    from bot.adapters.clock import SystemClock
    from bot.adapters.verdict_http import HttpVerdicts
    from bot.cli.gate_wait import Waiting
    from bot.settings import inherited
    from bot.settings_tls import trusting
    from bot.settings_types import is_loopback

    if settings.server_url is None:
        raise Permanent(
            "no server is named; set CLOISTER_SERVER_URL or --server to its CLOISTER_PUBLIC_URL, or use --local"
        )
    question = asked(pipeline)
    api_token = settings.api_token.get_secret_value() if settings.api_token else ""
    headers = credentials(api_token, inherited(_JOB_TOKEN).get(_JOB_TOKEN, "").strip())
    parts = urlsplit(settings.server_url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        say(
            "warning: the server's address begins with http://, so the token can be read on the way; use https://"
        )
    ca_file = settings.server_ca_file
    verify = trusting("server_ca_file", ca_file) if ca_file else True
    clock = SystemClock()
    started = clock.now()
    async with aclosing(HttpVerdicts(settings.server_url, headers, verify=verify)) as server:
        result = await Waiting(server, clock, say).result(question, timeout_s)
    blocking = [one.as_finding() for one in result.verdict.blocking] if result.verdict else []
    return result, question, Occasion(started, clock.now(), question.sha, blocking, _open(result))


def credentials(api_token: str, job_token: str) -> Mapping[str, str]:
    """Return the header by which the server knows us; a token that somebody has set wins over the job's own.

    Raises:
        Permanent: there is no token, or it is none.
    """
    if api_token:
        return {"authorization": f"Bearer {api_token}"}
    if not job_token:
        raise Permanent(
            "CI_JOB_TOKEN is not set, as it is in jobs of GitLab's; set CLOISTER_API_TOKEN elsewhere"
        )
    if not (job_token.isascii() and job_token.isprintable()) or " " in job_token:
        raise Permanent("CI_JOB_TOKEN is no token: it has characters that none has; do not set it yourself")
    return {"job-token": job_token}


def _open(result: WaitResult) -> Mapping[str, str]:
    if result.answer is Answer.superseded:
        return {"verdict": "nobody decides about this commit any more; the pipeline of the newest one does"}
    return result.broken
