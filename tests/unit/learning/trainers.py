"""Load rows as trainers do, and check their format with TRL's own functions."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.learning.formats import Format

#: What the libraries keep goes with this process, and they ask nobody.
_HOME = tempfile.TemporaryDirectory(prefix="cloister-datasets-")
os.environ |= {"HF_HOME": _HOME.name, "HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}

with warnings.catch_warnings():
    # They warn of what is not installed, such as torch, which nothing here needs.
    warnings.simplefilter("ignore")
    import datasets
    from trl import data_utils

#: Columns that each trainer needs, by its documentation.
COLUMNS = {
    Format.sft: {"prompt", "completion"},
    Format.kto: {"prompt", "completion", "label"},
    Format.dpo: {"prompt", "chosen", "rejected"},
    Format.classifier: {"text", "label"},
}


def loaded(directory: Path, named: Mapping[str, str], cache: Path) -> Any:
    """Return the parts of a data set by name."""
    files = {name: str(directory / path) for name, path in named.items()}
    return datasets.load_dataset("json", data_files=files, cache_dir=str(cache))


def check(format_: Format, part: Any) -> None:
    """Check that a trainer takes every row of *part*."""
    assert COLUMNS[format_] | {"provenance"} == set(part.column_names)
    if not format_.asks:
        assert {0, 1} >= set(part["label"])
        return
    assert all(data_utils.is_conversational(row) for row in part)
    template = _Template()
    for row in part:
        texts = data_utils.apply_chat_template(dict(row), template)
        for name in COLUMNS[format_] - {"label", "prompt"}:
            # The prompt is a prefix of what is trained on, or trainers refuse the row.
            assert texts[name].startswith("{")
        assert texts["prompt"].endswith("<assistant>")
    if format_ is Format.dpo:
        unpaired = data_utils.maybe_unpair_preference_dataset(part)
        assert 2 * len(part) == len(unpaired)
    if format_ is Format.kto:
        assert {bool} == {type(label) for label in part["label"]}


class _Template:
    """Stand in for a tokenizer: TRL only asks for the text that a chat becomes."""

    def apply_chat_template(
        self, conversation: list[dict[str, str]], *, add_generation_prompt: bool = False, **_: Any
    ) -> str:
        """Return the messages between marks."""
        text = "".join(f"<{one['role']}>{one['content']}" for one in conversation)
        return text + ("<assistant>" if add_generation_prompt else "")
