"""The result of an evaluation: what each case came to, and the figures of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Self

from pydantic import Field, ValidationError

from bot.domain.errors import Permanent
from bot.domain.evaluation.case import Case
from bot.domain.evaluation.intervals import Share
from bot.domain.evaluation.matching import match
from bot.domain.findings import Finding
from bot.domain.merge_request import Value

#: Grows when a program that reads reports would misread new ones.
FORMAT: Final = 1


class Said(Value):
    """Hold one comment of a review; ``meant`` is the number of the expectation that it met."""

    path: str
    line: int
    end_line: int
    scanner: str
    rule: str
    severity: str
    title: str
    meant: int | None = None
    forbidden: bool = False
    placed: bool = True


class Missed(Value):
    """Hold an expectation that no comment met; ``listed`` says that the summary has it."""

    number: int
    path: str
    lines: tuple[int, int] = Field(strict=False)
    listed: bool = False


class Calls(Value):
    """Hold what the model was asked: how often, how often its answer could be used, and what that cost."""

    made: int = 0
    usable: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0


class Outcome(Value):
    """Hold what the review of one case came to; ``error`` says why there was none."""

    name: str
    language: str
    clean: bool
    expected: int = 0
    comments: tuple[Said, ...] = Field(default=(), strict=False)
    missed: tuple[Missed, ...] = Field(default=(), strict=False)
    listed: int = 0
    calls: Calls = Calls()
    seconds: float = 0.0
    not_reviewed: dict[str, str] = Field(default_factory=dict)
    error: str = ""

    @property
    def found(self) -> int:
        """Return how many expectations were met."""
        return self.expected - len(self.missed)

    @property
    def false_positives(self) -> int:
        """Return how many comments met nothing, or said what must not be said."""
        return sum(said.meant is None or said.forbidden for said in self.comments)


class Report(Value):
    """Hold one evaluation. ``prompts`` are the versions of the instructions by task."""

    format: int = FORMAT
    model: str = ""
    digest: str = ""
    prompts: dict[str, str] = Field(default_factory=dict)
    cases: tuple[Outcome, ...] = Field(default=(), strict=False)

    @property
    def carried_out(self) -> tuple[Outcome, ...]:
        """Return the cases that were reviewed."""
        return tuple(case for case in self.cases if not case.error)

    @property
    def recall(self) -> Share:
        """Return how much of what was expected was commented."""
        return Share(
            _sum(self.carried_out, lambda one: one.found), _sum(self.carried_out, lambda one: one.expected)
        )

    @property
    def precision(self) -> Share:
        """Return how many of the comments were meant."""
        total = _sum(self.carried_out, lambda one: len(one.comments))
        return Share(total - _sum(self.carried_out, lambda one: one.false_positives), total)

    @property
    def silence(self) -> Share:
        """Return how many clean changes were left without a comment."""
        clean = [one for one in self.carried_out if one.clean]
        return Share(sum(not one.comments for one in clean), len(clean))

    @property
    def placed(self) -> Share:
        """Return how many comments have a position that GitLab accepts."""
        said = [comment for one in self.carried_out for comment in one.comments]
        return Share(sum(comment.placed for comment in said), len(said))

    @property
    def valid_json(self) -> Share:
        """Return how many answers of the model could be used."""
        return Share(
            _sum(self.carried_out, lambda one: one.calls.usable),
            _sum(self.carried_out, lambda one: one.calls.made),
        )

    @property
    def shares(self) -> dict[str, Share]:
        """Return all shares, by the names that they have in reports."""
        return {
            "recall": self.recall,
            "precision": self.precision,
            "silence_on_clean": self.silence,
            "position_validity": self.placed,
            "valid_json": self.valid_json,
        }

    @property
    def comments_per_clean(self) -> float | None:
        """Return how many comments a clean change gets on average."""
        clean = [one for one in self.carried_out if one.clean]
        return sum(len(one.comments) for one in clean) / len(clean) if clean else None

    def to_json(self) -> dict[str, Any]:
        """Return the report for programs: stable keys, new ones may come; ``total`` follows from ``cases``."""
        cases = [
            {"found": one.found, "false_positives": one.false_positives, **one.model_dump(mode="json")}
            for one in self.cases
        ]
        return {**self.model_dump(mode="json", exclude={"cases"}), "total": self._total(), "cases": cases}

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """Return the report that *content* holds.

        Raises:
            Permanent: it is none, or one of a newer release.
        """
        try:
            report = cls.model_validate_json(content)
        except ValidationError as error:
            place = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
            raise Permanent(
                f"not a report of cloister eval{f' (at {place})' if place else ''}; make one with --json"
            ) from error
        if report.format != FORMAT:
            raise Permanent(f"a report of format {report.format}, this release reads {FORMAT}; make it again")
        return report

    def _total(self) -> dict[str, Any]:
        done = self.carried_out
        shares = {
            name: {
                "value": share.value,
                "count": share.count,
                "of": share.of,
                "interval95": list(share.interval),
            }
            for name, share in self.shares.items()
        }
        return {
            "cases": len(self.cases),
            "failed_cases": len(self.cases) - len(done),
            **shares,
            "comments_per_clean": self.comments_per_clean,
            "forbidden": sum(said.forbidden for one in done for said in one.comments),
            "calls": _sum(done, lambda one: one.calls.made),
            "prompt_tokens": _sum(done, lambda one: one.calls.prompt_tokens),
            "output_tokens": _sum(done, lambda one: one.calls.output_tokens),
            "seconds": round(sum(one.seconds for one in done), 3),
        }


def shortfalls(report: Report, minima: Mapping[str, float | None]) -> list[str]:
    """Return a line for each share that is below its minimum; one without anything to count is not."""
    return [
        f"{name} is {share.value:.3f} ({share.count} of {share.of}), below {least}"
        for name, least in minima.items()
        if least is not None and (share := report.shares[name]).value is not None and share.value < least
    ]


def judge(
    name: str,
    case: Case,
    comments: Sequence[Finding],
    listed: Sequence[Finding],
    placed: Callable[[Finding], bool],
) -> Outcome:
    """Return what *comments* on the change of *case* are worth.

    Args:
        name: of the case.
        case: what is expected.
        comments: what would become threads in the diff.
        listed: what would stand in the summary only.
        placed: says whether GitLab has a position for a comment.
    """
    matches = match(comments, case.expected)
    in_summary = set(match(listed, [case.expected[at] for at in matches.missed]).pairs.values())
    missed = tuple(
        Missed(
            number=at, path=case.expected[at].path, lines=case.expected[at].lines, listed=order in in_summary
        )
        for order, at in enumerate(matches.missed)
        if not case.expected[at].optional
    )
    return Outcome(
        name=name,
        language=case.language,
        clean=case.clean,
        expected=sum(not one.optional for one in case.expected),
        comments=tuple(
            _said(comment, case, matches.pairs.get(at), placed) for at, comment in enumerate(comments)
        ),
        missed=missed,
        listed=len(listed),
    )


def _said(comment: Finding, case: Case, meant: int | None, placed: Callable[[Finding], bool]) -> Said:
    text = f"{comment.title}\n{comment.message}"
    return Said(
        path=comment.path,
        line=comment.line,
        end_line=comment.end_line,
        scanner=comment.scanner,
        rule=comment.rule,
        severity=comment.severity.value,
        title=comment.title,
        meant=meant,
        forbidden=any(one.applies(comment.path, text) for one in case.must_not_say),
        placed=placed(comment),
    )


def _sum(cases: Iterable[Outcome], of: Callable[[Outcome], int]) -> int:
    return sum(map(of, cases))
