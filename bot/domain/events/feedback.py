"""Events of what people do: comments, reactions, and looks at what became of ours."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from bot.domain.events.base import MergeRequestEvent, Stage
from bot.domain.watching import Why


class CommentPosted(MergeRequestEvent):
    """Somebody wrote a comment that may ask us for something; what it says is read from the forge."""

    kind = "comment.posted"
    stage = Stage.converse

    note_id: int = Field(gt=0)
    discussion_id: str = Field(pattern=r"^[0-9A-Za-z_-]{1,80}$")
    author_id: int = Field(gt=0)


class ReactionChanged(MergeRequestEvent):
    """Somebody reacted to a note with an emoji, or took that back."""

    kind = "reaction.changed"
    stage = Stage.feedback

    award_id: int = Field(gt=0)
    note_id: int = Field(gt=0)
    discussion_id: str = Field(
        default="", pattern=r"^[0-9A-Za-z_-]{0,80}$", description="empty where the hook does not say"
    )
    actor_id: int = Field(gt=0)
    actor_is_bot: bool = Field(default=False, description="as far as its name tells: the hook says no more")
    emoji: str = Field(pattern=r"^[0-9A-Za-z_+-]{1,100}$")
    added: bool = Field(description="false: taken back")
    at: AwareDatetime | None = Field(default=None, description="when it was added, by the forge's time")


class FeedbackExpected(MergeRequestEvent):
    """Something happened to a merge request after which it is worth while to look at our threads, soon."""

    kind = "feedback.expected"
    stage = Stage.feedback

    why: Why

    @property
    def discriminator(self) -> str:
        """Return the reason: one thing may be several."""
        return self.why.value


class FeedbackDue(MergeRequestEvent):
    """It is time to look at our threads of a merge request."""

    kind = "feedback.due"
    stage = Stage.feedback


class CommandTaken(MergeRequestEvent):
    """A command about one of our comments was carried out."""

    kind = "command.taken"
    stage = Stage.feedback

    command: str = Field(pattern=r"^[a-z_]{1,40}$", description="ignore or waive")
    fingerprint: str = Field(min_length=1, max_length=128)
    note_id: int | None = Field(
        default=None, gt=0, description="the note that asked; None: it came from elsewhere"
    )
    actor_id: int | None = Field(default=None, gt=0)

    @property
    def discriminator(self) -> str:
        """Return command and finding: one note may hold several commands."""
        return f"{self.command}:{self.fingerprint}"
