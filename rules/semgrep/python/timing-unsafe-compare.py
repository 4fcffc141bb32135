import hmac


def check(key, body, signature):
    expected = hmac.new(key, body, "sha256").hexdigest()
    # ruleid: python-timing-unsafe-compare
    if signature != expected:
        raise PermissionError
    # ruleid: python-timing-unsafe-compare
    return hmac.digest(key, body, "sha256") == signature


def fine(key, body, signature):
    expected = hmac.new(key, body, "sha256").hexdigest()
    # ok: python-timing-unsafe-compare
    if len(signature) != len(expected):
        return False
    # ok: python-timing-unsafe-compare
    return hmac.compare_digest(expected, signature)
