import json


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
    except (ValueError, TypeError):
        return 0


def load(path):
    try:
        return json.loads(path.read_text())
    # ruleid: python-except-order
    except OSError:
        return None
    except FileNotFoundError as error:
        raise SystemExit from error


def fine(text):
    try:
        return int(text)
    # ok: python-except-order
    except ValueError:
        return 0
    # ok: python-except-order
    except Exception as error:
        try:
            return float(text)
        except ValueError:
            raise SystemExit from error


def stopped(text):
    try:
        return int(text)
    # ok: python-except-order
    except Exception:
        return 0
    except BaseException:
        return 1
