"""The database schema, declared once; migrations are proved equal to it.

The running service speaks plain SQL through asyncpg (see ``docs/decisions``); these models are the schema's
source for Alembic and its documentation. Each part of the product has a file of its own.
"""

from sqlmodel import SQLModel

from bot.adapters.tables.access import (
    ApiTokenRow,
    AuditEntry,
    LoginLink,
    WebSession,
)
from bot.adapters.tables.dashboards import (
    CommentKind,
    Forgotten,
    Project,
    ReleaseSeen,
    ReviewFact,
    Rollup,
    RollupBucket,
    RollupDue,
    RollupKind,
)
from bot.adapters.tables.feedback import Comment, FeedbackProject, FeedbackWatch, Signal, SignalsKept
from bot.adapters.tables.labels import CommentLabel, LabelDue, LabelRebuild, LearningOptOut
from bot.adapters.tables.log import (
    DeadLetter,
    DelayedEvent,
    Event,
    EventPartition,
    GroupMember,
    GroupOffset,
    Inbox,
    Reconciliation,
)
from bot.adapters.tables.models import (
    InstanceKey,
    ModelAnswer,
    ModelCall,
)
from bot.adapters.tables.noise import CommentVector, MuteEvent, NoisePass, Suppression
from bot.adapters.tables.reviews import (
    AnsweredComment,
    DeclinedFinding,
    FindingRow,
    MergeRequest,
    PolicyVersion,
    ReviewRun,
    Thread,
)
from bot.adapters.tables.verdicts import GateVerdict
from bot.adapters.tables.waivers import WaiverEvent

__all__ = [
    "AnsweredComment",
    "ApiTokenRow",
    "AuditEntry",
    "Comment",
    "CommentKind",
    "CommentLabel",
    "CommentVector",
    "DeadLetter",
    "DeclinedFinding",
    "DelayedEvent",
    "Event",
    "EventPartition",
    "FeedbackProject",
    "FeedbackWatch",
    "FindingRow",
    "Forgotten",
    "GateVerdict",
    "GroupMember",
    "GroupOffset",
    "Inbox",
    "InstanceKey",
    "LabelDue",
    "LabelRebuild",
    "LearningOptOut",
    "LoginLink",
    "MergeRequest",
    "ModelAnswer",
    "ModelCall",
    "MuteEvent",
    "NoisePass",
    "PolicyVersion",
    "Project",
    "Reconciliation",
    "ReleaseSeen",
    "ReviewFact",
    "ReviewRun",
    "Rollup",
    "RollupBucket",
    "RollupDue",
    "RollupKind",
    "Signal",
    "SignalsKept",
    "Suppression",
    "Thread",
    "WaiverEvent",
    "WebSession",
    "declared",
]


def declared(name: str | None, kind: str, _: object) -> bool:
    """Say whether a table is one of these, rather than a partition, which the database makes; for Alembic."""
    return kind != "table" or name in SQLModel.metadata.tables
