import hashlib


def store(password, user, body, salt):
    # ruleid: python-weak-password-hash
    first = hashlib.md5(password.encode()).hexdigest()
    # ruleid: python-weak-password-hash
    second = hashlib.sha256(user.password.encode("utf-8"))
    # ok: python-weak-password-hash
    third = hashlib.sha256(body).hexdigest()
    # ok: python-weak-password-hash
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1), first, second, third
