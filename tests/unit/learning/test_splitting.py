"""What is learned and what is examined are kept apart: by merge request, by time, and by likeness."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.labels import Label
from bot.domain.likeness import jaccard, shingles
from bot.learning.formats import Format
from bot.learning.rows import Material, Row, rows_of
from bot.learning.splitting import TEST, TRAIN, VALIDATION, split
from tests.unit.learning.material import many, material


def rows(count: int = 200) -> list[Row]:
    """Return rows of merge requests, two of each."""
    return rows_of(Format.classifier, many(count))


def test_parts_follow_each_other_and_divide_no_merge_request() -> None:
    """Four fifths to learn from, as near as merge requests allow."""
    found = split(rows())
    names = {part: {row.merge_request for row in some} for part, some in found.parts.items()}
    assert not names[TRAIN] & names[VALIDATION]
    assert not (names[TRAIN] | names[VALIDATION]) & names[TEST]
    times = {part: [row.merged_at for row in some] for part, some in found.parts.items()}
    assert max(times[TRAIN]) < min(times[VALIDATION]) <= max(times[VALIDATION]) < min(times[TEST])
    assert found.begins == {part: min(some) for part, some in times.items()}
    assert 155 <= len(found.parts[TRAIN]) <= 165
    assert sum(len(some) for some in found.parts.values()) == 200


def test_near_duplicates_of_what_is_learned_examine_nothing() -> None:
    """Neither by their code nor by the model's words; those of a rule are always the same."""
    learned, late = material(1, accepted=True), material(200, accepted=False)
    rest = many(190)[1:]
    for alike in ({"code": f"{learned.code} x"}, {"words": learned.words.upper()}):
        found = split(rows_of(Format.classifier, [learned, *rest, replace(late, **alike)]))
        assert {"nearly the same as a row before test": 1} == dict(found.left_out)
    semgrep = [
        replace(one, comment=one.comment.model_copy(update={"scanner": "semgrep"}), words="Do not use eval")
        for one in [learned, *rest, late]
    ]
    assert not split(rows_of(Format.classifier, semgrep)).left_out


def test_code_with_other_names_examines_nothing() -> None:
    """Whoever has learned it knows the answer."""
    lines = [
        f"+{name} = load(path, {number}) or {name}.copy()[{number}:]"
        for number, name in enumerate("abcdefgh")
    ]
    learned = replace(material(1, accepted=True), code="\n".join(["x.py", *lines]))
    late = replace(material(200, accepted=False), code=re.sub(r"\b([a-h])\b", r"other_\1", learned.code))
    found = split(rows_of(Format.classifier, [learned, *many(190)[1:], late]))
    assert {"nearly the same as a row before test": 1} == dict(found.left_out)


def test_what_was_learned_beside_something_else_examines_nothing() -> None:
    """A row of two comments gives away each of them."""
    learned = [material(number, accepted=True, iid=1) for number in (1, 2)]
    late = replace(material(200, accepted=True), code=learned[0].code)
    rest = many(190)[2:]
    assert not split(rows_of(Format.sft, [*learned, *rest])).left_out
    found = split(rows_of(Format.sft, [*learned, *rest, late]))
    assert {"nearly the same as a row before test": 1} == dict(found.left_out)


def test_a_question_that_was_learned_examines_nothing() -> None:
    """As where a change is made once more for an older release, and something else is said about it."""
    rest = many(190)[1:]

    def asked(one: Material, text: str) -> Material:
        assert one.prompt is not None
        return replace(one, prompt=replace(one.prompt, asked=text))

    change = " ".join(f"line{number}" for number in range(60))
    learned, late = asked(material(1, accepted=True), change), asked(material(200, accepted=False), change)
    for format_ in (Format.sft, Format.kto, Format.dpo):
        kept = learned if format_ is not Format.dpo else replace(learned, label=Label.rejected_strong)
        found = split(rows_of(format_, [kept, *rest, late]))
        assert {"nearly the same as a row before test": 1} == dict(found.left_out)
        other = asked(late, change[::-1])
        assert not split(rows_of(format_, [kept, *rest, other])).left_out
    assert not split(rows_of(Format.classifier, [learned, *rest, late])).left_out


def test_the_same_row_is_there_once() -> None:
    """However often the same was said of the same code."""
    one = material(1, accepted=True)
    twins = [
        replace(one, comment=one.comment.model_copy(update={"id": material(n, accepted=True).comment.id}))
        for n in (2, 3)
    ]
    found = split(rows_of(Format.classifier, [one, *twins, *many(40)[3:]]))
    assert found.left_out["the same as another row"] == 2


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 3)), max_size=30))
def test_nothing_alike_stands_in_two_parts(told: list[tuple[int, int]]) -> None:
    """Whatever is copied from whatever; nothing is lost without being counted."""
    made = [
        replace(material(n + 1, accepted=True, iid=iid), code=f"c{copied} " * 9, words=f"w{n} " * 9)
        for n, (iid, copied) in enumerate(told)
    ]
    found = split(rows_of(Format.classifier, made))
    sets = {part: [shingles(row.sources[0].code) for row in some] for part, some in found.parts.items()}
    for earlier, later in ((TRAIN, VALIDATION), (TRAIN, TEST), (VALIDATION, TEST)):
        assert not any(jaccard(one, other) >= 0.8 for one in sets[earlier] for other in sets[later])
    assert len(made) == sum(map(len, sets.values())) + found.left_out.total()
