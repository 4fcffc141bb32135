"""Our texts in English."""

from __future__ import annotations

from typing import Final

from bot.domain.commands import Verb
from bot.domain.policy import Role
from bot.domain.wording.texts import Talk, Wording

_TALK: Final = Talk(
    on_comment="Answer to [a comment]({url}):",
    does={
        Verb.review: "review the whole merge request again, also while paused",
        Verb.explain: "explain the finding of this thread; a question may follow",
        Verb.fix: "propose a fix for the finding of this thread",
        Verb.test: "write unit tests for the changed code; with `--commit` as a merge request of their own",
        Verb.ignore: "never raise the finding of this thread again; a reason may follow",
        Verb.resolve: "resolve this thread",
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
    no_fix="I have no fix that I am sure of.",
    fix_by_hand="Possible change, to be made by hand because {reason}:",
    fix_offered="Suggested change:",
    checked="Checked: {evidence}.",
)

ENGLISH: Final = Wording(language="en", talk=_TALK)
