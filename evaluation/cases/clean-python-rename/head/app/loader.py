def load(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def size(path: str) -> int:
    return len(load(path))
