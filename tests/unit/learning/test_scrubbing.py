"""What must not leave is taken out of a text, or the text is not used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.learning.scrubbing import Scrubber, Unclean


def redact(text: str) -> str:
    """Mask what begins like a token."""
    return text.replace("glpat-abc", "[secret]")


def scrubber(**values: object) -> Scrubber:
    """Return one for an installation with one host."""
    return Scrubber(**{"redact": redact, "key": b"k", "hosts": {"gitlab.acme.example"}, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "leak",
    [
        "jane.doe+x@acme.example",
        "db7.prod.internal",
        "GITLAB.acme.example",
        "10.1.2.3",
        "192.168.0.17",
        "fd12:3456:789a::17",
        "FE80::1ff:fe23:4567:890a",
        "fc00::",
        "glpat-abc",
        "nas.local",
        "git.attic.home",
        "registry.gitlab.acme.example",
        "jane.doe@acme.invalid",
        "jane.doe@grünwald.de",
        "jane.doe@почта.рф",
        "jane.doe%40acme.example",
        "jane@10.1.2.3",
        "100.64.7.9",
        "010.001.002.003",
        "::ffff:10.1.2.3",
        "::ffff:0a01:0203",
        "fec0::17",
        "52.29.11.90",
        "100.128.0.1",
        "2a02:8109:abcd::17",
        "db7.acme.intern",
    ],
)
def test_what_must_not_leave_is_gone(leak: str) -> None:
    """Wherever it stands in the text."""
    for around in (
        "{}",
        "see https://{}/path",
        "x = '{}'",
        "Title: {} broken",
        "> ({}).",
        "Ask {}.",
        "[{}]:80",
        "{}: refused",
    ):
        assert leak.lower() not in scrubber().scrub(around.format(leak)).lower()


@pytest.mark.parametrize(
    "harmless",
    [
        "@dataclass\nclass A:\n    @property\n    def localhost(self): return '127.0.0.1'",
        "version = 1.2.3.4 or 999.1.1.1 or 10.0.0.0.1",
        "self.internal.value = self.local = obj.local_time",
        "path = user.home / config.private",
        "requests.get('https://example.com')",
        "import corp.lan_tools",
        "a @ b",
        "fd12, feed::parse(fd12:ab) and std::fc00",
        "2001:db8::1 or ::1",
        "::ffff:127.0.0.1, 0.0.0.0 and 8.8.8.8",
        "foo==52.29.11.90 at version 47.1.2.3",
        "this.name.intern() and df.loc",
        "https://localhost:8080/x http://$host/ http://{host}/ http://127:1/ file:///etc/hosts",
        "author: str, maintainer: Person, copyright = notice(2024)",
        "12:30:45 and ab::cd::ef",
        "GET /users/me of src/home/page",
        "建议:使用 https://example.com。",
    ],
)
def test_code_stays_code(harmless: str) -> None:
    """Decorators, versions, attributes and public names are left alone."""
    assert harmless == scrubber().scrub(harmless)


def test_people_are_named_by_pseudonyms_that_last() -> None:
    """In prose and where people sign code; the same person has the same one, whatever the case."""
    clean = scrubber().scrub(
        "Title: fix for @Jane\n> asked by @jane, cc @bob\n  3 + # TODO(jane): look\n@jane\n"
    )
    assert "TODO(jane)" not in clean
    one = scrubber().pseudonym("user", "Jane")
    assert clean.count(one) == 3
    assert clean.endswith("\n@jane\n")
    assert one != scrubber(key=b"other").pseudonym("user", "Jane")


@pytest.mark.parametrize(
    ("text", "leak"),
    [
        ("curl http://jenkins:8080/job", "jenkins"),
        ("see https://wiki.", "wiki"),
        ("'postgres://app:pw@ledger/main'", "ledger"),
        ("open('/home/jane/x')", "jane"),
        (r"C:\Users\jane\x and C:\\Users\\jane", "jane"),
        ("请联系jane@acme.example谢谢", "acme"),
    ],
)
def test_what_only_its_place_gives_away_is_gone(text: str, leak: str) -> None:
    """A host without a dot, and an account in the path of its home."""
    assert leak not in scrubber().scrub(text)


@pytest.mark.parametrize(
    "disguised",
    [
        "jane@ac\u200bme.example",
        "jane\uff20acme.example",
        "jane@acme\u3002example",
        "\uff11\uff10.1.2.3",
        "10.1.2\u2060.3",
        "\uff27itlab.acme.example",
        "gitlab.ac\u00adme.example",
        "glpat\u200d-abc",
        "\U0001d420itlab.acme.example",
    ],
)
def test_what_is_written_with_other_signs_is_not_used(disguised: str) -> None:
    """Signs that nobody sees, or that read like others: whoever trains on them may fold them back."""
    with pytest.raises(Unclean, match="other signs"):
        scrubber().scrub(f"see {disguised}, please")


@pytest.mark.parametrize("sign", ["   12 + ", "      - ", "+", "-"])
def test_a_secret_over_several_lines_of_a_change_is_not_used(sign: str) -> None:
    """What stands before the lines hides it from whoever looks at them all, and from nobody else."""
    one = scrubber(redact=lambda text: text.replace("glpat\nabc", "[secret]\n"))
    with pytest.raises(Unclean, match="several lines of a change"):
        one.scrub(f"a.py\n{sign}glpat\n{sign}abc")


@pytest.mark.parametrize(
    "signed",
    [
        "Author: Jane@acme.example, John Smith",
        "Author: user-0123456789 John Smith",
        f"# Author: {', '.join(['Jane Doe'] * 9)}, John Smith",
        "TODO(host-0123456789.invalid John Smith): look",
        "FIXME @Smith",
        "# author: John Smith",
        "Acked-By: John Smith",
        "signed-off-by: John Smith",
        "Copyright (c) 2019-2024 John Smith",
        '__author__ = "John Smith"',
        "{'author': 'John Smith'}",
        r"\author John Smith",
    ],
)
def test_nobody_hides_behind_a_pseudonym(signed: str) -> None:
    """Of all who sign, none is left, be one of them a pseudonym already."""
    assert "Smith" not in scrubber().scrub(signed)


def test_a_text_that_cannot_be_looked_at_is_not_used() -> None:
    """Nor one in which something is found again and again; the reason quotes nothing of it."""

    def broken(text: str) -> str:
        raise RuntimeError(text)

    with pytest.raises(Unclean, match="failed") as raised:
        scrubber(redact=broken).scrub("hush")
    assert "hush" not in str(raised.value)
    with pytest.raises(Unclean, match="did not come to an end"):
        scrubber(redact=lambda text: f"{text}!").scrub("hush")


@given(st.text(alphabet="ab@.-:/ \n>Title10TODO()internalcorp", max_size=80))
def test_scrubbing_what_is_clean_changes_nothing(text: str) -> None:
    """Or the text is refused."""
    try:
        clean = scrubber().scrub(text)
    except Unclean:
        return
    assert clean == scrubber().scrub(clean)


def test_what_was_taken_out_is_counted() -> None:
    """For the card of the data set."""
    one = scrubber()
    one.scrub("a@b.example c@d.example glpat-abc nas.local tel: 030/123456\n# ask @jane")
    counts = {"secrets": 1, "e-mail addresses": 2, "hosts": 1, "telephone numbers": 1, "names": 1}
    assert counts == dict(one.counts)
