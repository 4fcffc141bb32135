"""Publish what a run came to: look at what stands on its merge request, decide what shall, and say it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog

from bot.domain.diff import Diff
from bot.domain.errors import Obsolete, Permanent
from bot.domain.events import BranchPipelineSeen, PipelineSeen
from bot.domain.findings import Finding
from bot.domain.fingerprint import lines_of, places
from bot.domain.forge import ForgeMergeRequest
from bot.domain.gate_decision import verdict_on, waiting
from bot.domain.gate_verdict import GateVerdict, sharing
from bot.domain.marker import Marker
from bot.domain.merge_request import Revision
from bot.domain.ours import Ours, deleted, ours
from bot.domain.publication import Publication, decide
from bot.domain.reconcile import Action, Thread
from bot.domain.records import Declined, MergeRequestState, ThreadRecord
from bot.domain.result import result
from bot.domain.run import Run
from bot.domain.summary import project_path, project_url, summary
from bot.domain.waiver_effects import merged_into, tellings
from bot.domain.waivers import WaiverStep
from bot.ports import Clock, Forge, MergeRules, StillHeld, Store, Verdicts, WaiverBook, Workspaces
from bot.reviewer.announcing import Announcing
from bot.reviewer.moves import followed, renamed, under_old_names
from bot.reviewer.parting import declined_at_the_end
from bot.reviewer.posting import Posting
from bot.reviewer.quieting import Quieting
from bot.reviewer.waiving import WaiversHere, is_about

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Met:
    """Hold what a run meets on its merge request.

    Args:
        run: with the facts as they are now.
        found: the merge request.
        findings: all of the run, by step.
        named: the same, under the fingerprints that they have by the old names of their files.
        diff: the reviewed diff.
        known: our records of threads, by fingerprint.
        mine: our threads, at the paths where their files are now, and our summary.
        here: the waivers that count.
        standing: says in how many places the code that a thread points at is still there.
        state: what we know of the merge request.
    """

    run: Run
    found: ForgeMergeRequest
    findings: Mapping[str, Sequence[Finding]]
    named: Mapping[str, Sequence[Finding]]
    diff: Diff
    known: Mapping[str, ThreadRecord]
    mine: Ours
    here: WaiversHere
    standing: Callable[[Thread], int]
    state: MergeRequestState

    @property
    def deleted(self) -> frozenset[str]:
        """Return the fingerprints of threads that people have deleted."""
        return deleted(self.mine, self.known)


@dataclass(frozen=True, slots=True)
class Said:
    """Hold what was said, and how it went.

    Args:
        publication: what was decided.
        verdict: with where it stands.
        outdated: verdicts of other merge requests that share its commit status, and have to say it anew.
        mine: our threads of before, and our summary as it is now.
        refused: fingerprints of findings whose position the forge did not accept.
        unsettled: actions that the forge refused.
        hushed: fingerprints whose new threads were resolved at once.
        seconds: since the run began.
    """

    publication: Publication
    verdict: GateVerdict
    outdated: Sequence[GateVerdict]
    mine: Ours
    refused: Collection[str]
    unsettled: Collection[Action]
    hushed: Collection[str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Hold a run that is not about what the forge shows by now."""

    run: Run
    found: ForgeMergeRequest


@dataclass(frozen=True, slots=True)
class Publishing:
    """Look, decide and say on behalf of any run; see `bot.reviewer.recording` for what is kept of it."""

    forge: Forge
    merge_rules: MergeRules
    announcing: Announcing
    verdicts: Verdicts
    workspaces: Workspaces
    store: Store
    waivers: WaiverBook
    quieting: Quieting
    marker: Marker
    fingerprint_key: bytes
    instance_url: str
    redact: Callable[[str], str]
    clock: Clock

    async def look(
        self, run: Run, found: ForgeMergeRequest, findings: Mapping[str, Sequence[Finding]]
    ) -> Met:
        """Return what *run* meets on *found*; the lock on the merge request keeps it so."""
        run = run.model_copy(update={"facts": run.facts.as_of(found)})
        known = await self.store.threads(run.ref)
        me = (await self.forge.whoami()).id
        discussions = await self.forge.discussions(run.ref)
        mine = ours(discussions, run.ref, me=me, marker=self.marker, known=known)
        diff = await self.workspaces.diff(run.revision) if run.revision else Diff(())
        here = await WaiversHere.on(run, found, self.waivers, self.clock.now())
        records = here.records | known
        moves = await renamed(
            run,
            diff,
            [*mine.threads, *here.threads],
            records,
            store=self.store,
            workspaces=self.workspaces,
        )
        mine, here = replace(mine, threads=followed(mine.threads, moves)), here.moved(moves)
        return Met(
            run=run,
            found=found,
            findings=findings,
            named=under_old_names(findings, moves, records, key=self.fingerprint_key),
            diff=diff,
            known=known,
            mine=mine,
            here=here,
            standing=await self._standing([*mine.threads, *here.threads], run.revision),
            state=await self.store.merge_request(run.ref),
        )

    async def decide(self, met: Met) -> Publication:
        """Return what shall be visible."""
        talked = bool(met.findings or met.mine.threads)
        decided_with = partial(
            decide,
            met.run,
            met.named,
            met.mine.threads,
            met.diff,
            standing=met.standing,
            deleted=met.deleted,
            declined=await self.store.declined(met.run.ref),
            waivers=met.here.standing,
            threads_block=talked and await self._threads_block(met.run),
        )
        return await self.quieting.settle(
            met.run,
            lambda silences: decided_with(silences=silences),
            self.clock.now(),
            project=project_path(self.instance_url, met.found.web_url),
        )

    async def say(self, met: Met, publication: Publication, still_held: StillHeld) -> Said:
        """Make the merge request show *publication*: threads, then summary and verdict."""
        posting = Posting(met.run, met.diff, self.forge, self.store, self.workspaces, self.marker, still_held)
        drafts_left = met.state.posting or met.state.summary_note_id != met.mine.summary_id
        refused = await posting.post(publication.posts, drafts_left=drafts_left)
        await posting.explain(publication.actions, met.known)
        unsettled = await posting.settle(publication.actions)
        here = met.here
        await posting.tell(tellings(met.mine.threads, publication.verdict, here.all, branch=here.branch))
        hushed = await posting.hush(publication.quiet - set(refused))
        seconds = (self.clock.now() - met.run.created_at).total_seconds()
        verdict, outdated, mine = await self._conclude(met, publication, posting, refused, seconds)
        return Said(publication, verdict, outdated, mine, refused, unsettled, hushed, seconds)

    async def shown_in(self, event: BranchPipelineSeen) -> list[PipelineSeen]:
        """Return for each merge request whose head the pipeline runs on that it is there.

        Where there is no verdict yet, the first one goes where the pipelines are by then.
        """
        verdicts = await self.verdicts.on_head(event.instance, event.project_id, event.sha)
        return [PipelineSeen(ref=one.ref, pipeline_id=event.pipeline_id, branch=True) for one in verdicts]

    async def join(self, event: PipelineSeen) -> GateVerdict | Overtaken:
        """Set the commit status in a pipeline that began after the status was set; without it the pipeline may pass.

        A verdict on an earlier head, or by the policy of another target branch, is not said again.

        Raises:
            Obsolete: there is nothing to set, or the forge does not let us.
        """
        run_id = (await self.store.merge_request(event.ref)).run_id
        standing = await self.verdicts.of_run(run_id) if run_id else None
        verdict = standing.verdict if standing else None
        if (
            standing is None
            or verdict is None
            or event.pipeline_id in {place.pipeline_id for place in verdict.places}
        ):
            raise Obsolete("the status is there, or will be")
        found = await self.forge.merge_request(event.ref)
        if found.state != "opened":
            raise Obsolete("the merge request was closed")
        if not is_about(standing.run, found):
            return Overtaken(standing.run, found)
        beside = await self.verdicts.beside(event.ref, verdict.head_sha) if event.branch else ()
        same_branch = [one for one in beside if one.source_project_id == verdict.source_project_id]
        try:
            return await self.announcing.join(found, verdict, event.pipeline_id, same_branch)
        except Permanent as error:
            log.warning("status.not_set", error=str(error))
            raise Obsolete("GitLab does not let us set the status there") from None

    async def part(self, run: Run) -> tuple[list[Declined], list[WaiverStep]]:
        """Return what people have declined by the end, and that waivers went with their code into the target branch."""
        now = self.clock.now()
        declined = await declined_at_the_end(
            run, forge=self.forge, store=self.store, marker=self.marker, now=now
        )
        found = await self.forge.merge_request(run.ref)
        if found.state != "merged":
            return declined, []
        return declined, merged_into(run, found.target_branch, await self.waivers.of(run.ref), now)

    async def _standing(
        self, threads: Iterable[Thread], revision: Revision | None
    ) -> Callable[[Thread], int]:
        """Return what counts the places at the head that have the code of a thread."""
        paths = sorted({thread.path for thread in threads if thread.path and not thread.resolved})
        blobs = await self.workspaces.read(revision, paths) if revision and paths else {}
        lines = {path: lines_of(blob.content) for path, blob in blobs.items() if blob.content is not None}
        return lambda thread: places(thread.anchor, lines.get(thread.path, ()), key=self.fingerprint_key)

    async def _threads_block(self, run: Run) -> bool:
        """Say whether open threads keep the merge request from being merged, and some of ours should not."""
        always = run.policy.comments.block_merge == "always"
        return not always and await self.merge_rules.needs_resolved_threads(run.ref.project_id)

    async def _conclude(
        self,
        met: Met,
        publication: Publication,
        posting: Posting,
        refused: Collection[str],
        seconds: float,
    ) -> tuple[GateVerdict, Sequence[GateVerdict], Ours]:
        """Write the summary and announce the verdict; return it, whom it outdates, and what is ours now."""
        run, found = met.run, met.found
        content = result(
            run,
            publication,
            refused=refused,
            diff=met.diff,
            project_url=project_url(self.instance_url, found.web_url),
            tokens=sum(step.tokens for step in run.steps.values()),
            seconds=seconds,
            paused=met.state.paused,
        )

        async def summarised(mine: Ours, problems: tuple[str, ...]) -> Ours:
            told = replace(content, problems=(*content.problems, *problems))
            body = summary(told, marker=self.marker.of_summary(run.ref), redact=self.redact)
            return replace(mine, summary_id=await posting.summarise(body, mine), summary_body=body)

        earlier = await self.verdicts.of_run(run.id)
        before = (earlier and earlier.verdict) or waiting(run, found, content.project_url, ())
        decided = verdict_on(run, publication, before, redact=self.redact)
        # What GitLab did not let us do the last time it will hardly do now: then one edit is enough.
        mine = await summarised(met.mine, before.problems)
        beside = await self.verdicts.beside(run.ref, run.head_sha)
        decided = await self.announcing.say(found, run, decided, before, beside)
        if decided.problems != before.problems:
            mine = await summarised(mine, decided.problems)
        outdated = sharing(before, beside) if decided.status != before.status else []
        return decided, outdated, mine
