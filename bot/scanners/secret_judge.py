"""Is it a secret, or only something that looks like one? Pure judgements of what a rule's pattern found."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import re2

from bot.domain.findings import Confidence, Severity
from bot.scanners.secret_checks import CHECKS
from bot.scanners.secret_rules import SecretRule

#: Holds for all rules; long enough to appear in a random secret once in many thousands.
_PLACEHOLDER: Any = re2.compile(  # type: ignore[no-untyped-call]
    rb"(?i)example|x{5}|\*{4}|\.\.\.|<[^>]*>|0{7}|1234567890|abcdefgh|change[_-]?me|placeholder|redacted|your[_-]"
    rb"|\bdummy|dummy\b|deadbeef|qwertyui|asdfghjk|zxcvbnm|1q2w3e4r|insert[_-]|replace[_-]?(?:me|this|with)|\$\{|\{\{"
)
#: References to a value that stands elsewhere.
_REFERENCE: Any = re2.compile(  # type: ignore[no-untyped-call]
    rb"(?i)\$\(\w|%\(\w+\)|^%\w+%$|^(?:%[a-z]\W?)+$|#\{|\{\w+\}|^\{.*\}$|<%|@@\w+@@|^__\w+__$|environ|getenv|process\.env|\benv[.\[(]"
    rb"|settings\.|config\.|secrets?[.\[:]|vault[.:/]|://|^(?:(?-i:\$(?:[A-Z_][A-Z0-9_]*|[a-z_][a-z0-9_]*)$)|\.{1,2}/|~/|@[\w-]+/|[a-z]:\\|!(?:env|vault|secret|ref|sub|getatt|reference|include)\b|(?-i:[&*][a-z_]+$))"
    rb"|^(?:self|this|req|request|ctx|data|params|args|opts|options|user|app|os|var|local|module|props|state)\.\w"
    rb"|^(?:arn|urn):|^/(?-i:(?:[a-z_.][a-z0-9_.-]*/)+)|(?-i:^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$)|^(?:[a-z]+[_.])*\w+\([^()]*\)[;,]?$|^\w+\[[^\]]*\](?:\.\w+)*$"
    rb"|(?-i:%[YmdHMS][-:/.T ]?%[YmdHMS])|^\d{4}-\d\d-\d\d(?:$|[T ])"
    rb"|(?-i)^[\w/.+-]+\.(?:pem|key|crt|cer|json|ya?ml|txt|py|js|ts|go|rb|java|p12|pfx|jks|conf|cfg|ini|env|html?|md|sh|png|svg)$"
)
#: Words of people who write about secrets rather than have them.
_TALK: Any = re2.compile(  # type: ignore[no-untyped-call]
    rb"(?i)\bmy[_-]|your|foobar|lorem|ipsum|undefined|string|unused|default|\bvalue|value\b|invalid|sample|fake|change_?it"
    rb"|kennwort|contrase|wachtwoord|salasana|motdepasse|(?:user|pass|file)name|required|optional|enabled|disabled"
    rb"|encrypted|hidden|^(?:admin|administrator|root|guest|user|postgres|mysql|redis|rabbitmq|minio|letmein|hunter"
    rb"|none|null|nil|true|false|unset|empty|todo|fixme|nothing)[\d!]{0,4}$|^correct[_-]?horse$|[^\x21-\x7e]"
)
#: The same, though part of many a password of people who were asked for signs and digits.
_TOPIC: Any = re2.compile(  # type: ignore[no-untyped-call]
    rb"(?i)p[a4@][s$]{2}(?:w|$|[\d_-])|passphrase|secret|test|demo\b|\bdemo|wrong|credential|token|(?:api|access|private)[_-]?key|minioadmin|pswd$"
)
_HASHED: Any = re2.compile(rb"(?i)^(?:\$\w+\$|\{(?:s?sha|md5|crypt|x-)|pbkdf2|sha\d*[:-]|md5[:-]|bcrypt)")  # type: ignore[no-untyped-call]
_HEX = re.compile(rb"[0-9a-f]+|[0-9A-F]+")
_NAMES = re.compile(rb"[A-Za-z]+\d{0,2}(?:[_./:-]+[A-Za-z]*\d{0,3}){1,12}")
_VERSION = re.compile(rb"[vV]?\d+(?:\.\d+)+(?:[-.+]?\w+)*")
_RUNS = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+|\d+")
#: Pairs of letters that make up most of English text and of names in code, the most frequent first.
_PAIRS = (
    b"th he in er an re nd on en at ou ed ha to or it is hi es ng ar se st te ve le me al as ti ll ne be ri ro de co io"
    b" li ra ic ea ur ce ta ch om el ma et la us ac no ec ss si il ad am di fo pe tr ee ho op ge ke un ol mo so po ns lo"
    b" rt em pr id ie ut ct ai sh ca ot ow wh vi ul im su ex qu ir ay gr ld ly ry uc bl ev ty og rs ts ls ds ue ui ap pp"
    b" pl ck up tt do ag ab if gi fi rd da oo os pa nt wo wi wa we bo by bu ba bi br cl cr cu dr ef ff fl fr ga go gu ig"
    b" ip iv ki ks lt lu mb mi mp mu my na nc ni nu ob od of oi ov pi ps pu rc rk rm rn ru sa sc sk sm sp sw sy tu tw ub"
    b" ud ug um va vo wn ye ys"
).split()
_WEIGHT = {pair: 1.0 if place < 70 else 0.6 if place < 130 else 0.3 for place, pair in enumerate(_PAIRS)}


def plausible(
    rule: SecretRule, secret: bytes, before: bytes, around: bytes, *, examples: bool = False
) -> bool:
    """Say whether *secret* counts for *rule*: *before* is its line up to it, *around* what stands close by.

    With *examples* what looks made up counts, too, where the rule knows secrets by their own form.
    """
    settings = rule.settings
    pardons = settings.generic or not examples
    if pardons and made_up(secret):
        return False
    if settings.min_entropy and entropy(secret) <= settings.min_entropy:
        return False
    if settings.mixed and (secret.isalpha() or not any(48 <= byte <= 57 for byte in secret)):
        return False
    if pardons and rule.allow is not None and rule.allow.search(secret):
        return False
    if rule.unless is not None and rule.unless.search(before):
        return False
    if settings.near and not any(word in around.lower() for word in rule.near):
        return False
    if settings.check_required and not CHECKS[settings.check](secret):
        return False
    return not settings.looks or invented(secret, settings.looks)


def judged(rule: SecretRule, secret: bytes) -> tuple[Severity, Confidence]:
    """Return how grave and how sure a secret is: one that fails its check may be made up."""
    settings = rule.settings
    if not settings.check or CHECKS[settings.check](secret):
        return settings.severity, rule.confidence
    return milder(settings.severity, Severity.high), Confidence.medium


def milder(one: Severity, other: Severity) -> Severity:
    """Return the milder of two severities."""
    return min(one, other, key=lambda severity: severity.rank)


def entropy(data: bytes) -> float:
    """Return Shannon's entropy of *data* in bits per byte."""
    total = len(data)
    return -sum(count / total * math.log2(count / total) for count in Counter(data).values())


def invented(value: bytes, looks: str) -> bool:
    """Say whether somebody, or a machine, made up *value* to be secret, rather than to be read.

    References, words about secrets, sequences, hashes and, unless *looks* is ``any``, names of things are not. With
    ``password`` it may be as people make up passwords, some words with a digit or a sign, otherwise it must be random.
    """
    if any(known.search(value) for known in (_REFERENCE, _TALK, _HASHED)) or sequential(value):
        return False
    if _TOPIC.search(value) and not (looks != "random" and len(value) >= 10 and _strong(value)):
        return False
    if looks == "any":
        return True
    weak = looks == "password"
    if _HEX.fullmatch(value):
        return len(value) >= 16 or weak
    words = _RUNS.findall(value)
    if _broken(value, words):
        return True
    wordy = wordiness(words)
    if value.isalpha():
        return wordy < 0.4 or (weak and len(value) >= 16 and value.islower())
    if _NAMES.fullmatch(value):
        return wordy < 0.3 or (weak and len(words) >= 4 and value.islower() and b"." not in value)
    return weak or wordy < 0.45


def _broken(value: bytes, words: Sequence[bytes]) -> bool:
    """Say whether letters and digits change more often than they do in names."""
    usual = 3.4 if len(value) >= 16 and value.isalpha() else 2.6
    return len(value) >= 8 and sum(map(len, words)) < usual * len(words) and not _VERSION.fullmatch(value)


def _strong(value: bytes) -> bool:
    """Say whether *value* has capitals, small letters, digits and signs, as a password policy asks for."""
    kinds = (rb"[a-z]", rb"[A-Z]", rb"[0-9]", rb"[^A-Za-z0-9_.-]")
    return all(re.search(kind, value) for kind in kinds)


def wordiness(words: Sequence[bytes]) -> float:
    """Return how common the pairs of letters are: about 0.65 in words, 0.2 in random letters."""
    pairs = [word[place : place + 2].lower() for word in words for place in range(len(word) - 1)]
    return sum(_WEIGHT.get(pair, 0.0) for pair in pairs) / len(pairs) if pairs else 0.0


def made_up(value: bytes) -> bool:
    """Say whether *value* stands for a secret: an example, a row of the same character, a name to replace."""
    return len(set(value)) < 5 or _PLACEHOLDER.search(value) is not None


def sequential(value: bytes) -> bool:
    """Say whether *value* runs along the alphabet, or repeats itself."""
    steps = sum(abs(one - other) <= 1 for one, other in pairwise(value))
    return 2 * steps > len(value) or (value + value).find(value, 1) <= len(value) // 2
