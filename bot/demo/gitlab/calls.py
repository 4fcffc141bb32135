"""One API request: who asks, for what, with which parameters, and the answer in pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlencode

from bot.demo.gitlab.accounts import Level, Token, User
from bot.demo.gitlab.errors import ApiError, forbidden, invalid, message, missing, not_found
from bot.demo.gitlab.state import MergeRequest, Note, Project

if TYPE_CHECKING:
    from bot.demo.gitlab.instance import Instance

T = TypeVar("T")

_ANY_LENGTH = -1
_READS = frozenset({"GET", "HEAD"})

#: Above this many rows GitLab stops counting.
COUNTED_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; bytes go out as they are, everything else as JSON, None without a body."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """An authenticated API request."""

    instance: Instance
    user: User
    token: Token
    method: str
    path: str
    segments: dict[str, str]
    params: dict[str, Any]

    def text(self, name: str, default: str | None = None) -> str | None:
        """Return a text parameter."""
        value = self.params.get(name, default)
        if value is not None and not isinstance(value, str):
            raise invalid(name)
        return value

    def required(self, name: str) -> str:
        """Return a text parameter that must be there."""
        value = self.text(name)
        if value is None:
            raise missing(name)
        return value

    def number(self, name: str, default: int | None = None) -> int | None:
        """Return a whole number."""
        value = self.params.get(name, default)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
            raise invalid(name)
        return int(value)

    def flag(self, name: str, default: bool | None = None) -> bool | None:
        """Return a boolean."""
        value = self.params.get(name, default)
        if value is None or isinstance(value, bool):
            return value
        if str(value) not in ("true", "false", "1", "0"):
            raise invalid(name)
        return str(value) in ("true", "1")

    def moment(self, name: str) -> datetime | None:
        """Return a time; without a zone it is UTC."""
        value = self.text(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value.replace(" ", "+"))
        except ValueError:
            raise invalid(name) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def project(self, minimum: int = Level.reporter) -> Project:
        """Return the project; hidden from strangers, refused to members whose role is too low."""
        project = self.instance.state.find_project(self.segments["id"])
        if project is None or project.deleted:
            raise not_found("Project")
        level = project.level(self.user)
        if project.visibility == "private" and level == 0:
            raise not_found("Project")
        public_read = project.visibility == "public" and minimum <= Level.reporter
        if level < minimum and not public_read:
            raise forbidden()
        if not self.segments["id"].isdecimal() and self.segments["id"] != project.path:
            raise self._moved(project)
        if project.archived and self.method not in _READS:
            raise forbidden()
        return project

    def _moved(self, project: Project) -> ApiError:
        """Return what GitLab answers at a path that the project had before."""
        if self.method not in _READS:
            return message(405, "Non GET methods are not allowed for moved projects")
        named = self.path.split("/")
        named[named.index("projects") + 1] = str(project.id)
        kept = {name: value for name, value in self.params.items() if not isinstance(value, (list, dict))}
        query = f"?{urlencode(kept)}" if kept else ""
        return ApiError(301, None, {"Location": f"{self.instance.state.url}{'/'.join(named)}{query}"})

    def merge_request(self, minimum: int = Level.reporter) -> MergeRequest:
        """Return the merge request of the path."""
        found = self.project(minimum).merge_requests.get(self._int("iid"))
        if found is None:
            raise not_found()
        return found

    def note(self, merge_request: MergeRequest) -> Note:
        """Return the note of the path."""
        wanted = self._int("note_id")
        found = next((note for note in merge_request.notes if note.id == wanted), None)
        if found is None:
            raise not_found("Note")
        return found

    def thread(self, merge_request: MergeRequest) -> list[Note]:
        """Return the discussion of the path."""
        found = merge_request.discussions.get(self.segments["discussion_id"])
        if not found:
            raise not_found("Discussion")
        return found

    def segment_number(self, name: str) -> int:
        """Return a number of the path."""
        return self._int(name)

    def _int(self, name: str) -> int:
        if not self.segments[name].isdecimal():
            raise invalid(name if name != "iid" else "merge_request_iid")
        return int(self.segments[name])

    def page(self, rows: Sequence[T], show: Callable[[T], Any]) -> Reply:
        """Return one page of *rows* with GitLab's paging headers."""
        page = self.number("page", 1) or 1
        size = self.number("per_page", 20) or 20
        if page < 1 or size < 1:
            raise invalid("page" if page < 1 else "per_page", "does not have a valid value")
        size = min(size, 100)
        last = max(1, -(-len(rows) // size))
        headers = {
            "X-Page": str(page),
            "X-Per-Page": str(size),
            "X-Next-Page": str(page + 1) if page < last else "",
            "X-Prev-Page": str(page - 1) if page > 1 else "",
        }
        targets = {
            "prev": page - 1 if page > 1 else None,
            "next": page + 1 if page < last else None,
            "first": 1,
        }
        if len(rows) <= COUNTED_ROWS:
            headers |= {"X-Total": str(len(rows)), "X-Total-Pages": str(last)}
            targets["last"] = last
        links = [f'<{self._link(at, size)}>; rel="{rel}"' for rel, at in targets.items() if at is not None]
        headers["Link"] = ", ".join(links)
        return Reply(200, [show(row) for row in rows[(page - 1) * size : page * size]], headers)

    def keyset(self, rows: Sequence[Project], show: Callable[[Project], Any]) -> Reply:
        """Return one page of *rows*, ordered by id, that begins where a link of the page before says."""
        size = min(self.number("per_page", 20) or 20, 100)
        if size < 1:
            raise invalid("per_page", "does not have a valid value")
        descending = self.text("sort", "desc") == "desc"
        mark = "id_before" if descending else "id_after"
        after = self.number(mark)
        if after is not None:
            rows = [row for row in rows if (row.id < after if descending else row.id > after)]
        shown = rows[:size]
        # A full page has a link, even if nothing follows.
        links = (
            {"Link": f'<{self._address({mark: shown[-1].id, "per_page": size})}>; rel="next"'}
            if len(shown) == size
            else {}
        )
        return Reply(200, [show(row) for row in shown], links)

    def _link(self, page: int, size: int) -> str:
        return self._address({"page": page, "per_page": size})

    def _address(self, changes: Mapping[str, int]) -> str:
        kept = {name: value for name, value in self.params.items() if not isinstance(value, (list, dict))}
        query = urlencode({**kept, **changes})
        return f"{self.instance.state.url}{self.path}?{query}"


Handler = Callable[[Call], Reply]


class Routes:
    """A table from method and path to handlers; path segments are matched before they are unquoted."""

    def __init__(self) -> None:
        self._table: dict[tuple[str, int], list[tuple[tuple[str, ...], Handler]]] = {}

    def __call__(self, method: str, pattern: str) -> Callable[[Handler], Handler]:
        """Register a handler; ``:name`` stands for one segment, ``*name`` at the end for all that are left."""
        parts = tuple(pattern.split("/"))

        def register(handler: Handler) -> Handler:
            length = _ANY_LENGTH if parts[-1][0] == "*" else len(parts)
            self._table.setdefault((method, length), []).append((parts, handler))
            return handler

        return register

    def add(self, *others: Routes) -> Routes:
        """Take over the routes of other tables and return self."""
        for other in others:
            for key, rows in other._table.items():  # noqa: SLF001 - of the same class
                self._table.setdefault(key, []).extend(rows)
        return self

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]] | None:
        """Return the handler for a raw path below the API root, and its named segments."""
        parts = path.split("/")
        for pattern, handler in self._table.get((method, len(parts)), ()):
            if all(want[0] == ":" or want == got for want, got in zip(pattern, parts, strict=True)):
                named = zip(pattern, parts, strict=True)
                return handler, {want[1:]: unquote(got) for want, got in named if want[0] == ":"}
        for pattern, handler in self._table.get((method, _ANY_LENGTH), ()):
            fixed = len(pattern) - 1
            start, rest = list(zip(pattern[:-1], parts, strict=False)), "/".join(parts[fixed:])
            if len(start) == fixed and rest and all(want[0] == ":" or want == got for want, got in start):
                segments = {want[1:]: unquote(got) for want, got in start if want[0] == ":"}
                return handler, segments | {pattern[-1][1:]: unquote(rest)}
        return None


def read_parameters(query: str, content_type: str, body: bytes) -> dict[str, Any]:
    """Return the parameters of query and body together, as Grape does; the body wins.

    Raises:
        ApiError: the body is not what its type says.
    """
    params = _nested(parse_qsl(query, keep_blank_values=True))
    if not body:
        return params
    if content_type.startswith("application/x-www-form-urlencoded"):
        return params | _nested(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    if not content_type.startswith("application/json"):
        raise ApiError(415, {"error": "The provided content-type is not supported."})
    try:
        loaded = json.loads(body)
    except ValueError:
        raise ApiError(400, {"error": "Problems parsing JSON"}) from None
    if not isinstance(loaded, dict):
        raise ApiError(400, {"error": "Problems parsing JSON"})
    return params | loaded


def _nested(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        head, *inner = re.findall(r"[^\[\]]+|\[\]", name) or [name]
        if not inner:
            result[head] = value
        elif inner == ["[]"]:
            result.setdefault(head, []).append(value)
        else:
            place = result.setdefault(head, {})
            for part in inner[:-1]:
                place = place.setdefault(part, {})
            place[inner[-1]] = value
    return result
