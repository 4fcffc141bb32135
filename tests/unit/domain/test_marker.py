"""Only our own markers, in their own place, are believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.marker import Marker, Word
from bot.domain.merge_request import MergeRequestRef

MARKER = Marker(b"k" * 32)
REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
fingerprints = st.from_regex(r"[0-9A-Za-z_.-]{1,128}", fullmatch=True)


@given(fingerprints, st.text(), st.sampled_from(["", "\n", "\r\n", "  \n"]))
def test_a_marker_is_read_back(fingerprint: str, text: str, tail: str) -> None:
    """The fingerprint comes back from the last line, whatever stands above."""
    body = f"{text}\n\n{MARKER.of(REF, fingerprint)}{tail}"
    assert fingerprint == MARKER.read(REF, body)


@pytest.mark.parametrize(
    "other",
    [
        REF.model_copy(update={"instance": "other.example"}),
        REF.model_copy(update={"project_id": 73, "iid": 3}),
        REF.model_copy(update={"iid": 4}),
    ],
)
def test_a_marker_belongs_to_one_merge_request(other: MergeRequestRef) -> None:
    """A marker copied to another merge request is not ours."""
    assert MARKER.read(other, MARKER.of(REF, "abc")) is None
    assert not MARKER.is_summary(other, MARKER.of_summary(REF))


def test_kinds_do_not_mix() -> None:
    """A thread is no summary and a summary no thread, even with the same name."""
    assert MARKER.read(REF, MARKER.of_summary(REF)) is None
    assert not MARKER.is_summary(REF, MARKER.of(REF, "summary"))
    assert MARKER.is_summary(REF, "text\n" + MARKER.of_summary(REF))


def test_a_word_is_about_one_finding() -> None:
    """What became of a finding is said in its thread; no other kind of note says it."""
    for word in Word:
        body = f"text\n\n{MARKER.of_word(REF, word, 'abc')}"
        assert word is MARKER.word(REF, body, "abc")
        assert MARKER.word(REF, body, "ab") is None
        assert MARKER.word(REF, f"{body}\nmore", "abc") is None
        assert MARKER.read(REF, body) is None
        assert MARKER.word(REF, MARKER.of(REF, f"{word}.abc"), "abc") is None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no marker",
        MARKER.of(REF, "abc") + "\nmore text",
        "> " + MARKER.of(REF, "abc"),
        MARKER.of(REF, "abc").replace("abc", "abd"),
        MARKER.of(REF, "abc").replace(" -->", "x -->"),
        MARKER.of(REF, "abc") * 2,
        Marker(b"x" * 32).of(REF, "abc"),
    ],
)
def test_anything_else_is_not_ours(body: str) -> None:
    """Quoted, edited, doubled, displaced and foreign markers are ignored."""
    assert MARKER.read(REF, body) is None


@given(st.text())
def test_reading_never_fails(body: str) -> None:
    """Any note can be asked."""
    assert MARKER.read(REF, body) is None


@pytest.mark.parametrize("fingerprint", ["", "a b", "a-->", "x" * 129, "a\n"])
def test_only_stamped_findings_are_signed(fingerprint: str) -> None:
    """A fingerprint that would break the comment is refused."""
    with pytest.raises(ValueError, match="stamp the finding"):
        MARKER.of(REF, fingerprint)


def test_short_keys_are_refused() -> None:
    """A guessable key is an error at start-up."""
    with pytest.raises(ValueError, match="at least 16"):
        Marker(b"short")


def test_an_answer_names_the_comment_that_it_answers() -> None:
    """On its own merge request only, and it is neither a thread nor a summary."""
    marker = Marker(b"0123456789abcdef")
    ref, other = (MergeRequestRef(instance="gitlab.example", project_id=1, iid=iid) for iid in (1, 2))
    body = f"text\n\n{marker.of_answer(ref, 42)}"
    assert marker.answers(ref, body) == 42
    assert marker.answers(other, body) is None
    assert marker.read(ref, body) is None
    assert not marker.is_summary(ref, body)
    assert marker.answers(ref, f"text\n\n{marker.of(ref, '42')}") is None
