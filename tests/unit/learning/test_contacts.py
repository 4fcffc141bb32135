"""What leads to a person or a machine is found by its form, and numbers of code stay."""

from __future__ import annotations

import pytest

from bot.learning.contacts import without_contacts
from bot.learning.naming import without_names


def taken(text: str) -> list[str]:
    """Return what is taken out of *text*."""
    found: list[str] = []

    def replace(title: str, kind: str, who: str) -> str:
        assert title
        assert kind
        found.append(who)
        return "it"

    without_contacts(text, replace)
    return found


@pytest.mark.parametrize(
    "who",
    [
        "jane.doe (at) acme.com",
        "jane.doe [at] acme [dot] com",
        "jane at acme dot com",
        '"jane doe"@acme.com',
        "00:1B:44:11:3A:B7",
        "00-1b-44-11-3a-b7",
        "001b.4411.3ab7",
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432",
        "4111 1111 1111 1111",
        "5500-0055-5555-5559",
        "11010519491231002X",
        "+49 170 1234567",
        "+1 (415) 555-2671",
        "+4917012345678",
        "415-555-2671",
        "(415) 555-2671",
    ],
)
def test_what_leads_somewhere_is_taken_out(who: str) -> None:
    """Wherever it stands, in a line of a change and in one of a prompt too."""
    for around in ("# {}", "x = '{}'", "+call {}", "   12 + // {}, please", "see: {}."):
        assert [who] == taken(around.format(who))


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("tel: 030/123456", "030/123456"),
        ('"phone": "4155552671"', "4155552671"),
        ("PhoneNumber = 415.555.2671", "415.555.2671"),
        ("电话 010-62771234", "010-62771234"),
        ("手机\uff1a13812345678", "13812345678"),
        ("口令\uff1a'letmein'", "letmein"),
        ("'13812345678'", "13812345678"),
        ("jane@[10.0.0.1]", "jane"),
        ("db_password = 'hunter2'", "hunter2"),
        ('{"pwd": "changeme"}', "changeme"),
        ("password => 'tiger'", "tiger"),
        ("Passwort = 'Sommer2024'", "Sommer2024"),
        ("mot_de_passe: 'ete2024!'", "ete2024!"),
        ("contraseña = 'verano24'", "verano24"),
        ("пароль = 'leto2024'", "leto2024"),
        ("パスワード = 'natsu2024'", "natsu2024"),
        ("Tél. 06 12 34 56 78", "06 12 34 56 78"),
        ("Telefon: 030 123456", "030 123456"),
        ("電話: 03-1234-5678", "03-1234-5678"),
    ],
)
def test_what_stands_beside_it_may_say_what_it_is(text: str, who: str) -> None:
    """A number by itself, or a word, could be anything."""
    assert [who] == taken(text)


@pytest.mark.parametrize(
    "code",
    [
        "x = a +49 if b else 13812345678",
        "+10 20 30 40 50",
        "y = x + 1234567890 +1.41421356",
        "1 << 34 == 17179869184",
        "2024-01-01T00:00:00+02:00 +0100",
        "00:00:00:00:00:00 FF:FF:FF:FF:FF:FF",
        "01:02:03:04:05:06:07:08",
        "4111 1111 1111 1112 and 1234567890123456",
        "110105194912310021",
        "DE89370400440532013001",
        "uuid 123e4567-e89b-12d3-a456-426614174000",
        "password = os.environ['DB_PASSWORD'] or getpass('password')",
        "password: 'Enter your password'",
        "PASSWORD_FIELD = 'password'; bypass = 'always'",
        "f(at) and x.y; list[at].name; look at this dot notation",
        "telemetry = 12345678; telnet 10 20 30 40",
        "version = '2024.1201.1234'",
    ],
)
def test_numbers_and_words_of_code_stay(code: str) -> None:
    """Sums, times, versions, identifiers, and what only looks as if it checked itself."""
    assert [] == taken(code)


@pytest.mark.parametrize(
    "hostile",
    ["1", "+1 ", "a at ", "@a ", "a (at) ", "11:", "+ ", "Aa ", "x=1.2.3.4 ", "[at]", "pwd='", "by Aa Aa "],
)
def test_hostile_text_costs_no_more_than_other(hostile: str) -> None:
    """Whoever wrote the code may have meant to keep the exporter busy."""
    text = f"# {hostile * 20_000}\n{hostile * 20_000}"
    without_contacts(text, lambda *_: "")
    without_names(text, lambda _: "")
