"""Our texts in English."""

from __future__ import annotations

from typing import Final

from bot.domain.commands import Verb
from bot.domain.findings import Confidence, Severity
from bot.domain.policy import Role
from bot.domain.risk import Ground, Level
from bot.domain.waiving import Said
from bot.domain.wording.phrases import Phrases
from bot.domain.wording.texts import (
    CommentText,
    Counted,
    Fate,
    ProofText,
    RiskText,
    SummaryText,
    Talk,
    Wording,
)

_TALK: Final = Talk(
    on_comment="Answer to [a comment]({url}):",
    does={
        Verb.review: "review the whole merge request again, also while paused",
        Verb.explain: "explain the finding of this thread; a question may follow",
        Verb.fix: "propose a fix for the finding of this thread",
        Verb.test: "write unit tests for the changed code; with `--commit` as a merge request of their own",
        Verb.ignore: "never raise the finding of this thread again; a reason may follow",
        Verb.resolve: "resolve this thread",
        Verb.waive: "let a finding that blocks pass for a while, or ask for that: `waive [finding] until DAY because REASON`",
        Verb.unwaive: "take a waiver back, or the request for one: `unwaive [finding]`",
        Verb.pause: "stop reviewing new commits of this merge request",
        Verb.resume: "review new commits again",
        Verb.help: "show this table",
    },
    roles={
        Role.reporter: "Reporter",
        Role.developer: "Developer",
        Role.maintainer: "Maintainer",
        Role.owner: "Owner",
        Role.nobody: "nobody",
    },
    states={"closed": "closed", "merged": "merged", "locked": "being merged"},
    or_participant=", or takes part in this merge request",
    help="A line of a comment that begins with {name} and a command is for me:",
    help_head="| Command | What I do | Who may: at least |",
    unknown="I do not know {words}. {help} lists the commands.",
    needs_role="{command} needs at least the role {role} in this project.",
    switched_off="{command} is switched off in this project.",
    too_many="More than {limit} comments in an hour asked for something here, so I stop answering for a while.",
    not_open="This merge request is {state}: {command} does nothing any more.",
    needs_thread="{command} is about one finding: give it in a reply in my thread on that finding.",
    forgotten="{command} is not possible here: I do not remember the finding of this thread. {review} finds it again.",
    reviewing="I review {sha} again, all of it.",
    resolved="Resolved.",
    resolved_before="The thread is resolved already.",
    ignored="Noted: this finding is not raised again.",
    ignored_because="Noted: this finding is not raised again. Reason: {reason}",
    not_resolved="GitLab does not let me resolve this thread; please do it yourself.",
    paused="Paused: I review new commits only when asked with {review}, until {resume}.",
    paused_status="paused; review or resume is asked for in a comment",
    paused_before="It is paused already.",
    resumed="I review new commits again, and what has come in the meantime.",
    resumed_before="It is not paused.",
    testing="I write tests for the changed code; they follow in this thread or in a comment.",
    testing_off="Unit tests are switched off in this project.",
    may_not_push="{command} needs an account that may push to the source branch.",
    no_model="{command} needs a language model, and none is configured.",
    model_failed="The model could not answer {command}: {reason}",
    no_code="{command} is not possible: the code of this finding is not there any more.",
    no_run="{command} needs a review of the newest commit, and there is none yet. {review} asks for one.",
    edited="{command} does not count in an edited comment: maintainers may edit those of others. Please write a new one.",
    no_fix="I have no fix that I am sure of.",
    fix_by_hand="Possible change, to be made by hand because {reason}:",
    fix_offered="Suggested change:",
    checked="Checked: {evidence}.",
    waiving={
        Said.granted: "Granted: {finding} passes the gate until {until}. Reason: {reason}",
        Said.asked: (
            "Noted: a waiver for {finding} until {until} is asked for. Somebody with at least the role {role} grants it"
            " with {grant}."
        ),
        Said.asked_second: (
            "Noted: a waiver for {finding} until {until} is asked for. This project wants two people: another one with at"
            " least the role {role}, who has no hand in the code, grants it with {grant}."
        ),
        Said.withdrawn: "Taken back: {finding} is not waived any more.",
        Said.form: "I do not understand this. Write {form}.",
        Said.day: "I need the day until which it shall pass, as in {form}; so many days or weeks will do too.",
        Said.past: "{until} is over. Name a day that is still to come.",
        Said.too_far: "{until} is too far away: this project allows {days} days at most.",
        Said.no_reason: "I need a reason, as in {form}.",
        Said.short_reason: "The reason is too short: this project wants at least {chars} characters.",
        Said.which: "Which finding? Name it, or answer in its thread.",
        Said.unknown: "{named} is none of the findings here.",
        Said.ambiguous: "{named} may mean several findings; write more of the name.",
        Said.not_blocking: "{finding} does not block, so there is nothing to waive.",
        Said.never: "{finding} cannot be waived: the policy of this project forbids it.",
        Said.nothing: "There is no waiver to take back.",
        Said.needs_role: "This needs at least the role {role} in this project.",
        Said.switched_off: "Waivers are switched off in this project.",
    },
)

_COMMENT: Final = CommentText(
    headline="**{severity}: {title}**",
    suggested="Suggested change:",
    by_hand="Possible change, to be made by hand because {reason}:",
    removal="Possible change, to be made by hand because {reason}: remove {lines}.",
    line="line {first}",
    lines="lines {first} to {last}",
    checked="Checked: {evidence}.",
    test="A test that should show it, as the model wrote it; it was not run",
    see="See {references}.",
    and_=" and ",
    confidence="confidence {confidence}",
    source="{source}. {how_to_answer}",
    how_to_answer="Intended or wrong? Resolve this thread, and it is not raised again.",
    asks=(
        "A comment in the code asks to ignore this. It does not open the gate: somebody who may grants that here with"
        " {command}."
    ),
)

_SUMMARY: Final = SummaryText(
    passed="**No blocking findings.**",
    blocked=Counted(
        "**Blocked by {count} finding.** The first: {first}.",
        "**Blocked by {count} findings.** The first: {first}.",
    ),
    remedy=Counted(
        "Mend it, or comment {command} to let it pass for a while, or to ask for that.",
        "Mend them, or comment {command} to let one pass for a while, or to ask for that.",
    ),
    exceeded="**Blocked: the change is beyond the limits of the policy.** {limits}. Split it into smaller ones.",
    undecided="**Not decided.** No answer from: {steps}.",
    unread=Counted(
        "**Not decided.** {count} changed file could not be read; split the change, or leave the file out of it.",
        "**Not decided.** {count} changed files could not be read; split the change, or leave them out of it.",
    ),
    failed="**The review could not be carried out.**",
    try_again="Comment {review} to have it tried again.",
    left_out="**Not reviewed yet.** The policy leaves drafts out until they are marked as ready.",
    paused="Paused: new commits are reviewed only when somebody asks with {review}, until {resume}.",
    pending="Not finished yet: {steps}. This note will be updated.",
    nothing="Nothing to report.",
    risk="Risk: {level}{reasons}.",
    inline="Commented in the diff ({count})",
    resolved_at_once="Threads that need not keep this from being merged are resolved at once; open one again to talk about it.",
    withheld="Not said, because people here rejected the like ({count})",
    withheld_hint="The gate counts these all the same. A maintainer can have them said again: on the page *Noise* of"
    " Cloister, or by the policy's section `noise`.",
    shadowed="Would block if their rules did more than record ({count})",
    listed="Not commented in the diff ({count}):",
    waived="Waived ({count}):",
    waived_hint="{command} takes a waiver back.",
    asked="Waivers asked for ({count}):",
    asked_hint="Who may grant one comments {command}.",
    suppressed="Suppressed by a comment in the code ({count}); check that this is intended:",
    skipped="Skipped:",
    ask_again=(
        "The model has not reviewed this. Comment {review} to have it asked again; if it fails again, the operator finds"
        " the cause with {check}."
    ),
    not_reviewed="Not reviewed ({count}):",
    coverage="Coverage: {reviewed} of {files} reviewed",
    reviewed_by="Reviewed by",
    in_prompts=Counted("model in {count} prompt", "model in {count} prompts"),
    unchanged="model before",
    unchanged_note="What has not changed since {sha} was reviewed by the model before; its findings still count.",
    problems="Problems:",
    changes="Changes ({count})",
    more="and {count} more",
    severity="Severity",
    place="Place",
    finding="Finding",
    name="Name",
    why="Why",
    file="File",
    lines="Lines",
    what="What changes",
    nameless="a file without a visible name",
    reviewed="Reviewed {sha}",
    files=Counted("{count} file", "{count} files"),
    added_lines=Counted("{count} added line", "{count} added lines"),
    tokens="{count} tokens",
    seconds="{count} s",
    comma=", ",
    colon=": ",
    stop=".",
    status_failed="the review could not be carried out; see the summary",
    status_blocked=Counted("{count} blocking finding", "{count} blocking findings"),
    status_exceeded="the change is beyond the limits of the policy; see the summary",
    status_undecided="not decided: no answer from {steps}",
    status_unread=Counted(
        "not decided: {count} changed file could not be read",
        "not decided: {count} changed files could not be read",
    ),
    status_draft="a draft: it is reviewed when it is marked as ready",
    status_waiting="waiting for {steps}",
    status_passed="no blocking findings",
    status_waived=Counted(
        "no blocking findings; {count} is waived", "no blocking findings; {count} are waived"
    ),
)

_RISK: Final = RiskText(
    levels={Level.low: "low", Level.medium: "medium", Level.high: "high"},
    reasons={
        Ground.grave_findings: Counted("{count} grave finding", "{count} grave findings"),
        Ground.findings: Counted("{count} finding of medium severity", "{count} findings of medium severity"),
        Ground.size: Counted("{count} changed line", "{count} changed lines"),
        Ground.files: Counted("{count} file", "{count} files"),
        Ground.sensitive: Counted("touches access or secrets", "touches access or secrets in {count} files"),
        Ground.data: Counted("changes stored data", "changes stored data in {count} files"),
        Ground.pipeline: Counted("changes pipelines or deployment", "changes pipelines or deployment"),
        Ground.dependencies: Counted("changes dependencies", "changes dependencies"),
        Ground.untested: Counted("code changes without tests", "code changes in {count} files without tests"),
        Ground.unread: Counted("{count} file was not reviewed", "{count} files were not reviewed"),
    },
)

_FATE: Final = Fate(
    fixed="Fixed: not found any more in {sha}.",
    back="Found again in {sha}.",
    matters="**Why it matters here:** {explanation}",
    waived="Waived until {until} by {who}: {reason}",
    unwaived="Not waived any more: it blocks again.",
)

_TESTS: Final = ProofText(
    title="**Unit tests for {names}** ({framework})",
    not_executed="Not executed: {reason}. Its syntax was checked.",
    not_tried="it was not tried",
    passed=Counted(
        "Ran in the sandbox: {count} test passed on the head in {seconds} s, twice",
        "Ran in the sandbox: {count} tests passed on the head in {seconds} s, twice",
    ),
    unsteady="Does not work: it passed once and failed once on the same code ({detail}).",
    failed=Counted(
        "Does not work: {count} test ran on the head and failed ({detail}).",
        "Does not work: {count} tests ran on the head and some failed ({detail}).",
    ),
    broken="Does not work: it could not be run on the head ({detail}).",
    no_detail="no reason was given",
    fails_on_base="fails on the base, so it notices the change",
    passes_on_base="passes on the base too, so it does not notice the change",
    broken_on_base="cannot be run on the base, which lacks what it tests",
    killed="notices {killed} of {mutants} defects put into the code on purpose",
    survived=", not: {survivor}",
    also="; ",
    stop=".",
    comma=", ",
    nothing="No unit tests were written: {reason}.",
    nothing_for="No unit tests for {names} were written: {reason}.",
    apply="Save the patch as a file and use `git apply`.",
    apply_or_ask=(
        "Save the patch as a file and use `git apply`, or ask for a merge request with the option `--commit`."
    ),
    proposed="What passed is proposed as a merge request into the source branch: {url}",
    not_proposed="Not proposed as a merge request, because {reason}.",
    proposal="Unit tests for !{iid}",
    proposal_text=(
        "Unit tests for !{iid}, written by a model; what was seen of them is told there. Read them before you merge:"
        " a model may have written down a wrong expectation."
    ),
)

ENGLISH: Final = Wording(
    language="en",
    talk=_TALK,
    comment=_COMMENT,
    summary=_SUMMARY,
    risk=_RISK,
    fate=_FATE,
    tests=_TESTS,
    severities={severity: severity.value for severity in Severity},
    confidences={confidence: confidence.value for confidence in Confidence},
    phrases=Phrases({}),
)
