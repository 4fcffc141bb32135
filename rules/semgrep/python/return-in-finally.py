def read(file):
    try:
        return file.read()
    finally:
        # ruleid: python-return-in-finally
        return ""


def fine(file):
    try:
        # ok: python-return-in-finally
        return file.read()
    finally:
        file.close()
