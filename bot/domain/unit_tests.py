"""Unit tests that a model wrote: what they are for, what came of running them, and how a merge request shows them."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.markdown import code_block, code_span, neutral_inline
from bot.domain.outline import Definition, Syntax

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
    """Hold a new test file as it is offered."""

    subject: Subject
    framework: str
    path: str
    code: str


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


#: What a reader is told of a test.
_NOT_EXECUTED = "Not executed: {reason}. Its syntax was checked."
_PASSED = "Ran in the sandbox: {tests} passed on the head in {seconds:.1f} s, twice"
_UNSTEADY = "Does not work: it passed once and failed once on the same code ({detail})"
_FAILED = "Does not work: {tests} ran on the head and some failed ({detail})"
_BROKEN = "Does not work: it could not be run on the head ({detail})"
_FAILS_ON_BASE = "fails on the base, so it notices the change"
_PASSES_ON_BASE = "passes on the base too, so it does not notice the change"
_BROKEN_ON_BASE = "cannot be run on the base, which lacks what it tests"
_KILLED = "notices {killed} of {mutants} defects put into the code on purpose"
_SURVIVED = ", not: {survivor}"


def told(proof: Proof) -> str:
    """Return what was seen, precisely; never more than that."""
    if proof.not_run or proof.head is None:
        return _NOT_EXECUTED.format(reason=neutral_inline(proof.not_run or "it was not tried"))
    if not proof.passed:
        return f"{_trouble(proof, proof.head)}."
    parts = [_PASSED.format(tests=_tests(proof.head.tests), seconds=proof.seconds)]
    if proof.base is not None:
        parts.append(
            {State.failed: _FAILS_ON_BASE, State.passed: _PASSES_ON_BASE}.get(
                proof.base.state, _BROKEN_ON_BASE
            )
        )
    if proof.mutants:
        survived = _SURVIVED.format(survivor=neutral_inline(proof.survivor)) if proof.survivor else ""
        parts.append(_KILLED.format(killed=proof.killed, mutants=proof.mutants) + survived)
    return f"{'; '.join(parts)}."


def _trouble(proof: Proof, head: Outcome) -> str:
    detail = neutral_inline(head.detail) or "no reason was given"
    if not proof.steady:
        return _UNSTEADY.format(detail=detail)
    form = _FAILED if head.state is State.failed else _BROKEN
    return form.format(tests=_tests(head.tests), detail=detail)


def _tests(count: int) -> str:
    return "1 test" if count == 1 else f"{count} tests"


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


#: Holds the patch of the largest file that is accepted, one letter to a line.
PATCH_LIMIT = 60_000
_TITLE = "**Unit tests for {names}** ({framework})"
_APPLY = (
    "Save the patch as a file and use `git apply`, or ask for a merge request with the option `--commit`."
)
_PROPOSED = "Proposed as a merge request into the source branch: {url}"
_NOT_PROPOSED = "Not proposed as a merge request, because {reason}."
_NOTHING = "No unit tests were written: {reason}."


def answer(
    offers: Sequence[Offer], problems: Sequence[str], *, marker: str, url: str = "", not_proposed: str = ""
) -> str:
    """Return the body of the note that delivers *offers*; *marker* is its last line.

    Args:
        offers: tests, with what is known of them.
        problems: why there is none for some of the code.
        marker: the line by which we know the note again.
        url: of the merge request that holds the tests, empty when there is none.
        not_proposed: why there is none although it was asked for.
    """
    parts: list[str] = []
    for offer in offers:
        written = offer.written
        names = ", ".join(code_span(name) for name in written.subject.names)
        parts += [_TITLE.format(names=names, framework=neutral_inline(written.framework)), told(offer.proof)]
        parts.append(code_block(patch(written.path, written.code), "diff", PATCH_LIMIT))
    parts += [_NOTHING.format(reason=neutral_inline(problem.rstrip("."))) for problem in problems]
    if url:
        parts.append(_PROPOSED.format(url=url))
    elif offers:
        parts += (
            [_NOT_PROPOSED.format(reason=neutral_inline(not_proposed.rstrip(".")))] if not_proposed else []
        )
        parts.append(_APPLY)
    return "\n\n".join([*parts, marker])
