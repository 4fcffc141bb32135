"""Where the files that ship with the code are: rules, prompts and migrations."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """Return the directory *name* (``rules`` or ``migrations``), from a wheel or from a source tree."""
    shipped = _HERE / "_shipped" / name
    return shipped if shipped.is_dir() else _HERE.parent / name
