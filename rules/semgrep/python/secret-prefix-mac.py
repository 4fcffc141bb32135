import hashlib
import hmac


def sign(secret, message, salt):
    # ruleid: python-secret-prefix-mac
    first = hashlib.sha256(secret + message).hexdigest()
    # ruleid: python-secret-prefix-mac
    second = hashlib.sha1(secret.encode() + message.encode()).hexdigest()
    # ok: python-secret-prefix-mac
    third = hmac.new(secret, message, "sha256").hexdigest()
    # ok: python-secret-prefix-mac
    fourth = hashlib.sha256(salt + message).hexdigest()
    return first, second, third, fourth
