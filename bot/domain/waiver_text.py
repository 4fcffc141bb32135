"""What we answer to wishes about waivers."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.commands import NAME
from bot.domain.markdown import code_span, neutral_inline
from bot.domain.waiver_words import example
from bot.domain.waivers import About, names_of
from bot.domain.waiving import Docket, Ruling, Said
from bot.domain.wording import Talk

#: Findings that are named to somebody who has named none, or a wrong one.
_CANDIDATES = 10
_TITLE_CHARS = 120
_PLACE_CHARS = 200


def ruling_text(ruling: Ruling, docket: Docket, talk: Talk) -> str:
    """Return the answer to a wish; findings that may have been meant are listed below it."""
    names = names_of([*(one.fingerprint for one in (*docket.blocking, *docket.others))])
    allowed = docket.terms
    mark = ruling.about.fingerprint if ruling.about else ""
    role = allowed.ask if ruling.said is Said.needs_role and ruling.about is None else allowed.grant
    name = names.get(mark, mark[:8])
    text = talk.waiving[ruling.said].format(
        finding=code_span(name),
        named=code_span(ruling.named),
        until=ruling.until.isoformat() if ruling.until else "",
        reason=neutral_inline(ruling.reason),
        role=talk.roles[role],
        grant=code_span(f"@{NAME} waive {name}"),
        form=code_span(f"@{NAME} waive FINDING {example(allowed.max_days)}"),
        days=allowed.max_days,
        chars=allowed.min_reason,
    )
    return "\n".join([text, *_candidates(ruling.candidates, docket.places, names)])


def _candidates(found: tuple[About, ...], places: Mapping[str, str], names: Mapping[str, str]) -> list[str]:
    if not found:
        return []
    lines = [
        f"- {code_span(names.get(one.fingerprint, one.fingerprint))}"
        f" {code_span(places.get(one.fingerprint, ''), _PLACE_CHARS)}"
        f" {neutral_inline(one.title, _TITLE_CHARS)}"
        for one in found[:_CANDIDATES]
    ]
    return ["", *lines, *(["- …"] if len(found) > _CANDIDATES else [])]
