"""Take out of a text what must not be in a data set: secrets, addresses, names of people and of hosts inside.

Whatever is taken out leaves a pseudonym that is the same for the same thing, so that a model can still tell one from
another, and nobody can tell who it was. A text that is not clean after that, or that could not be looked at, is left
out: better no row than a row with a secret.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL: Final = re.compile(rf"[\w.+%-]{{1,64}}@(?:{_LABEL}\.)+[A-Za-z]{{2,24}}\b")
_NAME_ENDS: Final = r"(?![\w-]|\.\w)"
#: Ends of names that no registry gives out, so they are of hosts inside. Some are words of code too: those count after
#: two other parts, or where an address is written.
_INSIDE: Final = re.compile(
    rf"""
    (?<![\w.-]) (?!(?:self|this|cls|super)\.) (?:{_LABEL}\.)+
        (?:local|internal|intranet|corp|localdomain|home\.arpa) {_NAME_ENDS}
    | (?:(?<![\w.-])(?:{_LABEL}\.){{2,}} | (?<=//)(?:{_LABEL}\.)+) (?:lan|home|intra|private) {_NAME_ENDS}
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ADDRESS: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\w)")
#: Those of version 6 that no provider routes: unique local ones, and those of one link.
_ADDRESS_6: Final = re.compile(
    r"(?<![\w:.])(?:f[cd][0-9a-f]{2}|fe[89ab][0-9a-f])(?:::?[0-9a-f]{1,4}){0,7}(?:::)?(?!\w|:\w)",
    re.IGNORECASE,
)
#: Only in prose: in code an at sign begins a decorator. Of prompts, prose are these lines.
_PROSE: Final = re.compile(r"^(?:Title: |Description: |> ).*$", re.MULTILINE)
_MENTION: Final = re.compile(r"(?<![\w/.@-])@[A-Za-z0-9_][\w.-]{0,253}")
#: How people sign in code.
_SIGNED: Final = re.compile(
    r"(?P<before>\b(?:TODO|FIXME|XXX|HACK|NOTE)\s?\(|@author:?\s+|\b(?:Author|Signed-off-by|Reviewed-by|Co-authored-by):[ \t]*)"
    r"(?P<who>[^\s()<>][^\n()<>]*)"
)
_PSEUDONYM: Final = re.compile(r"user-[0-9a-f]{10}(?:@mail\.invalid)?|host-[0-9a-f]{10}\.invalid")


class Unclean(Exception):
    """Say why a text cannot be part of a data set; the message quotes nothing of it."""


@dataclass
class Scrubber:
    """Scrub texts.

    Args:
        redact: masks secrets; whatever it raises keeps the text out.
        key: makes pseudonyms; whoever has it can test guesses, so it stays.
        hosts: names of machines inside, as the settings have them.
        counts: what was taken out, for the card.
    """

    redact: Callable[[str], str]
    key: bytes
    hosts: Collection[str] = ()
    counts: Counter[str] = field(default_factory=Counter)

    def scrub(self, text: str) -> str:
        """Return *text* without what must not leave.

        Raises:
            Unclean: something was found again in what came out, or the search for secrets failed.
        """
        found: Counter[str] = Counter()
        clean = self._once(text, found)
        again: Counter[str] = Counter()
        if self._once(clean, again) != clean or again:
            raise Unclean("scrubbing did not come to an end")
        self.counts += found
        return clean

    def pseudonym(self, kind: str, name: str) -> str:
        """Return what stands for *name*: the same for the same key, whatever its case."""
        digest = hmac.new(
            self.key, f"export:{kind}:{name.casefold()}".encode(errors="replace"), hashlib.sha256
        )
        return f"{kind}-{digest.hexdigest()[:10]}"

    def _once(self, text: str, found: Counter[str]) -> str:
        masked = self._masked(text, found)
        masked = _EMAIL.sub(lambda match: self._email(match, found), masked)
        for host in sorted(self.hosts, key=lambda name: (-len(name), name)):
            masked = _named(host).sub(lambda match: self._host(match, found), masked)
        masked = _INSIDE.sub(lambda match: self._host(match, found), masked)
        masked = _ADDRESS.sub(lambda match: self._address(match, found), masked)
        masked = _ADDRESS_6.sub(lambda match: self._address(match, found), masked)
        masked = _SIGNED.sub(lambda match: self._signed(match, found), masked)
        return _PROSE.sub(
            lambda line: _MENTION.sub(lambda match: self._mention(match, found), line[0]), masked
        )

    def _masked(self, text: str, found: Counter[str]) -> str:
        try:
            masked = self.redact(text)
        except Exception as error:
            raise Unclean(f"the search for secrets failed ({type(error).__name__})") from error
        if masked != text:
            found["secrets"] += 1
        return masked

    def _email(self, match: re.Match[str], found: Counter[str]) -> str:
        if _PSEUDONYM.fullmatch(match[0]):
            return match[0]
        found["e-mail addresses"] += 1
        return f"{self.pseudonym('user', match[0])}@mail.invalid"

    def _host(self, match: re.Match[str], found: Counter[str]) -> str:
        found["hosts"] += 1
        return f"{self.pseudonym('host', match[0])}.invalid"

    def _address(self, match: re.Match[str], found: Counter[str]) -> str:
        try:
            address = ipaddress.ip_address(match[0])
        except ValueError:
            return match[0]
        if not address.is_private or address.is_loopback or address.is_unspecified:
            return match[0]
        return self._host(match, found)

    def _signed(self, match: re.Match[str], found: Counter[str]) -> str:
        if _PSEUDONYM.fullmatch(match["who"].strip()):
            return match[0]
        found["names"] += 1
        return f"{match['before']}{self.pseudonym('user', match['who'].strip())}"

    def _mention(self, match: re.Match[str], found: Counter[str]) -> str:
        if _PSEUDONYM.fullmatch(match[0][1:]):
            return match[0]
        found["names"] += 1
        return f"@{self.pseudonym('user', match[0][1:])}"


def _named(host: str) -> re.Pattern[str]:
    """Return what finds *host* and what lies below it; a name without a dot is a word of code after one."""
    before = rf"(?<![\w-])(?:{_LABEL}\.){{0,9}}" if "." in host else r"(?<![\w.-])"
    return re.compile(rf"{before}{re.escape(host)}(?![\w-])", re.IGNORECASE)
