import jwt


def claims(token, key):
    # ruleid: python-jwt-unverified
    first = jwt.decode(token, options={"verify_signature": False})
    # ruleid: python-jwt-unverified
    second = jwt.decode(token, key, algorithms=["HS256", "none"])
    # ok: python-jwt-unverified
    return jwt.decode(token, key, algorithms=["HS256"]), first, second
