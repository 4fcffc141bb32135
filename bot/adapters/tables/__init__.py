"""The database schema, declared once; migrations are proved equal to it.

The running service speaks plain SQL through asyncpg (see ``docs/decisions``); these models are the schema's
source for Alembic and its documentation. Each part of the product has a file of its own.
"""

from bot.adapters.tables.access import (
    ApiTokenRow,
    AuditEntry,
    LoginLink,
    WebSession,
)
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
    "DeadLetter",
    "DeclinedFinding",
    "DelayedEvent",
    "Event",
    "EventPartition",
    "FindingRow",
    "GateVerdict",
    "GroupMember",
    "GroupOffset",
    "Inbox",
    "InstanceKey",
    "LoginLink",
    "MergeRequest",
    "ModelAnswer",
    "ModelCall",
    "PolicyVersion",
    "Reconciliation",
    "ReviewRun",
    "Thread",
    "WaiverEvent",
    "WebSession",
]
