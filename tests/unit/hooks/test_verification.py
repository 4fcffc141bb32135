"""Deliveries are trusted for a configured secret or a fresh signature only."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from bot.hooks.verification import Unverified, Verifier, stated_key

KEY = b"0123456789abcdef0123456789abcdef"
SIGNING = b"whsec_" + base64.b64encode(KEY)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BODY = b'{"a":1}'


def signed(
    key: bytes = KEY, at: datetime = NOW, body: bytes = BODY, message_id: str = "m1"
) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


@pytest.mark.parametrize("secrets", [[], [b""], [b" \n"], [b"good", b""]])
def test_no_secret_is_no_receiver(secrets: list[bytes]):
    """Construction fails and says which setting to give."""
    with pytest.raises(ValueError, match="set CLOISTER_WEBHOOK_SECRET"):
        Verifier(secrets)


@pytest.mark.parametrize("secret", [b"whsec_", b"whsec_!", b"whsec_abc"])
def test_a_broken_signing_token_is_named(secret: bytes):
    """A signing token that is not base64 cannot be a plain token by accident."""
    with pytest.raises(ValueError, match="whsec_"):
        Verifier([secret])


@pytest.mark.parametrize("token", ["old", "new", "käse"])
def test_each_configured_token_is_accepted(token: str):
    """Two secrets are valid during a rotation, line ends around them do not matter."""
    header = token.encode().decode("latin-1")
    Verifier([b"new\n", b"old", "käse".encode()]).check_token({"x-gitlab-token": header})


@pytest.mark.parametrize(
    "headers", [{}, {"x-gitlab-token": ""}, {"x-gitlab-token": "olds"}, {"x-gitlab-token": "☃"}]
)
def test_other_tokens_are_refused(headers: dict[str, str]):
    """Missing and wrong tokens are refused without repeating any."""
    with pytest.raises(Unverified) as refused:
        Verifier([b"new", b"old"]).check_token(headers)
    assert "old" not in str(refused.value)


def test_a_signing_token_is_no_plain_token():
    """A sender who shows the signing token itself is not trusted."""
    with pytest.raises(Unverified):
        Verifier([SIGNING]).check_token({"x-gitlab-token": SIGNING.decode()})


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_fresh_signature_is_accepted(seconds: int):
    """The window is five minutes to both sides."""
    Verifier([SIGNING]).check_signature(signed(), BODY, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_stale_signature_is_refused(seconds: int):
    """Outside the window the reason names the clocks."""
    with pytest.raises(Unverified, match="clock"):
        Verifier([SIGNING]).check_signature(signed(), BODY, NOW + timedelta(seconds=seconds))


def test_one_good_signature_of_several_is_enough():
    """A sender that rotates its key signs with both; other versions are skipped."""
    headers = signed()
    headers["webhook-signature"] = f"v1a,xx v1,AAAA {headers['webhook-signature']}"
    Verifier([b"whsec_" + base64.b64encode(b"other"), SIGNING]).check_signature(headers, BODY, NOW)


@pytest.mark.parametrize(
    "headers",
    [
        signed(key=b"x" * 32),
        signed(body=b"{}"),
        signed() | {"webhook-id": "m2"},
        signed() | {"webhook-id": ""},
        signed() | {"webhook-signature": ""},
        signed() | {"webhook-signature": "v1,ä"},
        signed() | {"webhook-timestamp": ""},
        signed() | {"webhook-timestamp": "-1"},
        signed() | {"webhook-timestamp": "²"},
        signed() | {"webhook-timestamp": "9" * 400},
    ],
)
def test_any_other_signature_is_refused(headers: dict[str, str]):
    """Id, time, body and key are all covered."""
    with pytest.raises(Unverified):
        Verifier([SIGNING]).check_signature(headers, BODY, NOW)


def test_signature_decides_where_a_signing_token_is_configured():
    """Only with a key to check it does the signature take the place of the token."""
    assert Verifier([SIGNING, b"plain"]).expects_signature(signed())
    assert not Verifier([b"plain"]).expects_signature(signed())
    assert not Verifier([SIGNING]).expects_signature({"x-gitlab-token": "plain"})


def test_the_key_of_a_signed_delivery_is_the_signed_one():
    """An unsigned header cannot make a replay look new."""
    headers = {"webhook-id": "signed", "idempotency-key": "free"}
    assert [stated_key(headers, signed=True), stated_key(headers, signed=False)] == ["signed", "free"]
    assert stated_key({"idempotency-key": " "}, signed=False) is None


def test_a_status_check_signs_the_body_with_a_webhook_secret():
    """GitLab sends no token with it."""
    verifier = Verifier([SIGNING, b"new", b"old"])
    headers = {"x-gitlab-signature": hmac.new(b"old", BODY, hashlib.sha256).hexdigest()}
    assert verifier.expects_signature(headers)
    verifier.check_signature(headers, BODY, NOW)
    with pytest.raises(Unverified, match="shared secret"):
        verifier.check_signature(headers, BODY + b" ", NOW)
    with pytest.raises(Unverified):
        verifier.check_signature({"x-gitlab-signature": "☃"}, BODY, NOW)


def test_a_status_checks_signature_does_not_stand_in_for_others():
    """Neither for a token that is there, nor for the signature of a webhook, nor without plain secrets."""
    digest = hmac.new(b"old", BODY, hashlib.sha256).hexdigest()
    assert not Verifier([b"old"]).expects_signature({"x-gitlab-signature": digest, "x-gitlab-token": "no"})
    assert not Verifier([SIGNING]).expects_signature({"x-gitlab-signature": digest})
    forged = signed(b"x" * 32) | {"x-gitlab-signature": digest}
    with pytest.raises(Unverified):
        Verifier([SIGNING, b"old"]).check_signature(forged, BODY, NOW)
