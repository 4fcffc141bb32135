"""Carry out what was decided about threads, summary and status, so that doing it again changes nothing more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from bot.domain.diff import Diff
from bot.domain.errors import Refused
from bot.domain.findings import Finding
from bot.domain.fingerprint import lines_of
from bot.domain.forge import PositionRefused
from bot.domain.marker import Marker
from bot.domain.ours import Ours, opened, ours
from bot.domain.proof import evidence
from bot.domain.reconcile import Action, Explain, Reopen, Resolve, owed
from bot.domain.records import ThreadRecord
from bot.domain.render import comment, waiver_word, word
from bot.domain.run import Run
from bot.domain.suggestion import SuggestionBlock, offer
from bot.domain.waiver_effects import Telling
from bot.domain.waivers_standing import terms
from bot.gitlab.positions import NoPosition, Target, position
from bot.ports import Forge, StillHeld, Store, Workspaces

log = structlog.get_logger()


@dataclass(frozen=True)
class Posting:
    """Write to the merge request of *run*, under a lock that *still_held* checks before anything that people see."""

    run: Run
    diff: Diff
    forge: Forge
    store: Store
    workspaces: Workspaces
    marker: Marker
    still_held: StillHeld

    async def post(self, findings: Iterable[Finding], *, drafts_left: bool) -> Collection[str]:
        """Open threads on *findings* as one batch, and return the fingerprints that found no place.

        Publishing makes all our drafts visible. So those that a broken-off try has left are adopted or deleted, if
        there may be any: some try did not end, or the database does not know what stands on the merge request, as
        after a restored backup. That is done twice, since a draft can come late when GitLab is slow and whoever
        sent it has died.
        """
        posts = {finding.fingerprint: finding for finding in findings}
        drafted = await self._adopt(posts) if drafts_left else set()
        if not posts or self.run.revision is None:
            return ()
        await self.store.mark_posting(self.run.ref, opened(self.run, posts.values(), ()))
        lines = await self._lines(posts.values())
        refused = {
            fingerprint
            for fingerprint, finding in posts.items()
            if fingerprint not in drafted and not await self._draft(finding, lines[finding.path])
        }
        if len(refused) < len(posts):
            if drafts_left:
                await self._adopt(posts)
            await self.still_held()
            try:
                await self.forge.publish_drafts(self.run.ref)
            except PositionRefused as error:
                late = (self.marker.read(self.run.ref, draft.body) for draft in error.drafts)
                refused.update(fingerprint for fingerprint in late if fingerprint)
        return refused

    async def explain(self, actions: Iterable[Action], known: Mapping[str, ThreadRecord]) -> None:
        """Add explanations to notes that were written before there were any."""
        asked = [action for action in actions if isinstance(action, Explain)]
        if not asked or self.run.revision is None:
            return
        lines = await self._lines(action.finding for action in asked)
        for action in asked:
            finding = action.finding
            record = known.get(finding.fingerprint)
            if record is None or record.run_id != self.run.id:
                # Its position is that of an older head, where a suggestion would replace other lines.
                finding = finding.model_copy(update={"fix": None})
            await self.still_held()
            try:
                body = self._body(finding, lines[finding.path])
                await self.forge.edit_note(self.run.ref, action.thread.note_id, body)
            except Refused as error:
                log.warning("thread.not_explained", error=str(error))

    async def settle(self, actions: Iterable[Action]) -> Collection[Action]:
        """Resolve threads whose finding is gone or advice, reopen those that ask for attention again.

        Returns what GitLab refused.

        The thread says so first: a note that stands there tells the next try that only the rest is to be done.
        """
        run, refused = self.run, []
        for action in actions:
            if isinstance(action, Resolve | Reopen):
                gone, thread = isinstance(action, Resolve), action.thread
                await self.still_held()
                try:
                    if what := owed(action):
                        mark = self.marker.of_word(run.ref, what, thread.fingerprint)
                        said = word(what, sha=run.head_sha, marker=mark, language=run.policy.review.language)
                        await self.forge.reply(run.ref, thread.discussion_id, said)
                    await self.forge.resolve(run.ref, thread.discussion_id, resolved=gone)
                except Refused as error:
                    log.warning("thread.not_settled", error=str(error))
                    refused.append(action)
        return refused

    async def tell(self, tellings: Iterable[Telling]) -> None:
        """Say in threads what became of the waivers of their findings; the note tells the next try that it is said."""
        run = self.run
        for one in tellings:
            mark = self.marker.of_word(run.ref, one.word, one.thread.fingerprint)
            said = waiver_word(one.word, one.waiver, marker=mark, language=run.policy.review.language)
            await self.still_held()
            try:
                await self.forge.reply(run.ref, one.thread.discussion_id, said)
            except Refused as error:
                log.warning("waiver.not_told", error=str(error))

    async def hush(self, fingerprints: Collection[str]) -> Collection[str]:
        """Resolve our new threads on these, and return which; GitLab cannot open a thread as a resolved one.

        What a crash leaves open here is resolved by the next publication.
        """
        if not fingerprints:
            return ()
        ref, hushed = self.run.ref, set[str]()
        me = (await self.forge.whoami()).id
        for thread in ours(
            await self.forge.discussions(ref), ref, me=me, marker=self.marker, known={}
        ).threads:
            if thread.fingerprint not in fingerprints or thread.resolved or thread.touched:
                continue
            await self.still_held()
            try:
                await self.forge.resolve(ref, thread.discussion_id)
            except Refused as error:
                log.warning("thread.not_settled", error=str(error))
            else:
                hushed.add(thread.fingerprint)
        return hushed

    async def summarise(self, body: str, mine: Ours) -> int:
        """Write the summary note, or edit it if it says something else; return its id."""
        await self.still_held()
        if mine.summary_id is not None:
            try:
                if body != mine.summary_body:
                    await self.forge.edit_note(self.run.ref, mine.summary_id, body)
            except Refused:
                log.info("summary.gone")
            else:
                return mine.summary_id
        return (await self.forge.create_note(self.run.ref, body)).id

    async def _adopt(self, posts: Mapping[str, Finding]) -> set[str]:
        adopted: set[str] = set()
        for draft in await self.forge.drafts(self.run.ref):
            fingerprint = self.marker.read(self.run.ref, draft.body)
            if fingerprint is None:
                continue  # somebody shares our account, and writes a review of their own
            if fingerprint in posts and fingerprint not in adopted:
                adopted.add(fingerprint)
            else:
                await self.forge.delete_draft(self.run.ref, draft.id)
        return adopted

    async def _draft(self, finding: Finding, lines: Sequence[str]) -> bool:
        """Draft the thread on *finding* at the best position that GitLab accepts; say whether there was one."""
        assert self.run.revision is not None, "there are findings only for a known revision"
        body = self._body(finding, lines)
        whole, last = Target(finding.line, finding.end_line), Target(finding.end_line, finding.end_line)
        for target in dict.fromkeys((whole, last)):
            try:
                place = position(self.diff.by_new_path[finding.path], self.run.revision, target)
                await self.forge.create_draft(self.run.ref, body, place)
            except (NoPosition, PositionRefused, Refused) as error:
                log.info("position.refused", rule=finding.rule, error=str(error))
            else:
                return True
        return False

    def _body(self, finding: Finding, lines: Sequence[str]) -> str:
        fix, proven = None, list[str]()
        if finding.fix is not None:
            fix = offer(finding.fix, path=finding.path, anchor=finding.end_line, lines=lines)
            if isinstance(fix, SuggestionBlock):
                proven = evidence(finding.fix.verified, self.run.head_sha)
        return comment(
            finding,
            marker=self.marker.of(self.run.ref, finding.fingerprint),
            fix=fix,
            evidence=proven,
            language=self.run.policy.review.language,
            asks=finding.excused,
            max_days=terms(self.run.policy).max_days,
        )

    async def _lines(self, findings: Iterable[Finding]) -> Mapping[str, Sequence[str]]:
        """Return the lines of the files that *findings* are in, at the head; none of a file that cannot be read."""
        assert self.run.revision is not None, "there are findings only for a known revision"
        paths = sorted({finding.path for finding in findings})
        blobs = await self.workspaces.read(self.run.revision, paths)
        contents = {path: blob.content for path, blob in blobs.items()}
        return {path: lines_of(contents.get(path) or b"") for path in paths}
