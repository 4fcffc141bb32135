import json
from pathlib import Path


def store(path, data):
    # ruleid: python-file-written-unclosed
    open(path, "w").write("done")
    # ruleid: python-file-written-unclosed
    json.dump(data, open(path, "w"))
    with open(path, "w") as file:
        # ok: python-file-written-unclosed
        file.write("done")
        # ok: python-file-written-unclosed
        json.dump(data, file)
    # ok: python-file-written-unclosed
    Path(path).write_text("done")
    # ok: python-file-written-unclosed
    return json.load(open(path))
