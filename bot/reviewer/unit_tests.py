"""Write unit tests for changed functions, in the project's own framework and style."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from bot import frameworks as registry
from bot import syntax
from bot.domain import test_prompt
from bot.domain.diff import Diff
from bot.domain.errors import Permanent
from bot.domain.excerpt import Unshowable
from bot.domain.merge_request import Revision
from bot.domain.outline import Syntax
from bot.domain.prompt import Instructions, instructions
from bot.domain.records import Task
from bot.domain.said import UnusableAnswer
from bot.domain.unit_tests import Problem, Subject, Written, subjects
from bot.frameworks import Framework, Project
from bot.frameworks.layout import folders_above, nearest
from bot.ports import ModelRequest, Workspaces
from bot.resources import resource
from bot.reviewer.asking import Asker, Ledger

_OUTPUT_TOKENS: Final = 3_000
_NEIGHBOURS: Final = 5
_NEIGHBOUR_BYTES: Final = 60_000
#: Each seed is one question; the asker tries the next one by itself when an answer is of no use.
_SEEDS: Final = (0, 2)

Parse = Callable[[str, bytes], Syntax | None]


@dataclass(frozen=True, slots=True)
class Drafts:
    """Hold the tests that were written, and why there is none for some of the code."""

    written: tuple[Written, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Author:
    """Write tests with a model.

    Args:
        asker: asks it.
        workspaces: the code.
        frameworks: what can be recognised.
        instructions: what the model is told.
        redact: masks secrets and keeps the number of lines.
        parse: reads syntax.
    """

    asker: Asker
    workspaces: Workspaces
    frameworks: Sequence[Framework]
    instructions: Instructions
    redact: Callable[[str], str]
    parse: Parse = syntax.parse

    async def write(
        self, revision: Revision, diff: Diff, *, place: tuple[str, int] | None, ledger: Ledger
    ) -> Drafts:
        """Return tests for the functions that *diff* changes, or for the one around *place* (path, line).

        Raises:
            Transient: the model is busy or out of reach.
        """
        changed = {
            file.new_path: frozenset(file.added_lines)
            for file in diff.files
            if file.added_lines and self._testable(file.new_path)
        }
        blobs = await self.workspaces.read(revision, list(changed), max_bytes=syntax.MAX_BYTES)
        heads = {path: blob.content for path, blob in blobs.items() if blob.content is not None}
        outlines = await asyncio.to_thread(self._outlines, heads)
        found = subjects(changed, outlines, place=place)
        if not found:
            return Drafts(problems=(Problem("no function that can be tested was changed here"),))
        paths = await self.workspaces.paths(revision)
        code = _Code(revision, heads, outlines, paths)
        written, problems = [], []
        for subject in found:
            try:
                written.append(await self._write(subject, code, ledger))
            except (_Unwritten, UnusableAnswer, Permanent) as error:
                problems.append(Problem(str(error), subject.names))
        return Drafts(tuple(written), tuple(problems))

    def _testable(self, path: str) -> bool:
        return any(path.endswith(one.suffixes) and not one.is_test(path) for one in self.frameworks)

    def _outlines(self, heads: Mapping[str, bytes]) -> dict[str, Syntax]:
        read = {path: self.parse(path, content) for path, content in heads.items()}
        return {path: outline for path, outline in read.items() if outline is not None}

    async def _write(self, subject: Subject, code: _Code, ledger: Ledger) -> Written:
        near, project = await self._surveyed(subject, code)
        framework = registry.chosen(self.frameworks, project, subject.path, near)
        if framework is None:
            raise _Unwritten("no test framework was recognised; there are neither tests nor a manifest")
        home = framework.home(project, subject.path)
        source = subject.path.removeprefix(home)
        path = home + framework.place(project.below(home), source, subject.functions[0].name)
        callers = [*_callers(subject, code), *await self._callers_elsewhere(subject, code)]
        prompt = self._prompt(subject, code, framework, home, path, near, callers)
        for seed in _SEEDS:
            text = await self._ask(
                subject, framework, path.removeprefix(home), replace(prompt, seed=seed), ledger
            )
            if text is None:
                raise _Unwritten("the model sees nothing that could be tested without the outside world")
            outline = await asyncio.to_thread(self.parse, path, text.encode())
            if outline is not None and not outline.errors:
                return Written(subject, framework.name, path, text, home)
        raise _Unwritten("what the model wrote does not parse")

    async def _surveyed(self, subject: Subject, code: _Code) -> tuple[dict[str, str], Project]:
        """Return the tests near *subject* by path, nearest first, and what is known of the project."""
        able = [one for one in self.frameworks if subject.path.endswith(one.suffixes)]
        folders = folders_above(subject.path)
        manifests = {f"{folder}{name}" for folder in folders for one in able for name in one.manifests}
        tests = {path for path in code.paths if any(one.is_test(path) for one in able)}
        near = nearest(tests, subject.path)[:_NEIGHBOURS]
        blobs = await self.workspaces.read(
            code.revision, [*near, *sorted(manifests & code.paths)], max_bytes=_NEIGHBOUR_BYTES
        )
        texts = {
            path: blob.content.decode(errors="replace")
            for path, blob in blobs.items()
            if blob.content is not None
        }
        neighbours = {path: texts[path] for path in near if path in texts}
        return neighbours, Project(code.paths, {path: texts[path] for path in texts if path in manifests})

    async def _callers_elsewhere(self, subject: Subject, code: _Code) -> list[test_prompt.Caller]:
        """Return lines outside the changed files and tests that look like calls; none where that takes long."""
        names = [function.name for function in subject.functions]
        found = await self.workspaces.search(code.revision, names)
        called = re.compile(rf"(?<!def )(?<!func )\b(?:{'|'.join(map(re.escape, names))})\s*\(")
        lines = (
            one
            for one in found.lines
            if one.path not in code.heads and self._testable(one.path) and called.search(one.text)
        )
        return [test_prompt.Caller(one.path, (one.text.strip(),)) for one in itertools.islice(lines, 3)]

    def _prompt(
        self,
        subject: Subject,
        code: _Code,
        framework: Framework,
        home: str,
        path: str,
        near: Mapping[str, str],
        callers: Sequence[test_prompt.Caller],
    ) -> ModelRequest:
        example = next((one for one in near if framework.is_test(one)), "")
        around = test_prompt.Surroundings(
            head=code.heads[subject.path].decode(errors="replace"),
            framework=framework.name,
            path=path,
            advice=framework.advice(subject.path.removeprefix(home), path.removeprefix(home)),
            callers=callers,
            example_path=example,
            example=near.get(example, ""),
        )
        model = self.asker.models[Task.tests]
        system = self.instructions.system
        output = min(_OUTPUT_TOKENS, model.window_tokens // 3)
        try:
            prompt = test_prompt.build(
                subject,
                around,
                room_tokens=model.window_tokens - output - model.estimate_tokens(system),
                estimate=model.estimate_tokens,
                redact=self.redact,
            )
        except Unshowable as error:
            raise _Unwritten(str(error)) from None
        except test_prompt.TooLong:
            raise _Unwritten(
                f"the code does not fit into the model's window of {model.window_tokens} tokens"
            ) from None
        return ModelRequest(system, prompt, self.instructions.schema, max_output_tokens=output)

    async def _ask(
        self, subject: Subject, framework: Framework, path: str, request: ModelRequest, ledger: Ledger
    ) -> str | None:
        def read(text: str) -> str | None:
            objection = lambda code: framework.objection(path, code)  # noqa: E731 - bound to this path
            return test_prompt.read(text, subject, objection=objection, redact=self.redact)

        return await self.asker.ask(
            Task.tests, request, read, version=self.instructions.version, ledger=ledger
        )


class _Unwritten(Exception):
    """Say why there is no test of some code."""


@dataclass(frozen=True, slots=True)
class _Code:
    """Hold the changed files at the head, and the paths of all files."""

    revision: Revision
    heads: Mapping[str, bytes]
    outlines: Mapping[str, Syntax]
    paths: frozenset[str] = field(default_factory=frozenset)


def _callers(subject: Subject, code: _Code) -> list[test_prompt.Caller]:
    """Return where the changed files call what is to be tested."""
    names = {function.name for function in subject.functions}
    found = []
    for path, outline in code.outlines.items():
        calls = [call.line for call in outline.all_calls if call.name in names]
        if calls:
            lines = code.heads[path].decode(errors="replace").split("\n")
            first = max(0, calls[0] - 4)
            found.append(test_prompt.Caller(path, tuple(lines[first : calls[0] + 3])))
    return found


def writing_instructions() -> Instructions:
    """Return what the model is told, as this release has it."""
    texts = {
        path.name: path.read_text(encoding="utf-8")
        for path in (resource("rules") / "unit_tests").glob("*.md")
    }
    return instructions(texts, test_prompt.SCHEMA)
