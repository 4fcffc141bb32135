def remove(request, user, item):
    # ruleid: python-assert-for-authorization
    assert request.user.is_staff
    # ruleid: python-assert-for-authorization
    assert user.has_perm("shop.delete"), "not allowed"
    # ok: python-assert-for-authorization
    assert item is not None
    # ok: python-assert-for-authorization
    assert user.is_active
    # ok: python-assert-for-authorization
    if not user.is_admin:
        raise PermissionError
