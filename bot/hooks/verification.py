"""Whether a delivery comes from the GitLab that we share a secret with.

GitLab 19.0 signs deliveries as https://www.standardwebhooks.com describes: HMAC-SHA256 over
``id.timestamp.body``. Older releases send the plain secret in ``X-Gitlab-Token``. External status checks sign the body
with their shared secret, see https://docs.gitlab.com/user/project/merge_requests/status_checks/.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

#: How far the sender's clock may be from ours; older deliveries are replays.
WINDOW_S = 300

_SIGNING_PREFIX = b"whsec_"
_SIGNATURE = "webhook-signature"
_PLAIN = "x-gitlab-token"
#: The signature of external status checks: HMAC-SHA256 of the body, in hex.
_CHECK_SIGNATURE = "x-gitlab-signature"


class Unverified(ValueError):
    """Say why a delivery is not trusted; the message contains no secret."""


class Verifier:
    """Check deliveries against every configured secret, in constant time and always against all of them.

    Several secrets are accepted at once so that they can be rotated without losing deliveries. A secret that
    starts with ``whsec_`` is a signing token, any other is the plain token.

    Raises:
        ValueError: there is no secret, or a signing token is not base64.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        given = [secret.strip() for secret in secrets]
        if not given or not all(given):
            msg = (
                "a webhook secret is needed, without one anybody could send events;"
                " set CLOISTER_WEBHOOK_SECRET to the secret token of the GitLab webhook"
            )
            raise ValueError(msg)
        self._keys = [_signing_key(secret) for secret in given if secret.startswith(_SIGNING_PREFIX)]
        self._tokens = [secret for secret in given if not secret.startswith(_SIGNING_PREFIX)]

    def expects_signature(self, headers: Mapping[str, str]) -> bool:
        """Say whether the signature decides, for which the body is needed; otherwise the token does."""
        if _SIGNATURE in headers and self._keys:
            return True
        return _CHECK_SIGNATURE in headers and _PLAIN not in headers and bool(self._tokens)

    def check_token(self, headers: Mapping[str, str]) -> None:
        """Accept a delivery by its plain token.

        Raises:
            Unverified: the token is missing or wrong.
        """
        given = headers.get(_PLAIN, "")
        if not given:
            msg = (
                "the delivery has neither X-Gitlab-Token nor a signature; set the secret in GitLab's webhook"
            )
            raise Unverified(msg)
        matches = [hmac.compare_digest(given.encode("latin-1", "replace"), token) for token in self._tokens]
        if not any(matches):
            msg = "X-Gitlab-Token is not one of the configured secrets"
            raise Unverified(msg)

    def check_signature(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Accept a signed delivery.

        Args:
            headers: with lower-case or case-insensitive names.
            body: the raw bytes that were signed.
            now: the current time, to tell replays.

        Raises:
            Unverified: no signature matches, or the timestamp is outside the window.
        """
        if not (_SIGNATURE in headers and self._keys):
            self._check_status_check(headers, body)
            return
        message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not message_id or not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
            msg = "the signed delivery has no webhook-id or no usable webhook-timestamp"
            raise Unverified(msg)
        apart_s = abs(now.timestamp() - int(timestamp))
        if apart_s > WINDOW_S:
            msg = (
                f"the signature is {apart_s:.0f} s away from this machine's time, {WINDOW_S} s are allowed;"
                " either it is a replay or one clock is wrong"
            )
            raise Unverified(msg)
        signed = b".".join((message_id.encode("latin-1", "replace"), timestamp.encode(), body))
        expected = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in self._keys]
        given = [one.removeprefix("v1,") for one in headers[_SIGNATURE].split() if one.startswith("v1,")]
        matches = [
            hmac.compare_digest(ours, theirs.encode("latin-1", "replace"))
            for ours in expected
            for theirs in given[:10]
        ]
        if not any(matches):
            msg = "no signature of the delivery matches a configured signing token"
            raise Unverified(msg)

    def _check_status_check(self, headers: Mapping[str, str], body: bytes) -> None:
        given = headers.get(_CHECK_SIGNATURE, "").encode("latin-1", "replace")
        expected = [hmac.new(token, body, hashlib.sha256).hexdigest().encode() for token in self._tokens]
        matches = [hmac.compare_digest(given, one) for one in expected]
        if not any(matches):
            msg = "X-Gitlab-Signature fits no webhook secret; use one of them as shared secret of the status check"
            raise Unverified(msg)


def stated_key(headers: Mapping[str, str], *, signed: bool) -> str | None:
    """Return the key that names a delivery across resends, if the sender states one.

    ``Idempotency-Key`` is not covered by the signature, its equal ``webhook-id`` is, so that a replay of a
    signed delivery cannot pose as a new one.
    """
    return headers.get("webhook-id" if signed else "idempotency-key", "").strip() or None


def _signing_key(secret: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_SIGNING_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        msg = "a signing token must be whsec_ followed by base64; copy it again from GitLab's webhook"
        raise ValueError(msg)
    return key
