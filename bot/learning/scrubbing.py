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
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from bot.learning.contacts import without_contacts
from bot.learning.naming import without_names

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#: Names of hosts have letters of every script, as people write them.
_PART: Final = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_EMAIL: Final = re.compile(
    rf"[\w.+%-]{{1,64}}(?:@|%40)(?:{_PART}\.){{1,9}}(?:xn--[a-z0-9-]{{1,59}}|[^\W\d_]{{2,63}})"
)
_NAME_ENDS: Final = r"(?![\w-]|\.\w)"
#: Ends of names that no registry gives out, so they are of hosts inside. Some are words of code too: those count after
#: two other parts, or where an address is written.
_INSIDE: Final = re.compile(
    rf"""
    (?<![\w.-]) (?!(?:self|this|cls|super)\.) (?:{_LABEL}\.)+
        (?:local|internal|intranet|corp|localdomain|home\.arpa) {_NAME_ENDS}
    | (?:(?<![\w.-])(?:{_LABEL}\.){{2,}} | (?<=//)(?:{_LABEL}\.)+) (?:lan|home|intra|intern|private) {_NAME_ENDS} (?!\()
    """,
    re.IGNORECASE | re.VERBOSE,
)
#: Whom an address in the network of a house names without a dot, only exists there; our own machine is nobody's.
_SHORT: Final = re.compile(
    rf"(?P<before>\w://(?:[^\s/@'\"<>]{{1,100}}@|(?![^\s/'\"<>]{{0,100}}@)))(?!localhost\b)(?P<who>(?=[\d-]*[^\W\d]){_LABEL})(?=[:/?#\s'\"`<>)\]}},;|\\]|\.?(?:\s|$))",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\w|\.\w)")
_ADDRESS_6: Final = re.compile(
    r"(?<![\w:.])(?:[0-9a-f]{0,4}:(?<!:::)){2,7}(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9a-f]{1,4}|(?<=::))(?!\w|:\w)",
    re.IGNORECASE,
)
#: What no provider routes: private addresses, those that providers share out among customers, and those of one link.
_PRIVATE: Final = tuple(
    ipaddress.ip_network(text) for text in ("100.64.0.0/10", "fc00::/7", "fe80::/10", "fec0::/10")
)
#: Of version 6, what providers route.
_ROUTED: Final = ipaddress.ip_network("2000::/3")
#: Everybody's, as examples use them.
_RESOLVERS: Final = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "4.2.2.2"})
#: Numbers of a version are below this, those of hardly an address are.
_LEAST_PUBLIC: Final = 32
#: Before a version, and how far before.
_VERSION_CHARS: Final = 20
_VERSION: Final = re.compile(
    r"(?:[=~<>!^]=|\b(?:v|ver|version|release|Chrome|Safari|Firefox)[\"']?[\s:=/-]{0,3})[\"']?$",
    re.IGNORECASE,
)
_ZEROS: Final = re.compile(r"(?<![0-9a-fA-F])0+(?=[0-9a-fA-F])")
#: Only in prose: in code an at sign begins a decorator. Of prompts, prose are these lines.
_PROSE: Final = re.compile(r"^(?:Title: |Description: |> ).*$", re.MULTILINE)
_MENTION: Final = re.compile(r"(?<![\w/.@-])@[A-Za-z0-9_][\w.-]{0,253}")
#: How people sign in code, and in commits.
_SIGNED: Final = re.compile(
    r"""
    (?P<before>
        \b(?:TODO|FIXME|XXX|HACK|NOTE)\s?[(@] | [@\\]author:?\s+ | (?:\b(?:Authors?|Maintainers?) | (?:\#|//|\*)[ \t]*(?:authors?|maintainers?))\s?:[ \t]*
        | \b(?i:signed-off|reviewed|co-authored|acked|tested|reported|suggested|helped)-(?i:by)\s?:[ \t]*
        | \b(?i:copyright)\s+(?:(?:\([cC]\)|©)\s*)?[0-9]{4}(?:\s?[,–-]\s?[0-9]{4})*,?[ \t]+(?:by[ \t]+)?
    )
    (?P<who>[^\s()<>][^\n()<>]*)
    """,
    re.VERBOSE,
)
_SIGNED_IN_QUOTES: Final = re.compile(
    r"""(?P<before>\b__(?:author|maintainer)__\s*=\s*["']|["'](?:author|maintainer)["']\s*:\s*["'])(?P<who>[^"'\n]+)"""
)
#: Directories of people are named after them.
_AT_HOME: Final = re.compile(
    r"(?P<before>(?<![\w.-])(?:/home/|/Users/|[A-Za-z]:(?:\\{1,2}|/)Users(?:\\{1,2}|/)))(?P<who>[\w.-]*\w)"
)
#: What people cannot see, or take for another sign, and what they mean by it.
_ODD: Final = re.compile(r"[^\x00-\x7f…]")
#: In names of hosts it is a dot like any other (RFC 3490, 3.1).
_FULL_STOP: Final = "\u3002"
_PSEUDONYM: Final = re.compile(
    r"(?:user|account|contact|secret)-[0-9a-f]{10}(?:@mail\.invalid)?|host-[0-9a-f]{10}(?:\.invalid)?"
)
#: What stands before the code of each line in a prompt, and in a diff.
_DECORATED: Final = re.compile(r"^(?:[ \d]{5} (?P<shown>[+ -]) ?|(?P<plain>[+-]))", re.MULTILINE)


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
        bare = _ODD.sub(_undisguised, clean)
        if bare != clean and (self._once(bare, again) != bare or again):
            raise Unclean("something that must not leave is written with other signs than it seems")
        if any(self._masked(side, again) != side for side in _sides(clean)):
            raise Unclean("a secret goes over several lines of a change")
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
        for host in sorted(self.hosts, key=lambda name: (-len(name), name)):
            masked = _named(host).sub(lambda match: self._host(match, found), masked)
        masked = _INSIDE.sub(lambda match: self._host(match, found), masked)
        masked = _SHORT.sub(lambda match: self._short(match, found), masked)
        masked = _ADDRESS_6.sub(lambda match: self._address(match, found), masked)
        masked = _ADDRESS.sub(lambda match: self._address(match, found), masked)
        # After the hosts: somebody's account on one of them is a person.
        masked = _EMAIL.sub(lambda match: self._email(match, found), masked)
        masked = without_contacts(masked, lambda title, kind, who: self._stand_in(title, kind, who, found))
        for signed in (_SIGNED, _SIGNED_IN_QUOTES, _AT_HOME):
            masked = signed.sub(lambda match: self._signed(match, found), masked)
        masked = without_names(masked, lambda who: self._stand_in("names", "user", who, found))
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

    def _short(self, match: re.Match[str], found: Counter[str]) -> str:
        found["hosts"] += 1
        return f"{match['before']}{self.pseudonym('host', match['who'])}.invalid"

    def _address(self, match: re.Match[str], found: Counter[str]) -> str:
        written = match[0]
        before = match.string[max(0, match.start() - _VERSION_CHARS) : match.start()]
        told = _is_inside(written) or (_is_public(written) and not _VERSION.search(before))
        return self._host(match, found) if told else written

    def _stand_in(self, title: str, kind: str, who: str, found: Counter[str]) -> str:
        if _PSEUDONYM.fullmatch(who):
            return who
        found[title] += 1
        return self.pseudonym(kind, who)

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


def _is_inside(written: str) -> bool:
    """Say whether an address, however it is *written*, belongs to a machine that nobody outside can reach."""
    try:
        address = ipaddress.ip_address(_ZEROS.sub("", written))
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in _PRIVATE):
        return True
    # Those of version 6 that are private otherwise are for documents.
    return address.version == 4 and address.is_private and not (address.is_loopback or address.is_unspecified)


def _is_public(written: str) -> bool:
    """Say whether an address is one machine's in the internet; versions of software have small numbers."""
    try:
        address = ipaddress.ip_address(_ZEROS.sub("", written))
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return address in _ROUTED and address.is_global
    return (
        address.is_global
        and not address.is_multicast
        and max(address.packed) >= _LEAST_PUBLIC
        and str(address) not in _RESOLVERS
    )


def _undisguised(match: re.Match[str]) -> str:
    sign = match[0]
    if sign == _FULL_STOP:
        return "."
    return "" if unicodedata.category(sign) == "Cf" else unicodedata.normalize("NFKC", sign)


def _sides(text: str) -> list[str]:
    """Return the code before and after a change that *text* shows, without what is put before its lines."""
    if not _DECORATED.search(text):
        return []
    lines = [
        (match["shown"] or match["plain"] if match else " ", line[match.end() :] if match else line)
        for line in text.split("\n")
        for match in [_DECORATED.match(line)]
    ]
    return ["\n".join(line for sign, line in lines if sign != other) for other in "+-"]


def _named(host: str) -> re.Pattern[str]:
    """Return what finds *host* and what lies below it; a name without a dot is a word of code after one."""
    before = rf"(?<![\w-])(?:{_LABEL}\.){{0,9}}" if "." in host else r"(?<![\w.-])"
    return re.compile(rf"{before}{re.escape(host)}(?![\w-])", re.IGNORECASE)
