"""Find who is named in comments of code and in prose, by what stands before the name.

A name by itself looks like any other word, and an at sign begins a decorator. So comments are read as code goes by:
whoever is asked, thanked, or said to have made something there is a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

#: Returns what stands for the account, or the name, of a person.
Stand = Callable[[str], str]

#: From the sign of a comment to the end of its line, and lines that are prose in prompts.
_WORDS: Final = re.compile(
    r"""
    (?: (?<![\w&"'])\#(?=[ \t\#!*-]) | (?<![:\w])// | ^[+\- \d]*/?\*+(?=[ \t]) | /\* | <!-- | (?<!-)--(?=[ \t])
        | ^(?:Title|Description):[ ] | ^>[ ] ).*$
    """,
    re.MULTILINE | re.VERBOSE,
)
_HANDLE: Final = r"(?<![\w/.@{`\"'-])@(?P<who>[A-Za-z0-9_](?:[\w.-]{0,252}\w)?)(?![\w/(`])"
_MENTION: Final = re.compile(_HANDLE)
#: Before an account these leave no doubt, wherever they stand.
_ADDRESSED: Final = re.compile(
    rf"(?P<before>\b(?i:ask|cc|ping|thanks(?: to)?|thank you|by|contact|fyi|notify|tell)[:,]?[ ]){_HANDLE}"
)
#: At the beginning of a comment stand tags and decorators, unless somebody is spoken to.
_SPEECH: Final = re.compile(r",[ ]|[ ](?:please|can you|could you)\b")
_LETTER: Final = re.compile(r"\w")
#: A path and its owners, as in the file that names them.
_OWNERS: Final = re.compile(
    r"^(?P<path>[+\- \d]*+[^\s()=,;:@#]++)(?P<all>(?:[ \t]+@[A-Za-z0-9_][\w./-]*)+)[ \t]*$", re.MULTILINE
)
_OWNER: Final = re.compile(r"@(?P<who>[A-Za-z0-9_][\w./-]*)")
#: With these not a person is addressed, but a tool.
_TAG: Final = re.compile(
    r"""
    abstractmethod | api | author | cached_property | charset | class | classmethod | code | component | contextmanager
    | dataclass | default | deprecated | depends | description | entity | enum | event | example | exception | export
    | extends | fixture | flow | fontface | given | group | ignore | implements | import | include | inheritdoc | inject
    | interface | internal | keyframes | license | link | media | mixin | module | name | namespace | nonnull | nullable
    | override | package | param | parameterized | preserve | private | property | protected | public | readonly | reduce
    | requires | returns? | see | since | sig | singledispatch | source | static | staticmethod | summary | supports
    | suppresswarnings | template | test | throws? | todo | type | typedef | typing | usage | value | var | version | wraps
    """,
    re.VERBOSE | re.IGNORECASE,
)

_WORD: Final = r"[A-Z\u00c0-\u00de\u0401\u0410-\u042f][\w'\u2019-]*\w"
_FULL: Final = rf"{_WORD}(?:[ \t]+(?:[A-Z]\.|{_WORD}|v[ao]n|de[rn]?|d[aiu]|l[ae]|bin|al))*?[ \t]+{_WORD}"
_DID: Final = "created|written|implemented|developed|maintained|modified|changed|edited|added|designed|ported|contributed|reviewed|approved"
_ROLES: Final = "contact|owner|assignee|assigned to|committer|responsible|reviewer|developer|programmer|autor(?:in)?|auteur|autore|verantwortlich|zuständig|ansprechpartner(?:in)?|responsable|автор|ответственный"
_NAMED: Final = tuple(
    re.compile(one)
    for one in (
        rf"(?P<before>\b(?i:(?:{_DID}) by|assigned to)(?:[ \t]*:)?[ \t]+)(?P<who>{_FULL}(?:[ \t]+{_WORD})*)",
        rf"(?P<before>\b(?i:{_ROLES}|(?:{_DID}) by)[ \t]*:[ \t]*)(?P<who>{_WORD}(?:[ \t]+(?:[A-Z]\.|{_WORD}))*)",
        r"(?P<before>(?:作者|负责人|联系人|创建人|创建者|开发者|开发人员|修改人|维护者|维护人|审核人|提交人|经办人)[ \t]*[:\uff1a][ \t]*)"
        r"(?P<who>[^\s,\uff0c;\uff1b\u3001()\uff08\uff09]{2,30})",
    )
)


def without_names(text: str, stand: Stand) -> str:
    """Return *text* with what *stand* says instead of accounts and names of people."""
    text = _OWNERS.sub(
        lambda line: line["path"] + _OWNER.sub(lambda one: f"@{stand(one['who'])}", line["all"]), text
    )
    text = _ADDRESSED.sub(
        lambda match: match[0] if _is_tag(match) else f"{match['before']}@{stand(match['who'])}", text
    )
    return _WORDS.sub(lambda match: _in_words(match[0], stand), text)


def _in_words(words: str, stand: Stand) -> str:
    """Return a comment, or prose, without the people whom it names."""

    def account(match: re.Match[str]) -> str:
        first = _LETTER.search(words, 0, match.start()) is None
        if _is_tag(match) or (first and not _SPEECH.match(words, match.end())):
            return match[0]
        return f"@{stand(match['who'])}"

    # In comments over several lines an at sign names arguments.
    found = words if words.lstrip("+- 0123456789/").startswith("*") else _MENTION.sub(account, words)
    for pattern in _NAMED:
        found = pattern.sub(lambda match: f"{match['before']}{stand(match['who'])}", found)
    return found


def _is_tag(match: re.Match[str]) -> bool:
    return _TAG.fullmatch(match["who"]) is not None
