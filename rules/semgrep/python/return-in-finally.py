def read(file):
    try:
        return file.read()
    finally:
        # ruleid: python-return-in-finally
        return ""


def count(file):
    total = 0
    try:
        total = len(file.read())
    finally:
        file.close()
        # ruleid: python-return-in-finally
        return total


def fine(file):
    try:
        # ok: python-return-in-finally
        return file.read()
    finally:
        file.close()


def behind(file):
    try:
        text = file.read()
    finally:
        file.close()
    # ok: python-return-in-finally
    return text


def reported(counts):
    try:
        return sum(counts)
    finally:

        def plural(count):
            # ok: python-return-in-finally
            return "" if count == 1 else "s"

        # ok: python-return-in-finally
        print(plural(len(counts)), max(counts, key=lambda count: -count))
