def read(path):
    try:
        return path.read_text()
    # ruleid: python-except-or
    except FileNotFoundError or PermissionError:
        return None


def number(text):
    try:
        return int(text)
    # ruleid: python-except-or
    except (ValueError or TypeError) as error:
        raise SystemExit from error


def fine(text):
    try:
        return int(text) or 1
    # ok: python-except-or
    except (ValueError, TypeError):
        return 0
    # ok: python-except-or
    except KeyError:
        return text or 2
