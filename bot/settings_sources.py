"""Where settings come from, as plain layers of values that know their origin.

Nothing here reads the process environment: `bot.settings.load` hands it in.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

from bot.domain.errors import CloisterError

PREFIX = "CLOISTER_"
FILE_SUFFIX = "_FILE"

#: Not a setting: it must work when the settings themselves do not load.
DEBUG_VARIABLE = PREFIX + "DEBUG"

#: A secret is a line of text; a larger file is the wrong file.
SECRET_FILE_LIMIT_BYTES = 65_536


class SettingsError(CloisterError):
    """Say which settings are wrong, one line each, with the variable's name and the remedy."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Given:
    """Hold one value as somebody wrote it, and where it was written."""

    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class Layer:
    """Hold the values of one source by setting name, and what was odd about the source."""

    values: Mapping[str, Given] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def variable(name: str) -> str:
    """Return the environment variable of the setting *name*."""
    return PREFIX + name.upper()


def from_overrides(overrides: Mapping[str, object]) -> Layer:
    """Return what the command line gave; None means not given."""
    return Layer(
        {name: Given(value, "command line") for name, value in overrides.items() if value is not None}
    )


def from_variables(
    variables: Mapping[str, str], names: Collection[str], secrets: Collection[str], origin: str
) -> Layer:
    """Return the settings *names* among *variables*; an empty value counts as unset.

    Warns about variables with our prefix that are not settings, nor name the file of one of *secrets*.
    """
    values = {
        name: Given(variables[variable(name)], origin)
        for name in names
        if variables.get(variable(name), "").strip()
    }
    return Layer(values, tuple(_warnings(variables, names, secrets, origin)))


def from_secret_files(variables: Mapping[str, str], secrets: Iterable[str]) -> Layer:
    """Return the secrets whose ``CLOISTER_X_FILE`` names a file, surrounding white space removed.

    Raises:
        SettingsError: a file cannot be read, is empty, or is too large to be a secret.
    """
    values: dict[str, Given] = {}
    problems = []
    for name in secrets:
        pointer = variable(name) + FILE_SUFFIX
        path = variables.get(pointer, "").strip()
        if not path:
            continue
        try:
            values[name] = Given(_read_secret(Path(path)), f"file {path}")
        except (OSError, ValueError) as error:
            problems.append(
                f"{pointer}: cannot use {path}: {_reason(error)}; name a readable file with the secret in it"
            )
    if problems:
        raise SettingsError(problems)
    return Layer(values)


def dotenv_variables(path: Path) -> dict[str, str]:
    """Return the variables of a ``.env`` file, taken literally; none when there is no such file.

    Raises:
        SettingsError: the file exists but cannot be read.
    """
    if not path.exists():
        return {}
    try:
        parsed = dotenv_values(path, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            [f"{path}: cannot be read: {_reason(error)}; make it readable UTF-8 or remove it"]
        ) from error
    return {name: value for name, value in parsed.items() if value is not None}


def from_toml(path: Path, names: Collection[str]) -> Layer:
    """Return the settings of a TOML file, whose top-level keys are setting names.

    Raises:
        SettingsError: the file is missing, unreadable or not TOML.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            [f"--config {path}: cannot be read: {_reason(error)}; name a readable TOML file"]
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            [f'--config {path}: not valid TOML: {error}; write lines like gitlab_url = "..."']
        ) from error
    warnings = tuple(
        f"{path}: {key} is not a setting and is ignored{_did_you_mean(key, names)}"
        for key in content
        if key not in names
    )
    return Layer({key: Given(value, str(path)) for key, value in content.items() if key in names}, warnings)


def merge(layers: Iterable[Layer]) -> Layer:
    """Return one layer in which the earlier of *layers* wins; warnings add up."""
    values: dict[str, Given] = {}
    warnings: list[str] = []
    for layer in layers:
        values = {**layer.values, **values}
        warnings += layer.warnings
    return Layer(values, tuple(dict.fromkeys(warnings)))


def _read_secret(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(SECRET_FILE_LIMIT_BYTES + 1)
    if len(content) > SECRET_FILE_LIMIT_BYTES:
        msg = f"it is larger than {SECRET_FILE_LIMIT_BYTES} bytes"
        raise ValueError(msg)
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        msg = "it is not UTF-8 text"
        raise ValueError(msg) from None
    if not text:
        msg = "it is empty"
        raise ValueError(msg)
    return text


def _reason(error: OSError | ValueError) -> str:
    # Python's own text of a system error has its number in front and the path again behind.
    return str(error.strerror if isinstance(error, OSError) else error)


def _warnings(
    variables: Mapping[str, str], names: Collection[str], secrets: Collection[str], origin: str
) -> Iterable[str]:
    known = {variable(name) for name in names}
    known_files = {variable(name) + FILE_SUFFIX for name in secrets}
    for name in variables:
        if name.startswith(PREFIX) and name not in {*known, *known_files, DEBUG_VARIABLE}:
            yield f"{name} ({origin}) is not a setting and is ignored{_did_you_mean(name, known | known_files)}"


def _did_you_mean(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else "; `cloister config show` lists the settings"
