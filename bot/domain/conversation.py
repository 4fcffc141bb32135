"""What follows from the commands of a comment: who may, what is done, and what we answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from bot.domain.commands import NAME, Asked, Command, Verb
from bot.domain.findings import Finding
from bot.domain.forge import ForgeDiscussion, ForgeMember, ForgeUser
from bot.domain.markdown import code_block, code_span, neutral, neutral_inline
from bot.domain.permission import needed, permitted
from bot.domain.policy import Conversation, Role, Waivers
from bot.domain.proof import evidence
from bot.domain.question import Told
from bot.domain.run import Run
from bot.domain.suggestion import SuggestionBlock
from bot.domain.waiver_text import ruling_text
from bot.domain.waivers import WaiverStep
from bot.domain.waiving import Docket, Occasion, waive, withdraw
from bot.domain.wording import Talk, Wording

#: Commands about the finding of one thread.
_IN_THREAD = frozenset({Verb.explain, Verb.fix, Verb.ignore, Verb.resolve})
#: Of them, those that need to know the finding, not only its thread.
_ABOUT_FINDING = frozenset({Verb.explain, Verb.fix})
#: Commands that only a model can carry out.
BY_MODEL = frozenset({Verb.explain, Verb.fix, Verb.test})
#: Of them, those that change code, and so must know it as it is.
_AT_HEAD = frozenset({Verb.fix, Verb.test})
#: Commands that count by who gave them, so the words have to be theirs.
_SIGNED = frozenset({Verb.waive, Verb.unwaive})
#: A waiver can be taken back after the merge, too: its code is in the target branch then.
_AFTER_THE_END = frozenset({Verb.unwaive})
_NO_WAIVERS = Waivers()
_WORDS_SHOWN = 60
_REASON_SHOWN = 300
_TOLD_SHOWN = 2_000


@dataclass(frozen=True, slots=True)
class Scene:
    """Hold what decides about the commands of one comment, as it is now.

    ``fingerprint`` is that of our thread that the comment stands in, None elsewhere; ``finding`` what it is about, as
    far as we remember, and ``run`` the one that found it. ``may_push`` says so of the source branch,
    ``reviewed`` whether the newest run is about the head, ``edited`` whether the comment may be somebody else's words.
    ``docket`` and ``occasion`` are there where a command is about waivers.
    """

    member: ForgeMember
    participant: bool
    policy: Conversation
    state: str
    head_sha: str
    paused: bool
    model: bool
    tests: bool
    may_push: bool
    fingerprint: str | None = None
    finding: Finding | None = None
    run: Run | None = None
    reviewed: bool = True
    resolved: bool = False
    edited: bool = False
    waivers: Waivers = _NO_WAIVERS
    docket: Docket | None = None
    occasion: Occasion | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """Hold what one command comes to: an answer, whether it is carried out, and what happens to waivers."""

    command: Command
    text: str
    act: bool = False
    steps: tuple[WaiverStep, ...] = ()


def turns(commands: Iterable[Command], scene: Scene, talk: Talk) -> list[Turn]:
    """Return what each of *commands* comes to, after those before it."""
    taken = []
    for command in commands:
        turn = _turn(command, scene, talk)
        if turn.act and command.verb in {Verb.pause, Verb.resume}:
            scene = replace(scene, paused=command.verb is Verb.pause)
        if turn.steps and scene.docket is not None:
            scene = replace(scene, docket=scene.docket.after(turn.steps))
        taken.append(turn)
    return taken


def _turn(command: Command, scene: Scene, talk: Talk) -> Turn:
    verb = command.verb
    refusal = _refusal(command, scene, talk)
    if refusal:
        return Turn(command, refusal)
    match verb:
        case Verb.help:
            return Turn(command, help_text(scene.policy, talk, scene.waivers))
        case Verb.waive | Verb.unwaive:
            return _waiver(command, scene, talk)
        case Verb.resolve if scene.resolved:
            return Turn(command, talk.resolved_before)
        case Verb.pause if scene.paused:
            return Turn(command, talk.paused_before)
        case Verb.resume if not scene.paused:
            return Turn(command, talk.resumed_before)
    return Turn(command, _promise(command, scene, talk), act=True)


def _waiver(command: Command, scene: Scene, talk: Talk) -> Turn:
    docket, occasion = scene.docket, scene.occasion
    if docket is None or occasion is None:
        raise ValueError("a command about waivers needs a docket and an occasion")
    ruling = (waive if command.verb is Verb.waive else withdraw)(command.words, docket, occasion)
    return Turn(command, ruling_text(ruling, docket, talk), ruling.acts, ruling.steps)


def _refusal(command: Command, scene: Scene, talk: Talk) -> str:
    verb, shown = command.verb, code_span(command.verb.value)
    if not permitted(verb, scene.member, scene.policy, participant=scene.participant, waivers=scene.waivers):
        role = needed(verb, scene.policy, scene.waivers)
        if role is Role.nobody:
            return talk.switched_off.format(command=shown)
        return talk.needs_role.format(command=shown, role=talk.roles[role])
    if verb is Verb.help:
        return ""
    if scene.state != "opened" and verb not in _AFTER_THE_END:
        state = talk.states.get(scene.state, talk.states["closed"])
        return talk.not_open.format(command=shown, state=state)
    if verb in _IN_THREAD and scene.fingerprint is None:
        return talk.needs_thread.format(command=shown)
    if verb in _ABOUT_FINDING and scene.finding is None:
        return talk.forgotten.format(command=shown, review=_spoken(Verb.review))
    return _unable(command, scene, talk)


def _unable(command: Command, scene: Scene, talk: Talk) -> str:
    shown = code_span(command.verb.value)
    if command.verb in _SIGNED and scene.edited:
        return talk.edited.format(command=shown)
    if command.verb is Verb.test and not scene.tests:
        return talk.testing_off
    if command.verb is Verb.test and command.commits and not scene.may_push:
        return talk.may_not_push.format(command=code_span("test --commit"))
    if command.verb in {*_AT_HEAD, Verb.waive} and not scene.reviewed:
        return talk.no_run.format(command=shown, review=_spoken(Verb.review))
    if command.verb in BY_MODEL and not scene.model:
        return talk.no_model.format(command=shown)
    return ""


def _promise(command: Command, scene: Scene, talk: Talk) -> str:
    match command.verb:
        case Verb.review:
            return talk.reviewing.format(sha=code_span(scene.head_sha[:8]))
        case Verb.resolve:
            return talk.resolved
        case Verb.ignore:
            reason = neutral_inline(command.words, _REASON_SHOWN)
            return talk.ignored_because.format(reason=reason) if reason else talk.ignored
        case Verb.pause:
            return talk.paused.format(review=_spoken(Verb.review), resume=_spoken(Verb.resume))
        case Verb.resume:
            return talk.resumed
        case Verb.test:
            return talk.testing
    # A model writes these.
    return ""


def told_text(told: Told, *, fix: bool, head_sha: str, words: Wording) -> str:
    """Return what the model answered, inert; a fix as a suggestion only if it was proven."""
    parts = [neutral(told.text, _TOLD_SHOWN)]
    if fix and told.fix is None:
        parts.append(words.talk.no_fix)
    if told.fix is None:
        pass
    elif isinstance(told.offer, SuggestionBlock):
        proven = ", ".join(
            neutral_inline(words.phrases.say(one)) for one in evidence(told.fix.verified, head_sha)
        )
        parts += [words.talk.fix_offered, told.offer.markdown, words.talk.checked.format(evidence=proven)]
    else:
        reason = neutral_inline(words.phrases.say(told.offer))
        parts += [words.talk.fix_by_hand.format(reason=reason), code_block(told.fix.replacement)]
    return "\n\n".join(part for part in parts if part)


def failed_text(verb: Verb, reason: str, talk: Talk) -> str:
    """Return that a model could not do what *verb* asks for."""
    return talk.model_failed.format(command=code_span(verb.value), reason=neutral_inline(reason))


def help_text(policy: Conversation, talk: Talk, waivers: Waivers = _NO_WAIVERS) -> str:
    """Return the table of commands, with who may give them under *policy*."""
    rows = [
        f"| {code_span(verb.value)} | {talk.does[verb]} | {_who(verb, policy, talk, waivers)} |"
        for verb in Verb
        if needed(verb, policy, waivers) is not Role.nobody
    ]
    head = talk.help.format(name=code_span(f"@{NAME}"))
    return f"{head}\n\n" + "\n".join([talk.help_head, "|---|---|---|", *rows])


def _who(verb: Verb, policy: Conversation, talk: Talk, waivers: Waivers) -> str:
    stranger = ForgeMember(ForgeUser(0, ""))
    open_to_all = permitted(verb, stranger, policy, participant=True, waivers=waivers)
    return talk.roles[needed(verb, policy, waivers)] + (talk.or_participant if open_to_all else "")


def unknown_text(words: Sequence[str], talk: Talk) -> str:
    """Return the answer to *words* that are no commands; empty if there are none."""
    spans = [span for word in words if (span := code_span(word, _WORDS_SHOWN))]
    return talk.unknown.format(words=", ".join(spans), help=_spoken(Verb.help)) if spans else ""


def answer(parts: Iterable[str], *, marker: str, heading: str = "") -> str:
    """Return the body of an answer; *marker* is its last line."""
    return "\n\n".join(part for part in (heading, *parts, marker) if part)


def answered_in(
    discussions: Iterable[ForgeDiscussion], note_id: int, *, me: int, read: Callable[[str], int | None]
) -> bool:
    """Say whether one of *discussions* holds our answer to a comment; *read* tells which comment a body answers."""
    return any(
        note.author_id == me and read(note.body) == note_id
        for discussion in discussions
        for note in discussion.notes
    )


def worth_answering(asked: Asked, *, answered: int, policy: Conversation) -> bool | None:
    """Say whether a comment that asks something is answered; None asks for the one word that we stop for now."""
    if not asked or policy.per_hour == 0 or answered > policy.per_hour:
        return False
    return None if answered == policy.per_hour else True


def _spoken(verb: Verb) -> str:
    return code_span(f"@{NAME} {verb.value}")
