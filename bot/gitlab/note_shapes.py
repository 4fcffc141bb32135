"""The parts of GitLab's answers about comments and reactions; see `bot.gitlab.shapes`."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from bot.domain.forge import ForgeAward, ForgeCommit, ForgeDiscussion, ForgeDraft, ForgeNote, ForgePlace
from bot.domain.merge_request import Value
from bot.gitlab.errors import MAX_TIME, MIN_TIME
from bot.gitlab.people_shapes import Author
from bot.gitlab.shapes import MaybeSha, Text, Time


class Place(Value):
    """Where a note stands in the diff."""

    new_path: str | None = None
    new_line: int | None = None
    head_sha: MaybeSha = None

    def forge(self) -> ForgePlace | None:
        """Return it as the port names it, None if it is not a line of the new side."""
        if self.new_path is None or self.new_line is None or self.head_sha is None:
            return None
        return ForgePlace(self.new_path, self.new_line, self.head_sha)


class Suggestion(Value):
    """One suggestion of a note."""

    applied: bool | None = False


class Note(Value):
    """One note."""

    id: int
    body: Text = ""
    author: Author | None = None
    system: bool = False
    resolvable: bool = False
    resolved: bool | None = False
    resolved_by: Author | None = None
    position: Place | None = None
    internal: bool | None = Field(default=False, validation_alias=AliasChoices("internal", "confidential"))
    created_at: Time | None = None
    updated_at: Time | None = None
    resolved_at: Time | None = None
    suggestions: tuple[Suggestion, ...] | None = Field(default=(), strict=False)

    def forge(self) -> ForgeNote:
        """Return it as the port names it; a note without an author is nobody's, so never ours."""
        return ForgeNote(
            self.id,
            author_id=self.author.account if self.author else 0,
            body=self.body,
            system=self.system,
            resolvable=self.resolvable,
            resolved=bool(self.resolved),
            resolved_by=self.resolved_by.account if self.resolved_by else None,
            internal=bool(self.internal),
            place=self.position.forge() if self.position else None,
            written_at=self.created_at,
            changed_at=self.updated_at,
            resolved_at=self.resolved_at,
            bot=self.author is not None and self.author.bot,
            resolver_bot=self.resolved_by is not None and self.resolved_by.bot,
            applied=tuple(bool(one.applied) for one in self.suggestions or ()),
            author_name=self.author.name if self.author else "",
            resolver_name=self.resolved_by.name if self.resolved_by else "",
        )


class Award(Value):
    """One reaction."""

    id: int
    name: str
    user: Author | None = None
    created_at: Time = Field(ge=MIN_TIME, lt=MAX_TIME)

    def forge(self) -> ForgeAward:
        """Return it as the port names it."""
        who = self.user
        return ForgeAward(
            self.id, self.name, who.account if who else 0, self.created_at, who is not None and who.bot
        )


class Commit(Value):
    """One commit of a merge request."""

    author_name: Text = ""
    committer_name: Text = ""
    committed_date: Time = Field(ge=MIN_TIME, lt=MAX_TIME)

    def forge(self) -> ForgeCommit:
        """Return it as the port names it."""
        return ForgeCommit(self.author_name, self.committer_name, self.committed_date)


class Discussion(Value):
    """One discussion."""

    id: str
    notes: tuple[Note, ...] = Field(strict=False)

    def forge(self) -> ForgeDiscussion:
        """Return it as the port names it."""
        return ForgeDiscussion(self.id, tuple(note.forge() for note in self.notes))


class Draft(Value):
    """One draft note."""

    id: int
    note: Text = ""

    def forge(self) -> ForgeDraft:
        """Return it as the port names it."""
        return ForgeDraft(self.id, self.note)
