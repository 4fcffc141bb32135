"""What the core needs from outside, named by role.

Each protocol's docstrings are the contract that ``tests/contract`` checks on every adapter.
"""

from __future__ import annotations

from bot.ports.access import ApiTokens, Attempt, Sessions, SignIn
from bot.ports.audit_log import AuditLog
from bot.ports.clock import Clock
from bot.ports.feedback import Due, Feedback, Placed
from bot.ports.forge import (
    Aftermath,
    Approvals,
    Forge,
    ForgeUpdates,
    Jobs,
    MergeRules,
    People,
    Pipelines,
    Proposals,
)
from bot.ports.labels import Begun, DueLabels, History, LabelCount, Labels, LabelTurn, Place
from bot.ports.learning import Learning
from bot.ports.log import Delivery, EventLog, EventSink, OnRevoke, Outbox, Subscription, keep_all
from bot.ports.model import Answers, Audit, Embeddings, Model, ModelReply, ModelRequest
from bot.ports.noise import Fared, Mutes, Precedent, Precedents, Text
from bot.ports.policies import PolicyFiles, PolicyVersions
from bot.ports.reconciliations import Reconciliations, Turn
from bot.ports.runner import Command, Completed, RuleCopy, RuleSource, Runner
from bot.ports.sandbox import CHECKOUT, Sandbox, SandboxTree, Trial, Tried
from bot.ports.store import Start, StillHeld, Store, Transaction
from bot.ports.telemetry import Telemetry
from bot.ports.verdicts import Verdicts
from bot.ports.waivers import AsOfNow, WaiverBook
from bot.ports.workspaces import Blob, Occurrence, Occurrences, Workspaces

__all__ = [
    "CHECKOUT",
    "Aftermath",
    "Answers",
    "ApiTokens",
    "Approvals",
    "AsOfNow",
    "Attempt",
    "Audit",
    "AuditLog",
    "Begun",
    "Blob",
    "Clock",
    "Command",
    "Completed",
    "Delivery",
    "Due",
    "DueLabels",
    "Embeddings",
    "EventLog",
    "EventSink",
    "Fared",
    "Feedback",
    "Forge",
    "ForgeUpdates",
    "History",
    "Jobs",
    "LabelCount",
    "LabelTurn",
    "Labels",
    "Learning",
    "MergeRules",
    "Model",
    "ModelReply",
    "ModelRequest",
    "Mutes",
    "Occurrence",
    "Occurrences",
    "OnRevoke",
    "Outbox",
    "People",
    "Pipelines",
    "Place",
    "Placed",
    "PolicyFiles",
    "PolicyVersions",
    "Precedent",
    "Precedents",
    "Proposals",
    "Reconciliations",
    "RuleCopy",
    "RuleSource",
    "Runner",
    "Sandbox",
    "SandboxTree",
    "Sessions",
    "SignIn",
    "Start",
    "StillHeld",
    "Store",
    "Subscription",
    "Telemetry",
    "Text",
    "Transaction",
    "Trial",
    "Tried",
    "Turn",
    "Verdicts",
    "WaiverBook",
    "Workspaces",
    "keep_all",
]
