import tempfile
from pathlib import Path


def keep(text):
    # ruleid: python-predictable-temp-file
    with open("/tmp/report.txt", "w") as file:
        file.write(text)
    # ruleid: python-predictable-temp-file
    Path("/tmp/report.json").write_text(text)
    # ok: python-predictable-temp-file
    with open("/tmp/report.txt", "r") as file:
        file.read()
    # ok: python-predictable-temp-file
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
    # ok: python-predictable-temp-file
    with open("/srv/report.txt", "w") as file:
        file.write(text)
