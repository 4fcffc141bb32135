"""The reference page of the settings, made from their declaration.

``python -m bot.settings_reference > docs/configuration.md`` brings the page up to date; a test fails until
that is done.
"""

from __future__ import annotations

import sys
from typing import Any

from pydantic.fields import FieldInfo

from bot.settings import Settings, secret_names, variable

_INTRODUCTION = """\
# Configuration

Every setting is an environment variable, or a key in a TOML file given as `cloister --config FILE`. The first of
these sources that has a value wins:

1. an option of the command,
2. the environment,
3. for a secret: the file that `CLOISTER_..._FILE` names, as container platforms mount them,
4. `.env` in the working directory (`cloister review` leaves it out, because the code there may be anybody's),
5. the file given with `--config`, with lower-case keys: `gitlab_url = "https://gitlab.example"`,
6. the default.

An empty variable counts as unset. White space around values is dropped. `cloister config show` prints every value
and where it comes from; `cloister doctor` checks that they work. `CLOISTER_DEBUG=1` shows tracebacks.

| Variable | Default | Meaning | Example |
|---|---|---|---|
"""


def reference() -> str:
    """Return the page in Markdown."""
    rows = (_row(name, field) for name, field in Settings.model_fields.items())
    return _INTRODUCTION + "\n".join(rows) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    default = "unset" if field.default is None else f"`{field.default}`"
    secret = " Secret." if name in secret_names() else ""
    examples = field.examples or [""]
    cells = [
        f"`{variable(name)}`",
        default,
        f"{field.description}{_range(field)}{secret}",
        f"`{examples[0]}`",
    ]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _range(field: FieldInfo) -> str:
    bounds: dict[str, Any] = {
        bound: getattr(limit, bound)
        for limit in field.metadata
        for bound in ("ge", "le")
        if hasattr(limit, bound)
    }
    return f" {bounds['ge']} to {bounds['le']}." if len(bounds) == 2 else ""


if __name__ == "__main__":
    sys.stdout.write(reference())
