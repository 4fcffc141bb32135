"""The hidden last line by which we know our own notes again.

A marker alone proves nothing about who wrote the note: callers also compare the author with our account.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import json
import re

from bot.domain.merge_request import MergeRequestRef

#: Shorter keys could be guessed from one marker; they stand in public view.
LEAST_KEY_BYTES = 16
_SUMMARY = "summary"
_ANSWER = "answer"
_TESTS = "tests"
_WORD = "word"
_FINGERPRINT = re.compile(r"[0-9A-Za-z_.-]{1,128}")
_LINE = re.compile(r"<!-- cloister:v1:(?P<name>[0-9A-Za-z_.-]{1,128}):(?P<mac>[0-9a-f]{64}) -->")

#: Stands in a note about a scanner's finding that a model has explained; outgoing text cannot contain it.
EXPLAINED = "<!-- cloister:explained -->"


def seems_ours(body: str) -> bool:
    """Say whether *body* ends as our notes do, cheaply and without proof, for what nothing but effort depends on."""
    return _LINE.fullmatch(body.rstrip(" \r\n").rpartition("\n")[2]) is not None


class Word(enum.StrEnum):
    """What we say in a thread became of its finding."""

    fixed = "fixed"
    back = "back"
    waived = "waived"
    unwaived = "unwaived"


class Marker:
    """Sign and recognise notes of one merge request.

    The signature covers the instance, the project, the merge request, the kind of note and the fingerprint,
    so that a marker copied to another merge request, or from a thread into a summary, does not verify.

    Args:
        key: the installation's secret, at least 16 bytes.

    Raises:
        ValueError: the key is too short.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < LEAST_KEY_BYTES:
            raise ValueError(
                f"the marker key has {len(key)} bytes; use at least {LEAST_KEY_BYTES} random ones"
            )
        self._key = key

    def of(self, ref: MergeRequestRef, fingerprint: str) -> str:
        """Return the marker of the thread about the finding with that fingerprint.

        Raises:
            ValueError: the fingerprint is not one to 128 letters, digits, dots, dashes and underscores.
        """
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise ValueError(f"{fingerprint!r} is not a fingerprint; stamp the finding first")
        return self._line(ref, "finding", fingerprint)

    def of_summary(self, ref: MergeRequestRef) -> str:
        """Return the marker of the one summary note of a merge request."""
        return self._line(ref, _SUMMARY, _SUMMARY)

    def of_answer(self, ref: MergeRequestRef, note_id: int) -> str:
        """Return the marker of our one answer to a comment."""
        return self._line(ref, _ANSWER, str(note_id))

    def answers(self, ref: MergeRequestRef, body: str) -> int | None:
        """Return the comment that *body* answers, None if it is not one of our answers."""
        name = self._read(ref, _ANSWER, body)
        return int(name) if name is not None and name.isdecimal() else None

    def of_tests(self, ref: MergeRequestRef, request: str) -> str:
        """Return the marker of the note that delivers unit tests; *request* names the one that asked for them."""
        return self._line(ref, _TESTS, request)

    def delivers_tests(self, ref: MergeRequestRef, request: str, body: str) -> bool:
        """Say whether *body* is our note that delivers the unit tests of *request*."""
        return self._read(ref, _TESTS, body) == request

    def of_word(self, ref: MergeRequestRef, word: Word, fingerprint: str) -> str:
        """Return the marker of a note that says what became of a finding, in its thread."""
        return self._line(ref, _WORD, f"{word.value}.{fingerprint}")

    def word(self, ref: MergeRequestRef, body: str, fingerprint: str) -> Word | None:
        """Return what *body* says became of that finding, None if it is not such a note of ours."""
        name = self._read(ref, _WORD, body) or ""
        return next((word for word in Word if name == f"{word.value}.{fingerprint}"), None)

    def read(self, ref: MergeRequestRef, body: str) -> str | None:
        """Return the fingerprint that *body* was signed with, None if it is not one of our threads.

        Only the last line counts: everything above it may quote text from outside.
        """
        return self._read(ref, "finding", body)

    def is_summary(self, ref: MergeRequestRef, body: str) -> bool:
        """Say whether *body* is our summary of that merge request."""
        return self._read(ref, _SUMMARY, body) == _SUMMARY

    def _read(self, ref: MergeRequestRef, kind: str, body: str) -> str | None:
        line = _LINE.fullmatch(body.rstrip(" \r\n").rpartition("\n")[2])
        if line is None or not hmac.compare_digest(line["mac"], self._mac(ref, kind, line["name"])):
            return None
        return line["name"]

    def _line(self, ref: MergeRequestRef, kind: str, name: str) -> str:
        return f"<!-- cloister:v1:{name}:{self._mac(ref, kind, name)} -->"

    def _mac(self, ref: MergeRequestRef, kind: str, name: str) -> str:
        signed = json.dumps(["cloister marker v1", kind, ref.instance, ref.project_id, ref.iid, name])
        return hmac.new(self._key, signed.encode(), hashlib.sha256).hexdigest()
