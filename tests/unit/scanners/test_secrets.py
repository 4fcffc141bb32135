"""The secret scanner: rules prove themselves, secrets never leave, text keeps its lines."""

from __future__ import annotations

import asyncio
import base64
import random
import re
import string
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.process import ProcessRunner
from bot.domain.errors import Permanent
from bot.domain.findings import ScanReport, Severity
from bot.scanners import Setup, Source
from bot.scanners.secret_detector import Detector
from bot.scanners.secret_judge import entropy
from bot.scanners.secret_rules import SecretRule, load_rules
from bot.scanners.secret_samples import fill
from bot.scanners.secrets import Redactor, SecretScanner, plug, redactor

RULES = Path(__file__).parents[3] / "rules"
SETUP = Setup(rules=RULES, key=b"key of the tests")
ALL = load_rules(RULES / "secrets")
DETECTOR = Detector(ALL, SETUP.key)
EACH = pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.settings.id)


def secret_of(rule_id: str, seed: int = 0) -> str:
    (rule,) = (rule for rule in ALL if rule.settings.id == rule_id)
    return fill(rule.settings.samples[0], random.Random(seed))


def scan(*sources: Source) -> ScanReport:
    return asyncio.run(plug(SETUP).scan(sources, ProcessRunner()))


def added(text: str, path: str = "a.py") -> Source:
    return Source(path, text.encode(), frozenset(range(1, text.count("\n") + 2)))


@EACH
def test_rule_finds_its_samples(rule: SecretRule):
    """A hundred random secrets of each shape are all found, whatever stands around them."""
    dice = random.Random(rule.settings.id)
    for template in rule.settings.samples:
        samples = [fill(template, dice) for _ in range(100)]
        missed = [s for s in samples if not DETECTOR.find(f"before\n{s}\nafter\n".encode())[0]]
        assert missed == []


@EACH
def test_rule_is_responsible_for_its_samples(rule: SecretRule):
    """Without all other rules each rule still finds its own samples."""
    dice = random.Random(rule.settings.id)
    for template in rule.settings.samples:
        assert any(rule.pattern.search(fill(template, dice).encode()) for _ in range(3))


@EACH
def test_rule_is_quiet_on_clean_samples(rule: SecretRule):
    """Placeholders, references and look-alikes are not reported."""
    dice = random.Random(rule.settings.id)
    for template in rule.settings.clean:
        line = fill(template, dice)
        assert [(hit.rule.settings.id, line) for hit in DETECTOR.find(line.encode())[0]] == []


def test_there_are_many_rules():
    """At least three hundred kinds of secrets are known, and their ids are unique."""
    assert len({rule.settings.id for rule in ALL}) >= 300


def test_findings_never_hold_the_secret():
    """A finding names kind, place and mark, and at most four characters of the secret."""
    text = secret_of("aws-access-key-id")
    key = text.split("=")[1]
    (finding,) = scan(added(f"import os\n{text}\n")).findings
    assert (finding.rule, finding.line, finding.severity) == ("aws-access-key-id", 2, Severity.high)
    assert key[:4] in finding.message
    assert key[:5] not in finding.model_dump_json()


def test_same_secret_has_same_mark():
    """The same secret is recognisable in two places, a different one is not taken for it."""
    one, other = secret_of("github-token", 1), secret_of("github-token", 2)
    marks = [re.search(r"mark (\w{8})", f.message)[1] for f in scan(added(f"{one}\n{one}\n{other}")).findings]  # type: ignore[index]
    assert marks[0] == marks[1] != marks[2]


def test_only_added_lines_are_reported():
    """A secret that was there before is not this merge request's finding."""
    line = secret_of("github-token")
    report = scan(Source("a", f"{line}\nx\n{line}\n".encode(), frozenset({3})))
    assert [finding.line for finding in report.findings] == [3]


def test_specific_rule_wins_over_generic_one():
    """One secret is one finding, from the rule that knows its kind."""
    token = secret_of("npm-token").split('"')[1]
    assert [f.rule for f in scan(added(f'token = "{token}"')).findings] == ["npm-token"]


def test_flood_is_capped_and_said():
    """Of thousands of fake tokens some are listed, and the report says that it is not complete."""
    dice = random.Random(1)
    flood = "\n".join(f"ghp_{''.join(dice.choices(string.ascii_letters, k=36))}" for _ in range(20_000))
    report = scan(added(flood))
    assert len(report.findings) == 100
    assert report.not_analysed == {"a.py": "more than 100 secrets; only the first are listed"}


def test_secret_on_a_very_long_line():
    """A minified file hides nothing."""
    token = secret_of("gitlab-personal-access-token")
    text = f"{'a=1;' * 200_000}{token};{'b=2;' * 200_000}{secret_of('github-token')};"
    assert len(scan(added(text)).findings) == 2


def test_utf_16_is_read():
    """A file that PowerShell wrote is no binary file."""
    source = Source("a.ps1", secret_of("github-token").encode("utf-16"), frozenset({1}))
    assert [finding.rule for finding in scan(source).findings] == ["github-token"]


def test_redaction_keeps_lines():
    """A key over several lines of a diff disappears, the number and the signs of its lines stay."""
    key = secret_of("private-key").replace("\n", "\n+")
    clean, count = redactor(SETUP).redact(f" context\n+{key}\n last")
    assert count == 1
    assert re.fullmatch(r" context\n\+\[secret:private-key:\w{8}\](\n\+?){7}\n last", clean)


def test_redaction_of_a_fragment():
    """The end of a key is redacted even when a hunk does not show its beginning."""
    key = secret_of("private-key").split("\n", 1)[1]
    clean, count = redactor(SETUP).redact(key)
    assert count == 1
    assert not re.search(r"[A-Za-z0-9+/]{16}", re.sub(r"\[.*\]", "", clean))


@given(
    st.lists(st.text(max_size=40), max_size=5),
    st.sampled_from(["github-token", "slack-token", "jwt", "url-password"]),
    st.integers(0, 50),
)
def test_redaction_is_complete(parts: list[str], kind: str, seed: int):
    """Whatever text surrounds it, a secret on its own line does not survive."""
    line = secret_of(kind, seed)
    (hit, *_), _ = DETECTOR.find(line.encode())
    secret = line[hit.start : hit.end]
    text = "\n".join([*parts, line, *parts])
    clean, count = Redactor(DETECTOR).redact(text)
    assert secret not in clean
    assert count >= 1
    assert clean.count("\n") == text.count("\n")


@given(st.text())
def test_text_without_secrets_is_unchanged(text: str):
    """Ordinary text passes through as it is."""
    assert Redactor(DETECTOR).redact(text) == (text, 0)


@pytest.mark.parametrize(
    "example",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "glpat-xxxxxxxxxxxxxxxxxxxx",
        "xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
    ],
)
def test_examples_are_redacted_where_that_is_asked_for(example: str):
    """Nobody else has to read that of documents; what only its name calls a password has to look like one."""
    text = f"key: '{example}'"
    assert Redactor(DETECTOR).redact(text) == (text, 0)
    clean, count = Redactor(DETECTOR).redact(text, examples=True)
    assert (count, example in clean) == (1, False)
    text = "password = 'changeme-changeme'"
    assert Redactor(DETECTOR).redact(text, examples=True) == (text, 0)


def test_many_threads_share_a_detector():
    """Concurrent scans do not disturb each other."""
    text = secret_of("github-token").encode()
    with ThreadPoolExecutor(8) as pool:
        counts = set(pool.map(lambda _: len(DETECTOR.find(text * 3)[0]), range(200)))
    assert counts == {1} or counts == {3}


def test_noise_is_low():
    """Hundreds of files of Python's own library raise almost nothing."""
    library = Path(sysconfig.get_path("stdlib"))
    files = sorted(library.glob("*.py"))
    hits = [(f.name, h.rule.settings.id) for f in files for h in DETECTOR.find(f.read_bytes())[0]]
    assert len(files) > 150
    assert hits == []


def test_broken_rule_is_named(tmp_path: Path):
    """A broken rule file stops the start with its name."""
    (tmp_path / "mine.toml").write_text('[[rule]]\nid = "x"\n')
    with pytest.raises(Permanent, match=r"mine\.toml"):
        load_rules(tmp_path)


def test_entropy_has_known_values():
    """Entropy is in bits per character."""
    assert (entropy(b"aaaa"), entropy(b"abab"), entropy(bytes(range(256)))) == (0, 1, 8)


def test_scanner_wants_everything():
    """Secrets turn up in any file."""
    assert SecretScanner(DETECTOR).wants("anything")


HOSTILE = {
    "names without values": b'password="' * 100_000,
    "tokens on one line": b"ghp_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3gH5 " * 20_000,
    "beginnings of keys": b"-----BEGIN PRIVATE KEY-----\n" * 40_000,
    "literals to put together": b'abcd" + "' * 100_000,
    "escapes": b"%40" * 300_000,
    "beginnings of JSON Web Tokens": b"eyJhbGciOiJIUzI1NiJ9." * 50_000,
    "base64 of much base64": base64.b64encode(base64.b64encode(b'password = "aB3$dE5gH7jK9"\n' * 20_000)),
    "continued lines": b"abcd\\\n" * 100_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_costs_no_more_than_its_size(kind: str):
    """A megabyte made to be looked at again and again is read to its end once."""
    assert len(DETECTOR.find(HOSTILE[kind]).hits) < 20_000


def test_what_there_was_no_time_for_is_masked():
    """Of a flood of secrets none leaves, whether it was looked at or not; the number of lines stays."""
    dice = random.Random(3)
    tokens = [f"ghp_{''.join(dice.choices(string.ascii_letters, k=36))}" for _ in range(20_000)]
    clean, count = redactor(SETUP).redact("\n".join(tokens))
    assert 1_000 < count < 20_000
    assert "ghp_" not in clean
    assert clean.count("\n") == 19_999


def test_a_pair_counts_for_more_than_its_parts():
    """An AWS key id alone opens nothing, but it is seldom alone; next to its key both are critical."""
    key_id, key = (
        secret_of("aws-access-key-id").split("=")[1],
        secret_of("aws-secret-access-key").split("= ")[1],
    )
    both = scan(added(f'key = "{key_id}"\naws_secret = "{key}"\n')).findings
    assert [(f.line, f.severity) for f in both] == [(1, Severity.critical), (2, Severity.critical)]
    assert [f.severity for f in scan(added(f'key = "{key_id}"\n')).findings] == [Severity.high]


def test_a_subject_is_the_whole_mark():
    """What a finding is about is the HMAC of the secret, the same wherever the secret stands."""
    token = secret_of("npm-token").split('"')[1]
    one, two = scan(added(f"a = '{token}'\n\n\n{token}")).findings
    assert one.subject == two.subject
    assert re.fullmatch(r"[0-9a-f]{64}", one.subject)
    assert one.subject[:8] in one.message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_wide_characters_hide_nothing(encoding: str):
    """Text in UTF-16 is read with and without a byte order mark."""
    text = f"key = 1\n{secret_of('github-token')}\n"
    report = scan(Source("a.ps1", text.encode(encoding), frozenset({1, 2})))
    assert [(finding.rule, finding.line) for finding in report.findings] == [("github-token", 2)]


@pytest.mark.parametrize(
    ("path", "sure"), [("app/a.py", "medium"), ("tests/a.py", "low"), ("README.md", "low")]
)
def test_made_up_passwords_are_less_sure_in_tests(path: str, sure: str):
    """A password in a test or a document is listed; one in a program becomes a comment."""
    report = scan(added('password = "qT7!wPz4#mKx"\n', path))
    assert [finding.confidence for finding in report.findings] == [sure]


def test_encoded_secret_is_masked_as_a_whole():
    """Of a secret in base64 nothing is left, and the finding tells the kind of what is inside."""
    token = secret_of("github-token")
    encoded = base64.b64encode(base64.b64encode(f"export {token}\n".encode())).decode()
    clean, count = redactor(SETUP).redact(f"data: {encoded}\n")
    assert count == 1
    assert re.fullmatch(r"data: \[secret:github-token:\w{8}\]\n", clean)
