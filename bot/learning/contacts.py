"""Find by their form what leads to a person or a machine: disguised mail addresses, telephones, accounts, passwords.

Where the form is not enough, a number has to check itself, or something beside it says what it is: code is full of
numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

#: Returns what stands for something; it is told what that is, for the card, the kind of the pseudonym, and the thing.
Replace = Callable[[str, str, str], str]


@dataclass(frozen=True, slots=True)
class _Form:
    """Hold how a kind of thing looks: the group ``who`` of *pattern*, if it *holds*."""

    title: str
    kind: str
    pattern: re.Pattern[str]
    holds: Callable[[str], bool] = bool


def without_contacts(text: str, replace: Replace) -> str:
    """Return *text* with what *replace* says instead of each of them."""
    for form in _FORMS:
        text = form.pattern.sub(lambda match, form=form: _replaced(match, form, replace), text)  # type: ignore[misc]
    return text


def _replaced(match: re.Match[str], form: _Form, replace: Replace) -> str:
    who, whole = match["who"], match[0]
    if not form.holds(who):
        return whole
    first, last = match.start("who") - match.start(), match.end("who") - match.start()
    return f"{whole[:first]}{replace(form.title, form.kind, who)}{whole[last:]}"


def _digits(text: str) -> list[int]:
    return [int(char) for char in text if char.isdecimal()]


def _dialled(text: str) -> bool:
    """Say whether it has as many digits as telephones have, and they are not all alike."""
    return 7 <= len(_digits(text)) <= 15 and len(set(_digits(text))) > 2


def _burnt_in(text: str) -> bool:
    """Say whether it is the address of one network card, rather than of none or of all."""
    return len(set(re.sub(r"\W", "", text.lower()))) > 2


def _on_a_card(text: str) -> bool:
    """Say whether the last digit checks the others, as on credit cards (Luhn)."""
    digits = _digits(text)
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[::-2]) + sum(doubled)) % 10 == 0


def _of_a_bank(text: str) -> bool:
    """Say whether it is an international bank account number that checks itself (ISO 13616)."""
    plain = "".join(text.split())
    return (
        15 <= len(plain) <= 34
        and int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1
    )


def _of_a_citizen(text: str) -> bool:
    """Say whether the last sign of a Chinese citizen's number checks the others (GB 11643)."""
    weighed = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(text[:17]))
    return "10X98765432"[weighed % 11] == text[17].upper()


def _chosen(text: str) -> bool:
    """Say whether a value is a password that somebody chose, however bad, rather than a word about one."""
    return _ABOUT.search(text) is None and len(set(text)) > 2


_ABOUT: Final = re.compile(
    r"(?i)pass(?:wor[dt]|wd|phrase)?s?$|pwd$|^(?:none|null|true|false|string|text|str|required)$|[/.:]"
)
_AT: Final = r"[ \t]*[\[({<][ \t]*(?:at|AT|@)[ \t]*[\])}>][ \t]*"
_DOT: Final = r"(?:\.|[ \t]*[\[({<][ \t]*(?:dot|DOT|\.)[ \t]*[\])}>][ \t]*)"
_GAP: Final = r"[ \t().\u2009/-]"
_CALLED: Final = "(?:tele)?phone|tel|mobile|cell(?:phone)?|fax|whatsapp|t[ée]l[ée]phone|t[ée]l|telefon|tel[ée]fono|m[óo]vil|телефон|тел|手机|电话|電話|携帯|传真|座机|联系方式"

_MAILS: Final = (
    rf"(?<![\w.+-])(?P<who>[\w.+-]{{1,64}}{_AT}[\w-]+(?:{_DOT}[\w-]+)+)",
    r"(?P<who>\b[\w.+-]{1,64} at [\w-]+(?: dot [\w-]+)* dot (?:com|org|net|edu|gov|info|io|[a-z]{2}))\b",
    r'(?P<who>"[\w .+-]{1,64}"@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,})',
    r"(?<![\w.+-])(?P<who>[A-Za-z][\w.+-]{0,63})(?=@\[(?:[0-9]{1,3}\.|host-))",
)
_CARDS: Final = (
    r"(?<![\w:.-])(?P<who>[0-9a-fA-F]{2}(?P<by>[:-])(?:[0-9a-fA-F]{2}(?P=by)){4}[0-9a-fA-F]{2})(?![\w:-])",
    r"(?<![\w.-])(?P<who>(?=[0-9.]{0,13}[a-fA-F])(?:[0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4})(?![\w-]|\.\w)",
)
_PHONES: Final = (
    # A plus sign at the beginning of a line is one of a diff, and after something that it adds to.
    rf"(?<=[^\n\w)\]])(?P<who>\+[1-9][0-9]{{0,3}}(?={_GAP})(?!\.[0-9]+\b(?!\.))(?:{_GAP}{{1,2}}[0-9]{{1,12}}){{1,6}})(?![\w.]*[0-9])",
    r"(?<=[^\n\w)\]])(?P<who>\+[1-9][0-9]{10,14})(?!\w|\.\w)",
    rf"(?<![A-Za-z])(?i:{_CALLED})(?i:[ _]?(?:number|no\.?|nr\.?|num))?[^\w\n(+-]{{1,5}}"
    rf"(?P<who>\+?\(?[0-9](?:{_GAP}{{0,2}}[0-9]){{6,14}})(?![\w.]*[0-9])",
    r"(?<![\w.+(-])(?P<who>\([2-9][0-9]{2}\) ?[2-9][0-9]{2}-[0-9]{4}|[2-9][0-9]{2}-[2-9][0-9]{2}-[0-9]{4})(?![\w-]|\.\w)",
    r"(?:(?<=[\"'])|(?<=[\u4e00-\u9fff:\uff1a]))(?P<who>1[3-9][0-9]{9})(?!\w)",
)
_BANK: Final = r"\b(?P<who>[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)\b"
_CREDIT: Final = r"(?<![\w.-])(?P<who>[3-6][0-9]{3}(?P<by>[ -])(?:[0-9]{4}(?P=by)){2}[0-9]{4})(?![\w-]|\.\w)"
_CITIZEN: Final = r"(?<![\w.])(?P<who>[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx])(?!\w)"

_CHOSEN: Final = r"(?i:passwor[dt]|passwd|pwd|passphrase|\bpass|kennwort|mot_?de_?passe|contrase[ñn]a|senha|пароль|密码|密碼|口令|パスワード)[\"']?\]?[ \t]*(?::=|=>|[:=\uff1a])[ \t]*[\"'](?P<who>[^\"'\s{}$<>%\[\]]{4,64})[\"']"

_FORMS: Final = (
    _Form("passwords", "secret", re.compile(_CHOSEN), _chosen),
    *(_Form("e-mail addresses", "user", re.compile(one)) for one in _MAILS),
    *(_Form("network cards", "host", re.compile(one), _burnt_in) for one in _CARDS),
    _Form("numbers of accounts", "account", re.compile(_BANK), _of_a_bank),
    _Form("numbers of accounts", "account", re.compile(_CREDIT), _on_a_card),
    _Form("numbers of accounts", "account", re.compile(_CITIZEN), _of_a_citizen),
    *(_Form("telephone numbers", "contact", re.compile(one), _dialled) for one in _PHONES),
)
