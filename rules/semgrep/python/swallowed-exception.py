import contextlib


def remove(path):
    try:
        path.unlink()
    # ruleid: python-swallowed-exception
    except:
        pass
    try:
        path.unlink()
    # ruleid: python-swallowed-exception
    except Exception as error:
        pass
    try:
        path.unlink()
    # ok: python-swallowed-exception
    except FileNotFoundError:
        pass
    # ok: python-swallowed-exception
    with contextlib.suppress(OSError):
        path.unlink()
