"""From what a run came to, to the verdict of the gate on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.domain.commit_status import status, undecided
from bot.domain.findings import Finding
from bot.domain.forge import ForgeMergeRequest, StatusPlace
from bot.domain.gate_verdict import MOST_SHOWN, Blocking, GateVerdict, ShownWaiver, VerdictState
from bot.domain.policy import Mode, mode_of
from bot.domain.policy_extent import deciding
from bot.domain.policy_reasons import reasons
from bot.domain.publication import Publication
from bot.domain.remedy import remedy
from bot.domain.run import WHOLE, Run, RunState
from bot.domain.steps import spoken
from bot.domain.waivers import State, Waiver


def waiting(
    run: Run, found: ForgeMergeRequest, project_url: str, places: Iterable[StatusPlace]
) -> GateVerdict:
    """Return the verdict on *run* before anything is known; *project_url* is empty where nothing may be linked."""
    return GateVerdict(
        run_id=run.id,
        ref=run.ref,
        head_sha=run.head_sha,
        source_project_id=found.source_project_id,
        project_url=project_url,
        merge_request_url=found.web_url if project_url else "",
        places=tuple(places),
        participants=tuple(sorted(found.participants)),
    )


def verdict_on(
    run: Run,
    publication: Publication,
    before: GateVerdict,
    *,
    redact: Callable[[str], str] = str,
) -> GateVerdict:
    """Return the verdict on *run* as *publication* shows it; it is in the place of the one *before*."""
    said, description = status(run, publication)
    decided = publication.verdict
    state = VerdictState.undecided if run.left_out and said == "running" else _state(said, publication)
    blocking = [_blocking(one, run, redact) for one in decided.blocking[:MOST_SHOWN]]
    excused = [one for one in publication.suppressed if _would_block(one, run)]
    return before.model_copy(
        update={
            "state": state,
            "final": run.state is RunState.failed or not any(name in run.pending for name in deciding(run)),
            "round": run.rounds,
            "status": said,
            "description": description,
            "blocking": tuple(blocking),
            "blocking_count": len(decided.blocking),
            "suppressed": tuple(_blocking(one, run, redact, asked=False) for one in excused[:MOST_SHOWN]),
            "waived": tuple(
                _waiver(one.finding, one.waiver, run, redact) for one in decided.waived[:MOST_SHOWN]
            ),
            "asked": tuple(
                _waiver(one.finding, one.waiver, run, redact) for one in decided.asked[:MOST_SHOWN]
            ),
            "exceeded": decided.exceeded,
            "unread": tuple(map(redact, decided.unread[:MOST_SHOWN])),
            "broken": _broken(run, redact),
            "shadowed": len(decided.shadowed),
            "warnings": tuple(redact(one) for one in (*run.problems, *decided.warned)),
        }
    )


def _broken(run: Run, redact: Callable[[str], str]) -> dict[str, str]:
    """Return what decides and gave no answer, with the reason."""
    if run.left_out:
        return {WHOLE: run.absent[WHOLE]}
    return {spoken(name): redact(run.steps[name].problem) for name in undecided(run)}


def _state(said: str, publication: Publication) -> VerdictState:
    if said == "success":
        return VerdictState.passed
    if said == "running":
        return VerdictState.waiting
    blocked = publication.verdict.blocking or publication.verdict.exceeded
    return VerdictState.blocked if blocked else VerdictState.undecided


def _would_block(finding: Finding, run: Run) -> bool:
    """Say whether only the suppression in the code keeps *finding* from blocking."""
    bare = finding.model_copy(update={"suppressed": False})
    modes = (mode_of(one, run.policy, run.facts) for one in (bare, finding))
    return [Mode.block, Mode.advise] == list(modes)


def _blocking(finding: Finding, run: Run, redact: Callable[[str], str], *, asked: bool = True) -> Blocking:
    seen = finding if asked else finding.model_copy(update={"suppressed": False})
    return Blocking(
        fingerprint=finding.fingerprint,
        rule=finding.rule,
        scanner=finding.scanner,
        severity=finding.severity,
        category=finding.category,
        path=redact(finding.path),
        line=finding.line,
        end_line=finding.end_line,
        title=redact(finding.title),
        why=tuple(str(one) for one in reasons(seen, run.policy, run.facts)),
        remedy=remedy(finding, shown=False),
        commit=finding.commit,
        suppressed=finding.excused,
        anchor=finding.anchor,
        whole=finding.whole,
    )


def _waiver(finding: Finding, waiver: Waiver | None, run: Run, redact: Callable[[str], str]) -> ShownWaiver:
    shown = _blocking(finding, run, redact)
    if waiver is None:
        return ShownWaiver(finding=shown, state=State.asked)
    said = waiver.said
    return ShownWaiver(
        finding=shown,
        state=State.granted if waiver.grant else State.asked,
        waiver=waiver.id,
        until=said.until,
        by=said.name,
        reason=redact(said.reason),
        source=said.source,
        iid=waiver.ref.iid,
    )
