"""`docs/openapi.json`: the document of the API as this version has it, made without anything to ask."""

from __future__ import annotations

import json
import sys
from typing import Any

from bot.web.api import Office, api, of_verdicts
from bot.web.api.document import document
from bot.web.verdict_api import VerdictApi


def reference() -> str:
    """Return the document as text."""
    nothing: Any = None
    # It only has to be there for its operations to be described.
    muting: Any = object()
    verdicts = VerdictApi(nothing, nothing, nothing, instance="", clock=nothing)
    office = Office(nothing, nothing, nothing, nothing, muting=muting)
    found = document(api(office), of_verdicts(verdicts.router()))
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
