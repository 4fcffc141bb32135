"""What may be asked: the parameters of a view, checked before anything is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from bot.domain.comment_lines import Became, Picked, Which
from bot.domain.dashboard import Dimension, Filters, Grain
from bot.domain.dashboard_query import BadFilter, day_of, filters_of
from bot.domain.review_fact import Reason
from bot.domain.viewer import Viewer
from bot.ports import Clock
from bot.ports.listings import Sought
from bot.web.problems import Fault, Problem

#: No name of a rule, a file's language or a model is longer.
_LONGEST = 255
#: Of a parameter that there is not, so much is said again.
_LONGEST_NAME = 100
#: So many lines go on a page.
MOST_LINES, LINES = 200, 50

_DAY = {"type": "string", "format": "date"}
_SEGMENT = "[0-9A-Za-z_][0-9A-Za-z_.-]*"
#: Letters, marks, numbers, punctuation and signs of every script: nothing that cannot be seen.
_READABLE = r"^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$"


def _absent(schema: dict[str, Any]) -> None:
    """Leave out that a parameter may be null: in a URL it is there or it is not."""
    schema.pop("default", None)


def _optional(description: str, **more: Any) -> Any:
    return Field(default=None, description=description, json_schema_extra=_absent, **more)


_Day = Annotated[str | None, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), WithJsonSchema(_DAY)]
_Project = Annotated[
    int | None,
    Field(ge=1, lt=10**18),
    WithJsonSchema({"type": "integer", "minimum": 1, "exclusiveMaximum": 10**18}),
]
_Group = Annotated[
    str | None,
    Field(pattern=rf"^{_SEGMENT}(?:/{_SEGMENT})*$", max_length=_LONGEST),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^{_SEGMENT}(?:/{_SEGMENT})*$",
            "minLength": 1,
            "maxLength": _LONGEST,
        }
    ),
]
_Word = Annotated[
    str | None,
    Field(pattern=_READABLE, max_length=_LONGEST),
    WithJsonSchema({"type": "string", "pattern": _READABLE, "minLength": 1, "maxLength": _LONGEST}),
]

_FILTERS = frozenset({"from", "to", "project", "group", *Dimension})


def once(request: Request) -> None:
    """Refuse a parameter that is there twice: one of both would go unnoticed.

    Raises:
        Problem: there is one.
    """
    names = [name for name, _ in request.query_params.multi_items()]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            raise _not_that(name, "it is there more than once")


def nothing(request: Request) -> None:
    """Refuse every parameter, before what knows none.

    Raises:
        Problem: there is one.
    """
    for name in request.query_params:
        raise _not_that(name, "there is no such parameter")


def as_json(request: Request) -> None:
    """Refuse a body that does not say that it is JSON.

    Raises:
        Problem: it does not.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, "not_json", "send JSON, with the header Content-Type: application/json")


class Asked(BaseModel):
    """Base of parameters: one that is misspelt is refused, rather than left aside."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Places(Asked):
    """Choose projects; no filter reaches beyond those that one may see."""

    project: _Project = _optional("The number of a project.")
    group: _Group = _optional("The path of a group; it stands for all below it.")

    def filters(self, viewer: Viewer, clock: Clock) -> Filters:
        """Return what is chosen, of what *viewer* may see.

        Raises:
            Problem: it makes no sense, such as a window that ends before it begins.
        """
        query = {
            name: str(value)
            for name, value in self.model_dump(by_alias=True, exclude_none=True).items()
            if name in _FILTERS
        }
        try:
            reach = viewer.reach
            return filters_of(query, visible=reach.whole, own=reach.own, today=clock.now().date())
        except BadFilter as error:
            raise _refusal(error) from None


class Chosen(Places):
    """Choose what is counted: by day, project and group, and comments by what they are about."""

    from_: _Day = _optional("The first day, in UTC; 30 days before the last without it.", alias="from")
    to: _Day = _optional("The last day, in UTC; today without it. At most 731 days.")
    category: _Word = _optional("Only comments of this category.")
    rule: _Word = _optional("Only comments of this rule.")
    severity: _Word = _optional("Only comments of this severity.")
    scanner: _Word = _optional("Only comments of this scanner.")
    language: _Word = _optional("Only comments on files of this language.")
    model: _Word = _optional("Only comments of this model, as in the rows of `acceptance`.")
    prompt_version: _Word = _optional("Only comments made with this version of the prompt.")


class AcceptanceAsked(Chosen):
    """Choose by what comments are told apart."""

    by: Dimension = Field(Dimension.category, description="By what comments are told apart.")


class SeriesAsked(Chosen):
    """Choose the length of a point."""

    grain: Grain = Field(Grain.day, description="The length of a point; weeks begin on Monday.")


#: Both are made by `bot.web.api.paging`; the first letters leave out what is beyond any date or number.
_MOMENT = r"^A[A-C][A-Za-z0-9_-]{30}$"
_NUMBER = r"^[A-Za-f][A-Za-z0-9_-]{10}$"
_AfterMoment = Annotated[
    str | None, Field(pattern=_MOMENT), WithJsonSchema({"type": "string", "pattern": _MOMENT})
]
_AfterNumber = Annotated[
    str | None, Field(pattern=_NUMBER), WithJsonSchema({"type": "string", "pattern": _NUMBER})
]
_AFTER = "Where the page before has ended: take it from there, as it is."


class _Paged(Asked):
    limit: int = Field(LINES, ge=1, le=MOST_LINES, description="How many lines go on a page.")


class CommentsChosen(Chosen):
    """Choose comments, also by what became of them."""

    became: Became | None = _optional("Only comments of which this holds.")


class CommentsAsked(CommentsChosen, _Paged):
    """Choose a page of comments."""

    after: _AfterMoment = _optional(_AFTER)


class MutesAsked(Places, _Paged):
    """Choose a page of what is muted."""

    after: _AfterMoment = _optional(_AFTER)


class ReviewsChosen(Chosen):
    """Choose reviews, also by what they came to."""

    mine: bool = Field(
        default=False, description="Only the newest review of each merge request that you made."
    )
    which: Which | None = _optional("Only reviews of which this holds.")
    unsaid: Reason | None = _optional("Only reviews that left something unsaid for this reason.")

    @property
    def picked(self) -> Picked:
        """Return what they came to."""
        return Picked(self.which, self.unsaid)

    def filters(self, viewer: Viewer, clock: Clock) -> Filters:
        """Return what is chosen; of what is one's own, nothing that one merely oversees."""
        found = super().filters(viewer, clock)
        return replace(found, visible=frozenset()) if self.mine else found


class ReviewsAsked(ReviewsChosen, _Paged):
    """Choose a page of reviews."""

    after: _AfterMoment = _optional(_AFTER)


class ListAsked(_Paged):
    """Choose a page of a list."""

    after: _AfterNumber = _optional(_AFTER)


class WaiversAsked(Places, ListAsked):
    """Choose a page of waivers."""


class EntriesChosen(Asked):
    """Choose entries of the audit log."""

    from_: _Day = _optional("The first day, in UTC.", alias="from")
    to: _Day = _optional("The last day, in UTC.")
    action: _Word = _optional("An act, such as `waiver.granted`, or all of a kind, such as `waiver`.")
    actor: _Word = _optional("The name of somebody, or of a token; or all that an entry says of who it was.")
    project: _Project = _optional("The number of a project.")

    def sought(self) -> Sought:
        """Return what is chosen.

        Raises:
            Problem: a day is none.
        """
        return Sought(
            self.action or "",
            self.actor or "",
            self.project,
            _day("from", self.from_),
            _day("to", self.to),
        )


class EntriesAsked(EntriesChosen, ListAsked):
    """Choose a page of the audit log."""


def _day(name: str, text: str | None) -> date | None:
    try:
        return day_of(name, text) if text else None
    except BadFilter as error:
        raise _refusal(error) from None


def _not_that(name: str, why: str) -> Problem:
    fault = Fault("query", name[:_LONGEST_NAME], why)
    return Problem(422, "invalid_request", f"query.{fault.name}: {why}", faults=[fault])


def _refusal(error: BadFilter) -> Problem:
    remedy = str(error).removeprefix(f"{error.name}: ")
    return Problem(422, "bad_filter", str(error), faults=[Fault("query", error.name, remedy)])
