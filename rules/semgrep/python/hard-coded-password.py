import hmac


def login(password, form, stored):
    # ruleid: python-hard-coded-password
    if password == "hunter2!":
        return True
    # ruleid: python-hard-coded-password
    if "letmein99" == form.password:
        return True
    # ok: python-hard-coded-password
    if password == "":
        return False
    # ok: python-hard-coded-password
    if password == "********":
        return False
    # ok: python-hard-coded-password
    return hmac.compare_digest(password, stored)
