"""Unit tests that a model wrote: what they are for, what came of running them, and how a merge request shows them."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.markdown import code_block, code_span, neutral_inline
from bot.domain.outline import Definition, Syntax
from bot.domain.wording import Wording

#: Files and functions that one request writes tests for.
_MAX_SUBJECTS = 2
_MAX_FUNCTIONS = 3
_MAX_FUNCTION_LINES = 200


class State(enum.StrEnum):
    """What a run of a test file said."""

    passed = "passed"
    failed = "failed"
    #: It could not be read, compiled or collected, held no test, or ran into a limit.
    broken = "broken"
    #: What it is run with is not there.
    absent = "absent"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold the result of one run: how many tests ran, and a few words when something is wrong."""

    state: State
    tests: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """Hold what is to be tested: changed functions of one file."""

    path: str
    functions: tuple[Definition, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the functions' names, with those of the classes around them."""
        return tuple(f"{one.parent}.{one.name}" if one.parent else one.name for one in self.functions)


def subjects(
    changed: Mapping[str, frozenset[int]],
    outlines: Mapping[str, Syntax],
    *,
    place: tuple[str, int] | None = None,
) -> tuple[Subject, ...]:
    """Return what to test: the functions that *changed* lines lie in, or the one around *place* (path, line).

    Of functions in one another the innermost counts. Those with most changed lines come first; there is a limit.
    """
    weighed: list[tuple[int, str, Definition]] = []
    for path, lines in changed.items():
        if path in outlines and place is None:
            weighed += [(count, path, one) for one, count in _touched(outlines[path], lines).items()]
        elif path in outlines and place is not None and path == place[0]:
            weighed += [(1, path, one) for one in _functions(outlines[path], place[1])[-1:]]
    chosen: dict[str, list[Definition]] = {}
    for _, path, function in sorted(weighed, key=lambda one: (-one[0], one[1], one[2].first_line)):
        of_file = chosen.setdefault(path, []) if path in chosen or len(chosen) < _MAX_SUBJECTS else []
        if len(of_file) < _MAX_FUNCTIONS:
            of_file.append(function)
    return tuple(
        Subject(path, tuple(sorted(functions, key=lambda one: one.first_line)))
        for path, functions in chosen.items()
    )


def _touched(outline: Syntax, lines: frozenset[int]) -> dict[Definition, int]:
    found: dict[Definition, int] = {}
    for line in sorted(lines):
        for function in _functions(outline, line)[-1:]:
            found[function] = found.get(function, 0) + 1
    return found


def _functions(outline: Syntax, line: int) -> list[Definition]:
    """Return the functions around *line* that are small enough to be shown, outermost first."""
    around = [one for one in outline.enclosing(line, line) if one.kind == "function"]
    return [one for one in around if one.last_line - one.first_line < _MAX_FUNCTION_LINES]


@dataclass(frozen=True, slots=True)
class Written:
    """Hold a new test file as it is offered; ``home`` is the directory that it is run in, empty for the root."""

    subject: Subject
    framework: str
    path: str
    code: str
    home: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """Hold what running a test has shown.

    ``not_run`` says why it was not executed. ``head`` is what the head's code gives, ``steady`` whether the second
    run agreed. ``base`` is what the code before the merge request gives, None when that was not tried. Of ``mutants``
    that were tried the test has noticed ``killed``.
    """

    not_run: str = ""
    head: Outcome | None = None
    steady: bool = True
    seconds: float = 0.0
    base: Outcome | None = None
    mutants: int = 0
    killed: int = 0
    survivor: str = ""

    @property
    def passed(self) -> bool:
        """Say whether the test may be offered as one that passes."""
        return self.head is not None and self.head.state is State.passed and self.steady


def verdict(proof: Proof) -> str:
    """Return what came of it in a word, for counting: ``passed``, ``not_working`` or ``not_executed``."""
    if proof.passed:
        return "passed"
    return "not_executed" if proof.not_run else "not_working"


def told(proof: Proof, words: Wording) -> str:
    """Return what was seen, precisely; never more than that."""
    text = words.tests
    if proof.not_run or proof.head is None:
        return text.not_executed.format(reason=_said(proof.not_run, words) or text.not_tried)
    if not proof.passed:
        return _trouble(proof, proof.head, words)
    parts = [text.passed.format(proof.head.tests, seconds=f"{proof.seconds:.1f}")]
    if proof.base is not None:
        by_state = {State.failed: text.fails_on_base, State.passed: text.passes_on_base}
        parts.append(by_state.get(proof.base.state, text.broken_on_base))
    if proof.mutants:
        killed = text.killed.format(killed=proof.killed, mutants=proof.mutants)
        survivor = _said(proof.survivor, words)
        parts.append(killed + (text.survived.format(survivor=survivor) if survivor else ""))
    return text.also.join(parts) + text.stop


def _trouble(proof: Proof, head: Outcome, words: Wording) -> str:
    text = words.tests
    detail = _said(head.detail, words) or text.no_detail
    if not proof.steady:
        return text.unsteady.format(detail=detail)
    if head.state is State.failed:
        return text.failed.format(head.tests, detail=detail)
    return text.broken.format(detail=detail)


def _said(text: str, words: Wording) -> str:
    return neutral_inline(words.phrases.say(text.rstrip(".")))


def patch(path: str, code: str) -> str:
    """Return a patch, as ``git apply`` takes it, that adds the file *path* with *code*, which ends with a line break."""
    lines = code.split("\n")[:-1]
    old, new = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    head = [f"diff --git {old} {new}", "new file mode 100644", "--- /dev/null", f"+++ {new}"]
    return "\n".join([*head, f"@@ -0,0 +1,{len(lines)} @@", *(f"+{line}" for line in lines)]) + "\n"


def _quoted(path: str) -> str:
    if path.isascii() and path.isprintable() and not set(path) & set('" \\'):
        return path
    shown = (
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\{byte:03o}"
        for byte in path.encode(errors="surrogateescape")
    )
    return f'"{"".join(shown)}"'


@dataclass(frozen=True, slots=True)
class Offer:
    """Hold a written test together with what is known of its worth."""

    written: Written
    proof: Proof


@dataclass(frozen=True, slots=True)
class Problem:
    """Say why there is no test of the functions *names*, or of anything if there are none."""

    reason: str
    names: tuple[str, ...] = ()


#: Holds the patch of the largest file that is accepted, one letter to a line.
PATCH_LIMIT = 60_000


def answer(
    offers: Sequence[Offer],
    problems: Sequence[Problem],
    *,
    words: Wording,
    marker: str,
    url: str = "",
    not_proposed: str = "",
) -> str:
    """Return the body of the note that delivers *offers*; *marker* is its last line.

    Args:
        offers: tests, with what is known of them.
        problems: why there is none for some of the code.
        words: in the reader's language.
        marker: the line by which we know the note again.
        url: of the merge request that holds the tests that passed, empty when there is none.
        not_proposed: why there is none although it was asked for.
    """
    text = words.tests
    parts: list[str] = []
    for offer in offers:
        written = offer.written
        names = _spans(written.subject.names, words)
        parts.append(text.title.format(names=names, framework=neutral_inline(written.framework)))
        parts.append(told(offer.proof, words))
        parts.append(code_block(patch(written.path, written.code), "diff", PATCH_LIMIT))
    for problem in problems:
        form = text.nothing_for if problem.names else text.nothing
        parts.append(form.format(names=_spans(problem.names, words), reason=_said(problem.reason, words)))
    if url:
        parts.append(text.proposed.format(url=url))
    elif offers and not_proposed:
        parts += [text.not_proposed.format(reason=_said(not_proposed, words)), text.apply]
    elif offers:
        proposable = any(offer.proof.passed for offer in offers)
        parts.append(text.apply_or_ask if proposable else text.apply)
    return "\n\n".join([*parts, marker])


def _spans(names: Sequence[str], words: Wording) -> str:
    return words.tests.comma.join(code_span(name) for name in names)
