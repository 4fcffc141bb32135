"""Levels of policies: the instance, groups from the outermost to the innermost, and the project.

Each key has the value of the most specific level that sets it, unless a higher level enforces it: then that level's
value stands. The gate is enforced as a whole and may be tightened: every level that enforces it decides by its own
policy on every finding, and the strictest decision counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.policy_model import GATE, Policy, Sections, SharedFile

#: Where a value comes from that no level sets.
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Layer:
    """Hold what one level says; ``origin`` names it to people."""

    origin: str
    sections: Sections

    @property
    def enforced(self) -> frozenset[str]:
        """Return the keys that it enforces, sections written out; the gate as its name."""
        named = self.sections.enforced if isinstance(self.sections, SharedFile) else ()
        return frozenset(key for name in named for key in _written_out(name))


@dataclass(frozen=True, slots=True)
class Overruled:
    """Say that a value of the level ``origin`` for ``key`` does not count, because ``by`` enforces its own."""

    key: str
    origin: str
    by: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """Hold what holds for a project, and where it comes from.

    ``origins`` has the level of each key that is not a default, ``enforced`` the level that enforces a key, or the gate.
    """

    policy: Policy
    origins: Mapping[str, str] = field(default_factory=dict)
    enforced: Mapping[str, str] = field(default_factory=dict)
    overruled: tuple[Overruled, ...] = ()


def resolve(layers: Iterable[Layer]) -> Resolved:
    """Return what holds where *layers* come together, the outermost first."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    enforced: dict[str, str] = {}
    overruled: list[Overruled] = []
    floors: list[Sections] = []
    levels: list[str] = []
    for layer in layers:
        for key, value in _said(layer.sections):
            if key in enforced:
                overruled.append(Overruled(key, layer.origin, enforced[key]))
            else:
                values[key], origins[key] = value, layer.origin
        enforced = {**dict.fromkeys(sorted(layer.enforced), layer.origin), **enforced}
        if GATE in layer.enforced:
            floors.append(_built(values))
            levels.append(layer.origin)
    policy = Policy(
        **dict(_built(values)),
        floors=tuple(floors),
        levels=tuple(levels),
        origins={key: level for key, level in origins.items() if key.startswith(f"{GATE}.")},
    )
    return Resolved(policy, origins, enforced, tuple(overruled))


def _said(sections: Sections) -> Iterator[tuple[str, Any]]:
    """Yield the keys that *sections* set, with their values."""
    for name in Sections.model_fields:
        part = getattr(sections, name)
        for key in type(part).model_fields:
            if key in part.model_fields_set:
                yield f"{name}.{key}", getattr(part, key)


def _built(values: Mapping[str, Any]) -> Sections:
    default = Sections()
    parts = {}
    for name in Sections.model_fields:
        part = getattr(default, name)
        own = {key: values[f"{name}.{key}"] for key in type(part).model_fields if f"{name}.{key}" in values}
        parts[name] = part.model_copy(update=own)
    return Sections(**parts)


def _written_out(name: str) -> list[str]:
    if name == GATE or "." in name:
        return [name]
    return [f"{name}.{key}" for key in type(getattr(Sections(), name)).model_fields]
