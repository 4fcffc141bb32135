"""The policy of a project, put together of all levels; where one is broken, what was valid last stays in force."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from pydantic import ValidationError

from bot.domain.errors import CloisterError, Permanent, Transient
from bot.domain.policy import Sections
from bot.domain.policy_file import (
    PATH,
    SCANNERS,
    PolicyProblem,
    parse_sections,
    parse_shared,
)
from bot.domain.policy_layers import Layer, Resolved, resolve
from bot.domain.policy_model import SharedFile
from bot.ports import PolicyFiles, PolicyVersions

log = structlog.get_logger()

_File = TypeVar("_File", bound=Sections)

#: What the level of a project's own file is called.
PROJECT = "project"

_LAST_VALID = " The last valid policy stays in force."
_DEFAULT = " The default policy applies."
_ABOVE = " What the levels above it say applies."
_PROPOSED = "{file} as this merge request leaves it, {problem} Merged like this it does not count, and what holds now stays in force."
_OVERRULED = "{file}: {key} does not count, because {by} enforces it."


@dataclass(frozen=True, slots=True)
class Found:
    """Hold what holds for a project, and what is wrong with files that say so."""

    resolved: Resolved
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Level:
    origin: str
    files: PolicyFiles
    path: str
    #: Of this level there must be a policy; without it, no gate may open.
    needed: bool = False


class Levels:
    """Put policies together.

    Args:
        own: the file of the operator, if there is one.
        groups: the project with policies of groups and of the instance, if there is one.
        versions: what was valid last.
        redact: masks secrets in what is said about broken files.
    """

    def __init__(
        self,
        own: PolicyFiles | None,
        groups: PolicyFiles | None,
        versions: PolicyVersions,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._own = own
        self._groups = groups
        self._versions = versions
        self._redact = redact

    async def check(self) -> None:
        """See that the operator's own file can be used.

        Raises:
            Permanent: it cannot, and never could.
            Transient: that cannot be found out now.
        """
        for level in self._levels("")[:1] if self._own else ():
            await self._layer(level)

    async def effective(
        self,
        project: str,
        content: bytes | PolicyProblem | None,
        *,
        name: str,
        proposed: bytes | PolicyProblem | None = None,
    ) -> Found:
        """Return what holds for *project*, a path with its namespace.

        Args:
            project: may be empty if it is not known; then there must be no policies of groups.
            content: the project's own file, None if there is none.
            name: what its valid versions are remembered under.
            proposed: that file as somebody wants it to become, which says nothing yet but may be wrong.

        Raises:
            Transient: a level cannot be read, and there is no valid version of it.
            Permanent: the same, until somebody does something.
        """
        if self._groups is not None and not project:
            raise Permanent(
                "GitLab shows merge requests at another address than CLOISTER_GITLAB_URL, so the policies of groups"
                " cannot be told; set it to the address in the browser"
            )
        layers: list[Layer] = []
        problems: list[str] = []
        for level in self._levels(project):
            layer, problem = await self._layer(level)
            layers += [layer] if layer else []
            problems += [problem] if problem else []
        own, problem = await self._of_project(content, name, layers)
        problems += [problem] if problem else []
        wanted = _read(proposed, layers)
        if isinstance(wanted, PolicyProblem):
            problems.append(_PROPOSED.format(file=PATH, problem=_sentence(wanted)))
        found = resolve([*layers, own])
        problems += [
            _OVERRULED.format(file=PATH, key=one.key, by=one.by)
            for one in found.overruled
            if one.origin == PROJECT
        ]
        return Found(found, tuple(map(self._redact, problems)))

    def _levels(self, project: str) -> list[_Level]:
        levels = [_Level("instance", self._own, "", needed=True)] if self._own else []
        if self._groups is None:
            return levels
        levels.append(_Level(f"instance.yml of {self._groups.name}", self._groups, "instance.yml"))
        parts = project.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            group = "/".join(parts[:depth])
            levels.append(_Level(f"group {group}", self._groups, f"groups/{group}.yml"))
        return levels

    async def _layer(self, level: _Level) -> tuple[Layer | None, str]:
        name = f"{level.files.name}:{level.path}"
        try:
            content = await level.files.read(level.path)
        except (Transient, Permanent) as error:
            return await self._instead(level, name, error)
        if content is None:
            await self._versions.forget(name)
            return None, ""
        said = parse_shared(content)
        if isinstance(said, PolicyProblem):
            wrong = Permanent(f"{level.path or level.files.name}, {said}")
            return await self._instead(level, name, wrong, invalid=True)
        await self._versions.remember(name, _stored(said))
        return Layer(level.origin, said), ""

    async def _instead(
        self, level: _Level, name: str, error: CloisterError, *, invalid: bool = False
    ) -> tuple[Layer | None, str]:
        """Return what was valid last, or nothing where an *invalid* file was never valid.

        A file that cannot be read may well say something, so then the gate stays shut.
        """
        last = await self._last(name, SharedFile)
        if last is None and (level.needed or not invalid):
            raise error
        log.warning("policy.level_broken", level=level.origin, error=self._redact(str(error)))
        problem = f"{level.origin}: {_sentence(error)}"
        if last is None:
            return None, problem + _ABOVE
        return Layer(level.origin, last), problem + _LAST_VALID

    async def _of_project(
        self, content: bytes | PolicyProblem | None, name: str, layers: list[Layer]
    ) -> tuple[Layer, str]:
        if content is None:
            await self._versions.forget(name)
            return Layer(PROJECT, Sections()), ""
        said = _read(content, layers)
        if not isinstance(said, PolicyProblem):
            await self._versions.remember(name, _stored(said))
            return Layer(PROJECT, said), ""
        problem = f"{PATH}, {_sentence(said)}"
        last = await self._last(name, Sections)
        if last is not None:
            return Layer(PROJECT, last), problem + _LAST_VALID
        return Layer(PROJECT, Sections()), problem + (_ABOVE if layers else _DEFAULT)

    async def _last(self, name: str, model: type[_File]) -> _File | None:
        said = await self._versions.last_valid(name)
        if said is None:
            return None
        try:
            return model.model_validate_json(said)
        except ValidationError:
            # Another release knew other keys.
            return None


def _read(content: bytes | PolicyProblem | None, layers: list[Layer]) -> Sections | PolicyProblem:
    if isinstance(content, PolicyProblem):
        return content
    return parse_sections(content or b"", scanners=_known(layers))


def _sentence(problem: object) -> str:
    text = str(problem)
    return text if text.endswith("?") else f"{text}."


def _stored(said: Sections) -> str:
    return json.dumps(said.model_dump(mode="json", exclude_unset=True))


def _known(layers: list[Layer]) -> tuple[str, ...]:
    """Return the names of scanners that a project's gate may hold: its levels may bring reports of jobs."""
    jobs = [report.scanner for layer in layers for report in layer.sections.reports.sarif]
    return (*SCANNERS, *jobs)
