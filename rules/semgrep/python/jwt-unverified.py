import jwt


def claims(token, key):
    # ruleid: python-jwt-unverified
    first = jwt.decode(token, options={"verify_signature": False})
    # ruleid: python-jwt-unverified
    second = jwt.decode(token, key, algorithms=["HS256", "none"])
    # ruleid: python-jwt-unverified
    third = jwt.encode({"sub": "me"}, None, algorithm="none")
    # ok: python-jwt-unverified
    header = jwt.get_unverified_header(token)
    # ok: python-jwt-unverified
    fourth = jwt.decode(token, key, algorithms=["HS256"], options={"verify_aud": False})
    # ok: python-jwt-unverified
    return jwt.decode(token, key, algorithms=["HS256"]), first, second, third, fourth, header
