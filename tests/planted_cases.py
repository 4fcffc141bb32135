"""A model that has read the answers: what ``model.json`` beside each case says, good and bad."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.demo.script import Reply

CASES = Path(__file__).parent.parent / "evaluation" / "cases"


@dataclass(frozen=True)
class Planted:
    """Answer with the planted findings of the files that a prompt shows."""

    answers: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def beside(cls, cases: Path) -> Planted:
        """Return what is planted in *cases*; a finding on another file comes with the first of its case."""
        answers: dict[str, list[dict[str, Any]]] = {}
        for file in sorted(cases.glob("*/model.json")):
            planted = json.loads(file.read_text(encoding="utf-8"))["answers"]
            if planted:
                answers.setdefault(planted[0]["finding"]["path"], []).extend(planted)
        return cls(answers)

    @property
    def refuted(self) -> set[tuple[str, int]]:
        """Return the lines of answers that only a second look finds wrong."""
        return {
            (answer["finding"]["path"], answer["finding"]["line"])
            for answers in self.answers.values()
            for answer in answers
            if answer.get("refuted")
        }

    def __call__(self, request: Mapping[str, Any]) -> Reply:
        """Answer one request."""
        prompt = str(request["messages"][-1]["content"])
        said = [
            answer["finding"]
            for path, answers in self.answers.items()
            if f'File: "{path}"' in prompt
            for answer in answers
        ]
        return Reply(json.dumps({"findings": said}))
