def read(path):
    try:
        return path.read_text()
    # ruleid: python-except-order
    except Exception:
        return None
    except FileNotFoundError:
        return ""


def number(text):
    try:
        return int(text)
    # ruleid: python-except-order
    except Exception as error:
        raise SystemExit from error
    except ValueError as error:
        return 0


def fine(text):
    try:
        return int(text)
    # ok: python-except-order
    except ValueError:
        return 0
    # ok: python-except-order
    except Exception as error:
        raise SystemExit from error
