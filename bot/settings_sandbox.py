"""Where unit tests that a model wrote may be executed, and what they see there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bot.settings_types import IgnoreCase

#: With these the sandbox would show what it is there to hide.
_REVEALING = ("/", "/etc", "/home", "/root", "/var", "/run", "/proc", "/sys", "/dev", "/tmp", "/boot")  # noqa: S108


def sandbox_roots(value: str | None) -> tuple[Path, ...]:
    """Return the directories in *value*, in order; commas or line breaks separate them.

    Raises:
        ValueError: one of them is not an absolute path, or holds more than tools.
    """
    parts = (value or "").replace(",", "\n").splitlines()
    return tuple(dict.fromkeys(_root(part.strip()) for part in parts if part.strip()))


def _root(text: str) -> Path:
    place = Path(text)
    if not place.is_absolute() or ".." in place.parts or ":" in text:
        msg = "must name directories by absolute paths, without .. and colons"
        raise ValueError(msg)
    if str(place) in _REVEALING:
        msg = f"names {place}, which holds more than tools; name a directory with tools only, as /opt/toolchains"
        raise ValueError(msg)
    return place


def _checked(value: str | None) -> str | None:
    sandbox_roots(value)
    return value


Sandbox = Annotated[
    Literal["off", "bubblewrap"],
    IgnoreCase,
    Field(
        description="Where unit tests that the model wrote are executed: `bubblewrap`, or not at all (`off`).",
        examples=["bubblewrap"],
    ),
]
SandboxRoots = Annotated[
    str | None,
    AfterValidator(_checked),
    Field(
        description="Directories that tests in the sandbox may read and run besides the system's programs, separated"
        " by commas.",
        examples=["/opt/toolchains/python,/opt/toolchains/node"],
    ),
]
