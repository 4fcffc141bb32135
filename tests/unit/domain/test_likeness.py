"""Likeness is exact and does not depend on layout; the index finds all that comparing every pair would."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.likeness import NearDuplicates, cosine, jaccard, shapes, shingles, words


def test_layout_and_case_do_not_matter() -> None:
    """Nor the width of characters; order and signs do."""
    assert shingles("if (a == b)  {\n\treturn X; }") == shingles("IF (a == b) { return x; }")
    assert shingles("ｆ（ａ）") == shingles("f(a)")
    assert shingles("a b c d e f") != shingles("f e d c b a")
    assert shingles("a < b") != shingles("a > b")


def test_scripts_without_blanks_are_read_sign_by_sign() -> None:
    """So two long sentences that differ in a word are still alike."""
    assert ["这", "里", "有", "sql", "注", "入"] == words("这里有SQL注入")
    one, other = (
        "这里把用户输入拼接进了查询语句因此会导致注入漏洞请改用参数",
        "这里把用户输入拼接进了查询语句因此会导致注入漏洞请改用绑定",
    )
    assert jaccard(shingles(one), shingles(other)) > 0.8


CODE = """
def total(orders, rate):
    amount = 0
    for order in orders:
        if order.paid and not order.refunded:
            amount += order.price * order.count
            log.info("order %s", order.id)
    if amount < 0:
        raise ValueError(f"negative: {amount}")
    return round(amount * (1 + rate), 2)
"""


def test_names_of_variables_do_not_matter_to_shapes() -> None:
    """Nor that of a function that is defined; what is called, what belongs to something and the order do."""
    other = CODE
    for name in ("total", "orders", "rate", "amount", "order"):
        other = re.sub(rf"\b{name}\b", f"x{name}x", other)
    assert jaccard(shingles(CODE), shingles(other)) < 0.2
    assert jaccard(shapes(CODE), shapes(other)) > 0.95
    assert jaccard(shapes(CODE), shapes(CODE.replace("price", "cost").replace("round", "floor"))) < 0.8
    assert jaccard(shapes(CODE), shapes("\n".join(CODE.split("\n")[::-1]))) < 0.8


def test_what_is_short_or_no_code_has_no_shape() -> None:
    """Of names alone all texts would consist."""
    assert not shapes("x = f(y)")
    assert not shapes(" ".join(f"name{number}" for number in range(500)))


@given(st.text(), st.text())
def test_likeness_is_symmetric_and_bounded(one: str, other: str) -> None:
    """A text with words is wholly like itself, and one without is like nothing."""
    mine, others = shingles(one), shingles(other)
    assert jaccard(mine, others) == jaccard(others, mine)
    assert 0 <= jaccard(mine, others) <= 1
    assert jaccard(mine, mine) == bool(words(one))


SETS = st.lists(st.frozensets(st.integers(0, 12), max_size=12), max_size=12)


@given(
    SETS, st.frozensets(st.integers(0, 12), min_size=1, max_size=12), st.sampled_from([0.3, 0.5, 0.8, 1.0])
)
def test_the_index_finds_what_comparing_every_pair_finds(
    known: list[frozenset[int]], asked: frozenset[int], threshold: float
) -> None:
    """No more and no less."""
    index = NearDuplicates[int](threshold)
    for number, one in enumerate(known):
        index.add(number, one)
    near = {number for number, one in enumerate(known) if jaccard(one, asked) >= threshold}
    found = index.like(asked)
    assert (found in near) if near else (found is None)


FLOATS = st.floats(-1e3, 1e3, allow_nan=False)


@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=8))
def test_cosines_are_cosines(pairs: list[tuple[float, float]]) -> None:
    """Between -1 and 1, and the same both ways."""
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    assert -1 <= cosine(one, other) <= 1
    assert cosine(one, other) == cosine(other, one)


def test_vectors_of_two_models_are_not_compared() -> None:
    """That would be a mistake of ours; a vector without a direction is like nothing."""
    with pytest.raises(ValueError, match="2 and 3"):
        cosine([1, 0], [1, 0, 0])
    assert cosine([0, 0], [1, 0]) == 0
    assert cosine([3, 0], [5, 0]) == 1
