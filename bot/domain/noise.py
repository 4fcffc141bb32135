"""Findings that nobody should have to read: matters of taste, advice without a reason, echoes of the code.

A short list of rules for what small models say although they are told not to. Each asks for a consequence: a
finding that names what goes wrong is never noise, whatever words it begins with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from bot.domain.findings import Finding

_TASTE: Final = "it is a matter of style"
_HEDGE: Final = "it advises without saying what goes wrong"
_PRAISE: Final = "it reports no defect"
_ECHO: Final = "it only repeats the code"
_SILENT: Final = "it does not say why"

_CONSEQUENCE: Final = re.compile(
    r"""
    \b(?: raise[sd]? | throw[sn]? | crash(?:e[sd])? | panics? | fail(?:s|ed|ures?)? | break[s]? | broken | wrong(?:ly)?
    | incorrect(?:ly)? | los(?:e|es|t|ing) | leak(?:s|ed)? | overflow(?:s|ed)? | underflows? | truncat(?:es?|ed)
    | out\sof\s(?:range|bounds|memory) | past\sthe\send | deadlocks? | races? | hangs? | blocks?\sthe | infinite
    | corrupt(?:s|ed)? | inject(?:s|ed|ion|able)? | attackers? | anyone | anybody | expos(?:es|ed) | bypass(?:es|ed)?
    | traversal | forged? | undefined | twice | stale | ignored | swallow(?:s|ed)? | silently | never\s\w+
    | quadratic | O\(n | starv(?:es|ation) | exhaust(?:s|ed|ion) | skips | skipped | \w+Error | \w+Exception )\b
    | 导致 | 抛出 | 崩溃 | 泄[漏露] | 丢失 | 错误的 | 失败 | 溢出 | 越界 | 死锁 | 注入 | 攻击 | 绕过 | 覆盖了? | 异常 | 永远
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ADVICE: Final = re.compile(
    r"""
    ^\W*(?: consider | please | ensure | make\ssure | be\ssure | verify | double-?check | check\s(?:that|if|whether)
    | confirm\sthat | think\sabout | it(?:\sis|'s|\swould\sbe|\smight\sbe|\smay\sbe)\s(?:recommended|better|advisable|best|good|safer|a\sgood)
    | (?:we|i)\s(?:suggest|recommend) | you\s(?:may|might|should|could)(?:\swant)? | (?:this|it|the\s\w+)\s(?:could|should|might|may)\sbe
    | 建议 | 请 | 考虑 | 可以?考虑 | 确保 | 最好 | 应该?考虑 )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_STYLE: Final = re.compile(
    r"""
    \b(?: naming | renam(?:e|ing) | (?:variable|function|method|class|parameter)\snames? | (?:snake|camel|pascal|kebab)[\s_-]?case
    | pep\s?8 | format(?:ting|ted)\s(?:style|issue|of\scode) | code\sformatting | trailing\s(?:white)?space | line\slength | lines?\s(?:is\s|are\s)?too\slong
    | (?:missing|no|lacks?|lacking|add|without)\s(?:an?\s|any\s)?(?:doc\s?strings?|comments?|documentation|(?:type\s)?(?:hints?|annotations?)|(?:unit\s)?tests?(?:\scoverage)?)
    | unused\s(?:imports?|variables?|parameters?) | magic\s(?:numbers?|strings?|values?) | typos? | misspell(?:ed|ing) | spelling
    | readability | (?:code|coding)\sstyle | import\sorder | quote\sstyle | newline\sat\s(?:the\s)?end | commented[\s-]out )\b
    | 命名 | 缺少(?:注释|文档|测试|类型) | 注释 | 文档字符串 | 代码风格 | 代码格式 | 可读性 | 类型注解 | 魔法数 | 魔数 | 拼写
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CONTENT: Final = re.compile(
    r"""
    \b(?: no\s(?:issues?|defects?|problems?|bugs?|findings?)\b(?!\s(?:if|unless)) | looks?\s(?:good|fine|correct) | lgtm | well[\s-](?:written|done)
    | (?:good|great|nice|excellent)\s(?:practice|job|work) | (?:is|are)\s(?:correct|fine|safe)\b ) | 没有问题 | 没有发现 | 看起来不错
    """,
    re.VERBOSE | re.IGNORECASE,
)
#: So much of a message must be words of the code for it to be an echo.
_ECHO_SHARE: Final = 0.8


def noise(finding: Finding, code: Sequence[str] = ()) -> str | None:
    """Return why nobody should have to read *finding*, None if somebody should.

    Args:
        finding: what the model says.
        code: the lines that it is about.
    """
    title, message = finding.title, finding.message
    if _CONTENT.search(title) and not _CONSEQUENCE.search(title):
        return _PRAISE
    if _STYLE.search(title) and not _CONSEQUENCE.search(title):
        return _TASTE
    if _CONSEQUENCE.search(f"{title}\n{message}"):
        return None
    if not message.strip():
        return _SILENT
    if _ADVICE.search(message) or _ADVICE.search(title):
        return _HEDGE
    return _ECHO if _echoes(message, code) else None


def alike(one: str, other: str) -> float:
    """Return how much two texts share, from 0 to 1, by the words that carry their meaning."""
    mine, others = _words(one), _words(other)
    return len(mine & others) / len(mine | others) if mine and others else 0.0


def telling(text: str) -> bool:
    """Say whether *text* has words by which it can be compared with another."""
    return bool(_words(text))


def _echoes(message: str, code: Sequence[str]) -> bool:
    said, there = _tokens([message]), set(_tokens(code))
    return bool(said) and sum(word in there for word in said) >= _ECHO_SHARE * len(said)


def _tokens(texts: Iterable[str]) -> list[str]:
    return [word.lower() for text in texts for word in re.findall(r"[^\W_]+", text)]


_EMPTY: Final = frozenset(
    [
        "the",
        "and",
        "for",
        "with",
        "that",
        "this",
        "from",
        "not",
        "are",
        "was",
        "can",
        "may",
        "has",
        "have",
        "its",
        "into",
        "when",
        "which",
        "than",
        "then",
        "use",
        "used",
        "using",
        "via",
        "could",
        "would",
        "should",
        "will",
        "does",
    ]
)
#: Enough of a word to tell it from others, too little to tell its forms apart.
_STEM: Final = 6
_ENDING: Final = re.compile(r"(?<=\w{3})(?:n?ing|e?d|e?s)$")


def _words(text: str) -> set[str]:
    """Return the stems of the telling words of *text*, and pairs of characters where a script has no blanks."""
    words: set[str] = set()
    for token in _tokens([text]):
        if not token.isascii():
            words.update(token[at : at + 2] for at in range(max(1, len(token) - 1)))
        elif len(token) > 2 and token not in _EMPTY:
            words.add(_ENDING.sub("", token)[:_STEM])
    return words
