"""What the core needs from outside, named by role.

Each protocol's docstrings are the contract that ``tests/contract`` checks on every adapter.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from bot.domain.diff import Diff
from bot.domain.events import Event, Record
from bot.domain.findings import Finding
from bot.domain.forge import (
    ForgeDiscussion,
    ForgeDraft,
    ForgeMember,
    ForgeMergeRequest,
    ForgeNote,
    ForgeReports,
    ForgeUser,
    Proposal,
    Proposed,
    UpdatedPage,
)
from bot.domain.history import History
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.missed import Known
from bot.domain.records import AnsweredComment, Declined, MergeRequestState, ModelCallRecord, ThreadRecord
from bot.domain.run import Run


class Clock(Protocol):
    """Tell the time, so that tests can."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Hold one file's bytes, or only its size when it is larger than was asked for."""

    size: int
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Hold one line of a file that holds a name; ``line`` is 1-based."""

    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Hold where names stand, and why that may not be everywhere; ``missing`` is empty if it is."""

    lines: tuple[Occurrence, ...] = ()
    missing: str = ""


OnRevoke = Callable[["Subscription"], Awaitable[None]]


async def keep_all(subscription: Subscription) -> None:
    """Do nothing before partitions go to other members."""


class EventSink(Protocol):
    """Keep events durably."""

    async def append(self, records: Sequence[Record]) -> int:
        """Store *records* durably, each after all earlier ones of its key; return how many were new.

        Returning means that a crash cannot lose them. A record that was appended before may be handed out
        once more, and the store's inbox recognises it; a log that cannot tell counts it as new. A record
        with ``due_at`` is handed out soon after that time, not before.

        Raises:
            Transient: the log is out of reach; appending again is safe.
            Permanent: the log refuses a record, e.g. for its size; the others may have been stored.
        """


class EventLog(EventSink, Protocol):
    """Keep events durably and hand them out in order of their key.

    A stage's topic is split into partitions by key; offsets grow within a partition, with gaps. One
    consumer group reads each topic, and each partition belongs to at most one member of the
    group at a time.
    """

    def history(self, stage: str, since: datetime, until: datetime | None = None) -> AsyncIterator[Record]:
        """Yield what was appended to *stage* at or after *since* and before *until*, each key in order.

        The end is fixed when the iteration begins: what is appended later, by its reader too, is left out.
        The time that counts is the log's own, of the append. A record that was held back counts from when it
        was due, comes without ``due_at``, and does not come before. Otherwise records come as they were
        appended, retries with their ``attempt`` included; one may come more than once.

        Reading joins no group, moves no offset and holds a bounded number of records, however long the range.
        What cannot be read as a record is left out and logged as ``delivery.unreadable``.

        Raises:
            Transient: the log is out of reach; what was yielded until then stands.
        """

    def subscribe(self, group: str, stage: str, *, on_revoke: OnRevoke = keep_all) -> Subscription:
        """Return a membership of *group* in the topic of *stage*; reading starts at the committed offsets.

        *on_revoke* is awaited with the subscription before partitions may go to other members while records
        of them are in our hands. What is committed until it returns is not handed out again.
        """


class Outbox(EventSink, Protocol):
    """Keep events in the store, together with the rows that they belong to, until they are in the event log."""

    def unshipped(self, group: str) -> Subscription:
        """Return a membership of *group* in all topics at once; what it commits counts as shipped."""


class Subscription(Protocol):
    """Read one topic as a member of a group; use as an async context manager."""

    async def __aenter__(self) -> Subscription:
        """Join the group."""

    async def __aexit__(self, *exc_info: object) -> None:
        """Leave the group at once, so that other members take over."""

    async def poll(self, *, max_records: int, timeout_s: float) -> list[Delivery]:
        """Return the next records of the partitions that are ours, waiting up to *timeout_s* for the first.

        Records of one partition come in offset order and are not handed out twice while the partition stays
        ours. What cannot be read comes as a record of the kind ``unreadable``.

        Raises:
            Transient: the log is out of reach.
        """

    async def commit(self, offsets: Mapping[int, int]) -> None:
        """Remember per partition the next offset to read after a restart; partitions lost meanwhile are skipped."""

    def owned(self) -> Mapping[int, int]:
        """Return the partitions that are ours, each with an epoch that grows whenever we gain it anew."""

    async def lag(self) -> int:
        """Return how many records of our partitions were not handed out yet, or "many" as 10,000.

        Raises:
            Transient: the log is out of reach.
        """

    @property
    def settled(self) -> bool:
        """Say whether it is certain who owns what; while it is not, nothing new should be started."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Hold one record as handed out, and where it stands in the log."""

    partition: int
    offset: int
    epoch: int
    record: Record


class Transaction(Protocol):
    """Change the store; everything becomes visible at once, or nothing does."""

    async def merge_request(self, ref: MergeRequestRef) -> MergeRequestState:
        """Return the state of *ref*, made if new and locked until the end of the transaction."""

    async def save_merge_request(self, state: MergeRequestState) -> None:
        """Replace the state of a merge request that this transaction has locked."""

    async def run(self, run_id: uuid.UUID) -> Run:
        """Return a run, locked until the end of the transaction.

        Raises:
            Permanent: there is no such run.
        """

    async def save_run(self, run: Run) -> None:
        """Store a run, new or changed."""

    async def replace_findings(self, run_id: uuid.UUID, step: str, findings: Sequence[Finding]) -> None:
        """Store what a step found, instead of what an earlier try of it found."""

    async def findings(self, run_id: uuid.UUID) -> dict[str, list[Finding]]:
        """Return the findings of a run by step; once the run is locked nobody else changes them."""

    async def save_threads(self, ref: MergeRequestRef, threads: Sequence[ThreadRecord]) -> None:
        """Store threads by fingerprint, new or changed."""

    async def decline(self, ref: MergeRequestRef, declined: Sequence[Declined]) -> None:
        """Remember for the project of *ref* what somebody on it does not want to hear of.

        What was said on *ref* before stays as it was, its end included, unless a reason is given now.
        """

    async def undecline(self, ref: MergeRequestRef, fingerprints: Collection[str]) -> None:
        """Forget what was declined on *ref* itself."""

    async def add_answered(self, ref: MergeRequestRef, comment: AnsweredComment) -> None:
        """Remember that a comment was acted on.

        Raises:
            Obsolete: it was before; nothing of this transaction is written.
        """

    async def add_model_calls(self, calls: Sequence[ModelCallRecord]) -> None:
        """Store audit rows; a row whose id is known already stays as it is."""

    def emit(self, event: Event, *, delay: timedelta = timedelta()) -> None:
        """Append *event* to the log together with this transaction, to be handed out after *delay*."""


@dataclass(frozen=True, slots=True)
class Start:
    """Say what the inbox knows of a delivery that is about to be handled."""

    done: bool
    crashes: int


#: Raise `Transient` when a lock that was taken is not held any more.
StillHeld = Callable[[], Awaitable[None]]


class Store(Protocol):
    """Remember runs, findings and what was posted.

    Every method raises ``Transient`` when the store is out of reach.
    """

    async def start(self, group: str, event_id: uuid.UUID, failures: int) -> Start:
        """Count a start of handling *event_id* by *group*, before the work, so that a crash leaves a trace.

        *failures* is how often the handling failed in an orderly way; the other starts were crashes, unless the
        process that started it before still lives.
        """

    async def unstart(self, group: str, event_id: uuid.UUID) -> None:
        """Take back a start that was broken off in an orderly way, as at shutdown."""

    def commit(self, group: str, parent: Record) -> AbstractAsyncContextManager[Transaction]:
        """Open the one transaction that ends the handling of *parent*: rows, inbox mark and emitted events.

        Raises:
            Obsolete: the inbox says that *parent* was handled meanwhile; nothing is written.
        """

    async def park(self, group: str, record: Record, *, attempts: int, error: str, reason: str) -> None:
        """Store a dead letter and mark the event as handled."""

    async def run(self, run_id: uuid.UUID) -> Run:
        """Return a run as it is now.

        Raises:
            Permanent: there is no such run.
        """

    async def is_current(self, run: Run) -> bool:
        """Say whether *run* still reviews the newest head of its open merge request."""

    async def merge_request(self, ref: MergeRequestRef) -> MergeRequestState:
        """Return what is known of a merge request, empty when nothing is."""

    async def findings(self, run_id: uuid.UUID) -> dict[str, list[Finding]]:
        """Return the findings of a run by step."""

    async def threads(self, ref: MergeRequestRef) -> dict[str, ThreadRecord]:
        """Return the threads of a merge request by fingerprint."""

    async def declined(self, ref: MergeRequestRef) -> Mapping[str, Declined]:
        """Return by fingerprint what people have declined in the project of *ref*, as far as it still counts."""

    async def last_reviewed(self, ref: MergeRequestRef) -> Run | None:
        """Return the newest run of *ref* whose model review ended well, at least in part; None if there is none."""

    async def was_answered(self, ref: MergeRequestRef, note_id: int) -> bool:
        """Say whether a comment was acted on."""

    async def answered_since(self, ref: MergeRequestRef, since: datetime) -> int:
        """Return how many comments of *ref* were acted on since then."""

    async def mark_posting(self, ref: MergeRequestRef, threads: Sequence[ThreadRecord] = ()) -> None:
        """Remember, at once, that drafts may exist from now on, and the *threads* that they are to become.

        A saved state with ``posting=False`` ends it.
        """

    def exclusive(self, ref: MergeRequestRef) -> AbstractAsyncContextManager[StillHeld]:
        """Hold the one lock under which *ref* may be written to, across processes.

        It is lost when the store loses sight of us, as when this process was frozen for a while. The yielded check
        is to be awaited right before anything that people see.

        Raises:
            Transient: another process holds it; from the check: it is not ours any more.
        """

    async def secret(self, name: str) -> bytes:
        """Return 32 random bytes kept under *name*, made at first use and the same for every process."""


class Workspaces(Protocol):
    """Give access to the code of a merge request without a check-out."""

    async def fetch(self, revision: Revision) -> None:
        """Make the commits of *revision* available locally; repeating it is cheap.

        Raises:
            Transient: the forge is out of reach or the commit has not arrived yet.
            Permanent: access is denied, or the repository is larger than the operator allows.
        """

    async def diff(self, revision: Revision) -> Diff:
        """Return the exact diff from base to head, renames detected as GitLab detects them.

        Raises:
            Transient: the revision is not there and could not be fetched.
        """

    async def commits(self, revision: Revision) -> History:
        """Return what each commit adds that the branch of *revision* has and the target branch lacks.

        A merge counts for what it adds itself: lines that none of its parents has. It is bounded; ``missing`` says
        what was left out, and files over a limit are ``truncated``.

        Raises:
            Transient: the revision is not there and could not be fetched.
        """

    async def read(
        self, revision: Revision, paths: Sequence[str], *, side: str = "head", max_bytes: int = 1_000_000
    ) -> Mapping[str, Blob]:
        """Return the files at *side* (``head``, ``base`` or ``start``); missing and non-regular ones are left out.

        A file over *max_bytes* comes without its content.
        """

    async def search(
        self, revision: Revision, names: Sequence[str], *, limit_s: float = 5.0, max_bytes: int = 500_000
    ) -> Occurrences:
        """Return the lines of text files at the head that hold one of *names* as a whole word.

        It stops after *limit_s* and *max_bytes* of lines; a line of more than 500 characters is clipped. ``missing``
        says that it stopped, or that this way to the code cannot search. What is no identifier is not looked for.

        Raises:
            Transient: the revision is not there and could not be fetched.
        """

    async def paths(self, revision: Revision, *, side: str = "head") -> frozenset[str]:
        """Return the paths of all regular files at *side*; those whose names are not text are left out.

        Raises:
            Permanent: there are more than 200,000.
        """


@dataclass(frozen=True, slots=True)
class Command:
    """Describe one run of an external tool in a private directory.

    ``argv[0]`` is an absolute path. ``files`` are written below the directory that becomes the working
    directory (relative paths, forward slashes, never leaving it); the tool sees no other input.
    ``waits_for`` names one of them that the tool opens, once, before any other: a runner may start the tool
    before the files are known and let it wait there.

    Besides system libraries it may read and run only what ``reads`` names, with all below; it starts no process
    unless it ``forks``; it writes nothing unless ``scratch_bytes`` grants room in its temporary directory.
    """

    argv: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    limit_s: float = 30.0
    memory_bytes: int = 2_000_000_000
    output_bytes: int = 20_000_000
    waits_for: str = ""
    reads: tuple[str, ...] = ()
    forks: bool = False
    scratch_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Completed:
    """Hold what a tool left behind; ``stdout`` is cut at the command's ``output_bytes``."""

    returncode: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False
    output_cut: bool = False


@dataclass(frozen=True, slots=True)
class RuleCopy:
    """Hold a directory with rules; ``version`` changes whenever they do."""

    directory: Path
    version: str


class RuleSource(Protocol):
    """Provide rules that an organisation keeps."""

    @property
    def name(self) -> str:
        """Return what the operator calls it."""

    async def last(self) -> RuleCopy | None:
        """Return the copy on this machine, without asking anybody; None if there never was one."""

    async def refresh(self) -> RuleCopy:
        """Bring the copy up to date and return it. A directory handed out before stays usable until the next call.

        Raises:
            Transient: the source is out of reach; the last copy stands.
            Permanent: it does not exist, or cannot be used; the message says what to do.
        """


class Runner(Protocol):
    """Run external tools on hostile input."""

    async def run(self, command: Command) -> Completed:
        """Run *command* with an empty environment and all limits, without network, other files and processes.

        What the platform cannot enforce is logged once. The whole process group is killed at ``limit_s`` and when the caller is cancelled. A failing tool is
        a result, not an exception. A process serves one run, and its limits count from the call.

        Raises:
            Permanent: the program is not installed.
        """


@dataclass(frozen=True, slots=True)
class Trial:
    """Describe one run of a program on a project's files in the sandbox.

    ``argv[0]`` is found in the sandbox's search path; the working directory is the root of the files, which
    nobody can change. ``changed`` replaces files for this run, None takes one away. ``memory_bytes`` bounds each
    process and all of them together. What the program writes to ``/report`` is handed back, all else it writes
    is lost.
    """

    argv: tuple[str, ...]
    changed: Mapping[str, bytes | None] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    limit_s: float = 60.0
    memory_bytes: int = 1_500_000_000
    scratch_bytes: int = 300_000_000
    processes: int = 256
    output_bytes: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Tried:
    """Hold what a run left behind; ``ended`` names the limit that ended it: time, memory, processes or output."""

    returncode: int
    stdout: bytes
    stderr: bytes
    report: bytes
    duration_s: float
    ended: str = ""


class SandboxTree(Protocol):
    """Run programs on the files that a sandbox holds."""

    async def run(self, trial: Trial) -> Tried:
        """Run *trial*, one at a time; every process of it is dead when this returns, or when it is cancelled.

        The program sees the files, the system's programs, and the directories that the operator has named: no
        other file, no process, no network, no variable of ours. A failing program is a result.
        """


class Sandbox(Protocol):
    """Execute code that nobody has looked at."""

    def holding(self, files: Mapping[str, bytes]) -> AbstractAsyncContextManager[SandboxTree]:
        """Hold *files* (relative paths, never leaving the root) for as many runs as the block makes.

        Raises:
            Permanent: there are too many of them, or a path leaves the root.
        """

    async def problem(self) -> str:
        """Return why nothing can be executed on this machine and what to do, empty if something can."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """Ask the model once; the answer must match *schema* (JSON Schema)."""

    system: str
    prompt: str
    schema: Mapping[str, Any]
    max_output_tokens: int = 2048
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ModelReply:
    """Hold a whole, finished answer and what it cost.

    ``first_token_s`` is how long the server was silent, which is mostly how long it read. Thoughts are not in the
    text, but took time.
    """

    text: str
    model: str
    digest: str
    prompt_tokens: int
    output_tokens: int
    duration_s: float
    first_token_s: float = 0.0
    thought_chars: int = 0


class Model(Protocol):
    """Answer prompts inside the building."""

    @property
    def name(self) -> str:
        """Return the configured model name."""

    @property
    def window_tokens(self) -> int:
        """Return how many tokens prompt and answer may take together."""

    def estimate_tokens(self, text: str) -> int:
        """Return a cautious (never too small) estimate of the tokens in *text*."""

    async def identity(self) -> str:
        """Return what decides an answer besides the request: the model as it is, its window, its sampling.

        ``window_tokens`` is final once this has returned. An answer may be kept and given again while this stays
        the same, as far as the server tells one model from another.

        Raises:
            Transient: the server is out of reach.
            Permanent: as ``answer``.
        """

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Return a complete answer.

        Raises:
            Transient: busy, out of reach, stalled, or the answer broke off; another try may work.
            Permanent: the prompt does not fit, the model is not there, or the server is unsafe to use. The
                message says what to do, e.g. which ``ollama pull`` to run.
        """


class Answers(Protocol):
    """Remember what models answered. Losing an answer costs time only, so no method raises."""

    async def find(self, key: str) -> ModelReply | None:
        """Return the answer that was kept under *key*, None if there is none."""

    async def keep(self, key: str, reply: ModelReply) -> None:
        """Remember *reply* under *key*; the first one that is kept stays."""


class Embeddings(Protocol):
    """Turn texts into vectors inside the building, so that texts with a similar meaning are near each other."""

    @property
    def name(self) -> str:
        """Return the configured model name."""

    async def identity(self) -> str:
        """Return what decides a vector besides the text; vectors of different identities cannot be compared.

        Raises:
            Transient: the server is out of reach.
            Permanent: as ``embed``.
        """

    async def dimension(self) -> int:
        """Return how many numbers a vector has; the model is asked once.

        Raises:
            Transient: as ``embed``.
            Permanent: as ``embed``.
        """

    async def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Return one vector of length 1 for each of *texts*, in their order; a text is never cut.

        Raises:
            Transient: busy, out of reach or broken; another try may work.
            Permanent: a text is too long, the model is not there, it makes no embeddings, or the server is unsafe.
        """


class Forge(Protocol):
    """Talk to GitLab about one merge request.

    Every method raises ``Transient`` when GitLab is out of reach, busy or broken (with
    ``outcome_unknown=True`` for writes that may have happened) and ``Permanent`` when access is denied or
    the thing does not exist.
    """

    async def whoami(self) -> ForgeUser:
        """Return our own account; cached for the life of the adapter."""

    async def merge_request(self, ref: MergeRequestRef) -> ForgeMergeRequest:
        """Return the merge request as it is now, its revision from ``diff_refs`` or else the newest version."""

    async def discussions(self, ref: MergeRequestRef) -> list[ForgeDiscussion]:
        """Return all discussions, every page of them, plain comments included."""

    async def discussion(self, ref: MergeRequestRef, discussion_id: str) -> ForgeDiscussion:
        """Return one discussion, notes in order.

        Raises:
            Refused: it is gone, or we may not see it.
        """

    async def drafts(self, ref: MergeRequestRef) -> list[ForgeDraft]:
        """Return our own draft notes."""

    async def create_draft(
        self, ref: MergeRequestRef, body: str, position: Mapping[str, Any] | None
    ) -> ForgeDraft:
        """Store a draft note, visible only to us until it is published.

        Raises:
            PositionRefused: GitLab does not accept *position*.
        """

    async def delete_draft(self, ref: MergeRequestRef, draft_id: int) -> None:
        """Delete a draft note; one that is gone already is fine."""

    async def publish_drafts(self, ref: MergeRequestRef) -> None:
        """Publish all our drafts of *ref* in one step.

        Raises:
            PositionRefused: GitLab cannot publish its ``drafts``, which are deleted; all others are published.
        """

    async def create_note(self, ref: MergeRequestRef, body: str) -> ForgeNote:
        """Post a plain comment, which never blocks a merge."""

    async def reply(self, ref: MergeRequestRef, discussion_id: str, body: str) -> ForgeNote:
        """Add a note to a discussion, at once and for everybody to see.

        A thread that was resolved stays so. A plain comment becomes a thread that can be resolved, which may
        block a merge until somebody does.

        Raises:
            Refused: the discussion is gone.
        """

    async def edit_note(self, ref: MergeRequestRef, note_id: int, body: str) -> None:
        """Replace the body of our plain comment.

        Raises:
            Refused: the note is gone.
        """

    async def resolve(self, ref: MergeRequestRef, discussion_id: str, *, resolved: bool = True) -> None:
        """Resolve a discussion, or open it again; doing so twice is fine."""

    async def set_status(
        self, merge_request: ForgeMergeRequest, sha: str, state: str, description: str
    ) -> None:
        """Set our commit status on *sha*: ``pending``, ``running``, ``success``, ``failed`` or ``canceled``.

        Setting the state that is already there is fine.
        """


class People(Protocol):
    """Tell who somebody is and what they may do, as of now; raises what `Forge` raises."""

    async def member(self, project_id: int, user_id: int) -> ForgeMember:
        """Return the account and its access to the project, inherited access included.

        It is 0 for strangers, for memberships that have ended, and for accounts that cannot sign in.

        Raises:
            Refused: there is no such account.
        """

    async def may_push(self, merge_request: ForgeMergeRequest, user_id: int) -> bool:
        """Say whether the account may push to the source branch; False where we cannot see that it may."""


class ForgeUpdates(Protocol):
    """List what happened on the forge lately, whatever the merge request; raises what `Forge` raises."""

    async def updated_since(self, since: datetime, *, page: int = 1) -> UpdatedPage:
        """Return a page of the merge requests that we can see, updated at or after *since*, the oldest update first.

        The list moves while it is read: an update takes a merge request from its place to the end. Going on from
        the time of the last one misses none; the next *page* is for more of one time than fit on a page.
        """

    async def our_projects(self) -> frozenset[int]:
        """Return the projects that we are a member of, with a role that is enough for a review."""


class Pipelines(Protocol):
    """Read what the project's own pipelines leave behind; raises what `Forge` raises."""

    async def reports(
        self, ref: MergeRequestRef, head_sha: str, *, job: str, paths: Sequence[str], max_bytes: int
    ) -> ForgeReports:
        """Return the files *paths* that the job named *job* has kept for *head_sha*, or why there are none yet.

        The jobs of a parallel one all count. What is larger than *max_bytes* is a problem, not a file.
        """


class Proposals(Protocol):
    """Propose changes to a merge request's source branch; raises what `Forge` raises."""

    async def propose(self, ref: MergeRequestRef, proposal: Proposal) -> Proposed:
        """Make the branch and a merge request of it, and return that.

        A branch that is there stays as it is, and so does a merge request of it in whatever state: doing so
        twice makes nothing new.

        Raises:
            Refused: we may not push to the project, or the commit cannot be made.
        """


class Turn(Protocol):
    """Hold the right to make a pass of the reconciler, for as long as it was lent."""

    @property
    def updated_after(self) -> datetime:
        """Return the cursor: everything updated before it was compared."""

    async def move(self, updated_after: datetime, *, pause: timedelta) -> None:
        """Move the cursor, and let nobody else make a pass for *pause*; this turn goes on meanwhile.

        Raises:
            Obsolete: it had been over, and somebody else has his turn; the cursor stays.
        """


class Reconciliations(Protocol):
    """Remember how far the forge was compared with the store, and what the store knows.

    Every method raises ``Transient`` when the store is out of reach.
    """

    async def claim(self, instance: str, *, lease: timedelta, first: timedelta) -> Turn | None:
        """Return a turn of *lease*, None while no pass is due; of all who ask, one gets it.

        The first cursor is *first* ago. No clock but the store's counts.
        """

    async def known_projects(self, instance: str, projects: Collection[int]) -> frozenset[int]:
        """Return those of *projects* that ever had an event."""

    async def known(self, refs: Sequence[MergeRequestRef]) -> Mapping[MergeRequestRef, Known]:
        """Return what is known of those of *refs* that ever had an event."""


class Telemetry(Protocol):
    """Make the work visible: spans and metrics, never payloads, source or tokens."""

    def span(
        self, name: str, *, parent: Mapping[str, str] | None = None, **attributes: str | int | float
    ) -> AbstractContextManager[None]:
        """Measure a piece of work; *parent* is the trace context that came with an event."""

    def trace_context(self) -> dict[str, str]:
        """Return the trace context of the running span, to travel with an event."""

    def count(self, metric: str, value: int = 1, **labels: str) -> None:
        """Add to a counter of ``bot.runtime.metrics``."""

    def observe(self, metric: str, value: float, **labels: str) -> None:
        """Record a value in a histogram of ``bot.runtime.metrics``."""

    def gauge(self, metric: str, value: float, **labels: str) -> None:
        """Set a gauge of ``bot.runtime.metrics``."""
