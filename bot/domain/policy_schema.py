"""The JSON Schema of policy files, for editors and for pipelines that check them.

It says what one file may hold. What it cannot say, the parser checks besides: keys that appear twice, YAML's anchors
and tags, the names of scanners that stand for reports, and rules that can never count.
"""

from __future__ import annotations

from typing import Any

from bot.domain.policy_model import Sections, SharedFile, enforceable
from bot.domain.policy_sections import SARIF_PREFIX

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(*, shared: bool = False) -> dict[str, Any]:
    """Return the schema of the file of a project, or of one for many projects if *shared*."""
    model = SharedFile if shared else Sections
    found = model.model_json_schema()
    found.pop("description", None)
    title = "Cloister policy for many projects" if shared else "Cloister policy"
    names = {"pattern": rf"^(?:dependencies|model|secrets|semgrep|{SARIF_PREFIX}.+)$"}
    for section in ("Gate", "When"):
        found["$defs"][section]["properties"]["scanners"]["items"] |= names
    found["$defs"]["Waivers"]["properties"]["never"]["items"] |= names
    if shared:
        found["properties"]["enforced"]["items"] = {"enum": enforceable()}
    return {"$schema": DIALECT, **found, "title": title}
