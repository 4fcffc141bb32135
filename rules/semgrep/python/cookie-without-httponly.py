def login(response, token, options):
    # ruleid: python-cookie-without-httponly
    response.set_cookie("session", token)
    # ruleid: python-cookie-without-httponly
    response.set_cookie(key="access_token", value=token, secure=True)
    # ok: python-cookie-without-httponly
    response.set_cookie("session", token, httponly=True, secure=True, samesite="Lax")
    # ok: python-cookie-without-httponly
    response.set_cookie("csrf_token", token)
    # ok: python-cookie-without-httponly
    response.set_cookie("theme", "dark")
    # ok: python-cookie-without-httponly
    response.set_cookie("session", token, **options)
