"""Rules of the secret scanner: what they may say, and how a broken one is told."""

from __future__ import annotations

import random
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Permanent
from bot.domain.findings import Confidence, Severity
from bot.scanners.secret_checks import CHECKS
from bot.scanners.secret_detector import Detector, Hit
from bot.scanners.secret_rules import SecretRule, Settings, load_rules
from bot.scanners.secret_samples import MAKERS, fill

#: What completes a template to something that passes the check.
WHOLE = {
    "aws-account": "AKIA{=aws-account}",
    "base64-json": "{=base64-json}",
    "base64-pair": "{=base64-pair}",
    "github-crc32": "ghp_{[A-Za-z0-9]:30}{=github-crc32}",
    "gitlab-crc32": "glpat-{[A-Za-z0-9_-]:40}.01.{=gitlab-crc32}",
    "grafana-crc32": "glsa_{[A-Za-z0-9]:32}_{=grafana-crc32}",
    "jwt": "{=jwt}",
    "npm-crc32": "npm_{[A-Za-z0-9]:30}{=npm-crc32}",
    "private-key": "-----BEGIN PRIVATE KEY-----\n{=der}\n-----END PRIVATE KEY-----",
}


def rule(**fields: Any) -> SecretRule:
    return SecretRule(
        Settings(**{"id": "x", "title": "x", "pattern": "x", "samples": ("x",), "clean": ("y",), **fields})
    )


def found(text: str, *rules: SecretRule, path: str = "") -> list[Hit]:
    return Detector(rules, b"key").find(text.encode(), path=path).hits


@pytest.mark.parametrize("check", WHOLE)
def test_check_knows_the_real_thing(check: str):
    """What is made with its checksum passes; with one character changed, structure and checksum tell."""
    dice = random.Random(check)
    for _ in range(100):
        secret = fill(WHOLE[check], dice)
        assert CHECKS[check](secret.encode())
        if "crc32" in check:
            place = dice.randrange(8, len(secret))
            other = next(c for c in dice.sample(string.ascii_lowercase, 2) if c != secret[place])
            assert not CHECKS[check]((secret[:place] + other + secret[place + 1 :]).encode())


def test_every_check_but_luhn_can_be_made():
    """Rules with a check can have samples; the sum of digits is easy to write down."""
    assert set(CHECKS) == {*WHOLE, "luhn"}
    assert CHECKS["luhn"](b"4111 1111 1111 1111")
    assert not CHECKS["luhn"](b"4111 1111 1111 1112")
    assert {"der", *CHECKS} - {"luhn", "private-key"} == set(MAKERS)


@given(st.binary(max_size=80), st.sampled_from(sorted(CHECKS)))
def test_checks_take_anything(secret: bytes, check: str):
    """Whatever the text holds, a check says yes or no."""
    assert CHECKS[check](secret) in {True, False}


@pytest.mark.parametrize(
    "line",
    [
        'datadog_api_key = "{}"',
        "DATADOG_API_KEY={}",
        "export DataDogKey='{}'",
        '"datadog-key": "{}",',
        "  datadog.key: {}",
        "datadog.key => '{}'",
        "<datadogKey>{}</datadogKey>",
        'os.Setenv("DATADOG_KEY", "{}")',
        "DATADOG-API-KEY: {}",
        'client["datadog"] := `{}`',
        'data_dog.configure(key="{}")',
    ],
)
def test_a_name_finds_the_value(line: str):
    """A secret without a shape is found by the name that it is assigned to, in any language."""
    value = fill("{[0-9a-f]:32}", random.Random(line))
    one = rule(names=("datadog", "data dog.configure(key"), pattern="[0-9a-f]{32}")
    (hit,) = found(line.format(value), one)
    assert line.format(value).encode()[hit.start : hit.end] == value.encode()
    assert not found(line.format(value + "0"), one)
    assert not found(line.lower().replace("data", "bits").format(value), one)


def test_failed_check_lowers_what_is_said():
    """A token with a wrong checksum is reported as less sure; where the check is required, it does not count."""
    secret = fill("ghp_{[A-Za-z0-9]:30}{=github-crc32}", random.Random(1))
    wrong = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    one = rule(pattern="ghp_[A-Za-z0-9]{36}", check="github-crc32")
    assert [(hit.severity, hit.confidence) for hit in found(f"{secret} {wrong}", one)] == [
        (Severity.critical, Confidence.high),
        (Severity.high, Confidence.medium),
    ]
    strict = rule(pattern="ghp_[A-Za-z0-9]{36}", check="github-crc32", check_required=True)
    assert len(found(f"{secret} {wrong}", strict)) == 1


PAIR = (
    rule(id="part", pattern="part-[a-z]{8}", pair={"rule": "whole", "lines": 2, "alone": "low"}),
    rule(id="whole", pattern="whole-[a-z]{8}", pair={"rule": "part", "lines": 2, "needed": True}),
)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (0, [("part", "critical", "high"), ("whole", "critical", "high")]),
        (2, [("part", "critical", "high"), ("whole", "critical", "high")]),
        (3, [("part", "low", "medium")]),
    ],
)
def test_pair_counts_together(lines: int, said: list[tuple[str, str, str]]):
    """A key id with its key within so many lines counts in full, alone less or not at all."""
    text = "part-qwhzvbnm " + "\n" * lines + "whole-tgbujmik"
    hits = found(text, *PAIR)
    assert [(hit.rule.settings.id, hit.severity, hit.confidence) for hit in hits] == said


@pytest.mark.parametrize(
    ("path", "hits"), [("", 1), ("home/.netrc", 1), ("HOME/.NETRC", 1), ("a/b.ini", 1), ("a.py", 0)]
)
def test_rule_can_be_for_some_files(path: str, hits: int):
    """Globs limit a rule to names or paths; where none is known, as in a prompt, it holds."""
    assert (
        len(found("key-qwertzui", rule(pattern="key-[a-z]{8}", paths=(".netrc", "a/*.ini")), path=path))
        == hits
    )


def test_stop_words_and_allowed_values():
    """Words and expressions name what is no secret after all."""
    one = rule(pattern="(?i)key-[a-z0-9]{8}", stop=("sandbox",), allow=("[0-9]{3}$",))
    assert [hit.start for hit in found("key-aSANDBOX\nkey-qsandbox\nkey-abcdf123\nkey-123abcdf", one)] == [39]


BROKEN = {
    "pattern = '(a)(b)'": "only one group",
    "pattern = '(a'": "RE2 does not understand",
    "pattern = 'a'\ncheck = 'magic'": "there is no check magic; there are aws-account",
    "pattern = 'a'\ncheck_required = true": "check_required needs a check",
    "pattern = 'a'\nkeywords = ['b']": "a secret rule has no keywords",
    "pattern = 'a'\nrevoke = 'http://a'": "revoke",
    "pattern = 'a'\nseverity = 'huge'": "severity",
    "pattern = 'a'\npair = { rule = 'none' }": "there is no rule none to pair with",
}


@pytest.mark.parametrize("fields", BROKEN)
def test_broken_rule_is_told(tmp_path: Path, fields: str):
    """What is wrong with a rule is said with its place, and nothing is taken for a rule that says less."""
    text = f"# Mine.\n\n[[rule]]\nid = 'a'\ntitle = 'a'\nsamples = ['a']\nclean = ['b']\n{fields}\n"
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(Permanent, match=BROKEN[fields]) as raised:
        load_rules(tmp_path)
    assert "mine.toml:3: " in str(raised.value) or "pair with" in str(raised.value)


def test_rules_of_several_directories(tmp_path: Path):
    """Rules of an organisation join the others; the same name twice is an error."""
    text = "[[rule]]\nid = '{}'\ntitle = 'a'\npattern = 'a'\nsamples = ['a']\nclean = ['b']\n"
    for directory, name in (("one", "a"), ("two", "b"), ("three", "b")):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "rules.toml").write_text(text.format(name))
    assert [r.settings.id for r in load_rules(tmp_path / "one", tmp_path / "two")] == ["a", "b"]
    with pytest.raises(Permanent, match="there is already a secret rule b"):
        load_rules(tmp_path / "two", tmp_path / "three")
