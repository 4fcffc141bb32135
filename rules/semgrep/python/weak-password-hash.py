import hashlib


def store(password, user, body, salt):
    # ruleid: python-weak-password-hash
    first = hashlib.md5(password.encode()).hexdigest()
    # ruleid: python-weak-password-hash
    second = hashlib.sha256(user.password.encode("utf-8"))
    # ruleid: python-weak-password-hash
    third = hashlib.sha256(salt + password.encode()).hexdigest()
    # ruleid: python-weak-password-hash
    fourth = hashlib.new("sha1", password.encode())
    # ok: python-weak-password-hash
    fifth = hashlib.sha256(body).hexdigest()
    # ok: python-weak-password-hash
    sixth = hashlib.md5(user.name.encode()).hexdigest()
    # ok: python-weak-password-hash
    seventh = hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
    return first, second, third, fourth, fifth, sixth, seventh
