"""The card of a data set: what is in it, what is not, and what it is not good for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from bot.domain.labels import LABEL_VERSION
from bot.learning.dataset import Dataset
from bot.learning.scrubbing import Scrubber
from bot.learning.selection import MOST_PER_MERGE_REQUEST, MOST_PER_PROJECT, MOST_PER_RULE

_MEANING: Final = {
    "sft": "`prompt` and `completion`: what the model was asked, and the accepted findings of it as the answer. Prompts"
    " of which all findings were rejected have the empty answer. Every finding of a prompt was clearly accepted or"
    " rejected: nothing is missing from an answer because nobody had decided.",
    "kto": "`prompt`, `completion`, `label`: what the model was asked, one finding as the answer, and whether it was"
    " accepted. An answer is not all that there is to say to its prompt.",
    "dpo": "`prompt`, `chosen`, `rejected`: what the model was asked, the answer without its rejected findings, and"
    " with them. Every finding of a prompt was clearly accepted or rejected.",
    "classifier": "`text` and `label`: code and comment, and 1 if it was accepted, 0 if it was rejected.",
}

#: What is added for answers that are not to be divided.
_MORE: Final = ", or as many more as the review has that fills this measure"
_BIAS: Final = """\
- Only merged merge requests of projects that allow it are in it, and only comments that people clearly accepted or
  rejected. What was passed over in silence is not: it is unknown, not wrong.
- What people accept depends on their workload and their deadlines as well as on the comment.
- Scrubbing knows secrets by their form, addresses, hosts and signatures. It does not know every name in prose: treat
  the set like the code that it is made of."""


def card_of(dataset: Dataset, scrubber: Scrubber) -> str:
    """Return the card in Markdown, with YAML in front."""
    window = dataset.window
    since = window.since.isoformat() if window.since else "the first comment"
    refs = [one.comment.ref for one in dataset.sources]
    projects = Counter(scrubber.pseudonym("project", f"{ref.instance}:{ref.project_id}") for ref in refs)
    comments = [one.comment for one in dataset.sources]
    return "\n".join(
        [
            *_front(dataset),
            f"# Comments that people accepted or rejected: {dataset.format}",
            "",
            _MEANING[dataset.format],
            "",
            f"Comments posted from {since}, with what was seen of them until {window.until.isoformat()}. "
            f"Labels are those of version {LABEL_VERSION}.",
            "",
            "## Rows",
            "",
            *_table("Part", dataset.rows),
            f"Merge requests are never divided. Parts follow each other in the time of the merge: {_begins(dataset)}. "
            "Near duplicates (5-word shingles, Jaccard 0.8) of an earlier part are left out, be their variables named as "
            "they may. At most "
            f"{MOST_PER_MERGE_REQUEST} comments of a merge request, {MOST_PER_RULE} of a rule and {MOST_PER_PROJECT} of "
            f"a project are in it{_MORE if dataset.format.whole else ''}.",
            "",
            "## What it is made of",
            "",
            *_table("Label", Counter(one.label.value for one in dataset.sources)),
            *_table("Category", Counter(one.category for one in comments)),
            *_table("Language of the file", Counter(one.language or "unknown" for one in comments)),
            *_table(
                "Model", Counter(f"{one.model or 'none'} {one.model_digest[:12]}".strip() for one in comments)
            ),
            *_table("Project", projects),
            "## What was left out",
            "",
            *_table("Reason", dataset.left_out),
            "## What was taken out of the texts",
            "",
            *_table("Kind", dataset.scrubbed),
            "## What to know",
            "",
            _BIAS,
            "",
        ]
    )


def _front(dataset: Dataset) -> list[str]:
    files = [f"  - split: {name}\n    path: {name}.jsonl" for name, lines in dataset.lines.items() if lines]
    return [
        "---",
        "license: other",
        "license_name: internal",
        "license_details: made of code of your projects; not to leave the organisation",
        "configs:",
        "- config_name: default",
        "  data_files:",
        *files,
        "---",
        "",
    ]


def _begins(dataset: Dataset) -> str:
    return ", ".join(f"{name} from {moment}" for name, moment in dataset.begins.items()) or "none"


def _table(title: str, counts: Mapping[str, int]) -> list[str]:
    if not counts:
        return ["Nothing.", ""]
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    rows = [f"| {_cell(name)} | {count} |" for name, count in ordered]
    return [f"| {title} | Count |", "|---|---|", *rows, ""]


def _cell(name: str) -> str:
    """Return *name*, which others chose, as a cell that it cannot leave."""
    return "".join(char if char.isalnum() or char in " ._-/:+()" else "?" for char in name)
