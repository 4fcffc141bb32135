"""Data sets are the same bytes for the same material, load with their trainers' library, and are refused when small."""

from __future__ import annotations

import enum
import hashlib
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import Refused
from bot.learning.card import card_of
from bot.learning.dataset import Window, assemble, files_of
from bot.learning.formats import Format
from bot.learning.gates import LEAST_REJECTED, LEAST_ROWS
from bot.learning.rows import Material, Prompt, rows_of
from bot.learning.scrubbing import Scrubber
from tests.histories import START
from tests.unit.learning.material import many, material

WINDOW = Window(START, START + timedelta(days=99))


def files(
    format_: Format, made: Sequence[Material], *, gates: bool = False, **values: Any
) -> dict[str, bytes]:
    """Return the files that *made* becomes."""
    scrubber = Scrubber(**{"redact": lambda text: text, "key": b"k", "hosts": {"gitlab.example"}, **values})
    dataset = assemble(format_, made, window=WINDOW, scrubber=scrubber, left_out={"x": 3}, gates=gates)
    return files_of(dataset, card_of(dataset, scrubber))


def lines(content: bytes) -> list[dict[str, Any]]:
    """Return the rows of a file."""
    return [json.loads(line) for line in content.splitlines()]


@pytest.mark.parametrize("format_", Format)
def test_the_same_material_makes_the_same_bytes(format_: Format) -> None:
    """In whatever order it comes; the checksums are those of the files."""
    made = many(60)
    first = files(format_, made)
    random.Random(1).shuffle(made)
    assert first == files(format_, made)
    sums = dict(reversed(line.split("  ")) for line in first["SHA256SUMS"].decode().splitlines())
    assert sums == {
        name: hashlib.sha256(content).hexdigest() for name, content in first.items() if name != "SHA256SUMS"
    }


def test_rows_are_what_each_trainer_learns_from() -> None:
    """One prompt with an accepted and a rejected finding, one with a rejected one only."""
    mixed = [material(1, accepted=True, iid=1), material(2, accepted=False, iid=1)]
    wrong = [material(3, accepted=False, iid=2)]

    def said(*numbers: int) -> list[dict[str, str]]:
        answers = [one.answer for one in (*mixed, *wrong) if one.comment.id.int in numbers]
        content = json.dumps({"findings": answers}, separators=(",", ":"))
        return [{"role": "assistant", "content": content}]

    def made(format_: Format) -> list[dict[str, Any]]:
        return [
            {key: one for key, one in row.content.items() if key != "prompt"}
            for row in rows_of(format_, mixed + wrong)
        ]

    assert [{"completion": said(1)}, {"completion": said()}] == made(Format.sft)
    assert said()[0]["content"] == '{"findings":[]}'
    assert [
        {"completion": said(1), "label": True},
        {"completion": said(2), "label": False},
        {"completion": said(3), "label": False},
    ] == made(Format.kto)
    assert [
        {"chosen": said(1), "rejected": said(1, 2)},
        {"chosen": said(), "rejected": said(3)},
    ] == made(Format.dpo)
    assert [1, 0, 0] == [one["label"] for one in made(Format.classifier)]
    roles = [[part["role"] for part in row.content["prompt"]] for row in rows_of(Format.sft, mixed + wrong)]
    assert [["system", "user"]] * 2 == roles


@pytest.mark.parametrize("format_", Format)
def test_rows_load_and_pass_the_check_of_their_trainer(format_: Format, tmp_path: Path) -> None:
    """With `datasets`, by the files that the card names, and with TRL's own functions where they look at the format."""
    from tests.unit.learning.trainers import check, loaded

    made = files(format_, many(60))
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
    card = yaml.safe_load(made["README.md"].decode().split("---\n")[1])
    named = {one["split"]: one["path"] for one in card["configs"][0]["data_files"]}
    parts = loaded(tmp_path, named, tmp_path / "cache")
    assert {"train", "validation", "test"} == set(parts)
    for name, part in parts.items():
        assert lines(made[named[name]]) == part.to_list()
        check(format_, part)


def test_every_text_is_scrubbed() -> None:
    """In prompts, answers and texts; a row that cannot be is left out and counted."""
    leak = "mail jane@acme.example at nas.local"
    answer = {"path": "a.py", "line": 1, "title": "t", "message": leak}
    made = many(39)
    made.append(material(40, accepted=True, iid=21, code=leak, words=leak, answer=answer))
    for format_ in Format:
        content = b"".join(files(format_, made).values())
        assert b"jane" not in content
        assert b"nas.local" not in content
    bad = material(41, accepted=True, iid=22, words="unclean")
    found = files(
        Format.classifier, [*made, bad], redact=lambda text: f"{text}!" if "unclean" in text else text
    )
    assert b"| scrubbing did not come to an end | 1 |" in found["README.md"]
    assert b"unclean" not in b"".join(found.values())


@pytest.mark.parametrize("format_", [Format.sft, Format.kto, Format.dpo])
def test_answers_are_scrubbed_as_the_text_that_they_hold(format_: Format) -> None:
    """Beside escapes of JSON too, which stay whole; who is in the prompt has the same pseudonym in the answer."""
    leaks = "jane@acme.example", "TODO(jane)", "10.1.2.3", "nas.local", "gitlab.example"
    message = "".join(f"\n{leak}\n\t{leak}" for leak in leaks)
    made = []
    for accepted in (True, False):
        one = material(1 + accepted, accepted=accepted, iid=1)
        assert one.prompt
        prompt = replace(one.prompt, user=message)
        made.append(replace(one, prompt=prompt, answer={"path": "a.py", "message": message}))
    row = lines(files(format_, made)["train.jsonl"])[0]
    answers = [row[name][0]["content"] for name in ("completion", "chosen", "rejected") if name in row]
    assert not any(leak in answer for leak in leaks for answer in answers)
    told = {one["message"] for answer in answers for one in json.loads(answer)["findings"]}
    assert {row["prompt"][1]["content"]} == told


def test_marks_of_model_servers_are_plain_in_answers() -> None:
    """As they are in prompts: whoever writes one into the code must not end a turn in training."""
    mark = "<|im_end|>"
    one = material(1, accepted=True, iid=1, answer={"path": "a.py", "message": f"x = '{mark}'"})
    for format_ in (Format.sft, Format.kto):
        (row,) = lines(files(format_, [one])["train.jsonl"])
        assert mark not in json.dumps(row, ensure_ascii=False)
        assert "im_end" in row["completion"][0]["content"]


def test_what_is_taken_out_of_the_prompt_alone_keeps_the_row_out() -> None:
    """Such as a secret that only what stands before it gives away: the answer would still quote it."""
    answer = {"path": "a.py", "quote": "hunter2 = 1", "evidence": [{"line": 1, "quote": "hunter2\n  = 1"}]}
    prompt = Prompt("0" * 64, "Review.", "12 +password: hunter2 = 1")
    one = material(1, accepted=True, iid=1, prompt=prompt, answer=answer)
    assert files(Format.kto, [one])["train.jsonl"]
    found = files(Format.kto, [one], redact=lambda text: text.replace("password: hunter2", "password: ***"))
    assert "train.jsonl" not in found
    assert b"| scrubbing made its answer quote what its prompt does not show | 1 |" in found["README.md"]


class Fate(enum.Enum):
    """What became of something that the model said."""

    accepted = 1
    rejected = 2
    #: Nobody decided, it was not said, or it cannot be shown.
    open = 3


FATES = st.lists(st.lists(st.sampled_from(Fate), min_size=1, max_size=4), min_size=1, max_size=12)


@settings(max_examples=25)
@given(FATES, st.randoms(use_true_random=False))
def test_answers_hold_all_and_only_what_was_accepted(
    prompts: list[list[Fate]], chance: random.Random
) -> None:
    """Whatever became of all that was said to each of many prompts, and in whatever order it comes."""
    made: list[Material] = []
    wanted = {}
    for iid, fates in enumerate(prompts, start=1):
        group = [
            material(100 * iid + n, accepted=fate is Fate.accepted, iid=iid) for n, fate in enumerate(fates)
        ]
        said = frozenset(str(one.comment.id) for one in group)
        for one, fate in zip(group, fates, strict=True):
            assert one.prompt
            comment = one.comment.model_copy(update={"fingerprint": str(one.comment.id)})
            if fate is not Fate.open:
                made.append(replace(one, comment=comment, prompt=replace(one.prompt, said=said)))
        if Fate.open not in fates:
            lines_of = {100 * iid + n for n, fate in enumerate(fates) if fate is Fate.accepted}
            wanted[group[0].prompt.user if group[0].prompt else ""] = lines_of
    first = files(Format.sft, made)
    chance.shuffle(made)
    assert first == files(Format.sft, made)
    rows = [row for name, content in first.items() if name.endswith(".jsonl") for row in lines(content)]
    told = {
        row["prompt"][1]["content"]: {
            one["line"] for one in json.loads(row["completion"][0]["content"])["findings"]
        }
        for row in rows
    }
    assert wanted == told
    pairs = [
        row
        for name, content in files(Format.dpo, made).items()
        if name.endswith(".jsonl")
        for row in lines(content)
    ]
    assert {row["prompt"][1]["content"] for row in pairs} <= set(wanted)


def test_rows_say_where_they_come_from() -> None:
    """For whoever has the ledger; nobody's name, account, project or merge request is in it."""
    (row,) = lines(files(Format.kto, [material(1, accepted=True)])["train.jsonl"])
    found = row["provenance"]
    assert found["comments"] == [str(material(1, accepted=True).comment.id)]
    assert (found["model"], found["prompt_version"], found["label_version"]) == ("deepseek", "v1", 1)
    assert found["labels"] == ["accepted_strong"]
    assert "gitlab.example" not in json.dumps(row)


def test_the_card_tells_what_is_in_it() -> None:
    """And what is not; names that others chose stay in their cells."""
    evil = material(3, accepted=True)
    made = [*many(40)[:2], *many(40)[3:]]
    comment = evil.comment.model_copy(update={"category": "x | y\n<script>"})
    card = files(
        Format.kto, [*made, Material(comment, evil.label, (), evil.merged_at, 1, "c", "w", evil.prompt, {})]
    )["README.md"].decode()
    counts = Counter(one.label.value for one in made) + Counter([evil.label.value])
    for name, count in counts.items():
        assert f"| {name} | {count} |" in card
    assert "| x | 3 |" in card
    assert "| x ? y??script? | 1 |" in card


@pytest.mark.parametrize("format_", Format)
def test_too_little_is_refused_with_the_reason(format_: Format) -> None:
    """Nothing is written; what is missing is said, with why comments were left out."""
    with pytest.raises(Refused, match=f"{LEAST_ROWS[format_]}") as raised:
        files(format_, many(60), gates=True)
    assert f"of at least {LEAST_REJECTED}" in str(raised.value)
    assert "3 because x" in str(raised.value)


def test_enough_is_not_refused() -> None:
    """Exactly at the gates of the classifier."""
    made = [material(n, accepted=n > 300, iid=n) for n in range(1, 1001)]
    assert len(lines(files(Format.classifier, made, gates=True)["train.jsonl"])) == 800
    with pytest.raises(Refused, match="999 rows of at least 1000"):
        files(Format.classifier, made[1:], gates=True)
